//! Requests as clients of S3 make them, and what they need.

use super::super::{Meaning, PathProblem, Unmapped};
use super::find;
use crate::downstream::{BodyRule, HostPattern};
use crate::policy::Value;
use crate::sigv4::{Body, RequestHead};

fn hosts() -> Vec<HostPattern> {
    ["s3.example", "*.s3.example"].iter().map(|host| HostPattern::parse(host).unwrap()).collect()
}

fn meaning(
    host: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> Result<Meaning, Unmapped> {
    let mut all: Vec<(&str, &[u8])> = vec![("host", host.as_bytes())];
    all.extend(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
    find(&hosts(), &RequestHead { method, target, headers: &all }, Body::Bytes(b""))
}

/// The condition keys of a deed.
fn keys(meaning: &Meaning, deed: usize) -> Vec<(String, Value)> {
    meaning.keys.iter().chain(&meaning.deeds[deed].keys).cloned().collect()
}

/// The deeds, `action resource` each, without what all resources begin with.
fn deeds(method: &str, target: &str, headers: &[(&str, &str)]) -> Result<Vec<String>, Unmapped> {
    let meaning = meaning("s3.example", method, target, headers)?;
    let short = |text: &str| text.replace("arn:aws:s3:::", "").replace("s3:", "");
    let deeds = meaning.deeds.iter();
    Ok(deeds.map(|deed| short(&format!("{} {}", deed.action, deed.resource))).collect())
}

#[test]
fn operations_are_told_by_method_place_and_subresource() {
    for (method, target, expected) in [
        ("GET", "/", "ListAllMyBuckets *"),
        ("PUT", "/bkt", "CreateBucket bkt"),
        ("PUT", "/bkt/", "CreateBucket bkt"),
        ("HEAD", "/bkt", "ListBucket bkt"),
        ("DELETE", "/bkt", "DeleteBucket bkt"),
        ("GET", "/bkt?prefix=a%2F&delimiter=%2F", "ListBucket bkt"),
        ("GET", "/bkt?list-type=2&prefix=a&max-keys=7", "ListBucket bkt"),
        ("GET", "/bkt?versions", "ListBucketVersions bkt"),
        ("GET", "/bkt?uploads", "ListBucketMultipartUploads bkt"),
        ("GET", "/bkt?location", "GetBucketLocation bkt"),
        ("GET", "/bkt?policy", "GetBucketPolicy bkt"),
        ("PUT", "/bkt?policy", "PutBucketPolicy bkt"),
        ("DELETE", "/bkt?policy", "DeleteBucketPolicy bkt"),
        ("PUT", "/bkt?acl", "PutBucketAcl bkt"),
        ("DELETE", "/bkt?tagging", "PutBucketTagging bkt"),
        ("GET", "/bkt/a/b.txt", "GetObject bkt/a/b.txt"),
        ("GET", "/bkt/a/", "GetObject bkt/a/"),
        ("GET", "/bkt/a%20b%2Bc%3Bd", "GetObject bkt/a b+c;d"),
        ("GET", "/bkt/a%2Fb", "GetObject bkt/a/b"),
        ("GET", "/bkt/*", "GetObject bkt/*"),
        ("GET", "/bkt/k?x-id=GetObject", "GetObject bkt/k"),
        ("HEAD", "/bkt/k?partNumber=1", "GetObject bkt/k"),
        ("GET", "/bkt/k?versionId=v1", "GetObjectVersion bkt/k"),
        ("GET", "/bkt/k?versionId=null", "GetObjectVersion bkt/k"),
        ("GET", "/bkt/k?acl&versionId=v", "GetObjectVersionAcl bkt/k"),
        ("GET", "/bkt/k?response-content-type=text%2Fplain", "GetObject bkt/k"),
        ("PUT", "/bkt/k", "PutObject bkt/k"),
        ("PUT", "/bkt/k?acl", "PutObjectAcl bkt/k"),
        ("DELETE", "/bkt/k", "DeleteObject bkt/k"),
        ("DELETE", "/bkt/k?versionId=v1", "DeleteObjectVersion bkt/k"),
        ("DELETE", "/bkt/k?tagging", "DeleteObjectTagging bkt/k"),
        ("POST", "/bkt/k?uploads", "PutObject bkt/k"),
        ("PUT", "/bkt/k?partNumber=1&uploadId=u", "PutObject bkt/k"),
        ("POST", "/bkt/k?uploadId=u", "PutObject bkt/k"),
        ("DELETE", "/bkt/k?uploadId=u", "AbortMultipartUpload bkt/k"),
        ("GET", "/bkt/k?uploadId=u&max-parts=2", "ListMultipartUploadParts bkt/k"),
        (
            "GET",
            "/bkt/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x&X-Amz-Date=d&X-Amz-Expires=1\
             &X-Amz-SignedHeaders=host&X-Amz-Signature=s",
            "GetObject bkt/k",
        ),
    ] {
        assert_eq!(deeds(method, target, &[]), Ok(vec![expected.to_owned()]), "{method} {target}");
    }
}

#[test]
fn what_a_request_does_besides_needs_actions_of_its_own() {
    for (method, target, headers, expected) in [
        (
            "PUT",
            "/bkt/k",
            &[("x-amz-copy-source", "/src/a%20b")][..],
            &[
                "PutObject bkt/k",
                "PutObjectTagging bkt/k",
                "GetObject src/a b",
                "GetObjectTagging src/a b",
            ][..],
        ),
        (
            "PUT",
            "/bkt/k",
            &[("x-amz-copy-source", "src/a"), ("x-amz-tagging-directive", "REPLACE")],
            &["PutObject bkt/k", "GetObject src/a"],
        ),
        (
            "PUT",
            "/bkt/k",
            &[
                ("x-amz-copy-source", "src/a"),
                ("x-amz-tagging-directive", "REPLACE"),
                ("x-amz-tagging", "a=b"),
            ],
            &["PutObject bkt/k", "PutObjectTagging bkt/k", "GetObject src/a"],
        ),
        (
            "PUT",
            "/bkt/k",
            &[("x-amz-copy-source", "src/a"), ("x-amz-tagging-directive", "COPY")],
            &[
                "PutObject bkt/k",
                "PutObjectTagging bkt/k",
                "GetObject src/a",
                "GetObjectTagging src/a",
            ],
        ),
        (
            "PUT",
            "/bkt/k",
            &[("x-amz-copy-source", "src/a?versionId=v1")],
            &[
                "PutObject bkt/k",
                "PutObjectTagging bkt/k",
                "GetObjectVersion src/a",
                "GetObjectVersionTagging src/a",
            ],
        ),
        (
            "PUT",
            "/bkt/k?partNumber=1&uploadId=u",
            &[("x-amz-copy-source", "src/a")],
            &["PutObject bkt/k", "GetObject src/a"],
        ),
        (
            "PUT",
            "/bkt/k",
            &[("X-Amz-Acl", "public-read"), ("x-amz-tagging", "a=b")],
            &["PutObject bkt/k", "PutObjectAcl bkt/k", "PutObjectTagging bkt/k"],
        ),
        (
            "PUT",
            "/bkt/k",
            &[("x-amz-grant-read", "id=1")],
            &["PutObject bkt/k", "PutObjectAcl bkt/k"],
        ),
        (
            "POST",
            "/bkt/k?uploads",
            &[("x-amz-object-lock-legal-hold", "ON")],
            &["PutObject bkt/k", "PutObjectLegalHold bkt/k"],
        ),
        ("PUT", "/bkt", &[("x-amz-acl", "private")], &["CreateBucket bkt", "PutBucketAcl bkt"]),
        ("PUT", "/bkt/k?acl", &[("x-amz-acl", "private")], &["PutObjectAcl bkt/k"]),
        (
            "DELETE",
            "/bkt/k?versionId=v",
            &[("x-amz-bypass-governance-retention", "true")],
            &["DeleteObjectVersion bkt/k", "BypassGovernanceRetention bkt/k"],
        ),
        ("GET", "/bkt/k?attributes", &[], &["GetObjectAttributes bkt/k", "GetObject bkt/k"]),
        (
            "GET",
            "/bkt/k?attributes&versionId=v",
            &[],
            &["GetObjectVersionAttributes bkt/k", "GetObjectVersion bkt/k"],
        ),
    ] {
        assert_eq!(deeds(method, target, headers).unwrap(), expected, "{method} {target}");
    }
}

#[test]
fn what_is_not_known_means_nothing() {
    for (method, target, headers) in [
        ("GET", "/bkt?unheard", &[][..]),
        ("GET", "/bkt/k?unheard=1", &[]),
        ("GET", "/bkt?acl&policy", &[]),
        ("GET", "/bkt/k?acl&tagging", &[]),
        ("GET", "/bkt/k?torrent", &[]),
        ("GET", "/bkt/k?ACL", &[]),
        ("POST", "/bkt?delete", &[]),
        ("POST", "/bkt", &[]),
        ("POST", "/bkt/k", &[]),
        ("POST", "/bkt/k?select&select-type=2", &[]),
        ("PATCH", "/bkt/k", &[]),
        ("PUT", "/", &[]),
        ("PUT", "/bkt/k?uploadId=u", &[]),
        ("PUT", "/bkt/k?x-amz-acl=public-read", &[]),
        ("GET", "/bkt?list-type=2&list-type=2", &[]),
        ("GET", "/bkt?prefix=a&PREFIX=b", &[]),
        ("GET", "/bkt?prefix=a+b", &[]),
        ("GET", "/bkt?prefix=a;b", &[]),
        ("GET", "/bkt/k", &[("x-amz-copy-source", "src/a")]),
        ("GET", "/bkt/k", &[("x-amz-acl", "public-read")]),
        ("DELETE", "/bkt/k", &[("x-amz-tagging", "a=b")]),
        ("PUT", "/bkt", &[("x-amz-tagging", "a=b")]),
        ("PUT", "/bkt/k", &[("x-amz-copy-source", "src")]),
        ("PUT", "/bkt/k", &[("x-amz-copy-source", "src/a?versionId=v&x=1")]),
        ("PUT", "/bkt/k", &[("x-amz-copy-source", "src/a?x=1")]),
        (
            "PUT",
            "/bkt/k",
            &[("x-amz-copy-source", "arn:aws:s3:us-east-1:1:accesspoint/a/object/k")],
        ),
        ("PUT", "/bkt/k", &[("x-amz-acl", "private"), ("X-AMZ-ACL", "public-read")]),
        ("GET", "/Bkt/k", &[]),
        ("GET", "/b/k", &[]),
        ("GET", "/bkt../k", &[]),
    ] {
        let refused = deeds(method, target, headers);
        assert!(matches!(refused, Err(Unmapped::S3(_))), "{method} {target}: {refused:?}");
    }
    assert!(matches!(
        deeds("GET", "/bkt/k", &[("x-http-method-override", "PUT")]),
        Err(Unmapped::Override(_))
    ));
}

#[test]
fn museum_m11_keys_that_others_would_normalise_mean_nothing() {
    use PathProblem as P;
    for (target, problem) in [
        ("/bkt/../other/k", P::DotSegment),
        ("/bkt/a/%2e%2e/k", P::DotSegment),
        ("/bkt/a%2F..%2Fk", P::DotSegment),
        ("/bkt/./k", P::DotSegment),
        ("/bkt//k", P::EmptySegment),
        ("/bkt/%2Fk", P::EmptySegment),
        ("//k", P::EmptySegment),
        ("/bkt/a%252f..", P::EscapedPercent),
        ("/bkt/a%00", P::Control),
        ("/bkt/a%5c..%5cb", P::Backslash),
        ("/bkt/%FF", P::NotUtf8),
        ("/bkt/a;b", P::Semicolon),
        ("/bkt/a;/b", P::Semicolon),
        ("/bkt/a+b", P::Unescaped),
    ] {
        assert_eq!(deeds("GET", target, &[]), Err(Unmapped::Path(problem)), "{target}");
    }
    let source = [("x-amz-copy-source", "src/a/../../secret/k")];
    assert_eq!(deeds("PUT", "/bkt/k", &source), Err(Unmapped::Path(P::DotSegment)));
}

#[test]
fn a_host_may_name_the_bucket() {
    for (host, target, expected) in [
        ("s3.example", "/bkt/k", "arn:aws:s3:::bkt/k"),
        ("bkt.s3.example", "/k", "arn:aws:s3:::bkt/k"),
        ("bkt.s3.example", "/bkt/k", "arn:aws:s3:::bkt/bkt/k"),
        ("BKT.S3.example", "/k", "arn:aws:s3:::bkt/k"),
        ("my.bkt.s3.example", "/", "arn:aws:s3:::my.bkt"),
    ] {
        let meaning = meaning(host, "GET", target, &[]).unwrap();
        assert_eq!(meaning.deeds[0].resource, expected, "{host} {target}");
    }
}

#[test]
fn condition_keys_come_from_signed_input() {
    let meaning = meaning(
        "s3.example",
        "PUT",
        "/bkt/k",
        &[
            ("x-amz-server-side-encryption", "aws:kms"),
            ("X-Amz-Storage-Class", " STANDARD "),
            ("x-amz-tagging", "team=blue&cost%20centre=7"),
            ("x-amz-meta-team", "red"),
            ("prefix", "a"),
        ],
    );
    let keys = self::keys(&meaning.unwrap(), 0);
    let one = |name: &str| keys.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let text = |text: &str| Some(Value::One(text.to_owned()));
    assert_eq!(one("s3:x-amz-server-side-encryption"), text("aws:kms"));
    assert_eq!(one("s3:x-amz-storage-class"), text("STANDARD"));
    assert_eq!(one("s3:RequestObjectTag/team"), text("blue"));
    assert_eq!(one("s3:RequestObjectTag/cost centre"), text("7"));
    let names = vec!["team".to_owned(), "cost centre".to_owned()];
    assert_eq!(one("s3:RequestObjectTagKeys"), Some(Value::Many(names)));
    assert_eq!(one("s3:authType"), text("REST-HEADER"));
    assert_eq!(one("s3:prefix"), None);

    let list = super::tests::meaning("s3.example", "GET", "/bkt?prefix=a%2F&max-keys=2", &[]);
    let keys = self::keys(&list.unwrap(), 0);
    assert!(keys.contains(&("s3:prefix".to_owned(), Value::One("a/".to_owned()))));
    assert!(keys.contains(&("s3:max-keys".to_owned(), Value::One("2".to_owned()))));
}

#[track_caller]
fn means_nothing(method: &str, target: &str, headers: &[(&str, &str)]) {
    let refused = deeds(method, target, headers);
    assert!(matches!(refused, Err(Unmapped::S3(_))), "{method} {target} {headers:?}: {refused:?}");
}

#[test]
fn operations_with_condition_keys_that_are_not_read_mean_nothing() {
    for target in [
        "/bkt?tagging",
        "/bkt?object-lock",
        "/bkt/k?tagging",
        "/bkt/k?tagging&versionId=v",
        "/bkt/k?retention",
        "/bkt/k?legal-hold",
    ] {
        means_nothing("PUT", target, &[]);
    }
    for headers in [
        [("x-amz-object-lock-mode", "GOVERNANCE")],
        [("x-amz-object-lock-retain-until-date", "2030-01-01T00:00:00Z")],
    ] {
        means_nothing("PUT", "/bkt/k", &headers);
        means_nothing("POST", "/bkt/k?uploads", &headers);
    }
}

#[test]
fn what_a_write_depends_on_is_a_condition_key_if_it_is_signed() {
    let key = |meaning: &Meaning, name: &str| {
        let keys = keys(meaning, 0);
        keys.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let one = |text: &str| Some(Value::One(text.to_owned()));
    let authorization =
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;if-match;if-none-match, Signature=c";
    let authorization = ("authorization", authorization);
    let none = ("If-None-Match", "*");
    let of = |method: &str, target: &str, headers: &[(&str, &str)]| {
        meaning("s3.example", method, target, headers)
    };
    for (method, target, creates) in [
        ("PUT", "/bkt/k", one("true")),
        ("POST", "/bkt/k?uploadId=u", one("true")),
        ("POST", "/bkt/k?uploads", one("false")),
        ("PUT", "/bkt/k?partNumber=1&uploadId=u", one("false")),
        ("DELETE", "/bkt/k", None),
    ] {
        let plain = of(method, target, &[]).unwrap();
        assert_eq!(key(&plain, "s3:if-none-match"), None);
        assert_eq!(key(&plain, "s3:ObjectCreationOperation"), creates, "{method} {target}");
        let signed = of(method, target, &[authorization, none]).unwrap();
        assert_eq!(key(&signed, "s3:if-none-match"), one("*"), "{method} {target}");
        let signed = of(method, target, &[authorization, ("if-match", "\"a\"")]).unwrap();
        assert_eq!(key(&signed, "s3:if-match"), one("\"a\""), "{method} {target}");
        means_nothing(method, target, &[none]);
        means_nothing(method, target, &[authorization, none, none]);
        let other = ("authorization", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host");
        means_nothing(method, target, &[other, none]);
    }
    let query = "/bkt/k?X-Amz-SignedHeaders=host%3Bif-none-match&X-Amz-Signature=s";
    assert_eq!(key(&of("PUT", query, &[none]).unwrap(), "s3:if-none-match"), one("*"));
    // A read depends on it for its answer alone.
    let read = of("GET", "/bkt/k", &[none]).unwrap();
    assert_eq!(key(&read, "s3:if-none-match"), None);
    assert_eq!(key(&read, "s3:ObjectCreationOperation"), None);
}

/// Where a bucket is to be stands in the body.
#[test]
fn the_location_of_a_new_bucket_is_read_from_a_body_that_is_shown_and_signed() {
    let create = |body: Body<'_>| {
        let headers = [("host", &b"s3.example"[..])];
        find(&hosts(), &RequestHead { method: "PUT", target: "/bkt", headers: &headers }, body)
    };
    let key = |meaning: &Meaning| {
        let keys = keys(meaning, 0);
        keys.into_iter().find(|(key, _)| key == "s3:LocationConstraint").map(|(_, value)| value)
    };
    let empty = create(Body::Bytes(b"")).unwrap();
    assert_eq!((key(&empty), empty.body), (None, None));
    let body = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
                </CreateBucketConfiguration>";
    let there = create(Body::Bytes(body.as_bytes())).unwrap();
    assert_eq!(key(&there), Some(Value::One("eu-west-1".to_owned())));
    assert_eq!(there.body, Some(BodyRule::Verified));
    for body in [Body::Unavailable, Body::Sha256([7; 32]), Body::Bytes(b"<a/>")] {
        assert!(matches!(create(body), Err(Unmapped::S3(_))));
    }
}

#[test]
fn tags_with_two_readings_mean_nothing() {
    for tagging in ["a=1&a=2", "Team=red&team=blue", "a=1;b=2", "a=%zz", "a=%FF", "%2=1", "=1"] {
        means_nothing("PUT", "/bkt/k", &[("x-amz-tagging", tagging)]);
    }
}

/// What is asked of the source is not asked of what is made, and the other way round.
#[test]
fn each_deed_has_its_own_condition_keys() {
    let headers =
        [("x-amz-copy-source", "src/a?versionId=AAA"), ("x-amz-storage-class", "GLACIER")];
    let copy = meaning("s3.example", "PUT", "/bkt/k", &headers).unwrap();
    assert_eq!(copy.deeds.len(), 4);
    let version = ("s3:VersionId".to_owned(), Value::One("AAA".to_owned()));
    let class = ("s3:x-amz-storage-class".to_owned(), Value::One("GLACIER".to_owned()));
    for (at, deed) in copy.deeds.iter().enumerate() {
        let source = deed.resource.ends_with("src/a");
        assert_eq!(source, deed.action.contains("Get"));
        let keys = keys(&copy, at);
        assert_eq!(keys.contains(&version), source, "{deed:?}");
        assert_eq!(keys.contains(&class), !source, "{deed:?}");
        assert!(keys.iter().any(|(key, _)| key == "s3:authType"), "{deed:?}");
    }
    let read = meaning("s3.example", "GET", "/bkt/k?versionId=AAA", &[]).unwrap();
    assert!(keys(&read, 0).contains(&version));
}

#[test]
fn a_copy_says_in_one_way_what_becomes_of_the_tags() {
    for directive in ["", "copy", "REPLACE, COPY", "NONE"] {
        let headers = [("x-amz-copy-source", "src/a"), ("x-amz-tagging-directive", directive)];
        means_nothing("PUT", "/bkt/k", &headers);
    }
}

#[test]
fn sources_with_two_readings_mean_nothing() {
    for source in
        ["src/a?versionId=%41", "src/a;b", "src/a+b", "src/a#b", "src/a?versionId=v#1", "/src/+"]
    {
        means_nothing("PUT", "/bkt/k", &[("x-amz-copy-source", source)]);
    }
}

#[test]
fn parameters_without_their_value_mean_nothing() {
    for (method, target) in [
        ("GET", "/bkt/k?versionId"),
        ("DELETE", "/bkt/k?versionId="),
        ("PUT", "/bkt/k?partNumber=&uploadId=u"),
        ("PUT", "/bkt/k?partNumber=1&uploadId="),
        ("DELETE", "/bkt/k?uploadId"),
        ("GET", "/bkt/k?partNumber="),
    ] {
        means_nothing(method, target, &[]);
    }
}

#[test]
fn an_archive_that_is_unpacked_means_nothing() {
    means_nothing("PUT", "/bkt/k.tar", &[("X-Amz-Meta-Snowball-Auto-Extract", "true")]);
}

#[test]
fn the_algorithm_of_the_signature_is_a_condition_key() {
    let algorithm = |target: &str, headers: &[(&str, &str)]| {
        let keys = meaning("s3.example", "GET", target, headers).unwrap().keys;
        keys.into_iter().find(|(key, _)| key == "s3:signatureversion").map(|(_, value)| value)
    };
    let expected = Some(Value::One("AWS4-HMAC-SHA256".to_owned()));
    let header = [("Authorization", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host")];
    assert_eq!(algorithm("/bkt/k", &header), expected);
    assert_eq!(algorithm("/bkt/k?X-Amz-Algorithm=AWS4-HMAC-SHA256", &[]), expected);
}
