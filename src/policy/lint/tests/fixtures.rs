//! For each check a document that it fires at and one that it is silent about.

use super::super::{Code, Severity, lint};
use crate::policy::DocumentKind::{
    self, Identity, Resource, ResourceControl, ServiceControl, Session, Trust,
};

/// A document of version 2012-10-17 with this statement. `'` stands for `"`.
pub(super) fn doc(statement: &str) -> String {
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", quotes(statement))
}

pub(super) fn quotes(text: &str) -> String {
    text.replace('\'', "\"").replace('`', "'")
}

/// An identity policy's Allow of s3:GetObject on everything with this condition.
pub(super) fn cond(condition: &str) -> String {
    doc(&format!(
        "{{'Effect':'Allow','Action':'s3:GetObject','Resource':'*','Condition':{condition}}}"
    ))
}

pub(super) fn deny(condition: &str) -> String {
    doc(&format!(
        "{{'Effect':'Deny','Action':'s3:GetObject','Resource':'*','Condition':{condition}}}"
    ))
}

pub(super) fn allow(rest: &str) -> String {
    doc(&format!("{{'Effect':'Allow',{rest}}}"))
}

pub(super) fn trust(rest: &str) -> String {
    allow(&format!("'Action':'sts:AssumeRole',{rest}"))
}

pub(super) fn oidc(provider: &str, condition: &str) -> String {
    allow(&format!(
        "'Action':'sts:AssumeRoleWithWebIdentity','Principal':{{'Federated':\
         'arn:aws:iam::111122223333:oidc-provider/{provider}'}},'Condition':{condition}"
    ))
}

pub(super) fn sized(characters: usize) -> String {
    let bare = allow("'Sid':'','Action':'s3:GetObject','Resource':'*'").replace(' ', "");
    bare.replace("\"Sid\":\"\"", &format!("\"Sid\":\"{}\"", "s".repeat(characters - bare.len())))
}

pub(super) struct Row {
    pub(super) code: Code,
    pub(super) kind: DocumentKind,
    pub(super) fires: String,
    silent: String,
}

fn row(code: Code, kind: DocumentKind, fires: String, silent: String) -> Row {
    Row { code, kind, fires, silent }
}

const GOOD: &str = "'Effect':'Allow','Action':'s3:GetObject','Resource':'*'";
const ROOT: &str = "'Principal':{'AWS':'111122223333'}";

fn good() -> String {
    doc(&format!("{{{GOOD}}}"))
}

fn good_trust() -> String {
    trust(ROOT)
}

