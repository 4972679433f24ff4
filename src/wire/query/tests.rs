use proptest::prelude::*;

use super::*;

fn get(query: &str) -> Result<Params, QueryError> {
    Params::parse(Some(query), None)
}

fn post(query: Option<&str>, body: &[u8]) -> Result<Params, QueryError> {
    let content_type = Some("application/x-www-form-urlencoded; charset=utf-8");
    Params::parse(query, Some(Form { content_type, body }))
}

fn refused(result: Result<Params, QueryError>) -> QueryError {
    result.err().expect("refused")
}

/// The values of a list of texts.
fn values(params: &Params, name: &str) -> Vec<String> {
    let list = params.list(name).unwrap().expect("a list");
    list.iter().map(|view| view.value().expect("a text").to_owned()).collect()
}

#[test]
fn decodes() {
    for (encoded, expected) in [
        ("A=b", "b"),
        ("A=", ""),
        ("A", ""),
        ("A=b+c", "b c"),
        ("A=b%20c", "b c"),
        ("A=b%2Bc", "b+c"),
        ("A=%2b%2B", "++"),
        ("A=b=c", "b=c"),
        ("A=%C3%A9", "é"),
        ("A=%26%3D", "&="),
        ("&A=b&", "b"),
        ("A=%00", "\0"),
        ("A=é", "é"),
    ] {
        assert_eq!(get(encoded).unwrap().text("A"), Some(expected), "{encoded}");
        assert_eq!(post(None, encoded.as_bytes()).unwrap().text("A"), Some(expected), "{encoded}");
    }
}

#[test]
fn refuses_what_cannot_be_decoded() {
    for bad in ["A=%", "A=%2", "A=%zz", "A=% 1", "A=%+1", "%=a", "A=%ff", "A=%C3", "A=%ED%A0%80"] {
        assert_eq!(refused(get(bad)), QueryError::Encoding, "{bad}");
    }
    assert_eq!(refused(post(None, b"A=\xff")), QueryError::Encoding);
    assert_eq!(refused(get("=a")), QueryError::Nameless);
    assert_eq!(refused(get("A=b&=")), QueryError::Nameless);
}

#[test]
fn a_name_stands_once_in_whatever_case() {
    for twice in [
        "Action=GetCallerIdentity&Action=GetCallerIdentity",
        "Action=GetCallerIdentity&action=AssumeRole",
        "Version=1&VERSION=1",
        "ExternalId=a&ExternalId=b",
        "ExternalId=a&%45xternalId=b",
        "Tags.member.1.Key=a&tags.Member.1.key=b",
        "Action=a&X-Amz-Credential=a&x-amz-credential=b",
        "X-Amz-Security-Token=a&X-Amz-Security-Token=a",
        "A&A",
    ] {
        assert!(matches!(refused(get(twice)), QueryError::Duplicate(_)), "{twice}");
    }
    assert!(matches!(refused(post(None, b"A=1&a=1")), QueryError::Duplicate(_)));
}

#[test]
fn names_are_exact() {
    let params = get("rolearn=x").unwrap();
    assert_eq!(params.text("RoleArn"), None);
    assert_eq!(params.root().variant("RoleArn").as_deref(), Some("rolearn"));
    assert_eq!(params.root().variant("Other"), None);
    assert_eq!(params.root().variant("rolearn"), None);
}

#[test]
fn parameters_come_from_one_place() {
    let signed = "X-Amz-Algorithm=a&X-Amz-Signature=b&x-amz-date=c";
    let params = post(Some(signed), b"Action=A").unwrap();
    assert_eq!((params.text("Action"), params.len()), (Some("A"), 1));
    assert_eq!(post(Some("Action=A"), b"").unwrap().text("Action"), Some("A"));
    for query in ["Action=A", "Version=1", "action=A", "Other=1"] {
        let error = refused(post(Some(query), b"Action=B"));
        assert!(matches!(error, QueryError::QueryAndBody(_)), "{query}: {error}");
    }
}

#[test]
fn a_body_is_a_form() {
    let parse = |content_type| Params::parse(None, Some(Form { content_type, body: b"A=b" }));
    for good in [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-8",
        "Application/X-WWW-Form-UrlEncoded;charset=\"UTF-8\"",
    ] {
        assert!(parse(Some(good)).is_ok(), "{good}");
    }
    for bad in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/json"),
        Some("multipart/form-data; boundary=x"),
        Some("application/x-www-form-urlencoded; charset=utf-16"),
        Some("application/x-www-form-urlencoded; charset"),
    ] {
        assert_eq!(refused(parse(bad)), QueryError::NotAForm, "{bad:?}");
    }
}

#[test]
fn lists() {
    let params = get("PolicyArns=&T.member.2=b&T.member.1=a&Tags.member.1.Key=k\
                      &Tags.member.1.Value=v&Tags.member.2.Key=l&Tagsmore.member.1=x")
    .unwrap();
    assert!(params.list("PolicyArns").unwrap().expect("a list").is_empty());
    assert!(params.list("Absent").unwrap().is_none());
    assert_eq!(values(&params, "T"), ["a", "b"]);
    let tags = params.list("Tags").unwrap().expect("a list");
    let pairs: Vec<_> = tags.iter().map(|tag| (tag.text("Key"), tag.text("Value"))).collect();
    assert_eq!(pairs, [(Some("k"), Some("v")), (Some("l"), None)]);
    assert_eq!(tags[0].value(), None);
}

