//! Every one-byte mutation of a valid request is refused, or is provably the same request.

use super::reference::Meaning;
use super::*;

const TOKEN: &str = "IQoJb3JpZ2luX2VjEPT//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==";

fn base() -> Request {
    let mut request = Request::new(
        "POST",
        "/a/b-%7E?Version=2011-06-15&Action=Get%20It&empty=&tail",
        &[
            ("Host", "sts.example.com:8350"),
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("X-Amz-Meta", "one  two\tthree"),
        ],
        "Action=GetCallerIdentity&Version=2011-06-15",
    );
    request.sign(UriRules::Standard, Some(TOKEN));
    request
}

/// Every value that each byte of `bytes` may be changed to.
fn mutants(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).flat_map(move |at| {
        (0..=u8::MAX).filter(move |to| *to != bytes[at]).map(move |to| {
            let mut mutant = bytes.to_vec();
            mutant[at] = to;
            mutant
        })
    })
}

fn shorter_and_longer(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let (cut, grown) = (bytes.to_vec(), bytes.to_vec());
    (0..bytes.len())
        .map(move |length| cut[..length].to_vec())
        .chain((0..=u8::MAX).map(move |end| [grown.as_slice(), &[end]].concat()))
}

fn signed_names(request: &Request) -> Vec<String> {
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        presented.signed_headers().split(';').map(str::to_owned).collect()
    })
}

/// Counts the mutants that pass, having checked that each is the same request.
fn passing(edits: impl Iterator<Item = Request>, uri: UriRules, valid: &Request) -> usize {
    let rules = Rules::new(uri, now());
    let names = signed_names(valid);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let meaning = Meaning::of(valid, &names, uri);
    let mut passed = 0;
    for mutant in edits {
        // A mutant of the Authorization header's name presents no credentials.
        let anonymous = mutant.with(|head| matches!(parse(head), Ok(None)));
        if !anonymous && mutant.check(&rules).is_ok() {
            assert_eq!(Meaning::of(&mutant, &names, uri), meaning, "{mutant:?}");
            assert_eq!(mutant.body, valid.body);
            passed += 1;
        }
    }
    passed
}

