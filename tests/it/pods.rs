//! Pod identity without an agent on the node: boto3's clients of EKS manage it, and AWS SDKs in a pod
//! have nothing but the address of the credentials endpoint and the token of their service account.

use std::path::{Path, PathBuf};
use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::caller::{Credentials, Plan, Prepared, policy};
use crate::python::{client, done, with_key};
use crate::sdks;
use crate::web_identity::Site;

const AUDIENCE: &str = "pods.eks.amazonaws.com";

/// A cluster `prod` whose issuer is the site's, and a role `app` that trusts Pod Identity.
async fn site() -> Site {
    let site = Site::new().await;
    let admin = site.broker.admin();
    let provider =
        format!("arn:aws:iam::{}:oidc-provider/{}", site.broker.home.account, site.idp.url());
    let named = ("OpenIDConnectProviderArn", provider.as_str());
    let add = [named, ("ClientID", AUDIENCE)];
    admin.iam("AddClientIDToOpenIDConnectProvider", &add).await.ok();
    let tag = [
        named,
        ("Tags.member.1.Key", "alpha.eksctl.io/cluster-name"),
        ("Tags.member.1.Value", "prod"),
    ];
    admin.iam("TagOpenIDConnectProvider", &tag).await.ok();
    let trust = policy(&json!({
        "Effect": "Allow",
        "Principal": { "Service": AUDIENCE },
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": { "StringEquals": { "aws:RequestTag/kubernetes-namespace": "shop" } },
    }))
    .to_string();
    let update = [("RoleName", "app"), ("PolicyDocument", trust.as_str())];
    admin.iam("UpdateAssumeRolePolicy", &update).await.ok();
    site
}

/// The token of a pod of this service account.
fn token(site: &Site, name: &str) -> String {
    let mut claims = site.idp.claims(&format!("system:serviceaccount:shop:{name}"));
    claims["aud"] = json!([AUDIENCE]);
    claims["kubernetes.io"] = json!({
        "namespace": "shop",
        "serviceaccount": { "name": name, "uid": "0c2f1c3e" },
        "pod": { "name": "orders-5d9c7b6f4d-x2x9z", "uid": "9a6df1de" },
    });
    site.idp.key().sign(&claims).unwrap()
}

/// Runs Python as the administrator; returns what it printed.
fn python(site: &Site, script: &str, arguments: &[&str]) -> String {
    let mut command = client(&site.broker.url());
    with_key(&mut command, &site.broker.home.first).args(["-c", script]).args(arguments);
    done(command)
}

const CREATE: &str = "
import boto3, sys
made = boto3.client('eks').create_pod_identity_association(
    clusterName='prod', namespace='shop', serviceAccount='orders', roleArn=sys.argv[1],
    tags={'team': 'blue'})['association']
assert made['tags'] == {'team': 'blue'} and made['createdAt'].year > 2000, made
print(made['associationId'])
";

const MANAGE: &str = "
import boto3, sys
eks = boto3.client('eks')
role, which = sys.argv[1], dict(clusterName='prod', associationId=sys.argv[2])
listed = eks.list_pod_identity_associations(clusterName='prod', namespace='shop')['associations']
assert [it['associationId'] for it in listed] == [which['associationId']], listed
pages = eks.get_paginator('list_pod_identity_associations').paginate(clusterName='prod', PaginationConfig={'PageSize': 1})
assert len([it for page in pages for it in page['associations']]) == 1
found = eks.describe_pod_identity_association(**which)['association']
assert found['roleArn'] == role and found['serviceAccount'] == 'orders', found
changed = eks.update_pod_identity_association(**which, disableSessionTags=True)['association']
assert changed['disableSessionTags'] is True, changed
eks.update_pod_identity_association(**which, disableSessionTags=False)
def refused(code, call, **parameters):
    try:
        call(**parameters)
    except eks.exceptions.ClientError as error:
        assert error.response['Error']['Code'] == code, error
    else:
        raise AssertionError(code)
