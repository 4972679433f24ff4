//! GetFederationToken: what a federated user may, what it is called, what ends it.

use serde_json::{Value, json};

use crate::api::RevocationTarget;
use crate::authn::Caller;
use crate::id::AccountId;
use crate::ops::authorize::{Act, CallerPolicies, policy_caller, signed_context};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, B, Bench, Credentials, allow, element, find};
use crate::policy::Effect::{Allow, ExplicitDeny, ImplicitDeny};
use crate::policy::{self, DocumentKind, Named, Policy};

const ACTION: &str = "GetFederationToken";
const BOB: &str = "arn:aws:sts::111111111111:federated-user/bob";
const ORDER: &str = "arn:aws:orders::111111111111:order/42";

#[track_caller]
fn refused<T>(result: Result<T, Fault>, code: FaultCode) -> String {
    let fault = result.err().unwrap_or_else(|| panic!("granted"));
    assert_eq!(fault.code(), code, "{fault:?}");
    fault.message().to_owned()
}

/// Alice may federate, and whatever `more` allows.
async fn alice(bench: &Bench, more: &[&str]) -> Credentials {
    let actions = [&["sts:GetFederationToken", "sts:TagSession"], more].concat();
    bench.user(&bench.a, "alice", &allow(&actions)).await
}

async fn federate(
    bench: &Bench,
    by: &Credentials,
    more: &[(&str, &str)],
) -> Result<Credentials, Fault> {
    let parameters = [&[("Name", "bob")], more].concat();
    bench.call(by, ACTION, &parameters).await.map(|answer| Credentials::of_answer(&answer))
}

/// The policies, keys and caller of credentials, as every decision has them.
async fn decide(
    bench: &Bench,
    credentials: &Credentials,
    resource: Option<&str>,
) -> policy::Effect {
    let caller = bench.verify(credentials, "GetCallerIdentity", &[]).await.unwrap();
    let Caller::Signed(request) = &caller else { panic!("nobody signed") };
    let (identity, snapshot) = (request.identity(), request.snapshot());
    let policies = CallerPolicies::gather(snapshot, identity);
    let who = policy_caller(identity);
    let owner = AccountId::parse(A).unwrap();
    let keys = policies.keys(signed_context(&bench.facts(), identity), &who, owner);
    let resource = resource.map(|text| {
        let mut policy = Policy::parse(text, DocumentKind::Resource).unwrap();
        policy.bind_known(&mut |arn| snapshot.principal_id(arn));
        policy
    });
    let named = resource.as_ref().map(|policy| Named { name: "resource policy", policy });
    let act = Act { action: "orders:GetOrder", resource: ORDER };
    policies.decide(&who, act, &keys, named).effect()
}

fn resource(principal: &str, effect: &str) -> String {
    json!({ "Version": "2012-10-17", "Statement": {
        "Effect": effect, "Principal": { "AWS": principal }, "Action": "orders:*", "Resource": "*",
    }})
    .to_string()
}

