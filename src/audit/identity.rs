//! Who asked: CloudTrail's `userIdentity` element.

use serde::Serialize;

use crate::time::Timestamp;

/// The kind of identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum IdentityType {
    /// An account's root.
    Root,
    /// A user.
    #[serde(rename = "IAMUser")]
    IamUser,
    /// A role's session.
    AssumedRole,
    /// A role itself: only as the issuer of a session.
    Role,
    /// A session of GetFederationToken.
    FederatedUser,
    /// Another account.
    #[serde(rename = "AWSAccount")]
    AwsAccount,
    /// A service.
    #[serde(rename = "AWSService")]
    AwsService,
    /// The subject of an OIDC token.
    WebIdentityUser,
    /// The subject of a SAML assertion.
    #[serde(rename = "SAMLUser")]
    SamlUser,
    /// Nobody we know.
    #[default]
    Unknown,
}

/// Who asked. Nothing in it is a secret: an access key ID names a key and is not one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdentity {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: IdentityType,
    /// The unique ID; of a session `AROA…:session-name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// The ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The key that signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The user's name, or the subject that an identity provider vouches for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The identity provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<String>,
    /// Of a session: where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_context: Option<SessionContext>,
}

/// Where a session comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionContext {
    /// The role or user whose session it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_issuer: Option<SessionIssuer>,
    attributes: Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_id_federation_data: Option<WebIdFederationData>,
    /// A word, not a boolean, as with CloudTrail.
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed_root: Option<&'static str>,
    /// The source identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

impl SessionContext {
    /// A session begun at `created`, with or without a second factor, of this role or user.
    pub fn new(
        created: Timestamp,
        mfa: bool,
        session_issuer: Option<SessionIssuer>,
        source_identity: Option<String>,
    ) -> Self {
        Self {
            session_issuer,
            attributes: Attributes {
                creation_date: created.to_rfc3339(),
                // A word, not a boolean: that is how CloudTrail has it.
                mfa_authenticated: mfa.to_string(),
            },
            web_id_federation_data: None,
            assumed_root: None,
            source_identity,
        }
    }

    /// The same session, begun with a token of this OIDC provider (its ARN).
    #[must_use]
    pub fn federated(mut self, provider: Option<String>) -> Self {
        self.web_id_federation_data = provider
            .map(|federated_provider| WebIdFederationData { federated_provider, attributes: None });
        self
    }

    /// The same session, if it is one of AssumeRoot.
    #[must_use]
    pub fn assumed_root(mut self, is: bool) -> Self {
        self.assumed_root = is.then_some("true");
        self
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct WebIdFederationData {
    federated_provider: String,
    attributes: Option<()>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    creation_date: String,
    mfa_authenticated: String,
}

/// The role or user whose session it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionIssuer {
    /// `Role`, `IamUser` or `Root`.
    #[serde(rename = "type")]
    pub kind: IdentityType,
    /// The unique ID.
    pub principal_id: String,
    /// The ARN.
    pub arn: String,
    /// The account.
    pub account_id: String,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
}
