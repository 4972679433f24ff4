//! Every kind of credentials against every action of STS, and some of IAM and Organizations.
//!
//! All callers may do everything as far as policies go. `golden/callers.txt` has a line a cell: what is
//! let through, and for each refusal its code and where AWS says so. It is held against
//! [`credentials`](crate::ops::credentials) through the dispatch of real requests; the test prints
//! what it found.

use serde_json::{Value, json};

use crate::authn::Caller;
use crate::directory::{Entity, SamlProvider};
use crate::federation::saml::tests::sign::{Form, Signer};
use crate::federation::saml::tests::{encode, metadata};
use crate::id::{AccountId, ProviderId};
use crate::ops::eks;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::organizations::TARGET_PREFIX;
use crate::ops::testing::{A, B, Bench, Credentials, Idp, allow, trusting};
use crate::ops::{Context, catalog, json as json_operations};

const ISSUER: &str = "https://idp.example";
const CLUSTER: &str = "https://cluster.example";
const TASK: &str = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials";

/// All actions of STS in the model, and what stands for the other services.
const ACTIONS: [(&str, &str); 15] = [
    ("sts", "AssumeRole"),
    ("sts", "AssumeRoleWithSAML"),
    ("sts", "AssumeRoleWithWebIdentity"),
    ("sts", "AssumeRoot"),
    ("sts", "DecodeAuthorizationMessage"),
    ("sts", "GetAccessKeyInfo"),
    ("sts", "GetCallerIdentity"),
    ("sts", "GetDelegatedAccessToken"),
    ("sts", "GetFederationToken"),
    ("sts", "GetSessionToken"),
    ("sts", "GetWebIdentityToken"),
    ("iam", "GetAccountSummary"),
    ("iam", "CreateUser"),
    ("organizations", "DescribeOrganization"),
    ("organizations", "CreateOrganizationalUnit"),
];

struct Stage {
    bench: Bench,
    alice: Credentials,
    role: String,
    idp: Idp,
    cluster: Idp,
    signer: Signer,
    /// A number for what must be new each time.
    next: usize,
}

/// A trust policy for one principal of a kind.
fn trust(kind: &str, principal: &str, actions: &[&str], condition: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": { kind: principal }, "Action": actions,
        "Condition": condition,
    }})
    .to_string()
}

impl Stage {
    async fn new() -> Self {
        let bench = Bench::new().await;
        bench.organization().await;
        let admin = &bench.a;
        for action in [
            "EnableOrganizationsRootSessions",
            "EnableOrganizationsRootCredentialsManagement",
            "EnableOutboundWebIdentityFederation",
        ] {
            bench.call(admin, action, &[]).await.unwrap();
        }
        let everything = allow(&["*"]);
        let alice = bench.user(admin, "alice", &everything).await;
        let role = bench.role(admin, "deploy", &trusting(&[A, B]), &everything).await;

        bench.provider(A, "idp.example", &["sts.amazonaws.com"]).await;
        let idp = Idp::new(&bench, ISSUER);
        let by_web = trust(
            "Federated",
            &format!("arn:aws:iam::{A}:oidc-provider/idp.example"),
            &["sts:AssumeRoleWithWebIdentity"],
            &json!({ "StringEquals": { "idp.example:sub": "app" } }),
        );
        bench.role(admin, "web", &by_web, &everything).await;

        let signer = Signer::new();
        let provider = SamlProvider {
            id: ProviderId::generate(&*bench.services.random).unwrap(),
            account: AccountId::parse(A).unwrap(),
            name: "Corp".to_owned(),
            metadata: metadata::text(&[signer.certificate()]),
            valid_until: None,
            tags: Vec::new(),
            created_at: bench.services.clock.now(),
            revoked: None,
        };
        bench.put(Entity::SamlProvider(provider)).await;
        let by_saml = trust(
            "Federated",
            &format!("arn:aws:iam::{A}:saml-provider/Corp"),
            &["sts:AssumeRoleWithSAML"],
            &json!({ "StringEquals": { "saml:aud": "https://signin.aws.amazon.com/saml" } }),
        );
        bench.role(admin, "Admin", &by_saml, &everything).await;

        bench.provider(A, "cluster.example", &[eks::PRINCIPAL]).await;
        let cluster = Idp::new(&bench, CLUSTER);
        let tag = [
            (
                "OpenIDConnectProviderArn",
                &*format!("arn:aws:iam::{A}:oidc-provider/cluster.example"),
            ),
            ("Tags.member.1.Key", eks::CLUSTER_TAG),
            ("Tags.member.1.Value", "prod"),
        ];
        bench.call(admin, "TagOpenIDConnectProvider", &tag).await.unwrap();
        let by_pod =
            trust("Service", eks::PRINCIPAL, &["sts:AssumeRole", "sts:TagSession"], &json!({}));
        let pod_role = bench.role(admin, "pod", &by_pod, &everything).await;
        let stage = Self { bench, alice, role, idp, cluster, signer, next: 0 };
        let associate = eks::ROWS.iter().find(|row| row.name == "CreatePodIdentityAssociation");
        let association = json!({
            "clusterName": "prod", "namespace": "shop", "serviceAccount": "orders",
            "roleArn": pod_role, "clientRequestToken": "x",
        });
        stage.json(associate.unwrap(), Some(&stage.bench.a), &association).await.unwrap();
        stage
    }

