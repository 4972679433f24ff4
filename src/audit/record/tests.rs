use serde_json::json;

use super::*;
use crate::audit::{HIDDEN, IdentityType, SessionContext, SessionIssuer};
use crate::random::SystemRandom;

fn event() -> Event {
    let random = SystemRandom::new();
    Event {
        id: EventId::generate(&random).unwrap(),
        time: Timestamp::from_secs(1),
        source: "sts.amazonaws.com",
        name: "AssumeRole".to_owned(),
        region: "local-1".to_owned(),
        source_ip: "192.0.2.1".to_owned(),
        user_agent: Some("Boto3/1".to_owned()),
        request_id: RequestId::generate(&random).unwrap(),
        read_only: false,
    }
}

fn json_of(record: &Record) -> Value {
    let line = record.to_line().unwrap();
    assert_eq!(line.iter().position(|b| *b == b'\n'), Some(line.len() - 1), "one line");
    serde_json::from_slice(&line).unwrap()
}

#[test]
fn has_cloudtrail_shape() {
    let event = event();
    let (id, request_id) = (event.id.0.to_string(), event.request_id.to_string());
    let identity = UserIdentity {
        kind: IdentityType::AssumedRole,
        principal_id: Some("AROA:me".to_owned()),
        arn: Some("arn:aws:sts::123456789012:assumed-role/r/me".to_owned()),
        account_id: Some("123456789012".to_owned()),
        access_key_id: Some("ASIA".to_owned()),
        session_context: Some(SessionContext::new(
            Timestamp::from_secs(0),
            true,
            Some(SessionIssuer {
                kind: IdentityType::Role,
                principal_id: "AROA".to_owned(),
                arn: "arn:aws:iam::123456789012:role/r".to_owned(),
                account_id: "123456789012".to_owned(),
                user_name: Some("r".to_owned()),
            }),
            Some("alice".to_owned()),
        )),
        ..UserIdentity::default()
    };
    let record = Record::intent(event, identity)
        .request_parameters(json!({ "roleArn": "arn" }))
        .ancestors(["s1".to_owned()])
        .additional("policyVersion", json!(7))
        .additional("phase", json!("forged"))
        .resource("arn:role", Some("AWS::IAM::Role"), AccountId::from_number(1).ok())
        .recipient(AccountId::from_number(1).unwrap())
        .tls(TlsDetails {
            tls_version: "TLSv1.3".to_owned(),
            cipher_suite: "TLS_AES_128_GCM_SHA256".to_owned(),
            client_provided_host_header: None,
        });
    assert_eq!(
        json_of(&record),
        json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROA:me",
                "arn": "arn:aws:sts::123456789012:assumed-role/r/me",
                "accountId": "123456789012",
                "accessKeyId": "ASIA",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROA",
                        "arn": "arn:aws:iam::123456789012:role/r",
                        "accountId": "123456789012",
                        "userName": "r",
                    },
                    "attributes": {
                        "creationDate": "1970-01-01T00:00:00Z",
                        "mfaAuthenticated": "true",
                    },
                    "sourceIdentity": "alice",
                },
            },
            "eventTime": "1970-01-01T00:00:01Z",
            "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRole",
            "awsRegion": "local-1",
            "sourceIPAddress": "192.0.2.1",
            "userAgent": "Boto3/1",
            "requestParameters": { "roleArn": "arn" },
            "responseElements": null,
            "additionalEventData": {
                "phase": "intent", "ancestors": ["s1"], "policyVersion": 7,
            },
            "requestID": request_id,
            "eventID": id,
            "readOnly": false,
            "resources": [{
                "ARN": "arn:role", "type": "AWS::IAM::Role", "accountId": "000000000001",
            }],
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "000000000001",
            "sharedEventID": id,
            "eventCategory": "Management",
            "tlsDetails": { "tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256" },
        })
    );
}

#[test]
fn intent_and_outcome_share_an_id() {
    let intent = Record::intent(event(), UserIdentity::default())
        .request_parameters(json!({ "roleArn": "arn" }));
    let id = EventId::generate(&SystemRandom::new()).unwrap();
    let outcome =
        intent.outcome(id, Timestamp::from_secs(2)).error("AccessDenied", "no").response_elements(
            json!({ "credentials": { "accessKeyId": "ASIA", "sessionToken": "t" } }),
        );
    let (intent, outcome) = (json_of(&intent), json_of(&outcome));
    assert_eq!(intent["additionalEventData"]["phase"], "intent");
    assert_eq!(outcome["additionalEventData"]["phase"], "outcome");
    assert_eq!(outcome["sharedEventID"], intent["sharedEventID"]);
    assert_ne!(outcome["eventID"], intent["eventID"]);
    assert_eq!(outcome["requestID"], intent["requestID"]);
    assert_eq!(outcome["requestParameters"], intent["requestParameters"]);
    assert_eq!(outcome["eventTime"], "1970-01-01T00:00:02Z");
    assert_eq!(outcome["errorCode"], "AccessDenied");
    let credentials = &outcome["responseElements"]["credentials"];
    assert_eq!(credentials, &json!({ "accessKeyId": "ASIA", "sessionToken": HIDDEN }));
    let single = json_of(&Record::single(event(), UserIdentity::default()));
    assert_eq!(single.get("sharedEventID"), None);
    assert_eq!(single["additionalEventData"], json!({ "phase": "outcome" }));
}

#[test]
fn a_record_is_bounded_whatever_goes_in() {
    let long = || "\0\n\"é".repeat(500_000);
    let mut event = event();
    event.name = long();
    event.region = long();
    event.source_ip = long();
    event.user_agent = Some(long());
    let identity = UserIdentity {
        user_name: Some(long()),
        session_context: Some(SessionContext::new(
            Timestamp::from_secs(0),
            false,
            None,
            Some(long()),
        )),
        ..UserIdentity::default()
    };
    let mut record = Record::intent(event, identity)
        .request_parameters(json!({ "a": long(), "b": vec![long(); 50] }))
        .response_elements(json!(vec![long(); 50]))
        .error("ValidationError", &long())
        .ancestors(vec![long(); 50])
        .additional("a", json!(vec![long(); 50]));
    for _ in 0..50 {
        record = record.resource(&long(), None, None);
    }
    assert!(record.to_line().unwrap().len() < 1024 * 1024);
    json_of(&record);
}
