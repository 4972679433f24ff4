//! What maps to what, and what must map to nothing.

use super::*;
use crate::id::AccountId;

const OWNER: &str = "222222222222";

fn route(method: &str, path: &str, resource: &str) -> Route {
    let path = PathPattern::parse(path).unwrap();
    let owner = AccountId::parse(OWNER).unwrap();
    Route {
        method: method.to_owned(),
        action: format!("api:{method}{}", path.names().count()),
        resource: ResourceTemplate::parse(resource, &path, owner).unwrap(),
        path,
        body: None,
    }
}

fn routes() -> Vec<Route> {
    vec![
        route("GET", "/", "*"),
        route("GET", "/orders", "arn:aws:api:::orders"),
        route("GET", "/orders/{id}", "arn:aws:api:::order/{id}"),
        route("DELETE", "/orders/{id}", "arn:aws:api:::order/{id}"),
        route("GET", "/orders/{id}/items/{item}", "arn:aws:api:::order/{id}:item/{item}"),
        route("POST", "/forms/{id}", "arn:aws:api:::form/{id}"),
        route("GET", "/files/{name...}", "arn:aws:api::222222222222:file/{name...}"),
    ]
}

fn resource(method: &str, target: &str) -> Result<String, Unmapped> {
    let head = RequestHead { method, target, headers: &[("host", b"h")] };
    let found = find(&routes(), &head, Body::Unavailable);
    found.map(|meaning| format!("{} {}", meaning.deeds[0].action, meaning.deeds[0].resource))
}

/// A form that is posted, each content type in a header of its own.
fn posted(types: &[&str], body: Body<'_>) -> Result<Meaning, Unmapped> {
    let types: Vec<(&str, &[u8])> =
        types.iter().map(|value| ("Content-Type", value.as_bytes())).collect();
    find(&routes(), &RequestHead { method: "POST", target: "/forms/1", headers: &types }, body)
}

#[test]
fn requests_find_their_route() {
    for (method, target, expected) in [
        ("GET", "/", "api:GET0 *"),
        ("GET", "/orders", "api:GET0 arn:aws:api:::orders"),
        ("GET", "/orders?id=7&x=/../", "api:GET0 arn:aws:api:::orders"),
        ("GET", "/orders/42", "api:GET1 arn:aws:api:::order/42"),
        ("DELETE", "/orders/42", "api:DELETE1 arn:aws:api:::order/42"),
        ("GET", "/orders/a%20b%C3%A9", "api:GET1 arn:aws:api:::order/a bé"),
        ("GET", "/orders/a,b=c@d+e", "api:GET1 arn:aws:api:::order/a,b=c@d+e"),
        ("GET", "/orders/4...2", "api:GET1 arn:aws:api:::order/4...2"),
        ("GET", "/orders/4/items/2", "api:GET2 arn:aws:api:::order/4:item/2"),
        ("GET", "/files/a/b/c.txt", "api:GET1 arn:aws:api::222222222222:file/a/b/c.txt"),
        ("GET", "/files/a/", "api:GET1 arn:aws:api::222222222222:file/a/"),
    ] {
        assert_eq!(resource(method, target).as_deref(), Ok(expected), "{method} {target}");
    }
    for (method, target) in [
        ("POST", "/orders/42"),
        ("get", "/orders/42"),
        ("HEAD", "/orders/42"),
        ("GET", "/orders/"),
        ("GET", "/orders/42/"),
        ("GET", "/orders/42/items"),
        ("GET", "/Orders/42"),
        ("GET", "/ordersx"),
        ("GET", "/files/"),
        ("GET", "/files"),
        ("GET", "/unheard/of"),
    ] {
        assert_eq!(resource(method, target), Err(Unmapped::NoRoute), "{method} {target}");
    }
}

