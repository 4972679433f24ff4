//! The limits of texts in the service models of STS and IAM, by what they are for.

use super::chars::{self, Chars};

/// How long a text may be, in characters, and of which characters it is made.
#[derive(Clone, Copy)]
pub struct Text {
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) chars: Option<Chars>,
    pub(super) secret: bool,
}

impl Text {
    /// From `min` to `max` characters matching a pattern.
    pub const fn new(min: usize, max: usize, chars: Chars) -> Self {
        Self { min, max, chars: Some(chars), secret: false }
    }

    /// From `min` to `max` characters of any kind.
    pub const fn any(min: usize, max: usize) -> Self {
        Self { min, max, chars: None, secret: false }
    }

    /// The same, and no error ever quotes the value.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// An ARN of either service.
pub const ARN: Text = Text::new(20, 2048, chars::ANY);
/// `RoleSessionName`, `SourceIdentity`.
pub const SESSION_NAME: Text = Text::new(2, 64, chars::SESSION_NAME);
/// `Name` of GetFederationToken.
pub const FEDERATED_NAME: Text = Text::new(2, 32, chars::SESSION_NAME);
/// `ExternalId`.
pub const EXTERNAL_ID: Text = Text::new(2, 1224, chars::EXTERNAL_ID);
/// `SerialNumber`.
pub const SERIAL_NUMBER: Text = Text::new(9, 256, chars::SERIAL);
/// `VirtualMFADeviceName`: as long as its serial number has room for it.
pub const MFA_DEVICE_NAME: Text = Text::new(1, 226, chars::NAME);
/// `TokenCode`, `AuthenticationCode1`, `AuthenticationCode2`.
pub const TOKEN_CODE: Text = Text::new(6, 6, chars::DIGITS).secret();
/// `Policy` of a session, in calls that a signature authenticates.
pub const SESSION_POLICY: Text = Text::new(1, 2048, chars::LATIN);
/// `WebIdentityToken`.
pub const WEB_IDENTITY_TOKEN: Text = Text::any(4, 20_000).secret();
/// `SAMLAssertion`.
pub const SAML_ASSERTION: Text = Text::any(4, 100_000).secret();
/// `EncodedMessage` of DecodeAuthorizationMessage.
pub const ENCODED_MESSAGE: Text = Text::any(1, 10_240);
/// `AccessKeyId`.
pub const ACCESS_KEY_ID: Text = Text::new(16, 128, chars::WORD);
/// A tag's `Key`.
pub const TAG_KEY: Text = Text::new(1, 128, chars::TAG_KEY);
/// A tag's `Value`.
pub const TAG_VALUE: Text = Text::new(0, 256, chars::TAG_VALUE);

/// `UserName` of a user to be made, `RoleName`.
pub const USER_OR_ROLE_NAME: Text = Text::new(1, 64, chars::NAME);
/// `UserName` of a user that exists, `GroupName`, `PolicyName`, `InstanceProfileName`.
pub const NAME: Text = Text::new(1, 128, chars::NAME);
/// `Path`.
pub const PATH: Text = Text::new(1, 512, chars::PATH);
/// `Path` of a managed policy.
pub const POLICY_PATH: Text = Text::new(1, 512, chars::POLICY_PATH);
/// `PathPrefix`.
pub const PATH_PREFIX: Text = Text::new(1, 512, chars::PATH_PREFIX);
/// `Description`.
pub const DESCRIPTION: Text = Text::new(0, 1000, chars::DESCRIPTION);
/// `Description` of a managed policy.
pub const POLICY_DESCRIPTION: Text = Text::any(0, 1000);
/// `PolicyDocument`, `AssumeRolePolicyDocument`.
pub const POLICY_DOCUMENT: Text = Text::new(1, 131_072, chars::LATIN);
/// `VersionId` of a managed policy.
pub const POLICY_VERSION: Text = Text::new(2, 64, chars::POLICY_VERSION);
/// `Marker`.
pub const MARKER: Text = Text::new(1, 320, chars::MARKER);
/// `AccountAlias`.
pub const ACCOUNT_ALIAS: Text = Text::new(3, 63, chars::ACCOUNT_ALIAS);
/// `Name` of a SAML provider.
pub const SAML_PROVIDER_NAME: Text = Text::new(1, 128, chars::SAML_NAME);
/// `SAMLMetadataDocument`.
pub const SAML_METADATA: Text = Text::any(1000, 10_000_000);
/// `Url` of an OIDC provider, an element of `ClientIDList`.
pub const URL: Text = Text::any(1, 255);
/// An element of `ThumbprintList`.
pub const THUMBPRINT: Text = Text::any(40, 40);
/// `AddPrivateKey` of a SAML provider.
pub const PRIVATE_KEY: Text = Text::new(1, 16_384, chars::LATIN).secret();
/// `RemovePrivateKey` of a SAML provider.
pub const PRIVATE_KEY_ID: Text = Text::new(22, 64, chars::KEY_ID);
/// An element of `ServiceNamespaces`.
pub const SERVICE_NAMESPACE: Text = Text::new(1, 64, chars::NAMESPACE);
/// `Password`.
pub const PASSWORD: Text = Text::new(1, 128, chars::LATIN).secret();