    async fn json(
        &self,
        row: &json_operations::Row,
        credentials: Option<&Credentials>,
        body: &Value,
    ) -> Result<Value, Fault> {
        let caller = match credentials {
            Some(it) => self.bench.verify(it, "GetCallerIdentity", &[]).await?,
            None => Caller::Anonymous,
        };
        let facts = self.bench.facts();
        let services = &self.bench.services;
        let context = Context { services, caller: &caller, facts: &facts, batch: None };
        Ok((row.run)(&context, body.as_object().unwrap()).await?.unwrap_or_default())
    }

    async fn minted(&self, by: &Credentials, action: &str, more: &[(&str, &str)]) -> Credentials {
        Credentials::of_answer(&self.bench.call(by, action, more).await.unwrap())
    }

    async fn of_pod(&self) -> Credentials {
        let claims = json!({
            "aud": [eks::PRINCIPAL],
            "kubernetes.io": {
                "namespace": "shop", "serviceaccount": { "name": "orders", "uid": "s" },
                "pod": { "name": "orders-1", "uid": "9a6d" },
            },
        });
        let subject = "system:serviceaccount:shop:orders";
        let token = self.cluster.token(&self.bench, subject, &claims);
        let (facts, caller) = (self.bench.facts(), Caller::Anonymous);
        let services = &self.bench.services;
        let context = Context { services, caller: &caller, facts: &facts, batch: None };
        let account = AccountId::parse(A).unwrap();
        let answer = eks::endpoint(&context, account, "prod", &token).await.unwrap();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        let secret = zeroize::Zeroizing::new(text("SecretAccessKey"));
        Credentials {
            access_key_id: text("AccessKeyId"),
            secret: crate::secret::SecretAccessKey::parse(secret).unwrap(),
            token: Some(text("Token")),
        }
    }

    fn saml_response(&mut self) -> String {
        self.next += 1;
        let id = format!("ID=\"_n{}\"", self.next);
        let text = self.signer.signed(&Form {
            assertion: false,
            response: true,
            document: Box::new(move |text| {
                text.replace("123456789012", A).replace("ID=\"_a\"", &id)
            }),
            ..Form::default()
        });
        encode(&text)
    }

    /// One of each kind; the last is nobody.
    async fn callers(&mut self) -> Vec<(&'static str, Option<Credentials>)> {
        let root_arn = format!("arn:aws:iam::{A}:root");
        let root = self.bench.key(&root_arn).await.unwrap();
        let root_session = self.minted(&root, "GetSessionToken", &[]).await;
        let to_root = [("TargetPrincipal", B), ("TaskPolicyArn.arn", TASK)];
        let root_task = self.minted(&self.alice, "AssumeRoot", &to_root).await;
        let session = self.minted(&self.alice, "GetSessionToken", &[]).await;
        let serial = self.bench.mfa_device("phone", Some("alice")).await;
        let code = self.bench.totp(0);
        let shown = [("SerialNumber", serial.as_str()), ("TokenCode", code.as_str())];
        let with_mfa = self.minted(&self.alice, "GetSessionToken", &shown).await;
        let assumed = self.bench.assume(&self.alice, &self.role, "monday").await.unwrap();
        let web = self.parameters("AssumeRoleWithWebIdentity");
        let web = self.unsigned("AssumeRoleWithWebIdentity", &web).await;
        let saml = self.parameters("AssumeRoleWithSAML");
        let saml = self.unsigned("AssumeRoleWithSAML", &saml).await;
        let everything = allow(&["*"]);
        let bob = [("Name", "bob"), ("Policy", everything.as_str())];
        let federated = self.minted(&self.alice, "GetFederationToken", &bob).await;
        vec![
            ("root key", Some(root)),
            ("root session", Some(root_session)),
            ("root task (AssumeRoot)", Some(root_task)),
            ("user key", Some(self.alice.clone())),
            ("user session", Some(session)),
            ("user session with MFA", Some(with_mfa)),
            ("role session", Some(assumed)),
            ("role, by web identity", Some(web)),
            ("role, by SAML", Some(saml)),
            ("role, by Pod Identity", Some(self.of_pod().await)),
            ("federated user", Some(federated)),
            ("nobody", None),
        ]
    }