#[test]
fn museum_m11_a_path_with_two_readings_maps_to_nothing() {
    use PathProblem as P;
    for (path, problem) in [
        ("/files/../orders", P::DotSegment),
        ("/files/./a", P::DotSegment),
        ("/files/%2e%2e/a", P::DotSegment),
        ("/files/%2E./a", P::DotSegment),
        ("/files/..", P::DotSegment),
        ("//files/a", P::EmptySegment),
        ("/files//a", P::EmptySegment),
        ("/files/a%2fb", P::EscapedSlash),
        ("/files/a%2Fb", P::EscapedSlash),
        ("/files/a%5cb", P::Backslash),
        ("/files/a\\b", P::Backslash),
        ("/files/a;b=c", P::Semicolon),
        ("/files/a%3Bb", P::Semicolon),
        ("/files/a%00", P::Control),
        ("/files/a%0d%0ab", P::Control),
        ("/files/a%7f", P::Control),
        ("/files/a%C2%85", P::Control),
        ("/files/a%252fb", P::EscapedPercent),
        ("/files/%25", P::EscapedPercent),
        ("/%66iles/a", P::NeedlessEscape),
        ("/files/a%2Etxt", P::NeedlessEscape),
        ("/files/a%7E", P::NeedlessEscape),
        ("/files/a%2", P::BrokenEscape),
        ("/files/a%zz", P::BrokenEscape),
        ("/files/a%FF", P::NotUtf8),
        ("/files/a%C0%AFb", P::NotUtf8),
        ("/files/a%ED%A0%80", P::NotUtf8),
        ("/files/a b", P::Unescaped),
        ("/files/a\"b", P::Unescaped),
        ("/files/é", P::Unescaped),
        ("files/a", P::Relative),
        ("", P::Relative),
        ("*", P::Relative),
    ] {
        assert_eq!(resource("GET", path), Err(Unmapped::Path(problem)), "{path}");
    }
}

#[test]
fn museum_m33_what_a_path_puts_into_an_arn_is_one_literal_part() {
    for path in [
        "/orders/*",
        "/orders/%2A",
        "/orders/4%3F",
        "/orders/a:b",
        "/orders/a%3Ab",
        "/orders/$%7Baws:username%7D",
        "/orders/%24",
        "/orders/%7Bid%7D",
        "/files/a/*",
        "/files/a/b%3Ac",
        "/orders/4/items/*",
    ] {
        assert_eq!(resource("GET", path), Err(Unmapped::Capture), "{path}");
    }
}

#[test]
fn whatever_asks_for_another_method_or_path_maps_to_nothing() {
    for name in [
        "X-HTTP-Method-Override",
        "x-http-method",
        "x-method-override",
        "x_http_method_override",
        "X-Original-URL",
        "X-Rewrite-URL",
        "x_rewrite-url",
    ] {
        let headers = [(name, &b"DELETE"[..])];
        let head = RequestHead { method: "GET", target: "/orders/42", headers: &headers };
        let refused = find(&routes(), &head, Body::Unavailable);
        assert!(matches!(refused, Err(Unmapped::Override(_))), "{name}");
    }
    for query in OVERRIDING {
        let refused = resource("GET", &format!("/orders/42?{query}"));
        assert!(matches!(refused, Err(Unmapped::Override(_))), "{query}");
    }
    let fine = "method=DELETE&x_method=1&_methods=1&a=_method&%255Fmethod=1&method%00_method=1";
    assert!(resource("GET", &format!("/orders/42?{fine}")).is_ok());
}

/// As PHP, Rack and others read names.
const OVERRIDING: [&str; 17] = [
    "_method=DELETE",
    "a=1&_method=x",
    "_METHOD=x",
    "%5Fmethod=x",
    "a;_method=x",
    "_method",
    ".method=x",
    "+method=x&%20_method=x",
    "%20%20_method=x",
    "++.method=x",
    "[method=x",
    "_method%00x=x",
    "_method%00%zz=x",
    "_method[]=x",
    "_method%5Ba%5D=x",
    "X-HTTP-Method-Override=DELETE",
    "x_http.method_override=DELETE",
];