/// Which of the maker's policy, the session policy and the resource's policy give access.
#[tokio::test]
async fn a_federated_user_has_what_both_give_and_what_names_it() {
    let bench = Bench::new().await;
    let giving = alice(&bench, &["orders:*"]).await;
    let poor = bench.user(&bench.a, "poor", &allow(&["sts:GetFederationToken"])).await;
    let root = bench.key(&format!("arn:aws:iam::{A}:root")).await.unwrap();
    let (orders, other) = (allow(&["orders:*"]), allow(&["bills:*"]));
    let denying = json!({ "Version": "2012-10-17", "Statement":
        { "Effect": "Deny", "Action": "orders:*", "Resource": "*" } })
    .to_string();
    let named = resource(BOB, "Allow");
    let (alice_named, account) =
        (resource(&format!("arn:aws:iam::{A}:user/alice"), "Allow"), resource(A, "Allow"));
    let (closed, anyone) = (resource(BOB, "Deny"), resource("*", "Allow"));
    let elsewhere = resource(&BOB.replace("bob", "bobby"), "Allow");
    for (line, maker, session, of_resource, expected) in [
        (line!(), &giving, Some(&orders), None, Allow),
        (line!(), &giving, None, None, ImplicitDeny),
        (line!(), &giving, Some(&other), None, ImplicitDeny),
        (line!(), &giving, Some(&denying), None, ExplicitDeny),
        (line!(), &poor, Some(&orders), None, ImplicitDeny),
        (line!(), &poor, None, None, ImplicitDeny),
        // Naming the session is enough, without any policy of the maker's or the session's.
        (line!(), &giving, None, Some(&named), Allow),
        (line!(), &poor, None, Some(&named), Allow),
        (line!(), &poor, Some(&other), Some(&named), Allow),
        (line!(), &giving, Some(&denying), Some(&named), ExplicitDeny),
        (line!(), &giving, Some(&orders), Some(&closed), ExplicitDeny),
        (line!(), &poor, None, Some(&elsewhere), ImplicitDeny),
        // Naming its maker or anyone still takes a session policy, naming the account both.
        (line!(), &giving, None, Some(&alice_named), ImplicitDeny),
        (line!(), &giving, Some(&orders), Some(&alice_named), Allow),
        (line!(), &poor, Some(&orders), Some(&alice_named), ImplicitDeny),
        (line!(), &poor, Some(&orders), Some(&anyone), Allow),
        (line!(), &poor, None, Some(&anyone), ImplicitDeny),
        (line!(), &giving, None, Some(&account), ImplicitDeny),
        (line!(), &poor, Some(&orders), Some(&account), ImplicitDeny),
        // The root user may anything: its session may what the policy says.
        (line!(), &root, Some(&orders), None, Allow),
        (line!(), &root, Some(&other), None, ImplicitDeny),
        (line!(), &root, None, None, ImplicitDeny),
        (line!(), &root, None, Some(&named), Allow),
    ] {
        let policy = session.map(|text| ("Policy", text.as_str()));
        let bob = federate(&bench, maker, policy.as_slice()).await.unwrap();
        let found = decide(&bench, &bob, of_resource.map(String::as_str)).await;
        assert_eq!(found, expected, "line {line}");
    }
}

#[tokio::test]
async fn it_is_called_by_the_name_that_its_maker_gave() {
    let bench = Bench::new().await;
    let by = alice(&bench, &[]).await;
    let answer = bench.call(&by, ACTION, &[("Name", "bob")]).await.unwrap();
    assert_eq!(element(&answer, "FederatedUserId"), format!("{A}:bob"));
    assert_eq!(element(&answer, "Arn"), BOB);
    assert_eq!(find(&answer, "PackedPolicySize"), None);
    let bob = Credentials::of_answer(&answer);
    let told = bench.call(&bob, "GetCallerIdentity", &[]).await.unwrap();
    for (name, text) in [("Arn", BOB), ("UserId", "111111111111:bob"), ("Account", A)] {
        assert_eq!(element(&told, name), text);
    }
    let tag = [
        ("UserName", "alice"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "red"),
        ("Tags.member.2.Key", "Floor"),
        ("Tags.member.2.Value", "3"),
    ];
    bench.call(&bench.a, "TagUser", &tag).await.unwrap();
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
    let bob = federate(&bench, &by, &tags).await.unwrap();
    let caller = bench.verify(&bob, "GetCallerIdentity", &[]).await.unwrap();
    let Caller::Signed(request) = &caller else { panic!("nobody signed") };
    let keys = signed_context(&bench.facts(), request.identity());
    let one = |key: &str| match keys.iter().find(|(name, _)| *name == key) {
        Some((_, policy::Value::One(text))) => Some(text.clone()),
        _ => None,
    };
    for (key, value) in [
        ("aws:principalarn", Some(BOB)),
        ("aws:principaltype", Some("FederatedUser")),
        ("aws:userid", Some("111111111111:bob")),
        ("aws:username", None),
        ("aws:principalaccount", Some(A)),
        ("aws:principaltag/team", Some("blue")),
        ("aws:principaltag/floor", Some("3")),
        ("aws:multifactorauthpresent", Some("false")),
        ("aws:assumedroot", None),
    ] {
        assert_eq!(one(key).as_deref(), value, "{key}");
    }
    assert!(one("aws:tokenissuetime").is_some());
    let of_bob = |record: &Value| record["userIdentity"]["arn"] == BOB;
    let records = bench.records();
    let identity = &records.iter().find(|it| of_bob(it)).unwrap()["userIdentity"];
    assert_eq!(identity["type"], "FederatedUser");
    assert_eq!(identity["principalId"], "111111111111:bob");
    let issuer = &identity["sessionContext"]["sessionIssuer"];
    assert_eq!(issuer["type"], "IAMUser");
    assert_eq!(issuer["arn"], format!("arn:aws:iam::{A}:user/alice"));
    let minted = records.iter().filter(|it| it["eventName"] == ACTION);
    let minted: Vec<_> = minted.filter(|it| it["responseElements"].is_object()).collect();
    assert_eq!(minted[0]["responseElements"]["federatedUser"]["arn"], BOB);
    assert!(!json!(records).to_string().contains(bob.secret.expose()));
}

