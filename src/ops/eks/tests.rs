//! Pod Identity: what pods get, from which cluster, and who says so.

use serde_json::{Map, Value, json};

use super::{CLUSTER_TAG, PRINCIPAL, ROWS, endpoint};
use crate::authn::Caller;
use crate::id::AccountId;
use crate::ops::Context;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, B, Bench, Credentials, HOME, Idp, REGION, allow};

const URL: &str = "oidc.cluster.example/id/1";
const CLUSTER: &str = "prod";

/// What a caller is answered by an operation.
async fn call(
    bench: &Bench,
    credentials: &Credentials,
    name: &str,
    body: Value,
) -> Result<Value, Fault> {
    let row = ROWS.iter().find(|row| row.name == name).unwrap();
    let caller = bench.verify(credentials, "GetCallerIdentity", &[]).await?;
    let facts = bench.facts();
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    let body: Map<String, Value> = body.as_object().unwrap().clone();
    Ok((row.run)(&context, &body).await?.unwrap())
}

/// What the endpoint answers a pod.
async fn fetch(bench: &Bench, account: &str, cluster: &str, token: &str) -> Result<Value, Fault> {
    let facts = bench.facts();
    let caller = &Caller::Anonymous;
    let context = Context { services: &bench.services, caller, facts: &facts, batch: None };
    endpoint(&context, AccountId::parse(account).unwrap(), cluster, token).await
}

fn trusting_pods(condition: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": PRINCIPAL },
        "Action": ["sts:AssumeRole", "sts:TagSession"], "Condition": condition,
    }]})
    .to_string()
}

/// A cluster of A whose service account `shop/orders` has the role `orders`.
struct Stage {
    bench: Bench,
    idp: Idp,
    role: String,
    association: Value,
}

async fn cluster(bench: &Bench, account: &str, url: &str, name: &str) -> Idp {
    bench.provider(account, url, &[PRINCIPAL, "sts.amazonaws.com"]).await;
    let arn = format!("arn:aws:iam::{account}:oidc-provider/{url}");
    let tag = [
        ("OpenIDConnectProviderArn", arn.as_str()),
        ("Tags.member.1.Key", CLUSTER_TAG),
        ("Tags.member.1.Value", name),
    ];
    let admin = if account == A { &bench.a } else { &bench.b };
    bench.call(admin, "TagOpenIDConnectProvider", &tag).await.unwrap();
    Idp::new(bench, &format!("https://{url}"))
}

impl Stage {
    async fn new() -> Self {
        Self::trusting(&trusting_pods(&json!({}))).await
    }

    async fn trusting(trust: &str) -> Self {
        let bench = Bench::new().await;
        let idp = cluster(&bench, A, URL, CLUSTER).await;
        let role = bench.role(&bench.a, "orders", trust, &allow(&["sts:*", "s3:*"])).await;
        let answer = call(
            &bench,
            &bench.a,
            "CreatePodIdentityAssociation",
            json!({
                "clusterName": CLUSTER, "namespace": "shop", "serviceAccount": "orders",
                "roleArn": role, "tags": { "team": "blue" }, "clientRequestToken": "x",
            }),
        )
        .await
        .unwrap();
        Self { idp, role, association: answer["association"].clone(), bench }
    }

    fn id(&self) -> &str {
        self.association["associationId"].as_str().unwrap()
    }

    fn token(&self, more: &Value) -> String {
        token(&self.bench, &self.idp, "shop", "orders", more)
    }

    async fn fetch(&self, token: &str) -> Result<Value, Fault> {
        fetch(&self.bench, A, CLUSTER, token).await
    }

    async fn session(&self) -> Credentials {
        credentials(&self.fetch(&self.token(&json!({}))).await.unwrap())
    }
}

