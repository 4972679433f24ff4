//! What IAM says of an entity that is not there, or is there already: scripts match these texts.

/// A kind of entity, for its messages. Unless told otherwise, it is named by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entity {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
    /// A managed policy, by its ARN (already there: by its name).
    Policy,
    /// A version of a managed policy, by its ID.
    PolicyVersion,
    /// A policy that was to be attached, by its ARN.
    AttachedPolicy,
    /// An inline policy of a user.
    UserPolicy,
    /// An inline policy of a group.
    GroupPolicy,
    /// An inline policy of a role.
    RolePolicy,
    /// An instance profile.
    InstanceProfile,
    /// An access key, by its ID.
    AccessKey,
    /// A login profile, by its user's name.
    LoginProfile,
    /// An MFA device, by its serial number.
    MfaDevice,
    /// An OIDC provider, by its ARN (already there: by its URL).
    OidcProvider,
    /// A SAML provider, by its ARN (already there: by its name).
    SamlProvider,
    /// The account's alias.
    AccountAlias,
    /// The account's password policy, by the account.
    PasswordPolicy,
    /// The permissions boundary of a user or role, by its name.
    PermissionsBoundary,
}

impl Entity {
    pub(super) fn not_found(self, name: &str) -> String {
        match self {
            Self::User => format!("The user with name {name} cannot be found."),
            Self::Group => format!("The group with name {name} cannot be found."),
            Self::Role => format!("The role with name {name} cannot be found."),
            Self::Policy => format!("Policy {name} was not found."),
            Self::PolicyVersion => {
                format!("Policy version {name} does not exist or is not attachable.")
            }
            Self::AttachedPolicy => {
                format!("Policy {name} does not exist or is not attachable.")
            }
            Self::UserPolicy => format!("The user policy with name {name} cannot be found."),
            Self::GroupPolicy => format!("The group policy with name {name} cannot be found."),
            Self::RolePolicy => format!("The role policy with name {name} cannot be found."),
            Self::InstanceProfile => format!("Instance Profile {name} cannot be found."),
            Self::AccessKey => format!("The Access Key with id {name} cannot be found."),
            Self::LoginProfile => format!("Login Profile for User {name} cannot be found."),
            Self::MfaDevice => {
                format!("VirtualMFADevice with serial number {name} doesn't exist.")
            }
            Self::OidcProvider => {
                format!("OpenIDConnect Provider not found for arn {name}")
            }
            Self::SamlProvider => format!("Manifest not found for arn {name}"),
            Self::AccountAlias => format!("The account alias {name} cannot be found."),
            Self::PasswordPolicy => {
                format!("The Password Policy with domain name {name} cannot be found.")
            }
            Self::PermissionsBoundary => {
                format!("{name} does not have a permissions boundary.")
            }
        }
    }

    pub(super) fn exists(self, name: &str) -> String {
        match self {
            Self::User => format!("User with name {name} already exists."),
            Self::Group => format!("Group with name {name} already exists."),
            Self::Role => format!("Role with name {name} already exists."),
            Self::Policy | Self::AttachedPolicy => {
                format!("A policy called {name} already exists. Duplicate names are not allowed.")
            }
            Self::InstanceProfile => format!("Instance Profile {name} already exists."),
            Self::LoginProfile => format!("Login Profile for user {name} already exists."),
            Self::MfaDevice => {
                "MFADevice entity at the same path and name already exists.".to_owned()
            }
            Self::OidcProvider => format!("Provider with url {name} already exists."),
            Self::SamlProvider => format!("SAMLProvider with name {name} already exists."),
            Self::AccountAlias => format!("The account alias {name} already exists."),
            Self::PolicyVersion
            | Self::UserPolicy
            | Self::GroupPolicy
            | Self::RolePolicy
            | Self::AccessKey
            | Self::PasswordPolicy
            | Self::PermissionsBoundary => format!("{name} already exists."),
        }
    }
}