    async fn unsigned(&self, action: &str, parameters: &[(&'static str, String)]) -> Credentials {
        let parameters: Vec<_> = parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
        Credentials::of_answer(&self.bench.unsigned(action, &parameters).await.unwrap())
    }

    /// Parameters with which whoever may call an action succeeds.
    fn parameters(&mut self, action: &str) -> Vec<(&'static str, String)> {
        self.next += 1;
        let text = |text: &str| text.to_owned();
        let role = |name: &str| format!("arn:aws:iam::{A}:role/{name}");
        match action {
            "AssumeRole" => vec![("RoleArn", self.role.clone()), ("RoleSessionName", text("it"))],
            "AssumeRoleWithSAML" => vec![
                ("RoleArn", role("Admin")),
                ("PrincipalArn", format!("arn:aws:iam::{A}:saml-provider/Corp")),
                ("SAMLAssertion", self.saml_response()),
            ],
            "AssumeRoleWithWebIdentity" => vec![
                ("RoleArn", role("web")),
                ("RoleSessionName", text("it")),
                ("WebIdentityToken", self.idp.token(&self.bench, "app", &json!({}))),
            ],
            "AssumeRoot" => {
                vec![("TargetPrincipal", text(B)), ("TaskPolicyArn.arn", text(TASK))]
            }
            // What was not sealed here is told as such to whoever may ask.
            "DecodeAuthorizationMessage" => vec![("EncodedMessage", text("x"))],
            "GetAccessKeyInfo" => vec![("AccessKeyId", self.alice.access_key_id.clone())],
            "GetFederationToken" => vec![("Name", text("carol"))],
            "GetWebIdentityToken" => {
                vec![
                    ("Audience.member.1", text("https://api.example")),
                    ("SigningAlgorithm", text("ES384")),
                ]
            }
            "CreateUser" => vec![("UserName", format!("new-{}", self.next))],
            _ => vec![],
        }
    }

    async fn try_it(
        &mut self,
        service: &str,
        action: &str,
        credentials: Option<&Credentials>,
    ) -> Result<(), Fault> {
        if service == "organizations" {
            let row = catalog::find_target(&format!("{TARGET_PREFIX}.{action}")).unwrap();
            self.next += 1;
            let organized = self.bench.services.directory.snapshot();
            let root = organized.organized().organization().unwrap().root;
            let name = format!("unit {}", self.next);
            let body = match action {
                "CreateOrganizationalUnit" => json!({ "ParentId": root.as_str(), "Name": name }),
                _ => json!({}),
            };
            return self.json(row, credentials, &body).await.map(drop);
        }
        let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
        if catalog::find(action, Some(version)).is_none() {
            return Err(Fault::invalid_action(action, version));
        }
        let parameters = self.parameters(action);
        let parameters: Vec<_> = parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = match credentials {
            Some(credentials) => self.bench.call(credentials, action, &parameters).await,
            None => self.bench.unsigned(action, &parameters).await,
        };
        match answer {
            // It was let in, and told that this is no message.
            Err(fault) if fault.code() == FaultCode::InvalidAuthorizationMessage => Ok(()),
            Err(fault) => Err(fault),
            Ok(_) => Ok(()),
        }
    }
}

/// What a refusal is told as: its code, and where AWS says so.
fn told(fault: &Fault) -> String {
    let source = match fault.code() {
        FaultCode::MissingAuthenticationToken => "AWS STS API reference, Common Error Types",
        FaultCode::InvalidAction => "README, What it answers: tokens of AWS's partners",
        _ if fault.message().contains("with an explicit deny in an identity-based policy") => {
            "AWS managed policies for IAM, IAMAuditRootUserCredentials"
        }
        _ => fault.note().unwrap_or("UNKNOWN"),
    };
    format!("{} [{source}]", fault.code().as_str())
}

#[tokio::test]
async fn who_may_call_what_is_as_the_golden_matrix_says() {
    let mut stage = Stage::new().await;
    let callers = stage.callers().await;
    let mut found = Vec::new();
    for (service, action) in ACTIONS {
        for (name, credentials) in &callers {
            let outcome = match stage.try_it(service, action, credentials.as_ref()).await {
                Ok(()) => "ok".to_owned(),
                Err(fault) => told(&fault),
            };
            let action = format!("{service}:{action}");
            found.push(format!("{action:<38} {name:<23} {outcome}"));
        }
    }
    println!("{}", found.join("\n"));
    let golden: Vec<_> = include_str!("golden/callers.txt").lines().collect();
    for (line, (found, golden)) in found.iter().zip(&golden).enumerate() {
        assert_eq!(found, golden, "line {}", line + 1);
    }
    assert_eq!(found.len(), golden.len());
    assert_eq!(found.len(), ACTIONS.len() * callers.len());
}

/// A federated user, and a session that a root user made, are shut out also where another operation
/// asks on behalf of IAM.
#[tokio::test]
async fn what_iam_tells_is_not_told_by_another_way() {
    let mut stage = Stage::new().await;
    let callers = stage.callers().await;
    let federated = callers.iter().find(|(name, _)| *name == "federated user").unwrap();
    let credentials = federated.1.as_ref().unwrap();
    let told = stage.bench.whoami(credentials).await.unwrap();
    assert_eq!(told, format!("arn:aws:sts::{A}:federated-user/bob"));
    let caller = stage.bench.verify(credentials, "GetCallerIdentity", &[]).await.unwrap();
    let facts = stage.bench.facts();
    let services = &stage.bench.services;
    let context = Context { services, caller: &caller, facts: &facts, batch: None };
    let exported = crate::ops::manage::directory::export(&context).await;
    assert_eq!(exported.err().unwrap().code(), FaultCode::InvalidClientTokenId);
}
