use std::collections::HashSet;

use super::*;

#[test]
fn codes_as_in_the_service_models() {
    for (status, codes) in [
        (
            400,
            "MalformedPolicyDocument PackedPolicyTooLarge InvalidIdentityToken \
             IDPCommunicationError ExpiredTokenException InvalidAuthorizationMessageException \
             JWTPayloadSizeExceededException ExpiredTradeInTokenException IncompleteSignature \
             InvalidAction MissingAction MissingParameter InvalidParameterValue \
             InvalidParameterCombination ValidationError RequestExpired Throttling MalformedInput \
             InvalidInput UnmodifiableEntity PasswordPolicyViolation DuplicateSSHPublicKey \
             InvalidCertificate InvalidPublicKey InvalidUserType KeyPairMismatch \
             MalformedCertificate OpenIdIdpCommunicationError PolicyNotAttachable \
             UnrecognizedPublicKeyEncoding \
             AccountNotManagementOrDelegatedAdministratorException \
             CallerIsNotManagementAccountException OrganizationNotFoundException \
             OrganizationNotInAllFeaturesModeException ServiceAccessNotEnabledException \
             AccountAlreadyClosedException AccountNotFoundException \
             AccountAlreadyRegisteredException DuplicateHandshakeException \
             HandshakeAlreadyInStateException HandshakeConstraintViolationException \
             HandshakeNotFoundException InvalidHandshakeTransitionException \
             AccountNotRegisteredException AlreadyInOrganizationException \
             ChildNotFoundException ConstraintViolationException \
             CreateAccountStatusNotFoundException DestinationParentNotFoundException \
             DuplicateAccountException DuplicateOrganizationalUnitException \
             DuplicatePolicyException DuplicatePolicyAttachmentException \
             EffectivePolicyNotFoundException InvalidInputException \
             MalformedPolicyDocumentException MasterCannotLeaveOrganizationException \
             OrganizationNotEmptyException OrganizationalUnitNotEmptyException \
             OrganizationalUnitNotFoundException AWSOrganizationsNotInUseException \
             ParentNotFoundException PolicyInUseException PolicyNotAttachedException \
             PolicyNotFoundException PolicyTypeAlreadyEnabledException \
             PolicyTypeNotAvailableForOrganizationException \
             PolicyTypeNotEnabledException ResourcePolicyNotFoundException \
             RootNotFoundException SerializationException InvalidParameterException \
             InvalidRequestException ResourceLimitExceededException \
             SourceParentNotFoundException TargetNotFoundException \
             UnknownOperationException",
        ),
        (
            403,
            "IDPRejectedClaim RegionDisabledException SessionDurationEscalationException \
             OutboundWebIdentityFederationDisabledException SignatureDoesNotMatch \
             InvalidClientTokenId MissingAuthenticationToken AccessDenied ExpiredToken \
             InvalidAuthenticationCode",
        ),
        (
            404,
            "MalformedQueryString NoSuchEntity ReportInProgress NotSupportedService \
             FeatureDisabled ResourceNotFoundException",
        ),
        (
            409,
            "EntityAlreadyExists DeleteConflict LimitExceeded ConcurrentModification \
             EntityTemporarilyUnmodifiable DuplicateCertificate FeatureEnabled \
             ReportGenerationLimitExceeded ResourceInUseException",
        ),
        (410, "ReportExpired ReportNotPresent"),
        (413, "RequestEntityTooLarge"),
        (500, "InternalFailure PolicyEvaluation ServiceFailure"),
        (503, "ServiceUnavailable"),
    ] {
        let of_table: HashSet<&str> = FaultCode::ALL
            .iter()
            .filter(|code| code.status() == status)
            .map(|code| code.as_str())
            .collect();
        assert_eq!(of_table, codes.split_whitespace().collect(), "{status}");
    }
}

#[test]
fn words_are_distinct_and_sides_follow_the_status() {
    let words: HashSet<&str> = FaultCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), FaultCode::ALL.len());
    for code in FaultCode::ALL {
        let ours = matches!(code.status(), 500 | 503);
        assert_eq!(code.side() == Side::Receiver, ours, "{}", code.as_str());
    }
}

#[test]
fn messages_are_aws_own() {
    for (fault, code, message) in [
        (
            Fault::no_such_entity(Entity::Role, "X"),
            FaultCode::NoSuchEntity,
            "The role with name X cannot be found.",
        ),
        (
            Fault::already_exists(Entity::User, "X"),
            FaultCode::EntityAlreadyExists,
            "User with name X already exists.",
        ),
        (
            Fault::delete_conflict("must detach all policies first"),
            FaultCode::DeleteConflict,
            "Cannot delete entity, must detach all policies first.",
        ),
        (
            Fault::limit_exceeded("PoliciesPerRole", 10),
            FaultCode::LimitExceeded,
            "Cannot exceed quota for PoliciesPerRole: 10",
        ),
        (
            Fault::not_authorized(
                "arn:aws:iam::123456789012:user/a",
                "sts:AssumeRole",
                Some("arn:aws:iam::123456789012:role/b"),
                Some("with an explicit deny in an identity-based policy"),
            ),
            FaultCode::AccessDenied,
            "User: arn:aws:iam::123456789012:user/a is not authorized to perform: sts:AssumeRole \
             on resource: arn:aws:iam::123456789012:role/b with an explicit deny in an \
             identity-based policy",
        ),
        (
            Fault::invalid_action("No\nSuch", "1"),
            FaultCode::InvalidAction,
            "Could not find operation No\\u{a}Such for version 1",
        ),
    ] {
        assert_eq!((fault.code(), fault.message()), (code, message));
    }
}

#[test]
fn the_note_is_for_the_operator_only() {
    let fault = Fault::internal("disk on fire");
    assert_eq!(fault.note(), Some("disk on fire"));
    assert!(!fault.message().contains("fire"));
    assert!(!fault.to_string().contains("fire"));
    assert!(format!("{fault:?}").contains("fire"));
}

#[test]
fn what_cannot_be_decoded_and_what_makes_no_sense_differ() {
    let undecodable = Fault::from(QueryError::Encoding);
    assert_eq!(undecodable.code(), FaultCode::MalformedQueryString);
    let senseless = Fault::from(QueryError::Index("Tags".to_owned()));
    assert_eq!(senseless.code(), FaultCode::MalformedInput);
    assert!(senseless.message().contains("Tags"));
}

#[test]
fn what_cannot_be_recorded_is_to_be_tried_again() {
    let fault = Fault::from(AuditError::Full);
    assert_eq!((fault.code().status(), fault.note()), (503, Some("the audit queue is full")));
}
