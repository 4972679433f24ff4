//! Which documents are refused, where, and with what words.

use crate::policy::{DocumentKind, HARD_CAP_BYTES, Policy, Version, count_without_whitespace};

const STATEMENT: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;

fn error(kind: DocumentKind, text: &str) -> String {
    match Policy::parse(text, kind) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

fn statement(kind: DocumentKind, statement: &str) -> Result<Policy, String> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    Policy::parse(&text, kind).map_err(|error| error.to_string())
}

#[test]
fn the_shape_of_a_document() {
    use DocumentKind::Identity;
    for (text, message) in [
        ("", "at $: the JSON ends too early (line 1)"),
        ("[]", "at $: an object is expected, not an array"),
        ("null", "at $: an object is expected, not null"),
        ("{}", "at $: the element Statement is missing"),
        (r#"{"Statement":[]}"#, "at $.Statement: this must not be empty"),
        (r#"{"Statement":"x"}"#, "at $.Statement: an object is expected, not a string"),
        (r#"{"Statement":[[]]}"#, "at $.Statement[0]: an object is expected, not an array"),
        (
            r#"{"statement":[]}"#,
            "at $.statement: element names are case-sensitive: this one is written Statement",
        ),
        (r#"{"Statement":[{}],"Comment":"x"}"#, "at $.Comment: there is no such element"),
        (
            r#"{"Statement":[{}],"Statement":[{}]}"#,
            "at $.Statement: the key occurs twice; case does not tell keys apart",
        ),
        (
            r#"{"Statement":[{}],"STATEMENT":[{}]}"#,
            "at $.STATEMENT: the key occurs twice; case does not tell keys apart",
        ),
        (r#"{"Statement":[{}]} x"#, "at $: something follows the JSON object (line 1)"),
        (
            r#"{"Version":"2012-10-18","Statement":[{}]}"#,
            "at $.Version: the version is neither 2012-10-17 nor 2008-10-17",
        ),
        (
            r#"{"Version":2012,"Statement":[{}]}"#,
            "at $.Version: a string is expected, not a number",
        ),
        (r#"{"Id":"x","Statement":[{}]}"#, "at $.Id: identity policies do not have this element"),
        ("{\n\"Statement\": [\n{,", "at $.Statement[0]: this is not JSON (line 3)"),
    ] {
        assert_eq!(error(Identity, text), message, "{text}");
    }
}

#[test]
fn the_shape_of_a_statement() {
    use DocumentKind::Identity;
    for (text, message) in [
        ("{}", "at $.Statement[0]: the element Effect is missing"),
        (
            r#"{"Effect":"allow","Action":"*","Resource":"*"}"#,
            "at $.Statement[0].Effect: the effect is neither Allow nor Deny",
        ),
        (
            r#"{"Effect":["Allow"],"Action":"*","Resource":"*"}"#,
            "at $.Statement[0].Effect: a string is expected, not an array",
        ),
        (
            r#"{"effect":"Allow","Action":"*","Resource":"*"}"#,
            "at $.Statement[0].effect: element names are case-sensitive: this one is written Effect",
        ),
        (
            r#"{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}"#,
            "at $.Statement[0].Effect: the key occurs twice; case does not tell keys apart",
        ),
        (
            r#"{"Effect":"Allow","Resource":"*"}"#,
            "at $.Statement[0]: the element Action is missing",
        ),
        (
            r#"{"Effect":"Allow","Action":"*"}"#,
            "at $.Statement[0]: the element Resource is missing",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","NotAction":"s3:*","Resource":"*"}"#,
            "at $.Statement[0]: Action and NotAction exclude each other",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"}"#,
            "at $.Statement[0]: Resource and NotResource exclude each other",
        ),
        (
            r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#,
            "at $.Statement[0].Action: this must not be empty",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":[]}"#,
            "at $.Statement[0].Resource: this must not be empty",
        ),
        (
            r#"{"Effect":"Allow","Action":["s3:*",7],"Resource":"*"}"#,
            "at $.Statement[0].Action[1]: a string is expected, not a number",
        ),
        (
            r#"{"Effect":"Allow","Action":null,"Resource":"*"}"#,
            "at $.Statement[0].Action: a string or an array of strings is expected, not null",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}"#,
            "at $.Statement[0].Principal: identity policies do not have this element",
        ),
        (
            r#"{"Effect":"Deny","Action":"*","Resource":"*","NotPrincipal":{"AWS":"111111111111"}}"#,
            "at $.Statement[0].NotPrincipal: identity policies do not have this element",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Sid":"a b"}"#,
            "at $.Statement[0].Sid: a Sid holds only A-Z, a-z and 0-9 here",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Sid":7}"#,
            "at $.Statement[0].Sid: a string is expected, not a number",
        ),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Comment":"x"}"#,
            "at $.Statement[0].Comment: there is no such element",
        ),
    ] {
        assert_eq!(statement(Identity, text).unwrap_err(), message, "{text}");
    }
}

#[test]
fn the_shape_of_a_condition() {
    let at = "at $.Statement[0].Condition";
    for (condition, message) in [
        (r#""x""#, format!("{at}: an object is expected, not a string")),
        ("[]", format!("{at}: an object is expected, not an array")),
        (
            r#"{"StringMatches":{"k:ey":"v"}}"#,
            format!("{at}.StringMatches: there is no such condition operator"),
        ),
        (
            r#"{"stringequals":{"k:ey":"v"}}"#,
            format!("{at}.stringequals: there is no such condition operator"),
        ),
        (
            r#"{"StringEqualsIfExistsIfExists":{"k:ey":"v"}}"#,
            format!("{at}.StringEqualsIfExistsIfExists: there is no such condition operator"),
        ),
        (
            r#"{"NullIfExists":{"k:ey":"true"}}"#,
            format!("{at}.NullIfExists: there is no such condition operator"),
        ),
        (
            r#"{"ForAnyValue:Null":{"k:ey":"true"}}"#,
            format!(r#"{at}["ForAnyValue:Null"]: there is no such condition operator"#),
        ),
        (
            r#"{"ForAnyValues:StringEquals":{"k:ey":"v"}}"#,
            format!(r#"{at}["ForAnyValues:StringEquals"]: there is no such condition operator"#),
        ),
        (
            r#"{"ForAnyValue:ForAllValues:StringEquals":{"k:ey":"v"}}"#,
            format!(
                r#"{at}["ForAnyValue:ForAllValues:StringEquals"]: there is no such condition operator"#
            ),
        ),
        (r#"{"":{"k:ey":"v"}}"#, format!(r#"{at}[""]: there is no such condition operator"#)),
        (r#"{"StringEquals":{}}"#, format!("{at}.StringEquals: this must not be empty")),
        (
            r#"{"StringEquals":{"k:ey":[]}}"#,
            format!(r#"{at}.StringEquals["k:ey"]: this must not be empty"#),
        ),
        (
            r#"{"StringEquals":{"k:ey":null}}"#,
            format!(
                r#"{at}.StringEquals["k:ey"]: a string, a number or a boolean is expected, not null"#
            ),
        ),
        (
            r#"{"StringEquals":{"k:ey":[["v"]]}}"#,
            format!(
                r#"{at}.StringEquals["k:ey"][0]: a string, a number or a boolean is expected, not an array"#
            ),
        ),
        (
            r#"{"StringEquals":{"k:ey":"a","K:EY":"b"}}"#,
            format!(
                r#"{at}.StringEquals["K:EY"]: the key occurs twice; case does not tell keys apart"#
            ),
        ),
        (
            r#"{"StringEquals":{"key":"a"}}"#,
            format!(
                "{at}.StringEquals.key: a condition key is a prefix, a colon and a name, without wildcards"
            ),
        ),
        (
            r#"{"StringEquals":{"aws:PrincipalTag/*":"a"}}"#,
            format!(
                r#"{at}.StringEquals["aws:PrincipalTag/*"]: a condition key is a prefix, a colon and a name, without wildcards"#
            ),
        ),
        (
            r#"{"StringEquals":{" aws:username":"a"}}"#,
            format!(
                r#"{at}.StringEquals[" aws:username"]: a condition key is a prefix, a colon and a name, without wildcards"#
            ),
        ),
        (
            r#"{"NumericEquals":{"k:ey":"10abc"}}"#,
            format!(r#"{at}.NumericEquals["k:ey"]: this is not a decimal number"#),
        ),
        (
            r#"{"Bool":{"k:ey":["true","true"]}}"#,
            format!(r#"{at}.Bool["k:ey"]: this operator takes one value"#),
        ),
    ] {
        let text =
            format!(r#"{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{condition}}}"#);
        assert_eq!(statement(DocumentKind::Identity, &text).unwrap_err(), message, "{condition}");
    }
}

#[test]
fn each_kind_has_its_own_elements() {
    use DocumentKind::{
        Boundary, Identity, Resource, ResourceControl, ServiceControl, Session, Trust,
    };
    let plain = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    let named = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}"#;
    let trust = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}"#;
    let trust_with_resource =
        r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*"}"#;
    for kind in [Identity, Session, Boundary, ServiceControl] {
        assert!(statement(kind, plain).is_ok(), "{kind:?}");
        assert!(statement(kind, named).is_err(), "{kind:?}");
        assert!(statement(kind, trust).is_err(), "{kind:?}");
    }
    for kind in [Resource, ResourceControl] {
        assert!(statement(kind, named).is_ok(), "{kind:?}");
        assert_eq!(
            statement(kind, plain).unwrap_err(),
            "at $.Statement[0]: the element Principal is missing"
        );
        assert_eq!(
            statement(kind, trust).unwrap_err(),
            "at $.Statement[0]: the element Resource is missing"
        );
    }
    assert!(statement(Trust, trust).is_ok());
    assert_eq!(
        statement(Trust, trust_with_resource).unwrap_err(),
        "at $.Statement[0].Resource: trust policies do not have this element"
    );
    for kind in [Resource, Trust] {
        let body = if kind == Trust { trust } else { named };
        let text = format!(r#"{{"Id":"any text","Statement":{body}}}"#);
        assert_eq!(Policy::parse(&text, kind).unwrap().id(), Some("any text"));
    }
}

#[test]
fn sids_are_unique_and_resource_policies_may_have_longer_ones() {
    let two = |sid: &str| {
        format!(
            r#"{{"Sid":"{sid}","Effect":"Deny","Action":"s3:*","Resource":"*","Principal":"*"}},
               {{"Sid":"{sid}","Effect":"Deny","Action":"s3:*","Resource":"*","Principal":"*"}}"#
        )
    };
    assert_eq!(
        statement(DocumentKind::Resource, &two("a b")).unwrap_err(),
        "at $.Statement[1].Sid: another statement has the same Sid"
    );
    // Consoles write empty ones.
    assert!(statement(DocumentKind::Resource, &two("")).is_ok());
}

#[test]
fn statements_stand_alone_or_in_an_array_and_versions_are_kept() {
    for (text, version, count) in [
        (format!(r#"{{"Statement":{STATEMENT}}}"#), Version::V2008, 1),
        (format!(r#"{{"Version":"2008-10-17","Statement":[{STATEMENT}]}}"#), Version::V2008, 1),
        (
            format!(r#"{{"Statement":[{STATEMENT},{STATEMENT}],"Version":"2012-10-17"}}"#),
            Version::V2012,
            2,
        ),
    ] {
        let policy = Policy::parse(&text, DocumentKind::Session).unwrap();
        assert_eq!((policy.version(), policy.statements()), (version, count));
        assert_eq!((policy.kind(), policy.id()), (DocumentKind::Session, None));
    }
}

#[test]
fn sizes_count_without_white_space_and_have_a_hard_cap() {
    assert_eq!(count_without_whitespace("{ \"a\":\t\"ä b\"\r\n}"), 10);
    let padded = |length: usize| {
        let document = format!(r#"{{"Statement":{STATEMENT}}}"#);
        format!("{document}{}", " ".repeat(length - document.len()))
    };
    assert!(Policy::parse(&padded(HARD_CAP_BYTES), DocumentKind::Identity).is_ok());
    assert_eq!(
        error(DocumentKind::Identity, &padded(HARD_CAP_BYTES + 1)),
        "at $: the document is longer than 65536 bytes"
    );
}

/// M31: keys that differ in case, or occur twice, at every level.
#[test]
fn museum_m31_duplicate_and_case_variant_keys_are_refused_everywhere() {
    let document = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","Action":"sts:AssumeRole","Principal":{"AWS":"*"},"Condition":{"StringEquals":{"k:ey":"v"}}}]}"#;
    assert!(Policy::parse(document, DocumentKind::Trust).is_ok());
    for key in [
        "Version",
        "Statement",
        "Sid",
        "Effect",
        "Action",
        "Principal",
        "AWS",
        "Condition",
        "StringEquals",
        "k:ey",
    ] {
        for variant in [key.to_owned(), key.to_lowercase(), key.to_uppercase()] {
            let member = format!(r#""{key}":"#);
            let doubled = document.replace(&member, &format!(r#""{variant}":"x",{member}"#));
            assert!(Policy::parse(&doubled, DocumentKind::Trust).is_err(), "{doubled}");
        }
    }
}

/// Whatever is wrong, the refusal begins with words that IAM has.
#[test]
fn refusals_have_words_of_aws() {
    use crate::policy::DocumentKind::{Identity, Trust};

    let trust = r#""Principal":{"AWS":"111122223333"}"#;
    for (kind, statement, words) in [
        (Identity, r#""Action":"s3:*""#.to_owned(), "Policy statement must contain resources."),
        (Identity, r#""Resource":"*""#.to_owned(), "Policy statement must contain actions."),
        (Trust, r#""Action":"sts:AssumeRole""#.to_owned(), "Missing required field Principal."),
        (
            Identity,
            format!(r#""Action":"s3:*","Resource":"*",{trust}"#),
            "Policy document should not specify a principal.",
        ),
        (
            Trust,
            format!(r#""Action":"sts:AssumeRole","Resource":"*",{trust}"#),
            "Has prohibited field Resource.",
        ),
        (
            Trust,
            format!(r#""Action":"s3:*",{trust}"#),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            Identity,
            r#""Action":"GetObject","Resource":"*""#.to_owned(),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            Identity,
            r#""Action":"s3:*","Resource":"bucket""#.to_owned(),
            "Resource must be in ARN format or \"*\".",
        ),
        (
            Identity,
            r#""Sid":"a b","Action":"s3:*","Resource":"*""#.to_owned(),
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
             regular expression [0-9A-Za-z]*.",
        ),
        (
            Trust,
            r#""Action":"sts:AssumeRole","Principal":{"AWS":"nobody"}"#.to_owned(),
            "Invalid principal in policy.",
        ),
        (
            Trust,
            r#""Action":"sts:AssumeRole","Principal":{"AWS":"11*"}"#.to_owned(),
            "Invalid principal in policy.",
        ),
        (
            Trust,
            r#""Action":"sts:AssumeRole","Principal":{"Group":"g"}"#.to_owned(),
            "Invalid principal in policy.",
        ),
        (Identity, r#""Action":7,"Resource":"*""#.to_owned(), "Syntax errors in policy."),
    ] {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow",{statement}}}}}"#);
        let error = crate::policy::Policy::parse(&text, kind).unwrap_err();
        assert_eq!(error.in_aws_words(), words, "{error}");
    }
    let deny = r#"{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}"#;
    for (text, words) in [
        (
            r#"{"Statement":{"Action":"*","Resource":"*"}}"#.to_owned(),
            "Missing required field Effect.",
        ),
        (
            format!(r#"{{"Statement":[{deny},{deny}]}}"#),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (format!(r#"{{"Id":"x","Statement":{deny}}}"#), "Syntax errors in policy."),
    ] {
        let error = crate::policy::Policy::parse(&text, Identity).unwrap_err();
        assert_eq!(error.in_aws_words(), words, "{error}");
    }
}
