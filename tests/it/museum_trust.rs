//! The museum, trust: roles that other systems gave away, and sessions that got more than they were
//! given.
//!
//! Each test first does what is allowed, so that a refusal means what the test says.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::caller::{Answer, Caller, Plan, allow, policy, question_about, trust, trust_if};

const NAME: (&str, &str) = ("RoleSessionName", "test");

fn role_arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/{name}")
}

fn user_arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:user/{name}")
}

/// Whether the caller's request to the example service is allowed.
async fn may(broker: &Broker, caller: &Caller, action: &str, account: &str) -> Value {
    broker.ask(&question_about(&caller.order(), action, account)).await["decision"].clone()
}

/// The directory's version: a revocation of nobody's session makes one, and tells it.
async fn version(broker: &Broker) -> u64 {
    let admin = broker.admin();
    let id = countersign::id::AccessKeyId::new(
        countersign::id::AccessKeyKind::Session,
        countersign::id::AccountId::parse(&broker.home.account).unwrap(),
        [7; 5],
    );
    let made = admin.revoke(&json!({"session": id.as_str()})).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    serde_json::from_str::<Value>(&made.body).unwrap()["version"].as_u64().unwrap()
}

#[tokio::test]
async fn museum_m15_what_is_not_denied_is_not_allowed() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let root = format!("arn:aws:iam::{home}:root");
    let next = admin.make_role("next", &trust(&root), &allow("*", "*")).await;
    let wide = admin.make_role("wide", &trust(&root), &allow("*", "*")).await;
    let user = admin.make_user("alice", &allow("sts:AssumeRole", &wide)).await;
    let alice = broker.caller(&user);
    let narrow = allow("sts:GetCallerIdentity", "*").to_string();
    let narrow = broker.caller(&alice.assume(&wide, &[("Policy", &narrow)]).await.unwrap());
    let wide = broker.caller(&alice.assume(&wide, &[]).await.unwrap());
    for (caller, allowed) in [(&wide, true), (&narrow, false)] {
        let key = caller.iam("CreateAccessKey", &[("UserName", "alice")]).await;
        let chained = caller.sts("AssumeRole", &[("RoleArn", &next), NAME]).await;
        let document = allow("*", "*").to_string();
        let put =
            [("UserName", "alice"), ("PolicyName", "more"), ("PolicyDocument", document.as_str())];
        let written = caller.iam("PutUserPolicy", &put).await;
        for answer in [key, chained, written] {
            if allowed {
                answer.ok();
            } else {
                answer.refused("AccessDenied");
            }
        }
        if allowed {
            let delete = [("UserName", "alice"), ("PolicyName", "more")];
            admin.iam("DeleteUserPolicy", &delete).await.ok();
        }
    }
}

#[tokio::test]
async fn museum_m18_equal_names_in_two_accounts_are_two_roles() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), broker.home.account.clone());
    let (other, other_admin) = broker.account("other").await;
    let alice = user_arn(&home, "alice");
    let key = admin.make_user("alice", &allow("sts:AssumeRole", "*")).await;
    let orders = allow("orders:GetOrder", "*");
    let own = admin.make_role("deploy", &trust(&alice), &orders).await;
    let nobody = format!("arn:aws:iam::{other}:root");
    let foreign = other_admin.make_role("deploy", &trust(&nobody), &orders).await;
    // A role behind each, which trusts the role of its own account by name.
    let behind = admin.make_role("behind", &trust(&own), &orders).await;
    let other_behind = other_admin.make_role("behind", &trust(&foreign), &orders).await;
    for account in [&home, &other] {
        let caller = if *account == home { &admin } else { &other_admin };
        let document = allow("*", "*").to_string();
        let put =
            [("RoleName", "deploy"), ("PolicyName", "more"), ("PolicyDocument", document.as_str())];
        caller.iam("PutRolePolicy", &put).await.ok();
    }

    let alice = broker.caller(&key);
    let session = broker.caller(&alice.assume(&own, &[]).await.unwrap());
    let foreign_session = broker.caller(&other_admin.assume(&foreign, &[]).await.unwrap());
    for _ in 0..3 {
        // The caches are warm for the one, and stay shut for the other.
        session.whoami().await.ok();
        foreign_session.whoami().await.ok();
        assert_eq!(may(&broker, &session, "orders:GetOrder", &home).await, "allow");
        assert_eq!(may(&broker, &session, "orders:GetOrder", &other).await, "deny");
        assert_eq!(may(&broker, &foreign_session, "orders:GetOrder", &other).await, "allow");
        assert_eq!(may(&broker, &foreign_session, "orders:GetOrder", &home).await, "deny");
        alice.assume(&own, &[]).await.unwrap();
        alice.assume(&foreign, &[]).await.unwrap_err().refused("AccessDenied");
        session.assume(&behind, &[]).await.unwrap();
        session.assume(&other_behind, &[]).await.unwrap_err().refused("AccessDenied");
        foreign_session.assume(&other_behind, &[]).await.unwrap();
        foreign_session.assume(&behind, &[]).await.unwrap_err().refused("AccessDenied");
    }
    // Neither does the end of one end the other.
    admin.revoke(&json!({"role": own})).await.ok();
    session.whoami().await.refused("InvalidClientTokenId");
    foreign_session.whoami().await.ok();
}