refused('ResourceNotFoundException', eks.describe_pod_identity_association, clusterName='prod', associationId='a-0')
refused('ResourceNotFoundException', eks.list_pod_identity_associations, clusterName='gone')
refused('ResourceInUseException', eks.create_pod_identity_association, clusterName='prod', namespace='shop', serviceAccount='orders', roleArn=role)
refused('InvalidParameterException', eks.create_pod_identity_association, clusterName='prod', namespace='shop', serviceAccount='other', roleArn=role, targetRoleArn=role)
refused('InvalidParameterException', eks.create_pod_identity_association, clusterName='prod', namespace='Shop', serviceAccount='other', roleArn=role)
token = open(sys.argv[3]).read()
granted = boto3.client('eks-auth').assume_role_for_pod_identity(clusterName='prod', token=token)
keys = granted['credentials']
assert granted['audience'] == 'pods.eks.amazonaws.com' and granted['subject'] == {'namespace': 'shop', 'serviceAccount': 'orders'}
who = boto3.client('sts', aws_access_key_id=keys['accessKeyId'], aws_secret_access_key=keys['secretAccessKey'], aws_session_token=keys['sessionToken'])
assert who.get_caller_identity()['Arn'] == granted['assumedRoleUser']['arn']
refused('InvalidTokenException', boto3.client('eks-auth').assume_role_for_pod_identity, clusterName='prod', token='a.b.c')
print('managed')
";

/// A process in a pod: two variables, where the broker is, and a region.
fn pod(mut command: Command, site: &Site, token: &Path) -> Command {
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env_remove(name);
    }
    let account = &site.broker.home.account;
    let endpoint = format!("{}/pod-identity/{account}/prod/v1/credentials", site.broker.url());
    command
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token)
        .env("AWS_ENDPOINT_URL", site.broker.url())
        .env("AWS_ENDPOINT_URL_STS", site.broker.url())
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_DEFAULT_REGION", "eu-west-1");
    command
}

async fn with_association() -> (Site, PathBuf, String) {
    let site = site().await;
    let file = site.broker.home.folder().join("pod-token");
    std::fs::write(&file, token(&site, "orders")).unwrap();
    let id = python(&site, CREATE, &[&site.role]).trim_end().to_owned();
    (site, file, id)
}

#[tokio::test]
async fn boto3_manages_associations_and_asks_as_an_agent() {
    let (site, file, id) = with_association().await;
    let told = python(&site, MANAGE, &[&site.role, &id, file.to_str().unwrap()]);
    assert_eq!(told.trim_end(), "managed");
    let delete = "import boto3, sys\nboto3.client('eks').delete_pod_identity_association(clusterName='prod', associationId=sys.argv[1])";
    python(&site, delete, &[&id]);
    let (status, body) = fetch(&site, Some(&token(&site, "orders"))).await;
    assert_eq!((status, body["code"].as_str().unwrap()), (404, "ResourceNotFoundException"));
}

#[tokio::test]
async fn boto3_in_a_pod_with_the_container_endpoint_alone() {
    let (site, file, _) = with_association().await;
    let begins = format!("arn:aws:sts::{}:assumed-role/app/eks-prod-", site.broker.home.account);
    let mut boto3 = client(&site.broker.url());
    boto3.args(["-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"]);
    let told = done(pod(boto3, &site, &file));
    assert!(told.starts_with(&begins), "{told}");
    // The token of another service account gets nothing.
    std::fs::write(&file, token(&site, "other")).unwrap();
    let mut boto3 = client(&site.broker.url());
    boto3.args(["-c", "import boto3; boto3.client('sts').get_caller_identity()"]);
    let output = pod(boto3, &site, &file).output().unwrap();
    assert!(!output.status.success());
}

#[tokio::test]
async fn javascript_in_a_pod_with_the_container_endpoint_alone() {
    let Some(program) = sdks::program("javascript", sdks::make_javascript) else { return };
    let (site, file, _) = with_association().await;
    let mut command = Command::new(&program[0]);
    crate::broker::isolate(&mut command);
    command
        .args(&program[1..])
        .arg("web")
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("COUNTERSIGN_ACCOUNT", &site.broker.home.account);
    let told = done(pod(command, &site, &file));
    assert!(told.lines().any(|line| line == "ok web"), "{told}");
}