fn token(bench: &Bench, idp: &Idp, namespace: &str, name: &str, more: &Value) -> String {
    let mut claims = json!({
        "aud": [PRINCIPAL],
        "kubernetes.io": {
            "namespace": namespace, "serviceaccount": { "name": name, "uid": "s" },
            "pod": { "name": "orders-5d9c7b6f4d-x2x9z", "uid": "9a6d" },
        },
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    idp.token(bench, &format!("system:serviceaccount:{namespace}:{name}"), &claims)
}

fn credentials(answer: &Value) -> Credentials {
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    Credentials {
        access_key_id: text("AccessKeyId"),
        secret: crate::secret::SecretAccessKey::parse(zeroize::Zeroizing::new(text(
            "SecretAccessKey",
        )))
        .unwrap(),
        token: Some(text("Token")),
    }
}

#[track_caller]
fn refused(result: Result<Value, Fault>, code: FaultCode) -> Fault {
    let fault = result.err().unwrap_or_else(|| panic!("granted"));
    assert_eq!(fault.code(), code, "{fault:?}");
    fault
}

#[tokio::test]
async fn a_pod_gets_a_session_of_its_role_with_its_tags() {
    let stage = Stage::new().await;
    let answer = stage.fetch(&stage.token(&json!({}))).await.unwrap();
    assert_eq!(answer["AccountId"], A);
    let session = credentials(&answer);
    let arn = stage.bench.whoami(&session).await.unwrap();
    let name = arn
        .strip_prefix(&format!("arn:aws:sts::{A}:assumed-role/orders/eks-prod-orders-5d9c7-"))
        .unwrap_or_else(|| panic!("{arn}"));
    assert_eq!(name.len(), 36);
    // The tags are in the session, and all of them travel.
    let opened = stage.bench.verify(&session, "GetCallerIdentity", &[]).await.unwrap();
    let Caller::Signed(signed) = &opened else { panic!("not signed") };
    let tags = &signed.identity().session().unwrap().claims().tags;
    assert!(tags.iter().all(|tag| tag.transitive));
    let told: Vec<_> = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    assert_eq!(
        told,
        [
            ("eks-cluster-arn", &*format!("arn:aws:eks:{HOME}:{A}:cluster/prod")),
            ("eks-cluster-name", "prod"),
            ("kubernetes-namespace", "shop"),
            ("kubernetes-service-account", "orders"),
            ("kubernetes-pod-name", "orders-5d9c7b6f4d-x2x9z"),
            ("kubernetes-pod-uid", "9a6d"),
        ]
    );
    // An hour is the role's longest session.
    stage.bench.advance(3599);
    assert!(stage.bench.whoami(&session).await.is_ok());
    stage.bench.advance(1);
    assert!(stage.bench.whoami(&session).await.is_err());
}

#[tokio::test]
async fn an_agent_with_permission_gets_the_same_and_records_hold_no_secret() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let name = "AssumeRoleForPodIdentity";
    let token = stage.token(&json!({}));
    let body = json!({ "clusterName": CLUSTER, "token": token });
    let node = bench.user(&bench.a, "node", &allow(&["eks-auth:AssumeRoleForPodIdentity"])).await;
    let other = bench.user(&bench.a, "other", &allow(&["eks:*", "sts:*"])).await;
    refused(call(bench, &other, name, body.clone()).await, FaultCode::AccessDenied);
    let before = bench.records().len();
    let answer = call(bench, &node, name, body.clone()).await.unwrap();
    let records = bench.records().split_off(before);
    let secret = answer["credentials"]["secretAccessKey"].as_str().unwrap();
    let session = answer["credentials"]["sessionToken"].as_str().unwrap();
    assert_eq!(records.len(), 2);
    for record in &records {
        let text = record.to_string();
        assert_eq!(record["eventSource"], "eks-auth.amazonaws.com");
        assert!(![token.as_str(), secret, session].iter().any(|it| text.contains(it)), "{text}");
    }
    assert_eq!(answer["subject"], json!({ "namespace": "shop", "serviceAccount": "orders" }));
    assert_eq!(answer["audience"], PRINCIPAL);
    assert_eq!(answer["podIdentityAssociation"]["associationId"], stage.id());
    // An agent of another account has no such cluster.
    refused(call(bench, &bench.b, name, body).await, FaultCode::ResourceNotFound);
    let before = bench.records().len();
    stage.session().await;
    let records = bench.records().split_off(before);
    assert_eq!(records[0]["userIdentity"]["type"], "WebIdentityUser");
    assert!(records.iter().all(|record| !record.to_string().contains(&token)));
}

#[tokio::test]
async fn only_a_pod_s_token_for_pod_identity_is_taken() {
    let stage = Stage::new().await;
    let now = stage.bench.now();
    for (more, code) in [
        (json!({ "aud": "sts.amazonaws.com" }), FaultCode::InvalidIdentityToken),
        (json!({ "aud": "other" }), FaultCode::InvalidIdentityToken),
        (json!({ "aud": [PRINCIPAL, "vault"] }), FaultCode::InvalidIdentityToken),
        (json!({ "azp": PRINCIPAL }), FaultCode::InvalidIdentityToken),
        (json!({ "kubernetes.io": {} }), FaultCode::InvalidIdentityToken),
        (json!({ "kubernetes.io": { "pod": { "name": "p" } } }), FaultCode::InvalidIdentityToken),
        (
            json!({ "kubernetes.io": { "pod": { "name": "p/../q", "uid": "u" } } }),
            FaultCode::InvalidIdentityToken,
        ),
        (
            json!({ "kubernetes.io": { "pod": { "name": "p", "uid": "u${aws:username}" } } }),
            FaultCode::InvalidIdentityToken,
        ),
        (
            json!({ "kubernetes.io": { "namespace": "other", "pod": { "name": "p", "uid": "u" } } }),
            FaultCode::InvalidIdentityToken,
        ),
        (
            json!({ "kubernetes.io": { "serviceaccount": { "name": "other" },
                "pod": { "name": "p", "uid": "u" } } }),
            FaultCode::InvalidIdentityToken,
        ),
        (json!({ "sub": "orders" }), FaultCode::InvalidIdentityToken),
        (json!({ "exp": now }), FaultCode::ExpiredTokenException),
    ] {
        refused(stage.fetch(&stage.token(&more)).await, code);
    }
    for (namespace, name) in [("shop", "other"), ("other", "orders")] {
        let token = token(&stage.bench, &stage.idp, namespace, name, &json!({}));
        refused(stage.fetch(&token).await, FaultCode::ResourceNotFound);
    }
    refused(stage.fetch("").await, FaultCode::InvalidIdentityToken);
    // Another cluster's name, another account's.
    let good = stage.token(&json!({}));
    for (account, cluster) in [(A, "Prod"), (A, "prod/shop"), (A, ""), (B, CLUSTER)] {
        assert!(fetch(&stage.bench, account, cluster, &good).await.is_err());
    }
    assert!(stage.fetch(&good).await.is_ok());
}

#[tokio::test]
async fn one_cluster_gets_nothing_of_another() {
    let stage = Stage::new().await;
    // Another cluster of the account, with the same service account.
    let other = cluster(&stage.bench, A, "oidc.cluster.example/id/2", "test").await;
    let foreign = token(&stage.bench, &other, "shop", "orders", &json!({}));
    refused(stage.fetch(&foreign).await, FaultCode::ResourceNotFound);
    // It takes the name of the first: the association is still the first one's.
    let rename = |url: &str, name: &'static str| {
        let arn = format!("arn:aws:iam::{A}:oidc-provider/{url}");
        let bench = &stage.bench;
        async move {
            let tag = [
                ("OpenIDConnectProviderArn", arn.as_str()),
                ("Tags.member.1.Key", CLUSTER_TAG),
                ("Tags.member.1.Value", name),
            ];
            bench.call(&bench.a, "TagOpenIDConnectProvider", &tag).await.unwrap();
        }
    };
    rename("oidc.cluster.example/id/2", CLUSTER).await;
    refused(stage.fetch(&foreign).await, FaultCode::ResourceNotFound);
    stage.session().await;
    // Two clusters of one name: no more associations.
    let body = json!({ "clusterName": CLUSTER, "namespace": "shop", "serviceAccount": "new",
        "roleArn": stage.role });
    let create = "CreatePodIdentityAssociation";
    let result = call(&stage.bench, &stage.bench.a, create, body).await;
    refused(result, FaultCode::InvalidRequestException);
    // A key of another issuer.
    let forged = Idp { issuer: stage.idp.issuer.clone(), key: other.key };
    let token = token(&stage.bench, &forged, "shop", "orders", &json!({}));
    refused(stage.fetch(&token).await, FaultCode::InvalidIdentityToken);
}