#[tokio::test]
async fn museum_m15_a_federated_user_makes_no_credentials() {
    let bench = Bench::new().await;
    let everything = allow(&["*"]);
    let bob = federate(&bench, &bench.a, &[("Policy", &everything)]).await.unwrap();
    let role = bench.role(&bench.a, "deploy", &resource_trust(), &everything).await;
    let assume = [("RoleArn", role.as_str()), ("RoleSessionName", "it")];
    assert!(bench.call(&bench.a, "AssumeRole", &assume).await.is_ok());
    for (action, parameters) in
        [("AssumeRole", &assume[..]), ("GetSessionToken", &[]), (ACTION, &[("Name", "carol")])]
    {
        let told = refused(bench.call(&bob, action, parameters).await, FaultCode::AccessDenied);
        assert_eq!(told, format!("Cannot call {action} with session credentials"));
    }
    let key = [("UserName", "admin")];
    for action in ["CreateAccessKey", "ListAccessKeys", "GetUser"] {
        refused(bench.call(&bob, action, &key).await, FaultCode::InvalidClientTokenId);
    }
    let session =
        Credentials::of_answer(&bench.call(&bench.a, "GetSessionToken", &[]).await.unwrap());
    refused(federate(&bench, &session, &[]).await, FaultCode::AccessDenied);
    let assumed = bench.assume(&bench.a, &role, "it").await.unwrap();
    refused(federate(&bench, &assumed, &[]).await, FaultCode::AccessDenied);
}

fn resource_trust() -> String {
    json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": { "AWS": [A, BOB] }, "Action": "sts:AssumeRole",
    }})
    .to_string()
}