/// The same broker over TLS, by a certificate of the site's private authority.
fn over_tls(mut site: Site) -> (Site, PathBuf) {
    let folder = site.broker.home.folder().to_owned();
    let (certificate, key) = (folder.join("api.pem"), folder.join("api.key"));
    site.authority.server(&certificate, &key);
    site.broker.kill();
    let settings = [
        ("COUNTERSIGN_TLS_CERTIFICATE", certificate.to_str().unwrap()),
        ("COUNTERSIGN_TLS_KEY", key.to_str().unwrap()),
    ];
    site.broker = Broker::serve(&site.broker.home, &settings);
    assert!(site.broker.url().starts_with("https://"));
    (site, folder.join("idp-ca.pem"))
}

#[tokio::test]
async fn pods_are_served_over_tls() {
    let (site, file, _) = with_association().await;
    let (site, ca) = over_tls(site);
    let begins = format!("arn:aws:sts::{}:assumed-role/app/eks-prod-", site.broker.home.account);
    // botocore takes no setting for this endpoint's authorities: they are those of certifi.
    let script = "import os, certifi\ncertifi.where = lambda: os.environ['CA']\nimport boto3\nprint(boto3.client('sts').get_caller_identity()['Arn'])";
    let boto3 = |trusted: bool| {
        let mut command = client(&site.broker.url());
        let script = if trusted { script } else { &script[script.find("import boto3").unwrap()..] };
        command.args(["-c", script]).env("CA", &ca).env("AWS_CA_BUNDLE", &ca);
        pod(command, &site, &file)
    };
    let told = done(boto3(true));
    assert!(told.starts_with(&begins), "{told}");
    // The token goes to nobody whose certificate is not trusted.
    assert!(!boto3(false).output().unwrap().status.success());
    let Some(program) = sdks::program("javascript", sdks::make_javascript) else { return };
    let mut command = Command::new(&program[0]);
    crate::broker::isolate(&mut command);
    command
        .args(&program[1..])
        .arg("web")
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NODE_EXTRA_CA_CERTS", &ca)
        .env("COUNTERSIGN_ACCOUNT", &site.broker.home.account);
    let told = done(pod(command, &site, &file));
    assert!(told.lines().any(|line| line == "ok web"), "{told}");
}

/// What the endpoint answers.
async fn fetch(site: &Site, token: Option<&str>) -> (u16, Value) {
    let account = &site.broker.home.account;
    let mut headers = vec![("host".to_owned(), site.broker.api.to_string())];
    headers.extend(token.map(|token| ("authorization".to_owned(), token.to_owned())));
    let target = format!("/pod-identity/{account}/prod/v1/credentials");
    let request = Prepared { method: Method::GET, target, headers, body: String::new() };
    let answer = site.broker.admin().send(request).await;
    (answer.status.as_u16(), serde_json::from_str(&answer.body).unwrap_or_default())
}

#[tokio::test]
async fn the_endpoint_takes_a_good_token_and_nothing_else() {
    let (site, _, _) = with_association().await;
    let good = token(&site, "orders");
    let (status, body) = fetch(&site, Some(&good)).await;
    assert_eq!(status, 200, "{body}");
    let mut names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(names, ["AccessKeyId", "AccountId", "Expiration", "SecretAccessKey", "Token"]);
    for bad in [
        None,
        Some(String::new()),
        Some(format!("Bearer {good}")),
        Some(format!("{good}x")),
        Some(site.idp.token("app")),
        Some(site.idp.token("system:serviceaccount:shop:orders")),
    ] {
        let (status, body) = fetch(&site, bad.as_deref()).await;
        assert!((400..500).contains(&status), "{bad:?}: {body}");
        assert!(body.get("SecretAccessKey").is_none());
    }
    // Neither the token nor what it got stands in a log or a record.
    let audit = std::fs::read_to_string(site.broker.home.data().join("audit.jsonl")).unwrap();
    let secret = body["SecretAccessKey"].as_str().unwrap();
    for text in [good.rsplit('.').next().unwrap(), secret] {
        assert!(!audit.contains(text) && !site.broker.log().contains(text));
    }
    assert!(audit.contains("eks-auth.amazonaws.com"));
}

