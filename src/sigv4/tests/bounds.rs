//! What a request may have at most, and what it costs.

use super::reference::Forge;
use super::refusals::{dated, forged, refusal};
use super::*;

#[test]
fn bounds() {
    let over = |request: &Request| match refusal(request) {
        SigError::TooLarge(what) => what,
        other => panic!("{other}"),
    };
    let mut request = forged(&dated(), &Forge::default());
    while request.headers.len() < MAX_HEADERS {
        request.add("other", "");
    }
    request.check(&standard()).unwrap();
    request.add("other", "");
    assert_eq!(over(&request), Bounded::Headers);

    let mut request = forged(&dated(), &Forge::default());
    let arrived: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    request.add("other", &"a".repeat(MAX_HEADER_BYTES - arrived - "other".len()));
    request.check(&standard()).unwrap();
    request.add("a", "");
    assert_eq!(over(&request), Bounded::HeaderBytes);

    let mut request = dated();
    request.target = format!("/{}", "a".repeat(MAX_TARGET - 1));
    forged(&request, &Forge::default()).check(&standard()).unwrap();
    request.target.push('a');
    assert_eq!(over(&forged(&request, &Forge::default())), Bounded::Target);

    let mut request = dated();
    request.target = format!("/?{}", "a&".repeat(MAX_QUERY_PARAMETERS));
    forged(&request, &Forge::default()).check(&standard()).unwrap();
    request.target.push('a');
    assert_eq!(over(&forged(&request, &Forge::default())), Bounded::QueryParameters);

    // The list as long as it may be, and a byte longer.
    let mut request = dated();
    let name = "a".repeat(MAX_SIGNED_HEADERS_BYTES - ";host;x-amz-date".len());
    request.add(&name, "");
    let list = format!("{name};host;x-amz-date");
    let forge = Forge { signed: &list, ..Forge::default() };
    forged(&request, &forge).check(&standard()).unwrap();
    let mut request = dated();
    request.add(&format!("{name}a"), "");
    let list = format!("{name}a;host;x-amz-date");
    let forge = Forge { signed: &list, ..Forge::default() };
    assert_eq!(over(&forged(&request, &forge)), Bounded::SignedHeaders);

    let mut names: Vec<String> = (0..MAX_SIGNED_HEADERS - 2).map(|n| format!("a{n:03}")).collect();
    let mut request = dated();
    for name in &names {
        request.add(name, "a");
    }
    let list = format!("{};host;x-amz-date", names.join(";"));
    let forge = Forge { signed: &list, ..Forge::default() };
    forged(&request, &forge).check(&standard()).unwrap();
    names.push("b".to_owned());
    request.add("b", "a");
    let list = format!("{};host;x-amz-date", names.join(";"));
    let forge = Forge { signed: &list, ..Forge::default() };
    assert_eq!(over(&forged(&request, &forge)), Bounded::SignedHeaders);
}

#[test]
fn the_bounds_are_these() {
    assert_eq!((MAX_HEADERS, MAX_SIGNED_HEADERS, MAX_QUERY_PARAMETERS), (128, 64, 256));
    assert_eq!((MAX_TARGET, MAX_HEADER_BYTES), (16_384, 65_536));
    assert_eq!((MAX_SIGNED_HEADERS_BYTES, MAX_SCOPE_ELEMENT, MAX_EXPIRES), (4_096, 128, 604_800));
}

#[test]
fn the_warm_path_allocates_nothing() {
    let mut request = sts_post();
    request.add("user-agent", "any").sign(UriRules::Standard, Some("token"));
    let mut s3_get =
        Request::new("GET", "/bucket/key%20a?list-type=2&prefix=a%2Fb", &[("host", "s3")], "");
    s3_get.sign(UriRules::S3, Some("token"));
    for (request, rules) in [(&request, standard()), (&s3_get, s3())] {
        request.with(|head| {
            let scope = Scope { date: "20150830", region: "us-east-1", service: "service" };
            let key = SigningKey::derive(&secret(), scope);
            let mut verified = false;
            let allocated = allocation_counter::measure(|| {
                let presented = parse(head).unwrap().unwrap();
                verified = verify(&presented, &key, Body::Bytes(&request.body), &rules).is_ok();
            });
            assert!(verified);
            assert_eq!(allocated.count_total, 0);
        });
    }
}