#[rustfmt::skip]
pub(super) fn grammar() -> Vec<Row> {
    let identity = |code, fires: String| row(code, Identity, fires, good());
    let variable = |text: &str| allow(&format!("'Action':'s3:*','Resource':'arn:aws:s3:::b/{text}'"));
    vec![
        identity(Code::JsonSyntax, "{\"Statement\":[}".to_owned()),
        identity(Code::DuplicateKey, allow("'Action':'s3:*','action':'s3:Get*','Resource':'*'")),
        identity(Code::DocumentTooLong, " ".repeat(70_000)),
        identity(Code::InvalidElement, doc(&format!("{{{GOOD},'Owner':'x'}}"))),
        identity(Code::MissingStatement, "{\"Version\":\"2012-10-17\"}".to_owned()),
        identity(Code::MissingEffect, doc("{'Action':'s3:*','Resource':'*'}")),
        row(Code::MissingPrincipal, Trust, doc("{'Effect':'Allow','Action':'sts:AssumeRole'}"), good_trust()),
        identity(Code::MissingAction, allow("'Resource':'*'")),
        identity(Code::MissingResource, allow("'Action':'s3:*'")),
        identity(Code::BothForms, doc(&format!("{{{GOOD},'NotAction':'s3:*'}}"))),
        identity(Code::UnsupportedPrincipal, doc(&format!("{{{GOOD},{ROOT}}}"))),
        identity(Code::DataType, allow("'Action':7,'Resource':'*'")),
        identity(Code::EmptyArrayAction, allow("'Action':[],'Resource':'*'")),
        identity(Code::EmptyArrayResource, allow("'Action':'s3:*','Resource':[]")),
        row(Code::EmptyPrincipal, Trust, trust("'Principal':{'AWS':[]}"), good_trust()),
        identity(Code::EmptyArrayCondition, cond("{'StringEquals':{'aws:username':[]}}")),
        identity(Code::EmptyStatement, doc("")),
        identity(Code::InvalidVersion, good().replace("2012-10-17", "2012-10-18")),
        identity(Code::InvalidEffect, good().replace("Allow", "allow")),
        identity(Code::UnsupportedSid, doc(&format!("{{{GOOD},'Sid':'a b'}}"))),
        identity(Code::DuplicateSid, doc(&format!("{{{GOOD},'Sid':'A'}},{{{GOOD},'Sid':'A'}}"))),
        identity(Code::InvalidAction, good().replace("s3:GetObject", "GetObject")),
        row(Code::UnsupportedAction, Trust, good_trust().replace("sts:AssumeRole", "s3:GetObject"), good_trust()),
        identity(Code::ArnPrefix, allow("'Action':'s3:*','Resource':'bucket'")),
        identity(Code::ArnField, allow("'Action':'s3:*','Resource':'arn:aws:s3:bucket'")),
        identity(Code::ArnResource, allow("'Action':'s3:*','Resource':'arn:aws:*:::b'")),
        identity(Code::VariableInElement, allow("'Action':'s3:${aws:username}','Resource':'*'")),
        row(Code::VariableForOperator, Identity, cond("{'NumericEquals':{'x:n':'${x:m}'}}"), cond("{'StringEquals':{'x:n':'${x:m}'}}")),
        row(Code::VariableBrace, Identity, variable("${aws:username"), variable("${aws:username}")),
        row(Code::VariableEmpty, Identity, variable("${}"), variable("${*}")),
        row(Code::VariableName, Identity, variable("${username}"), variable("${aws:username}")),
        row(Code::VariableSpace, Identity, variable("${ aws:username }"), variable("${aws:username}")),
        row(Code::VariableQuote, Identity, variable("${aws:username, nobody}"), variable("${aws:username, `nobody`}")),
        row(Code::PrincipalFormat, Trust, trust("'Principal':{'AWS':'bob'}"), good_trust()),
        row(Code::PrincipalKey, Trust, trust("'Principal':{'Person':'bob'}"), good_trust()),
        row(Code::PrincipalWildcard, Trust, trust("'Principal':{'AWS':'arn:aws:iam::111122223333:role/*'}"), good_trust()),
        row(Code::NotPrincipal, Resource, allow("'Action':'s3:*','Resource':'*','NotPrincipal':{'AWS':'111122223333'}"),
            doc("{'Effect':'Deny','Action':'s3:*','Resource':'*','NotPrincipal':{'AWS':'111122223333'}}")),
        row(Code::RcpPrincipal, ResourceControl, doc(&format!("{{'Effect':'Deny','Action':'s3:*','Resource':'*',{ROOT}}}")),
            doc("{'Effect':'Deny','Action':'s3:*','Resource':'*','Principal':'*'}")),
        identity(Code::InvalidOperator, cond("{'StringEqual':{'aws:username':'a'}}")),
        row(Code::NullIfExists, Identity, cond("{'NullIfExists':{'aws:username':'true'}}"), cond("{'Null':{'aws:username':'true'}}")),
        row(Code::NullQualifier, Identity, cond("{'ForAllValues:Null':{'aws:TagKeys':'true'}}"), cond("{'Null':{'aws:TagKeys':'true'}}")),
        identity(Code::ConditionKeyFormat, cond("{'StringEquals':{'username':'a'}}")),
        row(Code::OperandArn, Identity, cond("{'ArnLike':{'aws:SourceArn':'bucket'}}"), cond("{'ArnLike':{'aws:SourceArn':'arn:aws:s3:::b'}}")),
        row(Code::OperandNumber, Identity, cond("{'NumericLessThan':{'aws:MultiFactorAuthAge':'1h'}}"), cond("{'NumericLessThan':{'aws:MultiFactorAuthAge':'3600'}}")),
        row(Code::OperandDate, Identity, cond("{'DateLessThan':{'aws:CurrentTime':'tomorrow'}}"), cond("{'DateLessThan':{'aws:CurrentTime':'2030-01-01T00:00:00Z'}}")),
        row(Code::OperandIp, Identity, cond("{'IpAddress':{'aws:SourceIp':'10.0.0.0/33'}}"), cond("{'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}}")),
        row(Code::OperandBinary, Identity, cond("{'BinaryEquals':{'x:b':'?'}}"), cond("{'BinaryEquals':{'x:b':'AA=='}}")),
        row(Code::OperandBool, Identity, cond("{'Bool':{'aws:SecureTransport':'yes'}}"), cond("{'Bool':{'aws:SecureTransport':'true'}}")),
        row(Code::MultipleBoolean, Identity, cond("{'Bool':{'aws:SecureTransport':['true','false']}}"), cond("{'Bool':{'aws:SecureTransport':['true']}}")),
        row(Code::SizeIdentity, Identity, sized(6_145), sized(6_144)),
    ]
}

