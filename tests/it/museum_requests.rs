//! The museum, requests: signatures that other systems took and should not have.
//!
//! Each test first sends the honest request, which must pass: only then does a refusal mean what
//! the test says. The rows are numbered as in the collection that the project keeps.

use countersign::time::{Clock, SystemClock};
use hyper::{Method, StatusCode};
use serde_json::json;

use crate::broker::Broker;
use crate::caller::{Answer, Caller, Credentials, Plan, Prepared, allow, trust};

/// An honest request whose answer shows whether it passed.
fn whoami(caller: &Caller) -> Prepared {
    caller.sign(Plan::query("sts", "GetCallerIdentity", &[]))
}

/// The same, presigned.
fn presigned(caller: &Caller, host: &str, expires: u32) -> Prepared {
    presigned_at(caller, host, expires, 0)
}

fn presigned_at(caller: &Caller, host: &str, expires: u32, seconds_ago: i64) -> Prepared {
    let target = Plan::get("sts", "GetCallerIdentity", &[]).target;
    let head = countersign::sigv4::RequestHead {
        method: "GET",
        target: &target,
        headers: &[("host", host.as_bytes())],
    };
    let at = SystemClock::new().now().plus_secs(-seconds_ago);
    let target = caller.signer("sts").presign(&head, b"", at, expires).unwrap();
    let headers = vec![("host".to_owned(), host.to_owned())];
    Prepared { method: Method::GET, target, headers, body: String::new() }
}

async fn session(broker: &Broker) -> Caller {
    let admin = broker.admin();
    let root = format!("arn:aws:iam::{}:root", broker.home.account);
    let role = admin.make_role("any", &trust(&root), &allow("*", "*")).await;
    broker.caller(&admin.assume(&role, &[]).await.unwrap())
}

#[track_caller]
fn denied(answer: &Answer, why: &str) {
    let client_error = answer.status.is_client_error();
    assert!(client_error && !answer.body.contains("GetCallerIdentityResult"), "{why}: {answer:?}");
}

#[tokio::test]
async fn museum_m01_an_unsigned_amz_header_is_refused() {
    let broker = Broker::start();
    let host = broker.api.to_string();
    let session = session(&broker).await;
    for caller in [broker.admin(), session] {
        for (request, form) in
            [(whoami(&caller), "header"), (presigned(&caller, &host, 60), "presigned")]
        {
            caller.send(request.clone()).await.ok();
            for (name, value) in [
                ("x-amz-acl", "public-read"),
                ("x-amz-copy-source", "/bucket/key"),
                ("X-Amz-Target", "AWSOrganizationsV20161128.ListAccounts"),
                ("x-amz-user-agent", "innocent"),
                ("x-amz-security-token", "CST1x"),
                ("x-amz-meta-", ""),
            ] {
                let spoilt = caller.send(request.clone().add(name, value)).await;
                denied(&spoilt, &format!("{form} {name}"));
            }
        }
    }
}

#[tokio::test]
async fn museum_m02_host_and_date_must_be_signed() {
    let broker = Broker::start();
    let admin = broker.admin();
    admin.send(whoami(&admin)).await.ok();
    for name in ["host", "x-amz-date"] {
        let mut request = whoami(&admin);
        let authorization = request.header("authorization");
        let listed = format!("{name};");
        let end = format!(";{name},");
        *authorization = authorization.replace(&listed, "").replace(&end, ",");
        assert!(!authorization.contains(&format!("{name};")), "{authorization}");
        let answer = admin.send(request).await.refused("SignatureDoesNotMatch");
        let message = answer.message().to_ascii_lowercase();
        assert!(message.contains(name), "{answer:?}");
    }
    // Signed for one host and replayed to another.
    let mut request = whoami(&admin);
    *request.header("host") = "sts.amazonaws.com".to_owned();
    admin.send(request).await.refused("SignatureDoesNotMatch");
    let elsewhere =
        admin.sign_for("sts.amazonaws.com", Plan::query("sts", "GetCallerIdentity", &[]));
    let mut replayed = elsewhere.clone();
    *replayed.header("host") = broker.api.to_string();
    admin.send(replayed).await.refused("SignatureDoesNotMatch");
    // Another date than the signed one.
    let mut request = whoami(&admin);
    let date = request.header("x-amz-date");
    let second = if date.ends_with("0Z") { "1Z" } else { "0Z" };
    date.replace_range(date.len() - 2.., second);
    admin.send(request).await.refused("SignatureDoesNotMatch");
}