#[test]
fn a_posted_form_that_asks_for_another_method_maps_to_nothing() {
    let form = "application/x-www-form-urlencoded";
    let overrides = |found: Result<Meaning, Unmapped>| matches!(found, Err(Unmapped::Override(_)));
    for body in OVERRIDING {
        let body = Body::Bytes(body.as_bytes());
        for types in [
            &[][..],
            &[""],
            &[form],
            &["Application/X-WWW-Form-URLencoded; charset=x"],
            &["text/plain", form],
            &["multipart/form-data; boundary=x", form],
        ] {
            assert!(overrides(posted(types, body)), "{types:?}");
        }
        for types in [&["application/json"][..], &["text/plain"]] {
            assert!(posted(types, body).is_ok(), "{types:?}");
        }
    }
    let fine = Body::Bytes(b"method=DELETE&note=_method");
    assert!(posted(&[form], fine).is_ok());
    // What is not shown cannot be read.
    assert!(posted(&[form], Body::Unavailable).is_ok());
    assert!(posted(&[form], Body::Sha256([0; 32])).is_ok());
}

#[test]
fn a_posted_form_in_parts_that_asks_for_another_method_maps_to_nothing() {
    let parts = "multipart/form-data; boundary=b";
    let body = |disposition: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\r\n{disposition}\r\n\r\n\
             DELETE\r\n--b--\r\n"
        )
    };
    for disposition in [
        "Content-Disposition: form-data; name=\"_method\"",
        "content-DISPOSITION:form-data;NAME=_METHOD",
        "Content-Disposition: form-data; name = '_method'",
        "Content-Disposition: form-data;\r\n name=\"_method\"",
        "Content-Disposition: form-data; filename=\"a\"; name=\"_method\"",
        "Content-Disposition: form-data; name=\"_\\method\"",
        "Content-Disposition: form-data; name=\"%5Fmethod\"",
        "Content-Disposition: form-data; name=\" .method\"",
        "Content-Disposition: form-data; name=\"_method[]\"",
        "Content-Disposition: form-data; name=\"_method\0\"",
        "Content-Disposition: form-data; name*=utf-8''_method",
        "Content-Disposition: form-data; name*0=_met; name*1=hod",
        "Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"_method\"",
        "X: Content-Disposition: form-data; name=_method",
    ] {
        for body in [body(disposition), body(disposition).replace("\r\n", "\n")] {
            let found = posted(&[parts], Body::Bytes(body.as_bytes()));
            assert!(matches!(found, Err(Unmapped::Override(_))), "{body}: {found:?}");
        }
    }
    for disposition in [
        "Content-Disposition: form-data; name=\"b\"; filename=\"_method\"",
        "Content-Disposition: form-data; name=\"b\"; filename*=utf-8''_method",
        // A page with a form in it, as the content of a part.
        "Content-Disposition: form-data; name=\"b\"\r\n\r\n<input name=\"_method\">",
    ] {
        let body = body(disposition);
        let found = posted(&[parts], Body::Bytes(body.as_bytes()));
        assert!(found.is_ok(), "{body}: {found:?}");
    }
}

#[test]
fn a_form_of_many_parts_is_read_to_its_end() {
    for part in ["content-disposition: name=a\r\n", "content-disposition", "name=", "name='"] {
        let body = format!("content-disposition: {}", part.repeat(30_000));
        // What reads it anew for each part takes minutes.
        assert!(posted(&["multipart/form-data"], Body::Bytes(body.as_bytes())).is_ok(), "{part}");
    }
}

#[test]
fn patterns_that_share_a_path_overlap() {
    for (a, b, overlap) in [
        ("/a", "/a", true),
        ("/a", "/b", false),
        ("/a", "/a/", false),
        ("/a/{x}", "/a/b", true),
        ("/a/{x}", "/{y}/b", true),
        ("/a/{x}", "/b/{x}", false),
        ("/a/{x}", "/a/", false),
        ("/a/{x}", "/a/{y}/c", false),
        ("/a/{x}/c", "/a/b/{y}", true),
        ("/{r...}", "/a/b/c", true),
        ("/{r...}", "/", false),
        ("/a/{r...}", "/a", false),
        ("/a/{r...}", "/a/", false),
        ("/a/{r...}", "/a/b/", true),
        ("/a/{r...}", "/a/{x}/c", true),
        ("/a/{r...}", "/b/{r...}", false),
        ("/a/{r...}", "/a/b/{r...}", true),
        ("/{x}/b/{r...}", "/a/{r...}", true),
    ] {
        let (a, b) = (PathPattern::parse(a).unwrap(), PathPattern::parse(b).unwrap());
        assert_eq!((a.overlaps(&b), b.overlaps(&a)), (overlap, overlap), "{a:?} {b:?}");
    }
}