#[tokio::test]
async fn museum_m20_a_role_that_is_not_there_is_refused_and_nothing_is_stored() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let root = format!("arn:aws:iam::{home}:root");
    let good = admin.make_role("deploy", &trust(&root), &allow("*", "*")).await;
    admin.assume(&good, &[]).await.unwrap();
    admin.iam("CreateUser", &[("UserName", "alice")]).await.ok();
    let accounts = broker.admin_socket(Method::GET, "/countersign/v1/accounts", &json!(null));
    let accounts = accounts.await;
    let before = version(&broker).await;
    for arn in [
        role_arn("999999999999", "deploy"),
        role_arn(home, "nobody"),
        role_arn(home, "Nobody/deploy"),
        role_arn(home, "deploy/"),
        role_arn(home, "/deploy"),
        role_arn(home, "deploy "),
        role_arn(home, "deploy*"),
        role_arn(home, "*"),
        role_arn("", "deploy"),
        role_arn("*", "deploy"),
        good.replace("arn:aws:", "arn:aws-cn:"),
        good.replace(":iam:", ":sts:"),
        good.replace(":role/", ":user/"),
        good.replace("::", ":us-east-1:"),
        format!("arn:aws:sts::{home}:assumed-role/deploy/test"),
        user_arn(home, "alice"),
        root,
        format!("{good}\u{0}"),
    ] {
        let refused = admin.assume(&arn, &[]).await.unwrap_err();
        assert!(
            matches!(refused.code().as_str(), "AccessDenied" | "ValidationError"),
            "{refused:?}"
        );
        assert!(!refused.body.contains("ASIA"), "{arn}");
    }
    let again = broker.admin_socket(Method::GET, "/countersign/v1/accounts", &json!(null)).await;
    assert_eq!(again, accounts);
    assert_eq!(version(&broker).await, before + 1, "something was written");
}

#[tokio::test]
async fn museum_m21_the_external_id_decides() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let key = admin.make_user("alice", &allow("sts:*", "*")).await;
    let condition = json!({ "StringEquals": { "sts:ExternalId": "partner-7" } });
    let trusted = trust_if(&user_arn(home, "alice"), &condition);
    let role = admin.make_role("deploy", &trusted, &allow("*", "*")).await;
    let alice = broker.caller(&key);
    let good = ("ExternalId", "partner-7");
    alice.assume(&role, &[good]).await.unwrap();
    for (parameters, code) in [
        (&[][..], "AccessDenied"),
        (&[("ExternalId", "partner-8")], "AccessDenied"),
        (&[("ExternalId", "PARTNER-7")], "AccessDenied"),
        (&[("ExternalId", "partner-*")], "ValidationError"),
        (&[("ExternalId", " partner-7")], "ValidationError"),
        (&[("ExternalId", "partner-7\n")], "ValidationError"),
        (&[("ExternalId", "")], "ValidationError"),
        (&[("externalid", "partner-7")], "MalformedInput"),
        (&[good, good], "MalformedQueryString"),
        (&[good, ("externalId", "partner-8")], "MalformedQueryString"),
        (&[("ExternalId", "partner-8"), good], "MalformedQueryString"),
        (&[("ExternalId.member.1", "partner-7")], "AccessDenied"),
        // What looks like one, in other places.
        (&[("RoleSessionName", "partner-7")], "AccessDenied"),
        (&[("SourceIdentity", "partner-7")], "AccessDenied"),
        (
            &[("Tags.member.1.Key", "sts:ExternalId"), ("Tags.member.1.Value", "partner-7")],
            "AccessDenied",
        ),
    ] {
        let refused = alice.assume(&role, parameters).await.unwrap_err();
        assert_eq!(refused.code(), code, "{parameters:?}: {refused:?}");
    }
}