#[tokio::test]
async fn museum_m03_a_streaming_mode_does_not_skip_the_signature() {
    let broker = Broker::start();
    let admin = broker.admin();
    for mode in [
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "UNSIGNED-PAYLOAD",
        "0",
    ] {
        // Signed, as the mode has to be, and with a signature of nobody's.
        let mut plan = Plan::query("sts", "GetCallerIdentity", &[]);
        plan.headers.push(("x-amz-content-sha256".to_owned(), mode.to_owned()));
        let mut request = admin.sign(plan);
        denied(&admin.send(request.clone()).await, mode);
        let authorization = request.header("authorization");
        let at = authorization.len() - 64;
        authorization.replace_range(at.., &"0".repeat(64));
        denied(&admin.send(request).await, mode);
    }
}

#[tokio::test]
async fn museum_m05_credentials_stand_in_one_place() {
    let broker = Broker::start();
    let admin = broker.admin();
    let host = broker.api.to_string();
    let presigned = presigned(&admin, &host, 60);
    admin.send(presigned.clone()).await.ok();
    // An identity in the query, and no signature.
    let unsigned = presigned.target.split("&X-Amz-Signature").next().unwrap().to_owned();
    denied(&admin.send(Prepared { target: unsigned, ..presigned.clone() }).await, "unsigned");
    let query = format!("/?Action=GetCallerIdentity&X-Amz-Credential={}", admin.credentials.id);
    denied(&admin.send(Prepared { target: query, ..presigned.clone() }).await, "credential only");
    // One identity in the query and one in the header: both good, and still not to be told apart.
    let mut plan = Plan::query("sts", "GetCallerIdentity", &[]);
    plan.method = Method::GET;
    let header = admin.sign(plan);
    let both = header.headers.into_iter().filter(|(name, _)| name != "host").collect::<Vec<_>>();
    let both = both.iter().fold(presigned, |request, (name, value)| request.add(name, value));
    admin.send(both).await.refused("IncompleteSignature");
}