fn texts(edits: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = String> {
    edits.filter_map(|bytes| String::from_utf8(bytes).ok())
}

#[test]
fn method() {
    let valid = base();
    let edits = texts(mutants(b"POST").chain(shorter_and_longer(b"POST")))
        .map(|method| Request { method, ..valid.clone() });
    assert_eq!(passing(edits, UriRules::Standard, &valid), 0);
}

#[test]
fn target() {
    let valid = base();
    let bytes = valid.target.clone().into_bytes();
    let edits = texts(mutants(&bytes).chain(shorter_and_longer(&bytes)))
        .map(|target| Request { target, ..valid.clone() });
    // An `&` or an `=` more at the end, and `empty&&tail`: nothing that was not there. In the path
    // `%7E` is escaped again, so that its case counts.
    assert_eq!(passing(edits, UriRules::Standard, &valid), 3);
}

#[test]
fn header_names() {
    let valid = base();
    let mut passed = 0;
    let mut letters = 0;
    for (index, (name, _)) in valid.headers.iter().enumerate() {
        letters += name.bytes().filter(u8::is_ascii_alphabetic).count();
        let edits = texts(mutants(name.as_bytes()).chain(shorter_and_longer(name.as_bytes())));
        let edits = edits.map(|name| {
            let mut mutant = valid.clone();
            mutant.headers[index].0 = name;
            mutant
        });
        passed += passing(edits, UriRules::Standard, &valid);
    }
    // The other case of each letter, and nothing else.
    assert_eq!(passed, letters);
}

#[test]
fn header_values() {
    let valid = base();
    for (index, (name, value)) in valid.headers.iter().enumerate() {
        let edits = mutants(value).chain(shorter_and_longer(value)).map(|value| {
            let mut mutant = valid.clone();
            mutant.headers[index].1 = value;
            mutant
        });
        // A blank more at the end (a space or a tab), and each inner blank as the other blank.
        let inner = value.iter().filter(|b| **b == b' ' || **b == b'\t').count();
        let expected = if name == "authorization" { 2 } else { 2 + inner };
        assert_eq!(passing(edits, UriRules::Standard, &valid), expected, "{name}");
    }
}

#[test]
fn headers_removed_repeated_and_added() {
    let valid = base();
    let removed = (0..valid.headers.len()).map(|index| {
        let mut mutant = valid.clone();
        mutant.headers.remove(index);
        mutant
    });
    assert_eq!(passing(removed, UriRules::Standard, &valid), 0);
    let repeated = valid.headers.iter().map(|header| {
        let mut mutant = valid.clone();
        mutant.headers.push(header.clone());
        mutant
    });
    assert_eq!(passing(repeated, UriRules::Standard, &valid), 0);
    let added = ["X-Amz-Security-Token", "x-amz-target", "X-AMZ-ACL", "x-amz-"].map(|name| {
        let mut mutant = valid.clone();
        mutant.add(name, "a");
        mutant
    });
    assert_eq!(passing(added.into_iter(), UriRules::Standard, &valid), 0);
}

#[test]
fn body() {
    let valid = base();
    let edits = mutants(&valid.body)
        .chain(shorter_and_longer(&valid.body))
        .map(|body| Request { body, ..valid.clone() });
    assert_eq!(passing(edits, UriRules::Standard, &valid), 0);
}

#[test]
fn s3_target_and_payload_hash() {
    let mut valid = Request::new(
        "PUT",
        "/bucket/a%2Fb/../c+d?uploads&partNumber=1",
        &[("host", "s3.example.com")],
        "content",
    );
    valid.sign(UriRules::S3, None);
    assert!(valid.check(&s3()).unwrap().path_as_signed());
    let bytes = valid.target.clone().into_bytes();
    let edits = texts(mutants(&bytes).chain(shorter_and_longer(&bytes)))
        .map(|target| Request { target, ..valid.clone() });
    // An `&` more at the end.
    assert_eq!(passing(edits, UriRules::S3, &valid), 1);
    let index = valid.headers.iter().position(|(n, _)| n == "x-amz-content-sha256").unwrap();
    let value = valid.headers[index].1.clone();
    let edits = mutants(&value).chain(shorter_and_longer(&value)).map(|value| {
        let mut mutant = valid.clone();
        mutant.headers[index].1 = value;
        mutant
    });
    assert_eq!(passing(edits, UriRules::S3, &valid), 2);
}

#[test]
fn presigned() {
    for uri in [UriRules::Standard, UriRules::S3] {
        let mut valid = Request::new(
            "GET",
            "/a/b?Action=GetCallerIdentity&tail",
            &[("Host", "sts.example.com"), ("X-Amz-Meta", "one two")],
            "",
        );
        valid.presign(uri, Some(TOKEN), 900);
        valid.check(&Rules::new(uri, now())).unwrap();
        let bytes = valid.target.clone().into_bytes();
        let edits = texts(mutants(&bytes).chain(shorter_and_longer(&bytes)))
            .map(|target| Request { target, ..valid.clone() });
        // `%2F` as `%2f` and its like (four of `%2F` in the credential, two of `%3B` in the header
        // names, the escapes of the token), and an `&` more at the end.
        let letters = valid.target.matches("%2F").count()
            + valid.target.matches("%3B").count()
            + valid.target.matches("%3D").count();
        assert_eq!(passing(edits, uri, &valid), letters + 1);

        let reordered = valid.target.split_once('?').map(|(path, query)| {
            let mut parameters: Vec<&str> = query.split('&').collect();
            parameters.reverse();
            format!("{path}?{}", parameters.join("&"))
        });
        let target = reordered.unwrap();
        Request { target, ..valid.clone() }.check(&Rules::new(uri, now())).unwrap();

        let post = Request { method: "POST".to_owned(), ..valid.clone() };
        let body = Request { body: b"body".to_vec(), ..valid.clone() };
        assert!(post.check(&Rules::new(uri, now())).is_err());
        assert_eq!(body.check(&Rules::new(uri, now())).is_ok(), uri == UriRules::S3);
        for index in 0..valid.headers.len() {
            let value = valid.headers[index].1.clone();
            let edits = mutants(&value).map(|value| {
                let mut mutant = valid.clone();
                mutant.headers[index].1 = value;
                mutant
            });
            let blanks = value.split(|b| *b == b' ').count() - 1;
            assert_eq!(passing(edits, uri, &valid), blanks);
        }
    }
}