#[tokio::test]
async fn museum_m22_a_session_lasts_no_longer_than_it_may() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let root = format!("arn:aws:iam::{home}:root");
    let trusted = trust(&root).to_string();
    for (name, seconds) in [("short", "3600"), ("long", "43200")] {
        let create = [
            ("RoleName", name),
            ("AssumeRolePolicyDocument", trusted.as_str()),
            ("MaxSessionDuration", seconds),
        ];
        admin.iam("CreateRole", &create).await.ok();
        let document = allow("*", "*").to_string();
        let put = [("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
        admin.iam("PutRolePolicy", &put).await.ok();
    }
    let (short, long) = (role_arn(home, "short"), role_arn(home, "long"));
    for (role, seconds) in [(&short, "900"), (&short, "3600"), (&long, "3601"), (&long, "43200")] {
        admin.assume(role, &[("DurationSeconds", seconds)]).await.unwrap();
    }
    for (role, seconds) in [
        (&short, "3601"),
        (&short, "43200"),
        (&long, "43201"),
        (&long, "899"),
        (&long, "0"),
        (&long, "-1"),
        (&long, "-900"),
        (&long, ""),
        (&long, "3600.0"),
        (&long, "+3600"),
        (&long, " 3600"),
        (&long, "03600"),
        (&long, "0x1000"),
        (&long, "3e3"),
        (&long, "4294967296"),
        (&long, "4294970896"),
        (&long, "9223372036854775808"),
        (&long, "18446744073709555216"),
        (&long, "99999999999999999999999"),
        (&long, "٣٦٠٠"),
    ] {
        let refused = admin.assume(role, &[("DurationSeconds", seconds)]).await.unwrap_err();
        assert_eq!(refused.code(), "ValidationError", "{seconds}");
    }
    // A chain lasts an hour at most, whatever the role allows.
    let session = broker.caller(&admin.assume(&long, &[]).await.unwrap());
    session.assume(&long, &[("DurationSeconds", "3600")]).await.unwrap();
    let refused = session.assume(&long, &[("DurationSeconds", "3601")]).await.unwrap_err();
    assert!(refused.refused("ValidationError").message().contains("chaining"));
}

/// Whether a text is one well-formed XML document.
fn well_formed(text: &str) -> bool {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut depth = 0_usize;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return depth == 0,
            Ok(quick_xml::events::Event::Start(_)) => depth += 1,
            Ok(quick_xml::events::Event::End(_)) => depth -= 1,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[tokio::test]
async fn museum_m23_names_stay_within_their_element_and_line() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let root = format!("arn:aws:iam::{home}:root");
    let role = admin.make_role("deploy", &trust(&root), &allow("*", "*")).await;
    let names = [
        "a</Arn><Arn>arn:aws:iam::1:root",
        "a\r\nx-injected: 1",
        "a\nb",
        "a\u{0}b",
        "<!--",
        "&amp;",
        "]]>",
        "\u{202e}evil",
        "a\"b",
    ];
    for name in names {
        let refused = admin.assume(&role, &[("RoleSessionName", name)]).await.unwrap_err();
        let refused = refused.refused("ValidationError");
        assert!(well_formed(&refused.body), "{refused:?}");
        assert!(!refused.body.contains("<Arn>") && !refused.body.contains("<!--"), "{refused:?}");
        assert!(refused.headers.get("x-injected").is_none());
        // Where AWS would quote it: the role, the action, the user.
        let arn = role_arn(home, name);
        let answers = [
            admin.assume(&arn, &[]).await.unwrap_err(),
            admin.sts(name, &[]).await,
            admin.iam("GetUser", &[("UserName", name)]).await,
            admin.iam("CreateUser", &[("UserName", name)]).await,
            admin.iam("GetRole", &[("RoleName", name)]).await,
        ];
        for answer in answers {
            assert!(answer.status.is_client_error(), "{answer:?}");
            assert!(well_formed(&answer.body), "{answer:?}");
            assert!(!answer.body.contains("<Arn>"), "{answer:?}");
            assert!(!answer.body.contains('\u{202e}'), "{answer:?}");
        }
        // Tags and a description are told back.
        let tag = [("UserName", "bob"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", name)];
        let tagged = admin.iam("CreateUser", &tag).await;
        assert!(well_formed(&tagged.body), "{tagged:?}");
    }
    // What is odd and allowed comes back as it is.
    let odd = "+=,.@-_a";
    let session = admin.assume(&role, &[("RoleSessionName", odd)]).await.unwrap();
    let who = broker.caller(&session).whoami().await.ok();
    assert_eq!(who.text("Arn").unwrap(), format!("arn:aws:sts::{home}:assumed-role/deploy/{odd}"));
    // Every record of the audit log is a line of its own, and every line of the log.
    let log = std::fs::read_to_string(broker.home.data().join("audit.jsonl")).unwrap();
    for line in log.lines().chain(broker.log().lines()) {
        let record: Result<Value, _> = serde_json::from_str(line);
        assert!(record.is_ok(), "{line}");
    }
}

#[tokio::test]
async fn museum_m24_a_session_policy_is_evaluated() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let root = format!("arn:aws:iam::{home}:root");
    let role = admin.make_role("broad", &trust(&root), &allow("*", "*")).await;
    let inline = allow("orders:Get*", "*").to_string();
    let broad = broker.caller(&admin.assume(&role, &[]).await.unwrap());
    let narrow = broker.caller(&admin.assume(&role, &[("Policy", &inline)]).await.unwrap());
    let none = allow("nothing:AtAll", "*").to_string();
    let shut = broker.caller(&admin.assume(&role, &[("Policy", &none)]).await.unwrap());
    for (caller, get, delete) in
        [(&broad, "allow", "allow"), (&narrow, "allow", "deny"), (&shut, "deny", "deny")]
    {
        assert_eq!(may(&broker, caller, "orders:GetOrder", home).await, get);
        assert_eq!(may(&broker, caller, "orders:DeleteOrder", home).await, delete);
        let write = caller.iam("CreateUser", &[("UserName", "alice")]).await;
        if delete == "allow" {
            write.ok();
            admin.iam("DeleteUser", &[("UserName", "alice")]).await.ok();
        } else {
            write.refused("AccessDenied");
        }
        // GetCallerIdentity asks no policy.
        caller.whoami().await.ok();
    }
    // A policy that a resource has does not make a narrow session wider than it is.
    let mut question = question_about(&narrow.order(), "orders:DeleteOrder", home);
    let arn = role_arn(home, "broad");
    let shared = policy(&json!({
        "Effect": "Allow", "Principal": {"AWS": arn}, "Action": "*", "Resource": "*",
    }));
    question["resource_policy"] = shared.to_string().into();
    assert_eq!(broker.ask(&question).await["decision"], "deny");
}

#[tokio::test]
async fn museum_m25_a_recreated_name_revives_nothing() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let root = format!("arn:aws:iam::{home}:root");
    let all = allow("*", "*");
    let make_alice = || admin.make_user("alice", &all);
    let first = make_alice().await;
    let alice = user_arn(home, "alice");
    let trusting = admin.make_role("trusting", &trust(&alice), &all).await;
    let role = admin.make_role("deploy", &trust(&root), &all).await;
    let of_role = broker.caller(&broker.caller(&first).assume(&role, &[]).await.unwrap());
    let of_admin = broker.caller(&admin.assume(&role, &[]).await.unwrap());
    let by_name = trust(&role);
    let behind = admin.make_role("behind", &by_name, &all).await;
    of_admin.assume(&behind, &[]).await.unwrap();
    of_role.whoami().await.ok();
    assert_eq!(may(&broker, &of_admin, "orders:GetOrder", home).await, "allow");

    // The role, deleted and made again: its sessions stay dead, also those behind it.
    let delete = [("RoleName", "deploy"), ("PolicyName", "own")];
    admin.iam("DeleteRolePolicy", &delete).await.ok();
    admin.iam("DeleteRole", &[("RoleName", "deploy")]).await.ok();
    of_admin.whoami().await.refused("InvalidClientTokenId");
    admin.make_role("deploy", &trust(&root), &all).await;
    for session in [&of_admin, &of_role] {
        session.whoami().await.refused("InvalidClientTokenId");
        assert_eq!(may(&broker, session, "orders:GetOrder", home).await, "deny");
    }
    // Trust that named the old role does not mean the new one.
    let renewed = broker.caller(&admin.assume(&role, &[]).await.unwrap());
    renewed.whoami().await.ok();
    renewed.assume(&behind, &[]).await.unwrap_err().refused("AccessDenied");

    // The user, deleted and made again.
    let old = broker.caller(&first);
    let session = broker.caller(&old.assume(&trusting, &[]).await.unwrap());
    session.whoami().await.ok();
    let key = [("UserName", "alice"), ("AccessKeyId", first.id.as_str())];
    admin.iam("DeleteAccessKey", &key).await.ok();
    admin.iam("DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "own")]).await.ok();
    admin.iam("DeleteUser", &[("UserName", "alice")]).await.ok();
    let second = broker.caller(&make_alice().await);
    second.whoami().await.ok();
    old.whoami().await.refused("InvalidClientTokenId");
    session.whoami().await.refused("InvalidClientTokenId");
    second.assume(&trusting, &[]).await.unwrap_err().refused("AccessDenied");
    // Until the trust policy is written again: then it means whoever is called so now.
    let update = [("RoleName", "trusting"), ("PolicyDocument", &trust(&alice).to_string() as &str)];
    admin.iam("UpdateAssumeRolePolicy", &update).await.ok();
    second.assume(&trusting, &[]).await.unwrap();
    session.whoami().await.refused("InvalidClientTokenId");
}

#[tokio::test]
async fn museum_m27_a_disabled_key_mints_nothing() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let root = format!("arn:aws:iam::{home}:root");
    let role = admin.make_role("deploy", &trust(&root), &allow("*", "*")).await;
    let key = admin.make_user("alice", &allow("*", "*")).await;
    let alice = broker.caller(&key);
    let session = broker.caller(&alice.assume(&role, &[]).await.unwrap());
    session.assume(&role, &[]).await.unwrap();
    let disable = [("UserName", "alice"), ("AccessKeyId", key.id.as_str()), ("Status", "Inactive")];
    admin.iam("UpdateAccessKey", &disable).await.ok();
    for caller in [&alice, &session] {
        let ways: [Answer; 5] = [
            caller.assume(&role, &[]).await.unwrap_err(),
            caller.sts("GetSessionToken", &[]).await,
            caller.iam("CreateAccessKey", &[("UserName", "alice")]).await,
            caller.whoami().await,
            caller.iam("UpdateAccessKey", &[disable[0], disable[1], ("Status", "Active")]).await,
        ];
        for answer in ways {
            answer.refused("InvalidClientTokenId");
        }
    }
}

#[tokio::test]
async fn museum_m30_tags_need_leave_and_stay_what_they_are() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let all = allow("*", "*");
    let alice = user_arn(home, "alice");
    let key = admin.make_user("alice", &all).await;
    let silent = trust_if(&alice, &json!({}));
    let silent = admin.make_role("silent", &silent, &all).await;
    let first = admin.make_role("first", &trust(&alice), &all).await;
    let second = admin.make_role("second", &trust(&first), &all).await;
    let refusing = trust_if(&first, &json!({}));
    let refusing = admin.make_role("refusing", &refusing, &all).await;
    let alice = broker.caller(&key);
    let tag = |key, value| [("Tags.member.1.Key", key), ("Tags.member.1.Value", value)];

    // Without sts:TagSession there are no tags; a source identity needs leave, too.
    alice.assume(&silent, &[]).await.unwrap();
    alice.assume(&silent, &tag("team", "blue")).await.unwrap_err().refused("AccessDenied");
    let named = [("SourceIdentity", "alice")];
    alice.assume(&silent, &named).await.unwrap_err().refused("AccessDenied");

    let [name, value] = tag("team", "blue");
    let transitive = [name, value, ("TransitiveTagKeys.member.1", "team")];
    let session = broker.caller(&alice.assume(&first, &transitive).await.unwrap());
    session.assume(&second, &[]).await.unwrap();
    // Also for those that travel by themselves.
    session.assume(&refusing, &[]).await.unwrap_err().refused("AccessDenied");
    for key in ["team", "TEAM", "Team"] {
        let again = session.assume(&second, &tag(key, "red")).await.unwrap_err();
        again.refused("InvalidParameterValue");
    }
    let twice = [
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.2.Key", "A"),
        ("Tags.member.2.Value", "2"),
    ];
    alice.assume(&first, &twice).await.unwrap_err().refused("InvalidParameterValue");
    let foreign = [("TransitiveTagKeys.member.1", "team")];
    assert!(alice.assume(&first, &foreign).await.is_err(), "a key that no tag has");
    let principal = question_about(&session.order(), "orders:GetOrder", home);
    let answer = broker.ask(&principal).await;
    assert_eq!(answer["principal"]["tags"], json!({"team": "blue"}));
}