/// M06 and M04: no route of any listener takes a known key with a bad signature for its owner.
#[tokio::test]
async fn museum_m06_no_route_takes_a_key_without_its_signature() {
    let broker = Broker::start();
    let admin = broker.admin();
    let forger =
        broker.caller(&Credentials { secret: "0".repeat(40), ..broker.home.first.clone() });
    let revocation = |caller: &Caller| {
        caller.sign(Plan {
            service: "countersign",
            method: Method::POST,
            target: "/countersign/v1/revocations".to_owned(),
            headers: Vec::new(),
            body: json!({"target": {"session": "ASIAQAAAAAAAAAAAAAAA"}}).to_string(),
            at: None,
        })
    };
    let mut requests = vec![revocation(&forger)];
    for (service, action) in
        countersign::ops::catalog::ROWS.iter().map(|row| (row.service.scope(), row.name))
    {
        requests.push(forger.sign(Plan::query(service, action, &[])));
        requests.push(forger.sign(Plan::get(service, action, &[])));
    }
    for request in requests {
        let said = format!("{} {} {}", request.method, request.target, request.body);
        let answer = forger.send(request.clone()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{said}: {answer:?}");
        assert!(answer.body.contains("SignatureDoesNotMatch"), "{said}: {answer:?}");
        // Neither without any signature, nor with the secret or token as a bearer's.
        for header in [None, Some(format!("Bearer {}", admin.credentials.secret))] {
            let mut bare = request.clone();
            bare.headers.retain(|(name, _)| name == "host" || name == "content-type");
            if let Some(header) = header {
                bare = bare.add("authorization", &header);
            }
            let answer = forger.send(bare).await;
            denied(&answer, &said);
        }
    }
    let accounts = Prepared {
        method: Method::GET,
        target: "/countersign/v1/accounts".to_owned(),
        headers: Vec::new(),
        body: String::new(),
    };
    denied(&admin.send(accounts).await, "the admin socket's routes are not the API's");
}

#[tokio::test]
async fn museum_m07_a_parameter_comes_once() {
    let broker = Broker::start();
    let admin = broker.admin();
    let host = broker.api.to_string();
    let form =
        |body: &str| Plan { body: body.to_owned(), ..Plan::query("sts", "GetCallerIdentity", &[]) };
    let good = "Action=GetCallerIdentity&Version=2011-06-15";
    admin.send(admin.sign(form(good))).await.ok();
    admin.send(admin.sign(Plan::get("sts", "GetCallerIdentity", &[]))).await.ok();
    for body in [
        "Action=GetCallerIdentity&Action=GetSessionToken&Version=2011-06-15",
        "Action=GetCallerIdentity&action=GetSessionToken&Version=2011-06-15",
        "Action=GetCallerIdentity&%41ction=GetSessionToken&Version=2011-06-15",
        "Action=GetCallerIdentity&Version=2011-06-15&Version=2010-05-08",
    ] {
        denied(&admin.send(admin.sign(form(body))).await, body);
        let get =
            Plan { target: format!("/?{body}"), ..Plan::get("sts", "GetCallerIdentity", &[]) };
        denied(&admin.send(admin.sign(get)).await, body);
    }
    // One action in the query and one in the body.
    let split = Plan { target: "/?Action=GetSessionToken".to_owned(), ..form(good) };
    denied(&admin.send(admin.sign(split)).await, "query and body");

    let presigned = presigned(&admin, &host, 60);
    admin.send(presigned.clone()).await.ok();
    for more in [
        "X-Amz-Credential=AKIAQAAAAAAAAAAAAAAA/20260101/us-east-1/sts/aws4_request",
        "x-amz-credential=AKIAQAAAAAAAAAAAAAAA/20260101/us-east-1/sts/aws4_request",
        "X-Amz-Signature=0",
        "X-Amz-SignedHeaders=host",
        "x-amz-SECURITY-token=a",
        "X-Amz-Security-Token=a&X-Amz-Security-Token=b",
        "X-Amz-Expires=604800",
        "%58-Amz-Expires=604800",
    ] {
        let target = format!("{}&{more}", presigned.target);
        denied(&admin.send(Prepared { target, ..presigned.clone() }).await, more);
    }
    for name in ["authorization", "x-amz-date", "content-type"] {
        let mut request = whoami(&admin);
        let value = request.header(name).clone();
        denied(&admin.send(request.add(name, &value)).await, name);
    }
}

#[tokio::test]
async fn museum_m09_a_signature_is_good_for_what_was_signed() {
    let broker = Broker::start();
    let admin = broker.admin();
    let honest = whoami(&admin);
    admin.send(honest.clone()).await.ok();
    let body = honest.body.replace("GetCallerIdentity", "GetSessionToken");
    admin.send(Prepared { body, ..honest.clone() }).await.refused("SignatureDoesNotMatch");
    let target = "/elsewhere".to_owned();
    admin.send(Prepared { target, ..honest.clone() }).await.refused("SignatureDoesNotMatch");
    let method = Method::PUT;
    denied(&admin.send(Prepared { method, ..honest.clone() }).await, "another method");
    for (from, to) in [
        ("/us-east-1/", "/eu-west-1/"),
        ("/sts/", "/iam/"),
        ("/sts/", "/orders/"),
        ("aws4_request", "aws4_requesu"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
    ] {
        let mut request = honest.clone();
        let authorization = request.header("authorization");
        assert!(authorization.contains(from));
        *authorization = authorization.replace(from, to);
        denied(&admin.send(request).await, to);
    }
    // Signed well, for another service than the one that is asked.
    let service = |service| Plan { service, ..Plan::query("sts", "GetCallerIdentity", &[]) };
    for other in ["iam", "countersign", "orders", "s3", "STS"] {
        let answer = admin.send(admin.sign(service(other))).await;
        let message = answer.refused("SignatureDoesNotMatch").message();
        assert!(message.contains("correct service: 'sts'"), "{message}");
    }
    let iam = Plan { service: "sts", ..Plan::query("iam", "GetUser", &[]) };
    admin.send(admin.sign(iam)).await.refused("SignatureDoesNotMatch");
}

/// M12 and M13: a token is no password, and only the whole of it is one's own.
#[tokio::test]
async fn museum_m13_a_token_is_good_as_a_whole_only() {
    let broker = Broker::start();
    let session = session(&broker).await;
    session.whoami().await.ok();
    let good = session.credentials.clone();
    let token = good.token.clone().unwrap();
    let mut tokens: Vec<String> = [0, 1, 4, 5, 20, token.len() / 2, token.len() - 1]
        .iter()
        .map(|at| token[..*at].to_owned())
        .collect();
    tokens.extend([1, 4, 20].map(|at| token[at..].to_owned()));
    tokens.extend([format!("{token}A"), format!("{token}="), format!("{token}{token}")]);
    tokens.extend((4..token.len()).step_by(token.len() / 24).map(|at| {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    }));
    // The last character holds bits that base64 does not need.
    let last = token.as_bytes()[token.len() - 1];
    tokens.extend(
        (b'A'..=b'z')
            .filter(|b| b.is_ascii_alphabetic() && *b != last)
            .map(|b| format!("{}{}", &token[..token.len() - 1], char::from(b))),
    );
    for token in tokens {
        let caller = broker.caller(&Credentials { token: Some(token.clone()), ..good.clone() });
        let answer = caller.whoami().await;
        denied(&answer, &token);
    }
    // The token of another session, the key of another session.
    let role = format!("arn:aws:iam::{}:role/any", broker.home.account);
    let other = broker.admin().assume(&role, &[]).await.unwrap();
    for mixed in [
        Credentials { token: other.token.clone(), ..good.clone() },
        Credentials { id: other.id.clone(), ..good.clone() },
        Credentials { secret: other.secret.clone(), ..good.clone() },
    ] {
        denied(&broker.caller(&mixed).whoami().await, "mixed");
    }
    session.whoami().await.ok();
}

#[tokio::test]
async fn museum_m14_a_request_has_its_time() {
    let broker = Broker::start();
    let admin = broker.admin();
    let host = broker.api.to_string();
    let now = SystemClock::new().now();
    for (seconds, good) in
        [(-840, true), (840, true), (-920, false), (920, false), (-86_400, false), (86_400, false)]
    {
        let plan = Plan {
            at: Some(now.plus_secs(seconds)),
            ..Plan::query("sts", "GetCallerIdentity", &[])
        };
        let answer = admin.send(admin.sign(plan)).await;
        if good {
            answer.ok();
        } else {
            answer.refused("SignatureDoesNotMatch");
        }
    }
    // A scope of another day than the date.
    let mut request = whoami(&admin);
    let date = request.header("x-amz-date").clone();
    let yesterday = now.plus_secs(-86_400).to_amz();
    let authorization = request.header("authorization");
    *authorization = authorization.replace(&date[..8], &yesterday[..8]);
    admin.send(request).await.refused("SignatureDoesNotMatch");

    admin.send(presigned_at(&admin, &host, 900, 840)).await.ok();
    let old = admin.send(presigned_at(&admin, &host, 60, 120)).await;
    assert!(old.refused("SignatureDoesNotMatch").message().starts_with("Signature expired"));
    // The broker's own requests may not be signed for later.
    for expires in [901, 604_800, 604_801, 0] {
        denied(&admin.send(presigned(&admin, &host, expires)).await, &expires.to_string());
    }
}
