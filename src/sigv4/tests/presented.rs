//! What a request presents, before any key is known: what is missing, what can be read, its date.

use super::reference::Forge;
use super::refusals::{dated, forged, refusal};
use super::*;

/// Each element of the credentials is missed by its name, and nothing else with it.
#[test]
fn what_is_missing_is_told() {
    let none = Missing::default();
    for (element, missing) in [
        ("Credential=", Missing { credential: true, ..none }),
        ("Signature=", Missing { signature: true, ..none }),
        ("SignedHeaders=", Missing { signed_headers: true, ..none }),
    ] {
        let mut request = forged(&dated(), &Forge::default());
        let authorization = request.get("authorization");
        let (algorithm, elements) = authorization.split_once(' ').unwrap();
        let kept: Vec<&str> =
            elements.split(", ").filter(|other| !other.starts_with(element)).collect();
        assert_eq!(kept.len(), 2);
        request.set("authorization", &format!("{algorithm} {}", kept.join(", ")));
        assert_eq!(refusal(&request), SigError::Incomplete { form: Form::Header, missing });
        assert_eq!(format!("{missing}="), element);
    }
    let incomplete = |missing| SigError::Incomplete { form: Form::Header, missing };
    let mut request = forged(&dated(), &Forge::default());
    request.remove("x-amz-date");
    assert_eq!(refusal(&request), incomplete(Missing { date: true, ..none }));
    let mut request = dated();
    request.add(
        "authorization",
        "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20150830/service/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00",
    );
    assert_eq!(refusal(&request), incomplete(Missing { region_set: true, ..none }));

    // A token alone: all but the date that is there.
    let three = Missing { credential: true, signature: true, signed_headers: true, ..none };
    for (date, missing) in [
        (None, Missing { date: true, ..three }),
        (Some("x-amz-date"), three),
        (Some("date"), three),
    ] {
        let mut request = sts_post();
        request.add("x-amz-security-token", "token");
        if let Some(name) = date {
            request.add(name, "20150830T123600Z");
        }
        assert_eq!(request.with(|head| parse(head).err()), Some(incomplete(missing)));
    }
    assert_eq!(
        Missing { date: true, ..three }.to_string(),
        "Credential, Signature, SignedHeaders, Date"
    );
}

/// What a request presents can be asked for before it is verified.
#[test]
fn what_is_presented_can_be_read() {
    let mut request = sts_post();
    request.sign(UriRules::Standard, Some("token"));
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        assert_eq!(presented.security_token(), Some("token"));
        assert_eq!(presented.signed_headers(), "content-type;host;x-amz-date;x-amz-security-token");
        assert!(presented.signs("host") && presented.signs("x-amz-security-token"));
        assert!(!presented.signs("x-amz-content-sha256") && !presented.signs("hos"));
        assert!(presented.needs_body());
        assert_eq!((presented.expires_at(), presented.form()), (None, Form::Header));
    });
    let mut request = sts_post();
    request.sign(UriRules::S3, None);
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        assert_eq!(presented.security_token(), None);
        assert!(!presented.needs_body() && presented.signs("x-amz-content-sha256"));
    });
    let mut request = sts_post();
    request.presign(UriRules::Standard, None, 60);
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        assert_eq!(presented.expires_at(), Some(now().plus_secs(60)));
        assert_eq!(presented.form(), Form::Query);
    });
}

#[test]
fn dates() {
    for bad in ["", "2015-08-30T12:36:00Z", "20150830T123600", "20150830", "20151330T123600Z"] {
        let mut request = dated();
        request.set("x-amz-date", bad);
        assert_eq!(refusal(&forged(&request, &Forge::default())), SigError::MalformedDate);
    }
    let forge = Forge { signed: "date;host", ..Forge::default() };
    for bad in [
        "Sun, 30 Aug 2015 12:36:00 UTC",
        "Sunday, 30-Aug-15 12:36:00 GMT",
        "Sun, 30 aug 2015 12:36:00 GMT",
        "Son, 30 Aug 2015 12:36:00 GMT",
        "Sun, 31 Feb 2015 12:36:00 GMT",
    ] {
        let mut request = sts_post();
        request.add("date", bad);
        assert_eq!(refusal(&forged(&request, &forge)), SigError::MalformedDate, "{bad}");
    }
    let mut request = sts_post();
    request.add("date", "20150830T123600Z");
    forged(&request, &forge).check(&standard()).unwrap();
}

/// Every weekday and month of the form of RFC 9110.
#[test]
fn dates_in_words() {
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    for (number, month) in (1..).zip(months) {
        for day in days {
            let mut request = sts_post();
            request.add("date", &format!("{day}, 28 {month} 2015 12:36:00 GMT"));
            let mut request = request.clone();
            request.add(
                "authorization",
                &format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/2015{number:02}28/us-east-1/service/\
                     aws4_request, SignedHeaders=date;host, Signature={}",
                    "0".repeat(64)
                ),
            );
            let signed_at = request.with(|head| parse(head).map(|it| it.unwrap().signed_at()));
            let text = format!("2015{number:02}28T123600Z");
            let expected = Timestamp::parse_amz(text.as_bytes()).unwrap();
            assert_eq!(signed_at, Ok(expected), "{day} {month}");
        }
    }
}