#[tokio::test]
async fn museum_m32_the_source_is_the_peer_whatever_headers_say() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let alice = user_arn(home, "alice");
    let key = admin.make_user("alice", &allow("sts:*", "*")).await;
    let from =
        |network: &str| trust_if(&alice, &json!({ "IpAddress": { "aws:SourceIp": network } }));
    let office = admin.make_role("office", &from("203.0.113.7/32"), &allow("*", "*")).await;
    let here = admin.make_role("here", &from("127.0.0.0/8"), &allow("*", "*")).await;
    let alice = broker.caller(&key);
    alice.assume(&here, &[]).await.unwrap();
    let ask = |role: &str| alice.sign(Plan::query("sts", "AssumeRole", &[("RoleArn", role), NAME]));
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("X-Forwarded-For", "203.0.113.7, 127.0.0.1"),
        ("x-real-ip", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("true-client-ip", "203.0.113.7"),
        ("cf-connecting-ip", "203.0.113.7"),
        ("x-envoy-external-address", "203.0.113.7"),
    ] {
        alice.send(ask(&office).add(name, value)).await.refused("AccessDenied");
        alice.send(ask(&here).add(name, value)).await.ok();
    }
    let sources: Vec<_> =
        broker.home.audit().iter().map(|record| record["sourceIPAddress"].clone()).collect();
    assert!(sources.iter().all(|source| source == "127.0.0.1"), "{sources:?}");
}