#[tokio::test]
async fn the_role_must_trust_pod_identity_and_conditions_see_the_tags() {
    for (trust, good) in [
        (
            trusting_pods(&json!({ "StringEquals": {
            "aws:RequestTag/kubernetes-namespace": "shop",
            "aws:RequestTag/kubernetes-service-account": "orders",
            "aws:RequestTag/eks-cluster-name": "prod",
            "aws:SourceAccount": A,
        }, "ArnEquals": { "aws:SourceArn": format!("arn:aws:eks:{HOME}:{A}:cluster/prod") } })),
            true,
        ),
        (include_str!("../../../deploy/examples/trust/eks-pod-identity.json").to_owned(), true),
        (
            trusting_pods(
                &json!({ "StringEquals": { "aws:RequestTag/kubernetes-namespace": "x" } }),
            ),
            false,
        ),
        (trusting_pods(&json!({ "StringEquals": { "aws:SourceAccount": B } })), false),
        (crate::ops::testing::trusting(&[A]), false),
        (trusting_pods(&json!({})).replace(PRINCIPAL, "ec2.amazonaws.com"), false),
        (trusting_pods(&json!({})).replace(",\"sts:TagSession\"", ""), false),
        (trusting_pods(&json!({})).replace("\"sts:AssumeRole\",", ""), false),
    ] {
        let stage = Stage::trusting(&trust).await;
        let result = stage.fetch(&stage.token(&json!({}))).await;
        if good {
            result.unwrap();
        } else {
            let fault = refused(result, FaultCode::AccessDenied);
            assert!(!fault.message().contains("condition"), "{}", fault.message());
        }
    }
}