/// Every path of short segments: routes overlap exactly if some path matches both.
#[test]
fn overlaps_are_exactly_the_shared_paths() {
    let segments = ["a", "b", "{x}"];
    let mut patterns: Vec<String> = vec!["/".into(), "/{r...}".into()];
    for first in segments {
        patterns.extend([format!("/{first}"), format!("/{first}/"), format!("/{first}/{{r...}}")]);
        for second in segments {
            let second = second.replace('x', "y");
            patterns.extend([format!("/{first}/{second}"), format!("/{first}/{second}/")]);
        }
    }
    let letters = ["a", "b", "c"];
    let mut paths: Vec<String> = vec!["/".into()];
    for first in letters {
        paths.extend([format!("/{first}"), format!("/{first}/")]);
        for second in letters {
            paths.extend([format!("/{first}/{second}"), format!("/{first}/{second}/")]);
            paths.extend(letters.map(|third| format!("/{first}/{second}/{third}")));
        }
    }
    let paths: Vec<_> = paths.iter().map(|path| path::segments(path).unwrap()).collect();
    for a in &patterns {
        for b in &patterns {
            let (one, other) = (PathPattern::parse(a).unwrap(), PathPattern::parse(b).unwrap());
            let shared = paths
                .iter()
                .any(|path| one.captures(path).is_some() && other.captures(path).is_some());
            assert_eq!(one.overlaps(&other), shared, "{a} {b}");
        }
    }
}

#[test]
fn patterns_and_templates_that_make_no_sense_are_refused() {
    for (text, error) in [
        ("orders", PatternError::Path),
        ("", PatternError::Path),
        ("/a//b", PatternError::Path),
        ("/a/../b", PatternError::Path),
        ("/a/{id}x", PatternError::Braces),
        ("/a/{}", PatternError::Braces),
        ("/a/{a b}", PatternError::Braces),
        ("/a/{id", PatternError::Braces),
        ("/a/{r...}/b", PatternError::RestInside),
        ("/{x}/{x}", PatternError::Twice),
        ("/{x}/{x...}", PatternError::Twice),
        ("/a;b", PatternError::Character),
        ("/a*", PatternError::Character),
        ("/a%20b", PatternError::Character),
        ("/a?b", PatternError::Character),
    ] {
        assert_eq!(PathPattern::parse(text), Err(error), "{text}");
    }
    let path = PathPattern::parse("/{a}/{b}/{r...}").unwrap();
    for (text, error) in [
        ("order/{a}", TemplateError::Arn),
        ("arn:aws:api:::", TemplateError::Arn),
        ("arn:aws:api::{a}:order", TemplateError::Place),
        ("arn:aws:{a}:::order", TemplateError::Place),
        ("arn:aws:api::111111111111:order", TemplateError::Account),
        ("arn:aws:api:::order/*", TemplateError::Wildcard),
        ("arn:aws:api:::order/?", TemplateError::Wildcard),
        ("arn:aws:api:::order/${aws:username}", TemplateError::Wildcard),
        ("arn:aws:api:::order/{c}", TemplateError::Name),
        ("arn:aws:api:::order/{a", TemplateError::Name),
        ("arn:aws:api:::order/a}", TemplateError::Name),
        ("arn:aws:api:::order-{a}", TemplateError::Delimited),
        ("arn:aws:api:::order/{a}x", TemplateError::Delimited),
        ("arn:aws:api:::order/{a}{b}", TemplateError::Delimited),
        ("arn:aws:api:::order/{a}-{b}", TemplateError::Delimited),
        ("arn:aws:api:::order/{r...}/{a}", TemplateError::Delimited),
    ] {
        let owner = AccountId::parse(OWNER).unwrap();
        assert_eq!(ResourceTemplate::parse(text, &path, owner), Err(error), "{text}");
    }
}