/// What ends its maker's credentials ends it, and what narrows its maker narrows it, at once.
#[tokio::test]
async fn what_ends_its_maker_ends_it() {
    type Ending = (&'static str, bool);
    const ENDINGS: [Ending; 6] = [
        ("key inactive", true),
        ("key deleted", true),
        ("user deleted", true),
        ("key revoked", true),
        ("user revoked", true),
        ("policy taken away", false),
    ];
    for (ending, is_refused) in ENDINGS {
        let bench = Bench::new().await;
        let by = alice(&bench, &["orders:*"]).await;
        let bob = federate(&bench, &by, &[("Policy", &allow(&["orders:*"]))]).await.unwrap();
        assert_eq!(decide(&bench, &bob, None).await, Allow);
        let user = ("UserName", "alice");
        let key = ("AccessKeyId", by.access_key_id.as_str());
        let own = ("PolicyName", "own");
        let arn = format!("arn:aws:iam::{A}:user/alice");
        let admin = &bench.a;
        match ending {
            "key inactive" => {
                let off = [user, key, ("Status", "Inactive")];
                bench.call(admin, "UpdateAccessKey", &off).await.unwrap();
            }
            "key deleted" => {
                bench.call(admin, "DeleteAccessKey", &[user, key]).await.unwrap();
            }
            "user deleted" => {
                bench.call(admin, "DeleteAccessKey", &[user, key]).await.unwrap();
                bench.call(admin, "DeleteUserPolicy", &[user, own]).await.unwrap();
                bench.call(admin, "DeleteUser", &[user]).await.unwrap();
                // A name made again revives nothing.
                alice(&bench, &["orders:*"]).await;
            }
            "key revoked" => {
                let target = RevocationTarget::AccessKey(by.access_key_id.clone());
                bench.revoke(admin, target).await.unwrap();
            }
            "user revoked" => {
                bench.revoke(admin, RevocationTarget::User(arn)).await.unwrap();
            }
            _ => {
                bench.call(admin, "DeleteUserPolicy", &[user, own]).await.unwrap();
            }
        }
        if is_refused {
            refused(bench.whoami(&bob).await, FaultCode::InvalidClientTokenId);
        } else {
            assert_eq!(decide(&bench, &bob, None).await, ImplicitDeny);
        }
    }
}

#[tokio::test]
async fn its_own_session_is_revoked_by_itself_and_ends_in_time() {
    let bench = Bench::new().await;
    let by = alice(&bench, &[]).await;
    let short = [("DurationSeconds", "900")];
    let (bob, other) = (
        federate(&bench, &by, &short).await.unwrap(),
        federate(&bench, &by, &short).await.unwrap(),
    );
    let target = RevocationTarget::Session(bob.access_key_id.clone());
    bench.revoke(&bench.a, target).await.unwrap();
    refused(bench.whoami(&bob).await, FaultCode::InvalidClientTokenId);
    bench.advance(899);
    bench.whoami(&other).await.unwrap();
    bench.advance(1);
    refused(bench.whoami(&other).await, FaultCode::ExpiredToken);
    // The root user's: an hour at most.
    let root = bench.key(&format!("arn:aws:iam::{A}:root")).await.unwrap();
    let long = [("DurationSeconds", "129600")];
    let of_root = federate(&bench, &root, &long).await.unwrap();
    let of_user = federate(&bench, &by, &long).await.unwrap();
    // The records name who made it.
    for (session, maker) in [
        (&of_root, format!("arn:aws:iam::{A}:root")),
        (&of_user, format!("arn:aws:iam::{A}:user/alice")),
    ] {
        let caller = bench.verify(session, "GetCallerIdentity", &[]).await.unwrap();
        let Caller::Signed(request) = &caller else { panic!("nobody signed") };
        assert_eq!(request.identity().issuer_arn(), maker);
    }
    bench.advance(3600);
    refused(bench.whoami(&of_root).await, FaultCode::ExpiredToken);
    bench.whoami(&of_user).await.unwrap();
}

#[tokio::test]
async fn its_maker_needs_leave_for_the_name_and_for_tags() {
    let bench = Bench::new().await;
    let only = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": BOB } });
    let by = bench.user(&bench.a, "alice", &only.to_string()).await;
    federate(&bench, &by, &[]).await.unwrap();
    let told =
        refused(bench.call(&by, ACTION, &[("Name", "carol")]).await, FaultCode::AccessDenied);
    assert!(told.contains("sts:GetFederationToken on resource: arn:aws:sts::"), "{told}");
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
    let told = refused(federate(&bench, &by, &tags).await, FaultCode::AccessDenied);
    assert!(told.contains("sts:TagSession"), "{told}");
    let blue = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": ["sts:GetFederationToken", "sts:TagSession"], "Resource": "*",
        "Condition": { "StringEquals": { "aws:RequestTag/team": "blue" } } } });
    let by = bench.user(&bench.a, "erin", &blue.to_string()).await;
    federate(&bench, &by, &tags).await.unwrap();
    let red = [tags[0], ("Tags.member.1.Value", "red")];
    refused(federate(&bench, &by, &red).await, FaultCode::AccessDenied);
}

#[tokio::test]
async fn what_is_passed_is_checked() {
    let bench = Bench::new().await;
    let by = alice(&bench, &[]).await;
    let policy = allow(&["orders:*"]);
    let arn = ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let answer =
        bench.call(&by, ACTION, &[("Name", "bob"), ("Policy", &policy), arn]).await.unwrap();
    assert!(element(&answer, "PackedPolicySize").parse::<u8>().unwrap() > 0);
    let missing = [("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/NoSuchPolicy")];
    let twice = [
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a"),
        ("Tags.member.2.Key", "TEAM"),
        ("Tags.member.2.Value", "b"),
    ];
    for (more, code) in [
        (&[("Policy", "{}")][..], FaultCode::MalformedPolicyDocument),
        (&missing, FaultCode::MalformedPolicyDocument),
        (&twice, FaultCode::InvalidParameterValue),
        (&[("DurationSeconds", "899")], FaultCode::ValidationError),
        (&[("DurationSeconds", "129601")], FaultCode::ValidationError),
    ] {
        refused(federate(&bench, &by, more).await, code);
    }
    for name in ["b", "a b", "x/y", &"x".repeat(33)] {
        refused(bench.call(&by, ACTION, &[("Name", name)]).await, FaultCode::ValidationError);
    }
    refused(
        bench.unsigned(ACTION, &[("Name", "bob")]).await,
        FaultCode::MissingAuthenticationToken,
    );
    // Another account's resources are as far as ever.
    let bob = federate(&bench, &bench.a, &[("Policy", &policy)]).await.unwrap();
    let told = bench.whoami(&bob).await.unwrap();
    assert!(told.contains(A) && !told.contains(B), "{told}");
}