#[rustfmt::skip]
fn dangers() -> Vec<Row> {
    let github = "token.actions.githubusercontent.com";
    let subject = |value: &str| oidc(github, &format!("{{'StringLike':{{'{github}:sub':'{value}'}},'StringEquals':{{'{github}:aud':'sts.amazonaws.com'}}}}"));
    let gitlab = |key: &str, value: &str| oidc("gitlab.com", &format!("{{'StringLike':{{'gitlab.com:{key}':'{value}'}},'StringEquals':{{'gitlab.com:aud':'me'}}}}"));
    let pass = |action: &str, resource: &str| allow(&format!("'Action':'{action}',{resource}"));
    let one = "'Resource':'arn:aws:iam::111122223333:role/app'";
    vec![
        row(Code::OperatorType, Identity, cond("{'NumericEquals':{'aws:SourceIp':'10'}}"), cond("{'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}}")),
        row(Code::MissingQualifier, Identity, cond("{'StringEquals':{'aws:TagKeys':'a'}}"), cond("{'ForAnyValue:StringEquals':{'aws:TagKeys':'a'}}")),
        row(Code::StarPrincipal, Trust, trust("'Principal':'*'"), trust("'Principal':'*','Condition':{'StringEquals':{'aws:PrincipalOrgID':'o-1'}}")),
        row(Code::FederatedWithoutCondition, Trust, oidc("id.example", "{}"), oidc("id.example", "{'StringEquals':{'id.example:sub':'me'}}")),
        row(Code::FederatedWithoutSubject, Trust, gitlab("sub", "project_path:*"), gitlab("sub", "project_path:team/*")),
        row(Code::GithubSubject, Trust, subject("repo:*"), subject("repo:octo/app:*")),
        row(Code::GithubSubject, Trust, subject("repo:octo*"), subject("repo:octo/*")),
        row(Code::FederatedWithoutAudience, Trust, oidc("id.example", "{'StringEquals':{'id.example:sub':'me'}}"),
            oidc("id.example", "{'StringEquals':{'id.example:sub':'me','id.example:aud':'app'}}")),
        row(Code::PassRoleStar, Identity, pass("iam:PassRole", "'Resource':'*'"), pass("iam:PassRole", one)),
        row(Code::PassRoleStarAction, Identity, pass("iam:*", "'Resource':'*'"), pass("iam:Get*", "'Resource':'*'")),
        row(Code::PassRoleNotResource, Identity, pass("iam:PassRole", &one.replace("Resource", "NotResource")), pass("iam:PassRole", one)),
        row(Code::AssumeRoleStar, Identity, pass("sts:AssumeRole", "'Resource':'*'"), pass("sts:AssumeRole", one)),
        row(Code::AllowNotAction, Identity, allow("'NotAction':'iam:*','Resource':'*'"), good()),
        row(Code::AllowNotResource, Identity, allow("'Action':'s3:*','NotResource':'arn:aws:s3:::b'"), good()),
        row(Code::ForAllWithoutNull, Identity, cond("{'ForAllValues:StringEquals':{'aws:TagKeys':'a'}}"),
            cond("{'ForAllValues:StringEquals':{'aws:TagKeys':'a'},'Null':{'aws:TagKeys':'false'}}")),
        row(Code::ForAllSingle, Identity, cond("{'ForAllValues:StringEquals':{'aws:PrincipalOrgID':'o-1'}}"), cond("{'StringEquals':{'aws:PrincipalOrgID':'o-1'}}")),
        row(Code::MfaIfExists, Identity, cond("{'BoolIfExists':{'aws:MultiFactorAuthPresent':'true'}}"), cond("{'Bool':{'aws:MultiFactorAuthPresent':'true'}}")),
        row(Code::MfaDeny, Identity, deny("{'Bool':{'aws:MultiFactorAuthPresent':'false'}}"), deny("{'BoolIfExists':{'aws:MultiFactorAuthPresent':'false'}}")),
        row(Code::ClaimedKey, Identity, cond("{'StringLike':{'aws:UserAgent':'aws-cli*'}}"), cond("{'StringEquals':{'aws:username':'a'}}")),
        row(Code::PerimeterOperator, Identity, cond("{'StringEqualsIfExists':{'aws:SourceVpce':'vpce-1'}}"), cond("{'StringEquals':{'aws:SourceVpce':'vpce-1'}}")),
        row(Code::EveryAddress, Identity, cond("{'IpAddress':{'aws:SourceIp':'0.0.0.0/0'}}"), cond("{'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}}")),
        row(Code::ServicePrincipal, Resource, allow("'Action':'sqs:SendMessage','Resource':'*','Principal':{'Service':'sns.amazonaws.com'}"),
            allow("'Action':'sqs:SendMessage','Resource':'*','Principal':{'Service':'sns.amazonaws.com'},'Condition':{'StringEquals':{'aws:SourceAccount':'111122223333'}}")),
    ]
}