#[tokio::test]
async fn museum_m33_a_value_of_the_callers_is_no_pattern() {
    let broker = Broker::start();
    let (admin, home) = (broker.admin(), &broker.home.account);
    let alice = user_arn(home, "alice");
    let key = admin.make_user("alice", &allow("*", "*")).await;
    let own = allow("orders:GetOrder", "arn:aws:orders::*:order/${aws:PrincipalTag/desk}");
    let role = admin.make_role("desk", &trust(&alice), &own).await;
    let alice = broker.caller(&key);
    for (desk, decision) in [("42", "allow"), ("4", "deny"), ("..", "deny"), ("4/../42", "deny")] {
        let tags = [("Tags.member.1.Key", "desk"), ("Tags.member.1.Value", desk)];
        let session = broker.caller(&alice.assume(&role, &tags).await.unwrap());
        assert_eq!(may(&broker, &session, "orders:GetOrder", home).await, decision, "{desk}");
    }
    for desk in ["*", "4?", "${*}", "${aws:username}"] {
        let tags = [("Tags.member.1.Key", "desk"), ("Tags.member.1.Value", desk)];
        if let Ok(session) = alice.assume(&role, &tags).await {
            let session = broker.caller(&session);
            assert_eq!(may(&broker, &session, "orders:GetOrder", home).await, "deny", "{desk}");
        }
    }
    let without = broker.caller(&alice.assume(&role, &[]).await.unwrap());
    assert_eq!(may(&broker, &without, "orders:GetOrder", home).await, "deny");
}
