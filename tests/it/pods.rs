//! Pod identity without an agent on the node: boto3's clients of EKS manage it, and AWS SDKs in a pod
//! have nothing but the address of the credentials endpoint and the token of their service account.

use std::path::{Path, PathBuf};
use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};

use crate::caller::{Prepared, policy};
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