#[tokio::test]
async fn without_session_tags_no_consent_to_tags_is_needed() {
    let trust = trusting_pods(&json!({})).replace(",\"sts:TagSession\"", "");
    let stage = Stage::trusting(&trust).await;
    let change = json!({ "clusterName": CLUSTER, "associationId": stage.id(),
        "disableSessionTags": true });
    let answer =
        call(&stage.bench, &stage.bench.a, "UpdatePodIdentityAssociation", change).await.unwrap();
    assert_eq!(answer["association"]["disableSessionTags"], true);
    let session = stage.session().await;
    let caller = stage.bench.verify(&session, "GetCallerIdentity", &[]).await.unwrap();
    let Caller::Signed(signed) = &caller else { panic!("not signed") };
    assert!(signed.identity().session().unwrap().claims().tags.is_empty());
}

#[tokio::test]
async fn what_it_depends_on_ends_it() {
    // The provider: its sessions end with it.
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let session = stage.session().await;
    let token = stage.token(&json!({}));
    let arn = format!("arn:aws:iam::{A}:oidc-provider/{URL}");
    let delete = [("OpenIDConnectProviderArn", arn.as_str())];
    bench.call(&bench.a, "DeleteOpenIDConnectProvider", &delete).await.unwrap();
    assert!(bench.whoami(&session).await.is_err());
    refused(stage.fetch(&token).await, FaultCode::InvalidIdentityToken);
    // Made again it is another one, and the association was with the first.
    let idp = cluster(bench, A, URL, CLUSTER).await;
    let token = self::token(bench, &idp, "shop", "orders", &json!({}));
    refused(stage.fetch(&token).await, FaultCode::ResourceNotFound);

    // The role: one made again under its name is another.
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let policy = [("RoleName", "orders"), ("PolicyName", "own")];
    bench.call(&bench.a, "DeleteRolePolicy", &policy).await.unwrap();
    bench.call(&bench.a, "DeleteRole", &[("RoleName", "orders")]).await.unwrap();
    let again = bench.role(&bench.a, "orders", &trusting_pods(&json!({})), &allow(&["*"])).await;
    assert_eq!(again, stage.role);
    refused(stage.fetch(&stage.token(&json!({}))).await, FaultCode::AccessDenied);

    // The association: no new sessions; those that are there last.
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let session = stage.session().await;
    let which = json!({ "clusterName": CLUSTER, "associationId": stage.id() });
    call(bench, &bench.a, "DeletePodIdentityAssociation", which).await.unwrap();
    refused(stage.fetch(&stage.token(&json!({}))).await, FaultCode::ResourceNotFound);
    assert!(bench.whoami(&session).await.is_ok());
}

