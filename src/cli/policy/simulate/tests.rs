//! Questions that make no sense, and what is said to them.

use clap::Parser;

use super::{Arguments, Asked, source};
use crate::policy::DocumentKind;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// What is said to a command line; nothing if it is understood.
fn complaint(words: &str) -> String {
    let line = Line::try_parse_from(["simulate"].into_iter().chain(words.split_whitespace()));
    let arguments = line.unwrap_or_else(|error| panic!("{words}: {error}")).arguments;
    Asked::of(&arguments).err().map(|misuse| misuse.to_string()).unwrap_or_default()
}

#[test]
fn what_is_not_understood_is_told_with_what_is_expected() {
    let ask = "--principal 111122223333 --action s3:GetObject";
    let service = "--principal rolesanywhere.amazonaws.com";
    for (words, says) in [
        ("--principal alice --action s3:GetObject", "arn:aws:iam::111122223333:user/alice"),
        ("--principal 111122223333 --action GetObject", "service:Name (such as s3:GetObject)"),
        ("--principal 111122223333 --action s3:*", "no wildcards"),
        ("--principal 111122223333 --action s3:", "service:Name"),
        (
            &format!("{ask} --resource team/report"),
            "* or an ARN (such as arn:aws:s3:::team/report)",
        ),
        (&format!("{ask} --resource team --resource-account 111122223333"), "* or an ARN"),
        (&format!("{ask} --resource-account 1111"), "--resource-account 1111 is no account"),
        (&format!("{ask} --context foo"), "--context foo is not KEY=VALUE"),
        (&format!("{ask} --context foo=bar"), "a condition key has a prefix, as aws: in"),
        (
            &format!("{service} --trust t.json"),
            "Give its ARN with --resource, or its account with --resource-account",
        ),
        (
            &format!("{service} --action s3:GetObject --resource arn:aws:s3:::b"),
            "whose is the resource arn:aws:s3:::b? Give its account with --resource-account",
        ),
    ] {
        let told = complaint(words);
        assert!(told.contains(says), "{words}: {told:?}");
    }
}

#[test]
fn what_makes_sense_is_understood() {
    for words in [
        "--principal 111122223333 --action s3:GetObject",
        "--principal 111122223333 --action s3:GetObject --resource * arn:aws:s3:::team/*",
        "--principal 111122223333 --action my-own.service:Read_2 --context aws:PrincipalTag/a=b=c",
        "--principal rolesanywhere.amazonaws.com --trust t.json --resource \
         arn:aws:iam::111122223333:role/r",
        "--principal rolesanywhere.amazonaws.com --trust t.json --resource-account 111122223333",
    ] {
        assert_eq!(complaint(words), "", "{words}");
    }
}

#[test]
fn a_file_that_is_no_policy_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.json");
    let told = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let error = source(&path, DocumentKind::Identity).unwrap_err();
        format!("{error:#}").replace(&path.display().to_string(), "d.json")
    };
    assert_eq!(
        told("{\"Version\": \"2012-10-17\",\n}"),
        "d.json is not a valid policy: line 2, column 1: this is not JSON: a key in double quotes is \
         expected, not }: take the comma before it out"
    );
    assert_eq!(told("{}"), "d.json is not a valid policy: at $: the element Statement is missing");
}
