//! The laws of the canonical form.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::reference::Meaning;
use super::*;
use crate::sigv4::canonical::Canonical;
use crate::sigv4::signed_set::SignedSet;
use crate::sigv4::uri::Target;

fn canonical(request: &Request, signed: &str, uri: UriRules) -> String {
    request.with(|head| {
        let form = Canonical {
            head,
            target: Target::parse(head.target).unwrap(),
            except: None,
            signed_headers: signed,
            signed: &SignedSet::build(signed, head.headers).unwrap(),
            uri,
            payload: b"payload",
        };
        let mut text = Vec::new();
        form.write(&mut text);
        let hash = data_encoding::HEXLOWER.encode(&form.sha256());
        assert_eq!(hash, super::reference::sha256(&text), "hashed as it is written");
        String::from_utf8_lossy(&text).into_owned()
    })
}

fn pieces(alphabet: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(alphabet), 0..most).prop_map(|p| p.concat())
}

const PATH: &[&str] =
    &["/", ".", "..", "a", "%2e", "%2F", "%2f", ";", "+", " ", "é", "(", "~", "%7E"];
const QUERY: &[&str] = &[
    "&", "=", "a", "b", "%61", "%26", "%3d", "+", "%2B", ";", "%3B", "%20", " ", "é", "?", "%C3%A9",
];
const VALUE: &[&str] = &[" ", "\t", "  ", "a", "b", ","];

/// Every text of up to `most` pieces.
fn texts(alphabet: &[&str], most: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut longest = all.clone();
    for _ in 0..most {
        longest = longest
            .iter()
            .flat_map(|text| alphabet.iter().map(move |piece| format!("{text}{piece}")))
            .collect();
        all.extend_from_slice(&longest);
    }
    all
}

/// M10, exhaustively in the small: as many canonical forms as meanings, and each form one meaning.
fn assert_one_to_one(requests: impl Iterator<Item = Request>, uri: UriRules) {
    let mut by_form = BTreeMap::new();
    let mut by_meaning = BTreeMap::new();
    for request in requests {
        let form = canonical(&request, "x", uri);
        let meaning = Meaning::of(&request, &["x"], uri);
        let known = by_form.entry(form.clone()).or_insert_with(|| meaning.clone());
        assert_eq!(*known, meaning, "{request:?}");
        let known = by_meaning.entry(meaning).or_insert_with(|| form.clone());
        assert_eq!(*known, form, "{request:?}");
    }
}

#[test]
fn museum_m10_targets() {
    for uri in [UriRules::Standard, UriRules::S3] {
        let headers = [("x", "")];
        let targets = texts(PATH, 4).into_iter().map(|path| format!("/{path}"));
        let targets = targets.chain(texts(QUERY, 4).into_iter().map(|query| format!("/?{query}")));
        assert_one_to_one(targets.map(|t| Request::new("GET", &t, &headers, "")), uri);
    }
}

/// Each byte alone, and beside one that is written as it stands.
#[test]
fn every_byte_of_a_query_is_written_as_the_reference_writes_it() {
    for byte in (b'!'..=b'~').filter(|byte| !b"#%".contains(byte)).map(char::from) {
        for query in [format!("{byte}=a"), format!("a{byte}={byte}1"), format!("{byte}1&{byte}")] {
            let request = Request::new("GET", &format!("/?{query}"), &[("x", "")], "");
            for uri in [UriRules::Standard, UriRules::S3] {
                let reference = Meaning::of(&request, &["x"], uri).canonical("x", uri, "payload");
                assert_eq!(canonical(&request, "x", uri), reference, "{query}");
            }
        }
    }
}

#[test]
fn museum_m10_headers() {
    let values = texts(VALUE, 3);
    let ones = values.iter().map(|value| Request::new("GET", "/", &[("x", value)], ""));
    let twos = values.iter().flat_map(|a| {
        texts(VALUE, 1)
            .into_iter()
            .map(move |b| Request::new("GET", "/", &[("x", a), ("X", &b)], ""))
    });
    assert_one_to_one(ones.chain(twos), UriRules::Standard);
}