/// The role was taken by EKS, as with AWS: the provider of the cluster's tokens vouched to it
/// alone.
#[tokio::test]
async fn a_pod_s_session_is_not_the_provider_s() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let arn = format!("arn:aws:iam::{A}:oidc-provider/{URL}");
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
          "Condition": { "StringEquals": { "aws:FederatedProvider": arn } } },
        { "Effect": "Allow", "Action": "iam:ListGroups", "Resource": "*",
          "Condition": { "Null": { format!("{URL}:sub"): "false" } } },
        { "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*",
          "Condition": { "Null": { "aws:FederatedProvider": "true", format!("{URL}:aud"): "true",
              "aws:PrincipalTag/kubernetes-pod-name": "false" } } },
        { "Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*" },
    ]});
    let put =
        [("RoleName", "orders"), ("PolicyName", "own"), ("PolicyDocument", &policy.to_string())];
    bench.call(&bench.a, "PutRolePolicy", &put).await.unwrap();
    let session = stage.session().await;
    for (action, allowed) in [("ListUsers", false), ("ListGroups", false), ("ListRoles", true)] {
        assert_eq!(bench.call(&session, action, &[]).await.is_ok(), allowed, "{action}");
    }
    bench.call(&bench.a, "EnableOutboundWebIdentityFederation", &[]).await.unwrap();
    let ask = [("Audience.member.1", "x"), ("SigningAlgorithm", "ES384")];
    let answer = bench.call(&session, "GetWebIdentityToken", &ask).await.unwrap();
    let token = crate::ops::testing::element(&answer, "WebIdentityToken");
    let claims = token.split('.').nth(1).unwrap();
    let claims = data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let told = &claims["https://sts.amazonaws.com/"];
    assert_eq!(told["principal_tags"]["eks-cluster-name"], CLUSTER);
    assert_eq!(told.get("federated_provider"), None);
    // It ends with the provider all the same.
    let delete = [("OpenIDConnectProviderArn", arn.as_str())];
    bench.call(&bench.a, "DeleteOpenIDConnectProvider", &delete).await.unwrap();
    assert!(bench.whoami(&session).await.is_err());
}

#[tokio::test]
async fn associations_are_as_many_as_the_quotas_say() {
    let mut stage = Stage::new().await;
    cluster(&stage.bench, A, "oidc.cluster.example/id/2", "test").await;
    stage.bench.services.quotas.pod_associations_per_cluster = 2;
    stage.bench.services.quotas.pod_associations_per_account = 3;
    let bench = &stage.bench;
    let new = |cluster: &str, name: &str| {
        json!({ "clusterName": cluster, "namespace": "shop", "serviceAccount": name,
            "roleArn": stage.role })
    };
    let create = "CreatePodIdentityAssociation";
    for (cluster, name, full) in [
        (CLUSTER, "a", None),
        (CLUSTER, "b", Some("The cluster")),
        ("test", "a", None),
        ("test", "b", Some("The account")),
    ] {
        let result = call(bench, &bench.a, create, new(cluster, name)).await;
        match full {
            None => drop(result.unwrap()),
            Some(whose) => {
                let fault = refused(result, FaultCode::ResourceLimitExceeded);
                assert!(fault.message().starts_with(whose), "{}", fault.message());
            }
        }
    }
}

/// The callers of these tests sign for another region than the deployment's.
#[tokio::test]
async fn what_is_denied_by_region_or_arn_is_denied_whatever_region_is_signed_for() {
    assert_ne!(REGION, HOME);
    let stage = Stage::new().await;
    let (bench, admin) = (&stage.bench, &stage.bench.a);
    let which = json!({ "clusterName": CLUSTER, "associationId": stage.id() });
    let new = json!({ "clusterName": CLUSTER, "namespace": "shop", "serviceAccount": "new",
        "roleArn": stage.role });
    let token = json!({ "clusterName": CLUSTER, "token": stage.token(&json!({})) });
    let everything = |deny: Value| {
        let mut deny = deny;
        deny["Effect"] = "Deny".into();
        deny["Action"] = json!(["eks:*", "eks-auth:*"]);
        json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": ["eks:*", "eks-auth:*", "iam:PassRole"],
              "Resource": "*" }, deny,
        ]})
        .to_string()
    };
    let region = json!({ "Resource": "*", "Condition": {
        "StringEquals": { "aws:RequestedRegion": HOME } } });
    let arns = |region: &str| {
        json!({ "Resource": [format!("arn:aws:eks:{region}:{A}:cluster/prod"),
            format!("arn:aws:eks:{region}:{A}:podidentityassociation/prod/*")] })
    };
    for (at, deny) in [region, arns(HOME)].into_iter().enumerate() {
        let caller = bench.user(admin, &format!("denied-{at}"), &everything(deny)).await;
        for (name, body) in [
            ("CreatePodIdentityAssociation", &new),
            ("ListPodIdentityAssociations", &json!({ "clusterName": CLUSTER })),
            ("DescribePodIdentityAssociation", &which),
            ("UpdatePodIdentityAssociation", &which),
            ("DeletePodIdentityAssociation", &which),
            ("AssumeRoleForPodIdentity", &token),
        ] {
            refused(call(bench, &caller, name, body.clone()).await, FaultCode::AccessDenied);
        }
    }
    // There is no other ARN: what is said of one is about nothing.
    let caller = bench.user(admin, "other", &everything(arns(REGION))).await;
    let shown = call(bench, &caller, "DescribePodIdentityAssociation", which).await.unwrap();
    assert_eq!(shown["association"]["associationArn"], stage.association["associationArn"]);
}

