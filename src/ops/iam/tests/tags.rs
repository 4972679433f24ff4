//! Tags of users and roles alike.

use super::{must, refused};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, elements, trusting};

const KINDS: [(&str, &str); 2] = [("User", "UserName"), ("Role", "RoleName")];

async fn bench() -> Bench {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "x")]).await;
    let trust = trusting(&[A]);
    let role = [("RoleName", "x"), ("AssumeRolePolicyDocument", trust.as_str())];
    must(&bench, &bench.a, "CreateRole", &role).await;
    bench
}

fn tags<'p>(name: &'p str, tags: &'p [(String, String)]) -> Vec<(String, String)> {
    let mut parameters = vec![(name.to_owned(), "x".to_owned())];
    for (at, (key, value)) in tags.iter().enumerate() {
        parameters.push((format!("Tags.member.{}.Key", at + 1), key.clone()));
        parameters.push((format!("Tags.member.{}.Value", at + 1), value.clone()));
    }
    parameters
}

fn some(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn borrowed(parameters: &[(String, String)]) -> Vec<(&str, &str)> {
    parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()
}

async fn shown(bench: &Bench, kind: &str, name: &str) -> Vec<(String, String)> {
    let list = must(bench, &bench.a, &format!("List{kind}Tags"), &[(name, "x")]).await;
    let pairs = elements(&list, "Key").zip(elements(&list, "Value"));
    pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

#[tokio::test]
async fn tags_are_set_replaced_without_regard_to_case_and_removed() {
    let bench = bench().await;
    for (kind, name) in KINDS {
        let tag = async |pairs: &[(&str, &str)]| {
            let parameters = tags(name, &some(pairs));
            must(&bench, &bench.a, &format!("Tag{kind}"), &borrowed(&parameters)).await;
        };
        tag(&[("Team", "red"), ("Cost", "1")]).await;
        tag(&[("team", "blue"), ("new", "")]).await;
        let all = some(&[("team", "blue"), ("Cost", "1"), ("new", "")]);
        assert_eq!(shown(&bench, kind, name).await, all);
        let version = bench.services.directory.snapshot().version();
        tag(&[("team", "blue")]).await;
        let untag = format!("Untag{kind}");
        must(&bench, &bench.a, &untag, &[(name, "x"), ("TagKeys.member.1", "none")]).await;
        assert_eq!(bench.services.directory.snapshot().version(), version, "nothing to change");
        let keys = [(name, "x"), ("TagKeys.member.1", "TEAM"), ("TagKeys.member.2", "new")];
        must(&bench, &bench.a, &untag, &keys).await;
        assert_eq!(shown(&bench, kind, name).await, some(&[("Cost", "1")]));
    }
}

#[tokio::test]
async fn there_are_fifty_tags_at_most() {
    let bench = bench().await;
    for (kind, name) in KINDS {
        let many: Vec<_> = (0..50).map(|n| (format!("k{n}"), String::new())).collect();
        let action = format!("Tag{kind}");
        must(&bench, &bench.a, &action, &borrowed(&tags(name, &many))).await;
        let replaced = tags(name, &some(&[("K7", "again")]));
        must(&bench, &bench.a, &action, &borrowed(&replaced)).await;
        let more = tags(name, &some(&[("k50", "")]));
        let result = bench.call(&bench.a, &action, &borrowed(&more)).await;
        let message = refused(result, FaultCode::LimitExceeded);
        assert_eq!(message, format!("Cannot exceed quota for TagsPer{kind}: 50"));
        assert_eq!(shown(&bench, kind, name).await.len(), 50);
    }
}

#[tokio::test]
async fn reserved_and_doubled_keys_are_refused() {
    let bench = bench().await;
    for (kind, name) in KINDS {
        for wrong in [&[("aws:x", "v")][..], &[("AWS:x", "v")], &[("a", "1"), ("A", "2")]] {
            let parameters = tags(name, &some(wrong));
            let result = bench.call(&bench.a, &format!("Tag{kind}"), &borrowed(&parameters)).await;
            refused(result, FaultCode::InvalidInput);
        }
        for action in [format!("Tag{kind}"), format!("Untag{kind}")] {
            let result = bench.call(&bench.a, &action, &[(name, "x")]).await;
            refused(result, FaultCode::ValidationError);
        }
    }
}

#[tokio::test]
async fn conditions_limit_which_tags_may_be_changed() {
    let bench = bench().await;
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Action": ["iam:TagUser", "iam:UntagUser"],
        "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": { "aws:TagKeys": ["free"] },
            "Null": { "aws:TagKeys": "false" },
        },
    }});
    let caller = bench.user(&bench.a, "caller", &policy.to_string()).await;
    for (key, allowed) in [("free", true), ("owned", false)] {
        let tag = tags("UserName", &some(&[(key, "v")]));
        let untag = [("UserName", "x"), ("TagKeys.member.1", key)];
        let results = [
            bench.call(&caller, "TagUser", &borrowed(&tag)).await,
            bench.call(&caller, "UntagUser", &untag).await,
        ];
        for result in results {
            if allowed {
                result.unwrap();
            } else {
                refused(result, FaultCode::AccessDenied);
            }
        }
    }
}

#[tokio::test]
async fn a_deny_on_a_tag_holds_however_a_request_spells_it() {
    let bench = bench().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iam:*","Resource":"*"},
        {"Effect":"Deny","Action":["iam:TagUser","iam:UntagUser"],"Resource":"*","Condition":
            {"ForAnyValue:StringEquals":{"aws:TagKeys":["Team"]}}}]}"#;
    let keeper = bench.user(&bench.a, "keeper", policy).await;
    let set = tags("UserName", &some(&[("Team", "red"), ("cost", "1")]));
    must(&bench, &bench.a, "TagUser", &borrowed(&set)).await;
    for (key, expected) in [("team", true), ("TEAM", true), ("Team", true), ("Cost", false)] {
        let set = tags("UserName", &some(&[(key, "blue")]));
        let set = bench.call(&keeper, "TagUser", &borrowed(&set)).await;
        let gone = [("UserName", "x"), ("TagKeys.member.1", key)];
        let gone = bench.call(&keeper, "UntagUser", &gone).await;
        for answer in [set, gone] {
            match answer {
                Ok(_) => assert!(!expected, "{key}"),
                Err(fault) => assert!(expected && fault.code() == FaultCode::AccessDenied, "{key}"),
            }
        }
    }
    assert_eq!(shown(&bench, "User", "UserName").await, some(&[("Team", "red")]));
}