fn requests() -> impl Strategy<Value = Request> {
    let path = pieces(PATH, 7);
    let query = pieces(QUERY, 7);
    let value = pieces(VALUE, 5);
    let header = (prop::sample::select(&["x", "X", "y"][..]), value);
    let method = prop::sample::select(&["GET", "POST", "GE"][..]);
    (method, path, query, prop::collection::vec(header, 0..4)).prop_map(
        |(method, path, query, mut headers)| {
            headers.push(("x", "a".to_owned()));
            headers.push(("y", String::new()));
            let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let mark = if query.is_empty() { "" } else { "?" };
            Request::new(method, &format!("/{path}{mark}{query}"), &headers, "")
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// M10: two requests share a canonical form exactly if they mean the same.
    #[test]
    fn museum_m10_equal_canonical_forms_mean_equal_requests(a in requests(), b in requests()) {
        for uri in [UriRules::Standard, UriRules::S3] {
            let meanings =
                [&a, &b].map(|request| Meaning::of(request, &["x", "y"], uri));
            let forms = [&a, &b].map(|request| canonical(request, "x;y", uri));
            prop_assert_eq!(meanings[0] == meanings[1], forms[0] == forms[1]);
        }
    }

    /// The streaming form is the obvious one.
    #[test]
    fn the_streaming_form_is_the_reference_form(request in requests()) {
        for uri in [UriRules::Standard, UriRules::S3] {
            let reference = Meaning::of(&request, &["x", "y"], uri).canonical("x;y", uri, "payload");
            prop_assert_eq!(canonical(&request, "x;y", uri), reference);
        }
    }

    /// Nothing that arrives panics.
    #[test]
    fn hostile_heads_do_not_panic(
        method in ".{0,8}",
        target in ".{0,40}",
        headers in prop::collection::vec(
            (
                prop::sample::select(&[
                    "authorization", "Host", "x-amz-date", "date", "x-amz-security-token",
                    "x-amz-content-sha256", "other",
                ][..]),
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..60),
                    pieces(&[
                        "AWS4-HMAC-SHA256 ", "Credential=", "A/20150830/r/s/aws4_request",
                        "SignedHeaders=", "host;x-amz-date", "Signature=", ",", " ", "=",
                        "20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT",
                        "0000000000000000000000000000000000000000000000000000000000000000",
                    ], 10).prop_map(String::into_bytes),
                ],
            ),
            0..6,
        ),
    ) {
        let mut request = Request::new(&method, &format!("/{target}"), &[], "");
        for (name, value) in headers {
            request.headers.push((name.to_owned(), value));
        }
        for rules in [standard(), s3()] {
            let anonymous = request.with(|head| matches!(parse(head), Ok(None)));
            prop_assert!(anonymous || request.check(&rules).is_err());
        }
    }
}

#[test]
fn different_requests_that_look_alike() {
    // Pairs that a canonical form with missing delimiters or hasty decoding confuses.
    for (a, b) in [
        ("/?a=b&c=d", "/?a=b%26c=d"),
        ("/?a=b&c=d", "/?a=bc=d"),
        ("/?a=b+c", "/?a=b%20c"),
        ("/?a=b+c", "/?a=b%2Bc"),
        ("/?a=b;c=d", "/?a=b%3Bc=d"),
        ("/?a%3Db=c", "/?a=b%3Dc"),
        ("/a/b", "/a%2Fb"),
        ("/a%2Fb", "/a%252Fb"),
        ("/..%2fb", "/../b"),
        ("/%2e%2e/b", "/../b"),
        ("/a%00", "/a"),
        ("/a?b", "/a%3Fb"),
    ] {
        for uri in [UriRules::Standard, UriRules::S3] {
            let form = |target| canonical(&Request::new("GET", target, &[("x", "")], ""), "x", uri);
            assert_ne!(form(a), form(b), "{a} {b}");
        }
    }
}