#[tokio::test]
async fn associations_are_made_listed_changed_and_deleted_by_who_may() {
    let stage = Stage::new().await;
    let (bench, admin) = (&stage.bench, &stage.bench.a);
    assert_eq!(
        stage.association["associationArn"],
        format!("arn:aws:eks:{HOME}:{A}:podidentityassociation/prod/{}", stage.id())
    );
    let new = |name: &str| {
        json!({ "clusterName": CLUSTER, "namespace": "shop",
        "serviceAccount": name, "roleArn": stage.role })
    };
    let create = "CreatePodIdentityAssociation";
    refused(call(bench, admin, create, new("orders")).await, FaultCode::ResourceInUse);
    for name in ["a", "b"] {
        call(bench, admin, create, new(name)).await.unwrap();
    }
    let list = "ListPodIdentityAssociations";
    let mut seen = Vec::new();
    let mut next = Value::Null;
    loop {
        let mut ask = json!({ "clusterName": CLUSTER, "maxResults": 2 });
        if next.is_string() {
            ask["nextToken"] = next;
        }
        let page = call(bench, admin, list, ask).await.unwrap();
        let of = page["associations"].as_array().unwrap();
        seen.extend(of.iter().map(|it| it["serviceAccount"].as_str().unwrap().to_owned()));
        next = page["nextToken"].clone();
        if next.is_null() {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, ["a", "b", "orders"]);
    let one = json!({ "clusterName": CLUSTER, "serviceAccount": "a", "namespace": "shop" });
    let page = call(bench, admin, list, one).await.unwrap();
    assert_eq!(page["associations"].as_array().unwrap().len(), 1);

    // What is not built, not there, or not the account's.
    for (member, value) in [
        ("targetRoleArn", json!("arn:aws:iam::222222222222:role/x")),
        ("policy", json!("{}")),
        ("roleArn", json!(format!("arn:aws:iam::{B}:role/orders"))),
        ("roleArn", json!(format!("arn:aws:iam::{A}:role/gone"))),
        ("roleArn", json!("orders")),
    ] {
        let mut body = new("c");
        body[member] = value;
        refused(call(bench, admin, create, body).await, FaultCode::InvalidParameterException);
    }
    for bad in [json!("Shop"), json!(""), json!("a/b"), json!("*"), json!(7)] {
        let mut body = new("c");
        body["namespace"] = bad;
        assert!(call(bench, admin, create, body).await.is_err());
    }
    let mut body = new("c");
    body["clusterName"] = json!("gone");
    refused(call(bench, admin, create, body).await, FaultCode::ResourceNotFound);
    for name in ["DescribePodIdentityAssociation", "DeletePodIdentityAssociation"] {
        for (cluster, id) in [("test", stage.id()), (CLUSTER, "a-0"), (CLUSTER, &stage.id()[2..])] {
            let which = json!({ "clusterName": cluster, "associationId": id });
            refused(call(bench, admin, name, which).await, FaultCode::ResourceNotFound);
        }
        let which = json!({ "clusterName": CLUSTER, "associationId": stage.id() });
        refused(call(bench, &bench.b, name, which).await, FaultCode::ResourceNotFound);
    }
    // Each needs its own permission, and the role has to be passed.
    let which = json!({ "clusterName": CLUSTER, "associationId": stage.id() });
    for (name, body) in [
        (create, new("d")),
        (list, json!({ "clusterName": CLUSTER })),
        ("DescribePodIdentityAssociation", which.clone()),
        ("UpdatePodIdentityAssociation", which.clone()),
        ("DeletePodIdentityAssociation", which),
    ] {
        let denied = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "NotAction": format!("eks:{name}"), "Resource": "*" },
        ]});
        let caller = bench.user(admin, &format!("not-{name}"), &denied.to_string()).await;
        refused(call(bench, &caller, name, body.clone()).await, FaultCode::AccessDenied);
        let own = format!("eks:{name}");
        let caller = bench.user(admin, &format!("only-{name}"), &allow(&[&own])).await;
        let result = call(bench, &caller, name, body).await;
        if name == create {
            let fault = refused(result, FaultCode::AccessDenied);
            assert!(fault.message().contains("iam:PassRole"), "{}", fault.message());
        } else {
            result.unwrap();
        }
    }
}