#[rustfmt::skip]
fn doubts() -> Vec<Row> {
    let role = |arn: &str| allow(&format!("'Action':'iam:GetRole','Resource':'{arn}'"));
    let fine = || role("arn:aws:iam::111122223333:role/a");
    let exact = "{'StringEquals':{'aws:username':'a'}}";
    vec![
        row(Code::MissingVersion, Identity, quotes(&format!("{{'Statement':[{{{GOOD}}}]}}")), good()),
        row(Code::VariableInVersion, Identity, role("arn:aws:iam::111122223333:role/${aws:username}").replace("2012-10-17", "2008-10-17"),
            role("arn:aws:iam::111122223333:role/${aws:username}")),
        row(Code::OldVersion, Identity, good().replace("2012-10-17", "2008-10-17"), good()),
        row(Code::WildcardWithoutLike, Identity, cond("{'StringEquals':{'aws:username':'a*'}}"), cond("{'StringEquals':{'aws:username':'a${*}'}}")),
        row(Code::UnknownGlobalKey, Identity, cond("{'StringEquals':{'aws:UserNames':'a'}}"), cond("{'StringEquals':{'aws:PrincipalTag/any':'a'}}")),
        row(Code::UnknownServiceKey, Identity, cond("{'StringEquals':{'sts:External':'a'}}"), cond("{'StringEquals':{'sts:ExternalId':'a'}}")),
        row(Code::UnknownVariable, Identity, role("arn:aws:iam::111122223333:role/${aws:name}"), role("arn:aws:iam::111122223333:role/${aws:username}")),
        row(Code::MultivaluedVariable, Identity, role("arn:aws:iam::111122223333:role/${aws:TagKeys}"), role("arn:aws:iam::111122223333:role/${aws:username}")),
        row(Code::UnknownAction, Identity, good().replace("s3:GetObject", "sts:AssumeRoles"), good().replace("s3:GetObject", "sts:assume*")),
        row(Code::ActionService, Identity, good().replace("s3:", "s3.amazonaws.com:"), good()),
        row(Code::ArnAccount, Identity, role("arn:aws:iam:::role/a"), fine()),
        row(Code::ArnRegion, Identity, role("arn:aws:iam:eu-west-1:111122223333:role/a"), fine()),
        row(Code::ArnServiceCase, Identity, role("arn:aws:IAM::111122223333:role/a"), fine()),
        row(Code::ArnPartition, Identity, role("arn:amazon:iam::111122223333:role/a"), fine()),
        row(Code::AnySingle, Identity, cond("{'ForAnyValue:StringEquals':{'aws:username':'a'}}"), cond(exact)),
        row(Code::StarValue, Identity, cond("{'StringLike':{'aws:username':'*'}}"), cond("{'StringLike':{'aws:username':'a*'}}")),
        row(Code::Contradiction, Identity, cond("{'Null':{'aws:username':'true'},'StringEquals':{'aws:username':'a'}}"),
            cond("{'Null':{'aws:username':'false'},'StringEquals':{'aws:username':'a'}}")),
        row(Code::DenyNotAction, ServiceControl, doc("{'Effect':'Deny','NotAction':'s3:*','Resource':'*'}"),
            doc(&format!("{{'Effect':'Deny','NotAction':'s3:*','Resource':'*','Condition':{exact}}}"))),
        row(Code::DenyNotPrincipal, Resource, doc("{'Effect':'Deny','Action':'s3:*','Resource':'*','NotPrincipal':{'AWS':'arn:aws:iam::111122223333:user/a'}}"),
            doc("{'Effect':'Deny','Action':'s3:*','Resource':'*','NotPrincipal':{'AWS':['arn:aws:iam::111122223333:user/a','111122223333']}}")),
        row(Code::TrustAction, Trust, trust("'Principal':{'Federated':'arn:aws:iam::111122223333:saml-provider/x'},'Condition':{'StringEquals':{'saml:aud':'x'}}"), good_trust()),
        row(Code::RolesAnywhereActions, Trust, trust("'Principal':{'Service':'rolesanywhere.amazonaws.com'}"),
            trust("'Principal':{'Service':'rolesanywhere.amazonaws.com'}").replace("\"sts:AssumeRole\"", "[\"sts:AssumeRole\",\"sts:TagSession\",\"sts:SetSourceIdentity\"]")),
        row(Code::RcpAllow, ResourceControl, allow("'Action':'s3:*','Resource':'*','Principal':'*'"), doc("{'Effect':'Deny','Action':'s3:*','Resource':'*','Principal':'*'}")),
        row(Code::OuterSpace, Identity, cond("{'StringEquals':{'aws:username':'a '}}"), cond(exact)),
        row(Code::Milliseconds, Identity, cond("{'DateLessThan':{'aws:CurrentTime':'1893456000000'}}"), cond("{'DateLessThan':{'aws:CurrentTime':'1893456000'}}")),
        row(Code::StringForTyped, Identity, cond("{'StringLike':{'aws:SourceArn':'arn:aws:s3:::b*'}}"), cond("{'ArnLike':{'aws:SourceArn':'arn:aws:s3:::b*'}}")),
        row(Code::HostBits, Identity, cond("{'IpAddress':{'aws:SourceIp':'10.1.2.3/8'}}"), cond("{'IpAddress':{'aws:SourceIp':'10.1.2.3'}}")),
        row(Code::RedundantAction, Identity, allow("'Action':['s3:Get*','s3:getobject'],'Resource':'*'"), allow("'Action':['s3:Get*','s3:List*'],'Resource':'*'")),
        row(Code::RedundantResource, Identity, allow("'Action':'s3:*','Resource':['arn:aws:s3:::b/*','arn:aws:s3:::b/k']"),
            allow("'Action':'s3:*','Resource':['arn:aws:s3:::b/*','arn:aws:s3:::B/k']")),
        row(Code::RedundantValue, Identity, cond("{'StringEquals':{'aws:username':['a','a']}}"), cond("{'StringEquals':{'aws:username':['a','A']}}")),
        row(Code::RedundantStatement, Identity, doc(&format!("{{{GOOD}}},{{'Effect':'Allow','Action':'s3:*','Resource':'*'}}")),
            doc(&format!("{{{GOOD}}},{{'Effect':'Deny','Action':'s3:*','Resource':'*'}}"))),
        row(Code::EmptySid, Identity, doc(&format!("{{{GOOD},'Sid':''}}")), doc(&format!("{{{GOOD},'Sid':'A'}}"))),
        row(Code::EmptyCondition, Identity, cond("{}"), cond(exact)),
        row(Code::NearSize, Session, sized(2_000), sized(1_000)),
    ]
}

