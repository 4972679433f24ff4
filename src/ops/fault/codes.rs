//! The table of error codes: the word on the wire, the HTTP status, whose fault it is.

/// Whose fault it is, by which clients decide whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The caller's: the same request fails again.
    Sender,
    /// Ours.
    Receiver,
}

impl Side {
    /// `Sender` or `Receiver`, as in `<Type>`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "Sender",
            Self::Receiver => "Receiver",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $wire:literal $status:literal),* $(,)?) => {
        /// An error code of STS, IAM, Organizations, or all AWS services.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FaultCode {
            $($(#[$doc])* #[doc = concat!("`", $wire, "`, HTTP ", stringify!($status), ".")] $variant,)*
        }

        impl FaultCode {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
        }
    };
}

codes! {
    // Common to all services.
    AccessDenied "AccessDenied" 403,
    ExpiredToken "ExpiredToken" 403,
    IncompleteSignature "IncompleteSignature" 400,
    InternalFailure "InternalFailure" 500,
    InvalidAction "InvalidAction" 400,
    InvalidClientTokenId "InvalidClientTokenId" 403,
    InvalidParameterCombination "InvalidParameterCombination" 400,
    InvalidParameterValue "InvalidParameterValue" 400,
    MalformedInput "MalformedInput" 400,
    MalformedQueryString "MalformedQueryString" 404,
    MissingAction "MissingAction" 400,
    MissingAuthenticationToken "MissingAuthenticationToken" 403,
    MissingParameter "MissingParameter" 400,
    RequestEntityTooLarge "RequestEntityTooLarge" 413,
    RequestExpired "RequestExpired" 400,
    ServiceUnavailable "ServiceUnavailable" 503,
    SignatureDoesNotMatch "SignatureDoesNotMatch" 403,
    Throttling "Throttling" 400,
    ValidationError "ValidationError" 400,
    // STS; MalformedPolicyDocument is IAM's too.
    ExpiredTokenException "ExpiredTokenException" 400,
    ExpiredTradeInToken "ExpiredTradeInTokenException" 400,
    IdpCommunicationError "IDPCommunicationError" 400,
    IdpRejectedClaim "IDPRejectedClaim" 403,
    InvalidAuthorizationMessage "InvalidAuthorizationMessageException" 400,
    InvalidIdentityToken "InvalidIdentityToken" 400,
    JwtPayloadSizeExceeded "JWTPayloadSizeExceededException" 400,
    MalformedPolicyDocument "MalformedPolicyDocument" 400,
    OutboundWebIdentityFederationDisabled "OutboundWebIdentityFederationDisabledException" 403,
    PackedPolicyTooLarge "PackedPolicyTooLarge" 400,
    RegionDisabled "RegionDisabledException" 403,
    SessionDurationEscalation "SessionDurationEscalationException" 403,
    // IAM.
    AccountNotManagementOrDelegatedAdministrator
        "AccountNotManagementOrDelegatedAdministratorException" 400,
    CallerIsNotManagementAccount "CallerIsNotManagementAccountException" 400,
    ConcurrentModification "ConcurrentModification" 409,
    DeleteConflict "DeleteConflict" 409,
    DuplicateCertificate "DuplicateCertificate" 409,
    DuplicateSshPublicKey "DuplicateSSHPublicKey" 400,
    EntityAlreadyExists "EntityAlreadyExists" 409,
    EntityTemporarilyUnmodifiable "EntityTemporarilyUnmodifiable" 409,
    FeatureDisabled "FeatureDisabled" 404,
    FeatureEnabled "FeatureEnabled" 409,
    InvalidAuthenticationCode "InvalidAuthenticationCode" 403,
    InvalidCertificate "InvalidCertificate" 400,
    InvalidInput "InvalidInput" 400,
    InvalidPublicKey "InvalidPublicKey" 400,
    InvalidUserType "InvalidUserType" 400,
    KeyPairMismatch "KeyPairMismatch" 400,
    LimitExceeded "LimitExceeded" 409,
    MalformedCertificate "MalformedCertificate" 400,
    NoSuchEntity "NoSuchEntity" 404,
    NotSupportedService "NotSupportedService" 404,
    OrganizationNotFound "OrganizationNotFoundException" 400,
    OrganizationNotInAllFeaturesMode "OrganizationNotInAllFeaturesModeException" 400,
    OpenIdIdpCommunicationError "OpenIdIdpCommunicationError" 400,
    PasswordPolicyViolation "PasswordPolicyViolation" 400,
    PolicyEvaluation "PolicyEvaluation" 500,
    PolicyNotAttachable "PolicyNotAttachable" 400,
    ReportExpired "ReportExpired" 410,
    ReportGenerationLimitExceeded "ReportGenerationLimitExceeded" 409,
    ReportInProgress "ReportInProgress" 404,
    ReportNotPresent "ReportNotPresent" 410,
    ServiceAccessNotEnabled "ServiceAccessNotEnabledException" 400,
    ServiceFailure "ServiceFailure" 500,
    UnmodifiableEntity "UnmodifiableEntity" 400,
    UnrecognizedPublicKeyEncoding "UnrecognizedPublicKeyEncoding" 400,
    // EKS and EKS Auth.
    InvalidParameterException "InvalidParameterException" 400,
    InvalidRequestException "InvalidRequestException" 400,
    ResourceInUse "ResourceInUseException" 409,
    ResourceLimitExceeded "ResourceLimitExceededException" 400,
    ResourceNotFound "ResourceNotFoundException" 404,
    // IAM Roles Anywhere.
    TooManyTags "TooManyTagsException" 400,
    // Organizations, and every AWS JSON service.
    AccountAlreadyClosed "AccountAlreadyClosedException" 400,
    AccountAlreadyRegistered "AccountAlreadyRegisteredException" 400,
    AccountNotFound "AccountNotFoundException" 400,
    AccountNotRegistered "AccountNotRegisteredException" 400,
    AlreadyInOrganization "AlreadyInOrganizationException" 400,
    ChildNotFound "ChildNotFoundException" 400,
    ConstraintViolation "ConstraintViolationException" 400,
    CreateAccountStatusNotFound "CreateAccountStatusNotFoundException" 400,
    DestinationParentNotFound "DestinationParentNotFoundException" 400,
    DuplicateAccount "DuplicateAccountException" 400,
    DuplicateHandshake "DuplicateHandshakeException" 400,
    DuplicateOrganizationalUnit "DuplicateOrganizationalUnitException" 400,
    DuplicatePolicy "DuplicatePolicyException" 400,
    DuplicatePolicyAttachment "DuplicatePolicyAttachmentException" 400,
    EffectivePolicyNotFound "EffectivePolicyNotFoundException" 400,
    HandshakeAlreadyInState "HandshakeAlreadyInStateException" 400,
    HandshakeConstraintViolation "HandshakeConstraintViolationException" 400,
    HandshakeNotFound "HandshakeNotFoundException" 400,
    InvalidHandshakeTransition "InvalidHandshakeTransitionException" 400,
    InvalidInputException "InvalidInputException" 400,
    MalformedPolicyDocumentException "MalformedPolicyDocumentException" 400,
    MasterCannotLeaveOrganization "MasterCannotLeaveOrganizationException" 400,
    OrganizationNotEmpty "OrganizationNotEmptyException" 400,
    OrganizationalUnitNotEmpty "OrganizationalUnitNotEmptyException" 400,
    OrganizationalUnitNotFound "OrganizationalUnitNotFoundException" 400,
    OrganizationsNotInUse "AWSOrganizationsNotInUseException" 400,
    ParentNotFound "ParentNotFoundException" 400,
    PolicyInUse "PolicyInUseException" 400,
    PolicyNotAttached "PolicyNotAttachedException" 400,
    PolicyNotFound "PolicyNotFoundException" 400,
    PolicyTypeAlreadyEnabled "PolicyTypeAlreadyEnabledException" 400,
    PolicyTypeNotAvailable "PolicyTypeNotAvailableForOrganizationException" 400,
    PolicyTypeNotEnabled "PolicyTypeNotEnabledException" 400,
    ResourcePolicyNotFound "ResourcePolicyNotFoundException" 400,
    RootNotFound "RootNotFoundException" 400,
    SerializationException "SerializationException" 400,
    SourceParentNotFound "SourceParentNotFoundException" 400,
    TargetNotFound "TargetNotFoundException" 400,
    UnknownOperation "UnknownOperationException" 400,
}

impl FaultCode {
    /// Whose fault it is: ours from status 500 on.
    pub const fn side(self) -> Side {
        if self.status() >= 500 { Side::Receiver } else { Side::Sender }
    }
}
