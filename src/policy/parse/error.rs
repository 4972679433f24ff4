//! Why a document is refused.

use super::super::ast::DocumentKind;
use super::super::variables::VariableProblem;

/// A document was refused: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at {path}: {reason}")]
pub struct ParseError {
    /// The place in the document: `$.Statement[0].Condition.StringEquals`.
    pub path: String,
    /// What is wrong there.
    pub reason: Reason,
}

impl ParseError {
    /// What IAM says of a document with this fault.
    ///
    /// Where IAM's words are not known, those that it has for whatever it cannot read.
    pub fn in_aws_words(&self) -> &'static str {
        match &self.reason {
            Reason::MissingElement { element: "Resource" } => {
                "Policy statement must contain resources."
            }
            Reason::MissingElement { element: "Action" } => {
                "Policy statement must contain actions."
            }
            Reason::MissingElement { element: "Principal" } => "Missing required field Principal.",
            Reason::MissingElement { element: "Effect" } => "Missing required field Effect.",
            Reason::NotInThisKind { .. } if self.path.ends_with("Principal") => {
                "Policy document should not specify a principal."
            }
            Reason::NotInThisKind { .. } if self.path.ends_with("Resource") => {
                "Has prohibited field Resource."
            }
            Reason::Sid => {
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
                 regular expression [0-9A-Za-z]*."
            }
            Reason::DuplicateSid => "Statement IDs (SID) in a single policy must be unique.",
            Reason::Action | Reason::ConditionKey => {
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            }
            Reason::TrustAction => "AssumeRole policy may only specify STS AssumeRole actions.",
            Reason::Resource => "Resource must be in ARN format or \"*\".",
            Reason::Principal | Reason::PrincipalWildcard | Reason::PrincipalType => {
                "Invalid principal in policy."
            }
            _ => "Syntax errors in policy.",
        }
    }
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// More bytes than the parser looks at.
    #[error("the document is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// Not JSON, or not JSON that a policy can be.
    #[error("{problem} (line {line})")]
    Json {
        /// What is wrong.
        problem: JsonProblem,
        /// The line, counted from 1.
        line: usize,
    },
    /// A key stands twice in an object, in whatever case.
    #[error("the key occurs twice; case does not tell keys apart")]
    DuplicateKey,
    /// No element of the language.
    #[error("there is no such element")]
    UnknownElement,
    /// An element in the wrong case.
    #[error("element names are case-sensitive: this one is written {expected}")]
    WrongCase {
        /// How it is written.
        expected: &'static str,
    },
    /// A required element is missing.
    #[error("the element {element} is missing")]
    MissingElement {
        /// The element.
        element: &'static str,
    },
    /// An element and its negation in one statement.
    #[error("{element} and Not{element} exclude each other")]
    BothForms {
        /// The element.
        element: &'static str,
    },
    /// An element that this kind of document does not have.
    #[error("{} do not have this element", plural(*kind))]
    NotInThisKind {
        /// The document's kind.
        kind: DocumentKind,
    },
    /// A value of the wrong JSON type.
    #[error("{expected} is expected, not {found}")]
    WrongType {
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// An empty array, object or text where there must be something.
    #[error("this must not be empty")]
    Empty,
    /// `Version` is none of the two.
    #[error("the version is neither 2012-10-17 nor 2008-10-17")]
    Version,
    /// `Effect` is none of the two.
    #[error("the effect is neither Allow nor Deny")]
    Effect,
    /// The Sid holds characters that it may not hold.
    #[error("a Sid holds only A-Z, a-z and 0-9 here")]
    Sid,
    /// Two statements have the same Sid.
    #[error("another statement has the same Sid")]
    DuplicateSid,
    /// Not `service:Name` or `*`.
    #[error("an action is * or service:Name, with wildcards only in the name")]
    Action,
    /// An action of another service in a trust policy.
    #[error("a trust policy holds only actions of sts, and no NotAction")]
    TrustAction,
    /// Not `*` or an ARN.
    #[error("a resource is * or an ARN with six components, without wildcards in the service")]
    Resource,
    /// A variable before the fifth colon of a resource.
    #[error("a resource has variables only after its fifth colon")]
    ResourceVariable,
    /// A variable that cannot be read.
    #[error("{0}")]
    Variable(VariableProblem),
    /// Not a principal that can be named.
    #[error("this names no account, user, role, session, unique ID, provider or service")]
    Principal,
    /// A wildcard in a principal that is not `*` alone.
    #[error("a principal is named in full: only * alone means everyone")]
    PrincipalWildcard,
    /// A principal type that does not exist here.
    #[error("a principal's type is AWS, Federated or Service")]
    PrincipalType,
    /// `NotPrincipal` with `Allow`, or naming everyone.
    #[error("NotPrincipal stands only in a Deny, and does not name everyone")]
    NotPrincipal,
    /// A resource control policy that names somebody.
    #[error("the principal of a resource control policy is *")]
    NotEveryone,
    /// Not a condition operator, in this spelling.
    #[error("there is no such condition operator")]
    Operator,
    /// Not a condition key.
    #[error("a condition key is a prefix, a colon and a name, without wildcards")]
    ConditionKey,
    /// The operand is not of the operator's type.
    #[error("this is not {expected}")]
    Operand {
        /// What it should be.
        expected: &'static str,
    },
    /// More than one operand for an operator that takes one.
    #[error("this operator takes one value")]
    OneOperand,
}

/// What is wrong with the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// Another character is expected.
    #[error("this is not JSON")]
    Unexpected,
    /// The text ends too early.
    #[error("the JSON ends too early")]
    Truncated,
    /// Something follows the value.
    #[error("something follows the JSON object")]
    TrailingData,
    /// Too many levels.
    #[error("the JSON is nested too deeply")]
    TooDeep,
    /// A bare control character in a string.
    #[error("a string holds a control character")]
    ControlCharacter,
    /// An escape that does not exist, or half a surrogate pair.
    #[error("a string holds an escape that stands for no character")]
    Escape,
}

fn plural(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Identity => "identity policies",
        DocumentKind::Trust => "trust policies",
        DocumentKind::Resource => "resource policies",
        DocumentKind::Session => "session policies",
        DocumentKind::Boundary => "permissions boundaries",
        DocumentKind::ServiceControl => "service control policies",
        DocumentKind::ResourceControl => "resource control policies",
    }
}