#[test]
fn elements_are_in_numeric_order() {
    let query: Vec<String> = (1..=12).rev().map(|n| format!("T.member.{n}={n}")).collect();
    let expected: Vec<String> = (1..=12).map(|n| n.to_string()).collect();
    assert_eq!(values(&get(&query.join("&")).unwrap(), "T"), expected);
}

#[test]
fn lists_within_structures() {
    let params =
        get("C.member.1.Name=n&C.member.1.Values.member.1=a&C.member.1.Values.member.2=b").unwrap();
    let entries = params.list("C").unwrap().expect("a list");
    let values = entries[0].list("Values").unwrap().expect("a list");
    assert_eq!(values.iter().map(View::value).collect::<Vec<_>>(), [Some("a"), Some("b")]);
}

#[test]
fn refuses_malformed_lists() {
    for bad in [
        "T.member.0=a",
        "T.member.01=a",
        "T.member.+1=a",
        "T.member.-1=a",
        "T.member.1001=a",
        "T.member.99999999999999999999=a",
        "T.member.x=a",
        "T.member.=a",
        "T.member.2=a",
        "T.member.1=a&T.member.3=b",
    ] {
        let error = get(bad).unwrap().list("T").err();
        assert!(matches!(error, Some(QueryError::Index(_))), "{bad}: {error:?}");
    }
    for bad in ["T=a", "T.1=a", "T.Key=a", "T.members.1=a", "T.member=a"] {
        let error = get(bad).unwrap().list("T").err();
        assert!(matches!(error, Some(QueryError::NotAList(..))), "{bad}: {error:?}");
    }
    for bad in ["t=", "t.member.1=a", "T.Member.1=a"] {
        let error = get(bad).unwrap().list("T").err();
        let case = matches!(error, Some(QueryError::Case { .. } | QueryError::NotAList(..)));
        assert!(case, "{bad}: {error:?}");
    }
    for bad in [
        "T=&T.member.1=a",
        "T=x&T.member.1=a",
        "T.member.1=a&T.member.1.Key=b",
        "t.member.1=a&T.member.1.Key=b",
    ] {
        assert!(matches!(refused(get(bad)), QueryError::ValueAndStructure(_)), "{bad}");
    }
}

#[test]
fn input_is_bounded() {
    let many: Vec<String> = (0..=MAX_PARAMETERS).map(|n| format!("p{n}=")).collect();
    assert!(get(&many[1..].join("&")).is_ok());
    assert_eq!(refused(get(&many.join("&"))), QueryError::TooMany);

    assert!(get(&"n".repeat(MAX_NAME)).is_ok());
    assert!(matches!(refused(get(&"n".repeat(MAX_NAME + 1))), QueryError::Name(_)));
    assert!(matches!(refused(get(&"n.".repeat(MAX_DEPTH))), QueryError::Name(_)));

    assert!(get(&format!("A={}", "v".repeat(MAX_VALUE))).is_ok());
    let error = refused(get(&format!("A={}", "v".repeat(MAX_VALUE + 1))));
    assert_eq!(error, QueryError::Value("A".to_owned()));
}

#[test]
fn errors_are_fit_to_print() {
    let error = refused(get("A%0d%0aSet-Cookie:x=1&A%0D%0Aset-cookie:x=2")).to_string();
    assert!(!error.contains(['\r', '\n']), "{error}");
    let long = format!("{0}=1&{0}=2", "n".repeat(MAX_NAME));
    assert!(refused(get(&long)).to_string().len() < 150);
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(pairs in proptest::collection::btree_map("[A-Z][a-z0-9]{1,8}", any::<String>(), 0..20)) {
        let distinct: std::collections::BTreeSet<String> = pairs.keys().map(|k| k.to_ascii_lowercase()).collect();
        prop_assume!(distinct.len() == pairs.len());
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let params = post(None, encoded.as_bytes()).unwrap();
        prop_assert_eq!(params.len(), pairs.len());
        for (name, value) in &pairs {
            prop_assert_eq!(params.text(name), Some(value.as_str()));
        }
    }

    #[test]
    fn both_encodings_of_clients_mean_the_same(value in any::<String>()) {
        let plus: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let percent = crate::wire::xml::percent_encode(&value);
        for encoded in [plus, percent] {
            let params = get(&format!("A={encoded}")).unwrap();
            prop_assert_eq!(params.text("A"), Some(value.as_str()));
        }
    }

    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(params) = post(None, &body) {
            let _ = params.list("A");
        }
    }

    /// Bytes that look like parameters more often than random ones do.
    #[test]
    fn no_likely_bytes_panic(body in "[AaTt.member0-9&=%+é-]{0,80}") {
        if let Ok(params) = post(None, body.as_bytes()) {
            for name in ["A", "T", "", ".", "a.member"] {
                if let Ok(Some(list)) = params.list(name) {
                    for view in list {
                        let _ = (view.value(), view.text("A"), view.variant("A"), view.list("A"));
                    }
                }
            }
        }
    }
}
