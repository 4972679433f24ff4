//! What there is to find: a code, a class and a sentence each.

use std::fmt;

/// How bad a finding is: the classes of AWS's Access Analyzer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Could be written better; means the same.
    Suggestion,
    /// Probably does not do what its author had in mind.
    Warning,
    /// Gives more than its author had in mind, or can be evaded.
    SecurityWarning,
    /// Is refused when it is written, or can never take effect.
    Error,
}

impl Severity {
    /// `ERROR`, `SECURITY_WARNING`, `WARNING` or `SUGGESTION`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::SecurityWarning => "SECURITY_WARNING",
            Self::Warning => "WARNING",
            Self::Suggestion => "SUGGESTION",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! codes {
    ($($name:ident $severity:ident $text:literal $summary:literal;)*) => {
        /// A check. Where AWS's Access Analyzer has the same, it has AWS's code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $summary] $name,)*
        }

        impl Code {
            /// Every check.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As it is written, such as `MISSING_VERSION`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Its class.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it finds, in a sentence.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$name => $summary,)* }
            }
        }
    };
}

codes! {
    // What is refused when it is written.
    JsonSyntax Error "JSON_SYNTAX_ERROR" "The document is not JSON.";
    DuplicateKey Error "DUPLICATE_KEYS_WITH_DIFFERENT_CASE" "A key stands twice in an object; case does not tell keys apart.";
    DocumentTooLong Error "DOCUMENT_TOO_LONG" "The document is longer than the parser looks at.";
    InvalidElement Error "INVALID_POLICY_ELEMENT" "There is no such element in this kind of document.";
    MissingStatement Error "MISSING_STATEMENT" "The document has no Statement.";
    MissingEffect Error "MISSING_EFFECT" "A statement has no Effect.";
    MissingPrincipal Error "MISSING_PRINCIPAL" "A statement of a resource or trust policy names no principal.";
    MissingAction Error "MISSING_ACTION" "A statement has neither Action nor NotAction.";
    MissingResource Error "MISSING_RESOURCE" "A statement has neither Resource nor NotResource.";
    BothForms Error "UNSUPPORTED_ELEMENT_COMBINATION" "An element and its negation stand in one statement.";
    UnsupportedPrincipal Error "UNSUPPORTED_PRINCIPAL" "This kind of document names no principals in this way.";
    DataType Error "DATA_TYPE_MISMATCH" "A value has the wrong JSON type.";
    EmptyArrayAction Error "EMPTY_ARRAY_ACTION" "A list of actions is empty.";
    EmptyArrayResource Error "EMPTY_ARRAY_RESOURCE" "A list of resources is empty.";
    EmptyPrincipal Error "EMPTY_ARRAY_PRINCIPAL" "A list or object of principals is empty.";
    EmptyArrayCondition Error "EMPTY_ARRAY_CONDITION" "A condition compares with nothing.";
    EmptyStatement Error "EMPTY_STATEMENT" "The list of statements is empty.";
    InvalidVersion Error "INVALID_VERSION" "The version is none that there is.";
    InvalidEffect Error "INVALID_EFFECT" "The effect is neither Allow nor Deny.";
    UnsupportedSid Error "UNSUPPORTED_SID" "A Sid holds characters that it may not hold here.";
    DuplicateSid Error "UNIQUE_SIDS_REQUIRED" "Two statements have the same Sid.";
    InvalidAction Error "INVALID_ACTION" "An action is not written as service:Name.";
    UnsupportedAction Error "UNSUPPORTED_ACTION_IN_POLICY" "A trust policy holds an action of another service, or NotAction.";
    ArnPrefix Error "INVALID_ARN_PREFIX" "A resource does not begin with arn.";
    ArnField Error "MISSING_ARN_FIELD" "A resource has fewer than six components.";
    ArnResource Error "INVALID_ARN_RESOURCE" "A resource is no ARN that could match.";
    VariableInElement Error "VARIABLE_UNSUPPORTED_IN_ELEMENT" "A variable stands where there are none.";
    VariableForOperator Error "INVALID_VARIABLE_FOR_OPERATOR" "A variable stands under an operator that takes none.";
    VariableBrace Error "MISSING_BRACE_IN_VARIABLE" "A variable is not closed.";
    VariableEmpty Error "EMPTY_VARIABLE" "A variable has no name.";
    VariableName Error "INVALID_VARIABLE" "A variable does not name a condition key.";
    VariableSpace Error "UNSUPPORTED_SPACE_IN_VARIABLE" "A variable holds spaces.";
    VariableQuote Error "MISSING_QUOTE_IN_VARIABLE" "A variable's default is not in quotes.";
    PrincipalFormat Error "INVALID_PRINCIPAL_FORMAT" "A principal is none that can be named.";
    PrincipalKey Error "INVALID_PRINCIPAL_KEY" "There is no such type of principal.";
    PrincipalWildcard Error "UNSUPPORTED_WILDCARD_IN_PRINCIPAL" "A principal has a wildcard and is not * alone.";
    NotPrincipal Error "ALLOW_WITH_NOT_PRINCIPAL" "NotPrincipal stands in an Allow, or excludes everyone.";
    RcpPrincipal Error "RCP_SYNTAX_ERROR_PRINCIPAL" "A resource control policy names somebody.";
    InvalidOperator Error "INVALID_CONDITION_OPERATOR" "There is no such condition operator.";
    NullIfExists Error "NULL_WITH_IF_EXISTS" "Null stands with IfExists.";
    NullQualifier Error "NULL_WITH_QUALIFIER" "Null stands with ForAllValues or ForAnyValue.";
    ConditionKeyFormat Error "INVALID_CONDITION_KEY_FORMAT" "A condition key is not written as prefix:name.";
    OperandArn Error "TYPE_MISMATCH_ARN" "The operand of an ARN operator is no ARN.";
    OperandNumber Error "TYPE_MISMATCH_NUMBER" "The operand of a numeric operator is no number.";
    OperandDate Error "TYPE_MISMATCH_DATE" "The operand of a date operator is no date.";
    OperandIp Error "TYPE_MISMATCH_IP_RANGE" "The operand of an address operator is no address and no network.";
    OperandBinary Error "TYPE_MISMATCH_BINARY" "The operand of BinaryEquals is not base64.";
    OperandBool Error "TYPE_MISMATCH_BOOLEAN" "The operand of Bool or Null is neither true nor false.";
    MultipleBoolean Error "INVALID_CONDITION_MULTIPLE_BOOLEAN" "Bool or Null has more than one operand.";
    SizeIdentity Error "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA" "The document is larger than documents of its kind may be.";

    // What can never take effect.
    OperatorType Error "TYPE_MISMATCH" "An operator is of another type than the values of the key.";
    MissingQualifier Error "MISSING_QUALIFIER" "A key with many values stands under an operator without ForAllValues or ForAnyValue.";

    // What gives too much.
    StarPrincipal SecurityWarning "STAR_PRINCIPAL_WITHOUT_CONDITION" "Everyone is allowed, without a condition that says whom.";
    FederatedWithoutCondition SecurityWarning "FEDERATED_TRUST_WITHOUT_CONDITION" "A role is given to everybody with an account at an identity provider.";
    FederatedWithoutSubject SecurityWarning "MISSING_SUBJECT_CONDITION_KEY" "A provider that many share is trusted without saying whose subjects.";
    GithubSubject SecurityWarning "MISSING_GITHUB_REPO_CONDITION_KEY" "GitHub is trusted without saying whose repositories.";
    FederatedWithoutAudience SecurityWarning "MISSING_AUDIENCE_CONDITION_KEY" "An OIDC provider is trusted without saying for which client.";
    PassRoleStar SecurityWarning "PASS_ROLE_WITH_STAR_IN_RESOURCE" "iam:PassRole is allowed for every role.";
    PassRoleStarAction SecurityWarning "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE" "A wildcard of actions includes iam:PassRole, for every role.";
    PassRoleNotResource SecurityWarning "PASS_ROLE_WITH_NOT_RESOURCE" "iam:PassRole is allowed for every role but some.";
    AssumeRoleStar SecurityWarning "ASSUME_ROLE_WITH_STAR_IN_RESOURCE" "sts:AssumeRole is allowed for every role of every account.";
    AllowNotAction SecurityWarning "ALLOW_WITH_NOT_ACTION" "Everything is allowed but some actions: those to come as well.";
    AllowNotResource SecurityWarning "ALLOW_WITH_NOT_RESOURCE" "Something is allowed on everything but some resources: those to come as well.";
    ForAllWithoutNull SecurityWarning "FOR_ALL_VALUES_WITHOUT_NULL_CHECK" "ForAllValues in an Allow holds for requests without the key.";
    ForAllSingle SecurityWarning "FOR_ALL_VALUES_WITH_SINGLE_VALUED_KEY" "ForAllValues over a key with one value holds for requests without it.";
    MfaIfExists SecurityWarning "MFA_IF_EXISTS_IN_ALLOW" "An Allow that asks for MFA with IfExists lets long-term keys pass without.";
    MfaDeny SecurityWarning "MFA_DENY_WITHOUT_IF_EXISTS" "A Deny without MFA misses long-term keys, which do not have the key at all.";
    ClaimedKey SecurityWarning "CLIENT_CLAIMED_CONDITION_KEY" "A statement rests on what the client says of itself.";
    PerimeterOperator SecurityWarning "UNSAFE_OPERATOR_ON_PERIMETER_KEY" "An Allow that names an organization or network holds for requests that have none.";
    EveryAddress SecurityWarning "IP_RANGE_COVERS_EVERYTHING" "A network of every address limits nothing.";
    ServicePrincipal SecurityWarning "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL" "A service is allowed, on whosever behalf it acts.";

    // What probably does something else.
    MissingVersion Warning "MISSING_VERSION" "Without a Version the document is of 2008: variables are plain text.";
    VariableInVersion Warning "VARIABLE_UNSUPPORTED_IN_VERSION" "A variable stands in a document of version 2008, where it is plain text.";
    OldVersion Suggestion "OLD_VERSION" "The version is the old one.";
    WildcardWithoutLike Warning "WILDCARD_WITHOUT_LIKE_OPERATOR" "A * or ? stands under an operator that takes it literally.";
    UnknownGlobalKey Warning "INVALID_GLOBAL_CONDITION_KEY" "There is no such key that begins with aws.";
    UnknownServiceKey Warning "INVALID_SERVICE_CONDITION_KEY" "There is no such key of STS or IAM.";
    UnknownVariable Warning "UNKNOWN_VARIABLE" "A variable names no key that there is.";
    MultivaluedVariable Warning "MULTIVALUED_VARIABLE" "A variable names a key with many values: it is never replaced.";
    UnknownAction Warning "UNKNOWN_ACTION" "A service that the broker answers for has no such action.";
    ActionService Warning "INVALID_SERVICE_IN_ACTION" "The service of an action is written as a host.";
    ArnAccount Warning "INVALID_ARN_ACCOUNT" "The account of an ARN is not twelve digits.";
    ArnRegion Warning "ARN_REGION_NOT_ALLOWED" "ARNs of IAM and STS have no region.";
    ArnServiceCase Warning "INVALID_ARN_SERVICE_CASE" "The service of an ARN is not in lower case.";
    ArnPartition Warning "INVALID_PARTITION" "There is no such partition.";
    AnySingle Warning "QUALIFIER_WITH_SINGLE_VALUED_KEY" "A qualifier stands over a key with one value.";
    StarValue Warning "STAR_IN_CONDITION_VALUE" "A condition takes any value.";
    Contradiction Warning "CONTRADICTORY_CONDITION" "A condition wants a key both absent and with a value.";
    DenyNotAction Warning "DENY_WITH_NOT_ACTION" "Everything is denied but some actions: those needed to undo it too.";
    DenyNotPrincipal Warning "DENY_WITH_NOT_PRINCIPAL" "A Deny with NotPrincipal spares nobody whose account is not listed too.";
    TrustAction Warning "TRUST_ACTION_DOES_NOT_FIT_PRINCIPAL" "The action is none that such a principal assumes roles with.";
    RolesAnywhereActions Warning "ROLES_ANYWHERE_TRUST_WITHOUT_SESSION_ACTIONS" "A role trusts Roles Anywhere without the actions that its sessions need.";
    RcpAllow Warning "RCP_SYNTAX_ERROR_EFFECT" "A resource control policy only denies.";
    OuterSpace Warning "SPACE_AROUND_VALUE" "A value begins or ends with a space.";
    Milliseconds Warning "DATE_IN_MILLISECONDS" "A date is in milliseconds: it is taken for seconds.";

    // What could be written better.
    StringForTyped Suggestion "STRING_OPERATOR_FOR_TYPED_KEY" "A key of ARNs or truth values is compared as text.";
    HostBits Suggestion "IMPROVE_IP_RANGE" "The address of a network has bits behind its prefix.";
    RedundantAction Suggestion "REDUNDANT_ACTION" "An action is covered by another one of the list.";
    RedundantResource Suggestion "REDUNDANT_RESOURCE" "A resource is covered by another one of the list.";
    RedundantValue Suggestion "REDUNDANT_CONDITION_VALUE" "A value stands twice in a condition.";
    RedundantStatement Suggestion "REDUNDANT_STATEMENT" "A statement is covered by another one.";
    EmptySid Suggestion "EMPTY_SID_VALUE" "A Sid is empty.";
    EmptyCondition Suggestion "EMPTY_OBJECT_CONDITION" "A Condition is empty.";
    NearSize Suggestion "POLICY_SIZE_NEAR_QUOTA" "The document is nearly as large as documents of its kind may be.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
