//! The condition keys of all services, of STS and of IAM: their types, and how many values.
//!
//! Source: IAM User Guide, "AWS global condition context keys", "IAM and AWS STS condition context
//! keys"; Service Authorization Reference for STS and IAM.

use super::super::condition::{Comparison, Operator};
use super::super::fold::fold;

/// What a key's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Arn,
    Bool,
    Date,
    Ip,
    Number,
    /// `aws:EpochTime`: dates and numbers compare with it.
    DateOrNumber,
}

/// A key that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) values: Type,
    /// Whether it may have more than one value.
    pub(super) many: bool,
}

/// Single-valued keys by type, lower-cased. A name that ends with `/` takes a tag's key.
const SINGLE: &[(Type, &str)] = &[
    (
        Type::Text,
        "aws:calledviafirst aws:calledvialast aws:ec2instancesourcevpc aws:federatedprovider \
         aws:principalaccount aws:principalorgid aws:principalservicename aws:principaltag/ \
         aws:principaltype aws:referer aws:requestedregion aws:requesttag/ aws:resourceaccount \
         aws:resourceorgid aws:resourcetag/ aws:sourceaccount aws:sourceidentity aws:sourceorgid \
         aws:sourceowner aws:sourcevpc aws:sourcevpce aws:useragent aws:userid aws:username \
         aws:vpceaccount aws:vpceorgid sts:awsservicename sts:externalid sts:requestcontext/ \
         sts:rolesessionname sts:signingalgorithm sts:sourceidentity iam:awsservicename \
         iam:fido-certification iam:fido-fips-140-2-certification \
         iam:fido-fips-140-3-certification iam:organizationspolicyid iam:passedtoservice \
         iam:registersecuritykey iam:resourcetag/ iam:servicespecificcredentialservicename \
         saml:aud saml:cn saml:commonname saml:doc saml:givenname saml:iss saml:mail saml:name \
         saml:namequalifier saml:organizationstatus saml:primarygroupsid saml:sub saml:sub_type \
         saml:surname saml:uid saml:x500uniqueidentifier",
    ),
    (
        Type::Arn,
        "aws:chatbotsourcearn aws:principalarn aws:signinsessionarn aws:sourcearn \
         aws:sourcevpcarn sts:taskpolicyarn iam:associatedresourcearn iam:permissionsboundary \
         iam:policyarn",
    ),
    (
        Type::Bool,
        "aws:assumedroot aws:multifactorauthpresent aws:principalisawsservice aws:securetransport \
         aws:viaawsservice",
    ),
    (Type::Date, "aws:currenttime aws:tokenissuetime"),
    (Type::DateOrNumber, "aws:epochtime"),
    (Type::Ip, "aws:ec2instancesourceprivateipv4 aws:sourceip aws:vpcsourceip"),
    (
        Type::Number,
        "aws:multifactorauthage sts:durationseconds iam:servicespecificcredentialagedays",
    ),
];

/// Keys with many values, all of them texts.
const MANY: &str = "aws:calledvia aws:principalorgpaths aws:principalservicenameslist \
    aws:resourceorgpaths aws:sourceorgpaths aws:tagkeys aws:vpceorgpaths \
    sts:identitytokenaudience sts:requestcontextproviders sts:transitivetagkeys \
    saml:edupersonaffiliation saml:edupersonassurance saml:edupersonentitlement \
    saml:edupersonnickname saml:edupersonorgdn saml:edupersonorgunitdn \
    saml:edupersonprimaryaffiliation saml:edupersonprimaryorgunitdn saml:edupersonprincipalname \
    saml:edupersonscopedaffiliation saml:edupersontargetedid saml:eduorghomepageuri \
    saml:eduorgidentityauthnpolicyuri saml:eduorglegalname saml:eduorgsuperioruri \
    saml:eduorgwhitepagesuri";

/// What is known of a key, in any case.
pub(super) fn find(key: &str) -> Option<Known> {
    let key = fold(key);
    let name = match key.split_once('/') {
        // What follows is a tag's own key.
        Some((prefix, _)) => format!("{prefix}/"),
        None => key.clone().into_owned(),
    };
    if MANY.split_whitespace().any(|known| known == name) || key.ends_with(":amr") {
        return Some(Known { values: Type::Text, many: true });
    }
    SINGLE
        .iter()
        .find(|(_, names)| names.split_whitespace().any(|known| known == name))
        .map(|(values, _)| Known { values: *values, many: false })
}

/// Whether there ought to be such a key, and there is none: `Some(true)` for one that begins with
/// `aws:`, `Some(false)` for one of STS or IAM.
pub(super) fn is_invented(key: &str) -> Option<bool> {
    if find(key).is_some() {
        return None;
    }
    match fold(key).split_once(':')?.0 {
        "aws" => Some(true),
        "sts" | "iam" => Some(false),
        _ => None,
    }
}

/// Keys that say where a request comes from or whose resource it is about: what data perimeters
/// are made of. Lower-cased.
pub(super) const PERIMETER: &[&str] = &[
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
];

/// How an operator suits a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Good,
    /// It works, as a comparison of text.
    AsText,
    Never,
}

impl Type {
    pub(super) fn fit(self, operator: Operator) -> Fit {
        let good = match operator.comparison {
            Comparison::Null => true,
            Comparison::StringEquals
            | Comparison::StringEqualsIgnoreCase
            | Comparison::StringLike => match self {
                Self::Text => true,
                Self::Arn | Self::Bool => return Fit::AsText,
                _ => false,
            },
            Comparison::Numeric(_) => matches!(self, Self::Number | Self::DateOrNumber),
            Comparison::Date(_) => matches!(self, Self::Date | Self::DateOrNumber),
            Comparison::Bool => self == Self::Bool,
            Comparison::Binary => false,
            Comparison::IpAddress => self == Self::Ip,
            Comparison::Arn => self == Self::Arn,
        };
        if good { Fit::Good } else { Fit::Never }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "texts",
            Self::Arn => "ARNs",
            Self::Bool => "truth values",
            Self::Date | Self::DateOrNumber => "dates",
            Self::Ip => "addresses",
            Self::Number => "numbers",
        }
    }
}
