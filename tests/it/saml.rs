//! People from a SAML provider, against the running broker: by boto3 and by the AWS CLI, with
//! responses that other implementations signed.

use crate::broker::Broker;
use crate::caller::Credentials;
use crate::python::{aws, done, refused, run_script};

/// Every signed form and algorithm is exchanged; wrapping and the other rows of the museum are not.
#[test]
fn museum_m44_to_m52_responses_are_exchanged_and_hostile_ones_refused() {
    let broker = Broker::start();
    let told = run_script(&broker, "saml.py", &[]);
    let steps = told.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(steps >= 270, "{told}");
    assert_eq!(told.lines().last().unwrap(), format!("{steps} steps"));
    let audit = std::fs::read_to_string(broker.home.data().join("audit.jsonl")).unwrap();
    assert!(audit.contains("SAMLUser"));
    // No response stands in a log or a record: all begin with the same characters.
    for text in [&audit, &broker.log()] {
        assert!(!text.contains("PHNhbWxwOlJlc3BvbnNl") && !text.contains("PFJlc3BvbnNl"));
    }
}

/// The AWS CLI exchanges one; again, and after a restart, it is refused.
#[test]
fn the_cli_exchanges_a_response_once() {
    let broker = Broker::start();
    let file = broker.home.folder().join("response");
    let told = crate::python::run_script_with(&broker, "saml.py", &[], &[file.to_str().unwrap()]);
    let (role, provider) = told.trim_end().split_once(' ').unwrap();
    let words = format!(
        "sts assume-role-with-saml --role-arn {role} --principal-arn {provider} --saml-assertion \
         file://{}",
        file.display()
    );
    let answer = done(aws(&broker.url(), None, &words, &[]));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let text = |name: &str| answer["Credentials"][name].as_str().unwrap().to_owned();
    let session = Credentials {
        id: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        token: Some(text("SessionToken")),
    };
    let whoami = "sts get-caller-identity --query Arn --output text";
    let arn = done(aws(&broker.url(), Some(&session), whoami, &[]));
    assert_eq!(arn, answer["AssumedRoleUser"]["Arn"].as_str().unwrap());
    refused(aws(&broker.url(), None, &words, &[]), "InvalidIdentityToken");
    let home = std::sync::Arc::clone(&broker.home);
    drop(broker);
    let broker = Broker::serve(&home, &[]);
    let complaint = refused(aws(&broker.url(), None, &words, &[]), "InvalidIdentityToken");
    assert!(complaint.contains("has been used"), "{complaint}");
    done(aws(&broker.url(), Some(&session), whoami, &[]));
}