/// Every route: method, target, service, body.
fn routes(account: &str) -> Vec<(Method, String, &'static str, String)> {
    let of = "/clusters/prod/pod-identity-associations";
    let one = format!("{of}/a-000102030405060708090a0b0c0d0e0f");
    let role = format!("arn:aws:iam::{account}:role/app");
    let new = json!({ "namespace": "shop", "serviceAccount": "new", "roleArn": role }).to_string();
    let token = json!({ "token": "a.b.c" }).to_string();
    let agent = "/clusters/prod/assume-role-for-pod-identity".to_owned();
    vec![
        (Method::POST, of.to_owned(), "eks", new),
        (Method::GET, of.to_owned(), "eks", String::new()),
        (Method::GET, one.clone(), "eks", String::new()),
        (Method::POST, one.clone(), "eks", "{}".to_owned()),
        (Method::DELETE, one, "eks", String::new()),
        (Method::POST, agent, "eks-auth", token),
    ]
}

/// M06 and M04: no route takes a known key with a bad signature for its owner, nor one that was made
/// for another service.
#[tokio::test]
async fn museum_m06_no_route_of_eks_takes_a_key_without_its_signature() {
    let site = site().await;
    let broker = &site.broker;
    let admin = broker.admin();
    let forger =
        broker.caller(&Credentials { secret: "0".repeat(40), ..broker.home.first.clone() });
    let routes = routes(&broker.home.account);
    assert_eq!(routes.len(), countersign::ops::eks::ROWS.len());
    for (method, target, service, body) in routes {
        let plan = |service| Plan {
            service,
            method: method.clone(),
            target: target.clone(),
            headers: Vec::new(),
            body: body.clone(),
            at: None,
        };
        let said = format!("{method} {target}");
        let forged = forger.sign(plan(service));
        let answer = forger.send(forged.clone()).await;
        assert_eq!(answer.status.as_u16(), 403, "{said}: {answer:?}");
        for other in ["sts", "iam", if service == "eks" { "eks-auth" } else { "eks" }] {
            let answer = admin.send(admin.sign(plan(other))).await;
            assert_eq!(answer.status.as_u16(), 403, "{said} for {other}: {answer:?}");
        }
        for header in [None, Some(format!("Bearer {}", admin.credentials.secret))] {
            let mut bare = forged.clone();
            bare.headers.retain(|(name, _)| name == "host");
            if let Some(header) = header {
                bare = bare.add("authorization", &header);
            }
            let answer = forger.send(bare).await;
            assert!(answer.status.is_client_error(), "{said}: {answer:?}");
        }
        // The honest one is understood.
        let answer = admin.send(admin.sign(plan(service))).await;
        assert_ne!(answer.status.as_u16(), 403, "{said}: {answer:?}");
    }
}

const MODEL: &str = "
import json
import botocore.session
session, told = botocore.session.get_session(), {}
for service, names in (('eks', ['Create', 'List', 'Describe', 'Update', 'Delete']), ('eks-auth', [])):
    model = session.get_service_model(service)
    names = [n for n in model.operation_names if 'PodIdentity' in n]
    for name in names:
        operation = model.operation_model(name)
        shape = operation.input_shape
        told[name] = {
            'members': {m: m in shape.required_members for m in shape.members},
            'http': [operation.http['method'], operation.http['requestUri']],
            'signs': model.signing_name,
        }
print(json.dumps(told))
";

/// Names, required members, methods, paths and signing names are those of botocore's models.
#[test]
fn every_operation_is_as_botocores_models_say() {
    let mut command = client("http://127.0.0.1:1");
    command.args(["-c", MODEL]);
    let told: Value = serde_json::from_str(&done(command)).unwrap();
    let told = told.as_object().unwrap();
    assert_eq!(told.len(), countersign::ops::eks::ROWS.len(), "{told:?}");
    for row in countersign::ops::eks::ROWS {
        let model = &told[row.name];
        let ours: Value =
            row.input.iter().map(|it| (it.name.to_owned(), Value::from(it.required))).collect();
        assert_eq!(ours, model["members"], "{}", row.name);
        assert_eq!(model["signs"], row.service.scope(), "{}", row.name);
        let shaped = model["http"][1]
            .as_str()
            .unwrap()
            .replace("{name}", "prod")
            .replace("{clusterName}", "prod")
            .replace("{associationId}", "a-000102030405060708090a0b0c0d0e0f");
        let routes = routes("111122223333");
        let found = routes
            .iter()
            .any(|(method, target, ..)| method.as_str() == model["http"][0] && *target == shaped);
        assert!(found, "{}: {shaped}", row.name);
    }
}