fn rows() -> Vec<Row> {
    [grammar(), dangers(), doubts()].into_iter().flatten().collect()
}

#[test]
fn each_check_fires_at_its_fixture_and_is_silent_about_the_other() {
    let mut wrong = Vec::new();
    for Row { code, kind, fires, silent } in rows() {
        let found = lint(&fires, Some(kind)).findings;
        if !found.iter().any(|finding| finding.code == code) {
            wrong.push(format!("{code} does not fire at {fires:.300}: {found:?}"));
        }
        let found = lint(&silent, Some(kind)).findings;
        if found.iter().any(|finding| finding.code == code) {
            wrong.push(format!("{code} fires at {silent:.300}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_check_has_a_fixture() {
    let rows = rows();
    for code in Code::ALL {
        assert!(rows.iter().any(|row| row.code == *code), "{code} has no fixture");
    }
}

/// What is refused is an error, and what is an error of grammar is refused.
#[test]
fn errors_of_grammar_are_what_the_parser_refuses() {
    use crate::policy::Policy;

    for Row { code, kind, fires, silent } in grammar() {
        let tells = |text: &str| {
            lint(text, Some(kind))
                .findings
                .iter()
                .any(|finding| grammar().iter().any(|row| row.code == finding.code))
        };
        // Sizes are the business of whoever stores the document.
        if code != Code::SizeIdentity {
            assert!(Policy::parse(&fires, kind).is_err(), "{code}: {fires}");
            assert!(Policy::parse(&silent, kind).is_ok(), "{code}: {silent}");
            assert!(!tells(&silent), "{code}: {silent}");
        }
    }
}

#[test]
fn codes_are_written_as_access_analyzer_writes_them() {
    assert_eq!(Code::MissingVersion.to_string(), "MISSING_VERSION");
    let classes = [
        (Severity::Error, "ERROR"),
        (Severity::SecurityWarning, "SECURITY_WARNING"),
        (Severity::Warning, "WARNING"),
        (Severity::Suggestion, "SUGGESTION"),
    ];
    for (class, written) in classes {
        assert_eq!((class.as_str(), class.to_string().as_str()), (written, written));
    }
}

#[test]
fn codes_are_distinct() {
    let words: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), Code::ALL.len());
}
