//! Amazon Resource Names: `arn:partition:service:region:account:resource`.
//!
//! Source: AWS General Reference, "Amazon Resource Names (ARNs)".

use std::fmt;

use crate::id::{AccountId, parse_uuid, uuid};

/// The partition of every ARN that the broker makes.
pub const PARTITION: &str = "aws";

/// What stands in the place of an account for what belongs to none.
pub const AWS: &str = "aws";

/// An ARN split at its first five colons. The resource keeps its own colons.
///
/// Parts other than the partition and the service may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arn<'a> {
    /// `aws` and its like.
    pub partition: &'a str,
    /// The service's namespace: `iam`, `sts`, `s3`.
    pub service: &'a str,
    /// The region; empty for global services.
    pub region: &'a str,
    /// The owning account's 12 digits; empty where the service's names are global; `aws` for what
    /// belongs to no account, such as AWS's own managed policies.
    pub account: &'a str,
    /// Everything after the fifth colon, never empty.
    pub resource: &'a str,
}

/// The text is not an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ARN: arn:partition:service:region:account:resource expected")]
pub struct ArnError;

impl<'a> Arn<'a> {
    /// Splits an ARN. The account is empty, 12 digits or `aws`; the parts hold no control characters.
    pub fn parse(text: &'a str) -> Result<Self, ArnError> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(ArnError);
        if next()? != "arn" {
            return Err(ArnError);
        }
        let arn = Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        };
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let fits = !arn.partition.is_empty()
            && plain(arn.partition)
            && !arn.service.is_empty()
            && plain(arn.service)
            && plain(arn.region)
            && (arn.account.is_empty()
                || arn.account == AWS
                || AccountId::parse(arn.account).is_ok())
            && !arn.resource.is_empty()
            && !arn.resource.chars().any(char::is_control);
        fits.then_some(arn).ok_or(ArnError)
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// The ARN of an IAM entity: `arn:aws:iam::<account>:<kind><path><name>`.
///
/// `path` begins and ends with `/`: `/` alone or `/division/team/`.
pub fn iam(account: AccountId, kind: &str, path: &str, name: &str) -> String {
    format!("arn:{PARTITION}:iam::{account}:{kind}{path}{name}")
}

/// The ARN of a role session: `arn:aws:sts::<account>:assumed-role/<role name>/<session name>`.
/// The role's path is not part of it.
pub fn assumed_role(account: AccountId, role_name: &str, session_name: &str) -> String {
    format!("arn:{PARTITION}:sts::{account}:assumed-role/{role_name}/{session_name}")
}

/// The ARN of a federated user: `arn:aws:sts::<account>:federated-user/<name>`.
pub fn federated_user(account: AccountId, name: &str) -> String {
    format!("arn:{PARTITION}:sts::{account}:federated-user/{name}")
}

/// The ARN that stands for a whole account in policies: `arn:aws:iam::<account>:root`.
pub fn account_root(account: AccountId) -> String {
    format!("arn:{PARTITION}:iam::{account}:root")
}

/// The account, path and name of an IAM role's ARN; `None` for any other text.
pub fn parse_role(text: &str) -> Option<(AccountId, &str, &str)> {
    parse_iam(text, "role")
}

/// The account, path and name of an IAM user's ARN; `None` for any other text.
pub fn parse_user(text: &str) -> Option<(AccountId, &str, &str)> {
    parse_iam(text, "user")
}

/// The account, path and name of an account's managed policy's ARN; `None` for any other text.
pub fn parse_policy(text: &str) -> Option<(AccountId, &str, &str)> {
    parse_iam(text, "policy")
}

/// The account, path and name of an MFA device's ARN; `None` for any other text.
pub fn parse_mfa(text: &str) -> Option<(AccountId, &str, &str)> {
    parse_iam(text, "mfa")
}

/// The account of a root user's ARN, `arn:aws:iam::<account>:root`; `None` for any other text.
pub fn parse_account_root(text: &str) -> Option<AccountId> {
    let account = AccountId::parse(Arn::parse(text).ok()?.account).ok()?;
    (account_root(account) == text).then_some(account)
}

/// The account and the issuer's URL, without its scheme, of an OIDC provider's ARN; `None` for any
/// other text.
pub fn parse_oidc_provider(text: &str) -> Option<(AccountId, &str)> {
    let arn = Arn::parse(text).ok()?;
    if arn.partition != PARTITION || arn.service != "iam" || !arn.region.is_empty() {
        return None;
    }
    let url = arn.resource.strip_prefix("oidc-provider/").filter(|url| !url.is_empty())?;
    Some((AccountId::parse(arn.account).ok()?, url))
}

/// The account and name of a SAML provider's ARN; `None` for any other text.
pub fn parse_saml_provider(text: &str) -> Option<(AccountId, &str)> {
    let arn = Arn::parse(text).ok()?;
    if arn.partition != PARTITION || arn.service != "iam" || !arn.region.is_empty() {
        return None;
    }
    let name = arn.resource.strip_prefix("saml-provider/");
    let name = name.filter(|name| !name.is_empty() && !name.contains('/'))?;
    Some((AccountId::parse(arn.account).ok()?, name))
}

/// The region, account and ID of a resource of IAM Roles Anywhere of this kind, such as
/// `trust-anchor`; `None` for any other text.
pub fn parse_anywhere<'t>(text: &'t str, kind: &str) -> Option<(&'t str, AccountId, [u8; 16])> {
    let arn = Arn::parse(text).ok()?;
    if arn.partition != PARTITION || arn.service != "rolesanywhere" {
        return None;
    }
    let id = arn.resource.strip_prefix(kind)?.strip_prefix('/')?;
    Some((arn.region, AccountId::parse(arn.account).ok()?, parse_uuid(id)?))
}

/// `arn:aws:rolesanywhere:<region>:<account>:<kind>/<ID>`
pub fn anywhere(region: &str, account: AccountId, kind: &str, id: &[u8; 16]) -> String {
    let id = uuid(id);
    format!("arn:{PARTITION}:rolesanywhere:{region}:{account}:{kind}/{id}")
}

/// The account, role name and session name of a role session's ARN; `None` for any other text.
pub fn parse_assumed_role(text: &str) -> Option<(AccountId, &str, &str)> {
    let arn = Arn::parse(text).ok()?;
    if arn.partition != PARTITION || arn.service != "sts" || !arn.region.is_empty() {
        return None;
    }
    let (role, session) = arn.resource.strip_prefix("assumed-role/")?.split_once('/')?;
    (!role.is_empty() && !session.is_empty() && !session.contains('/')).then_some((
        AccountId::parse(arn.account).ok()?,
        role,
        session,
    ))
}

fn parse_iam<'a>(text: &'a str, kind: &str) -> Option<(AccountId, &'a str, &'a str)> {
    let arn = Arn::parse(text).ok()?;
    if arn.partition != PARTITION || arn.service != "iam" || !arn.region.is_empty() {
        return None;
    }
    let rest = arn.resource.strip_prefix(kind)?;
    let name_at = rest.rfind('/')? + 1;
    let (path, name) = rest.split_at_checked(name_at)?;
    (path.starts_with('/') && !name.is_empty()).then_some((
        AccountId::parse(arn.account).ok()?,
        path,
        name,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_text_agree() {
        let text = "arn:aws:s3:eu-west-1:123456789012:bucket:with:colons/key";
        let arn = Arn::parse(text).unwrap();
        assert_eq!(arn.resource, "bucket:with:colons/key");
        assert_eq!(arn.to_string(), text);
    }

    #[test]
    fn what_belongs_to_no_account_is_an_arn_of_none() {
        let text = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
        assert_eq!(Arn::parse(text).unwrap().account, AWS);
        assert_eq!(parse_policy(text), None);
        assert_eq!(parse_role("arn:aws:iam::aws:role/x"), None);
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for bad in [
            "",
            "arn",
            "arn:aws:iam::123456789012",
            "arn:aws:iam::123456789012:",
            "ARN:aws:iam::123456789012:root",
            "arn::iam::123456789012:root",
            "arn:aws:::123456789012:root",
            "arn:aws:iam::12345678901:root",
            "arn:aws:iam::AWS:root",
            "arn:aws:iam::123456789012:ro\not",
            "arn:aws:i*m::123456789012:root",
        ] {
            assert_eq!(Arn::parse(bad), Err(ArnError), "{bad}");
        }
    }

    #[test]
    fn role_arns_keep_path_and_name_apart() {
        let account = AccountId::parse("123456789012").unwrap();
        assert_eq!(
            parse_role("arn:aws:iam::123456789012:role/a/b/name"),
            Some((account, "/a/b/", "name"))
        );
        assert_eq!(parse_role("arn:aws:iam::123456789012:role/name"), Some((account, "/", "name")));
        for bad in [
            "arn:aws:iam::123456789012:user/name",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:rolex/name",
            "arn:aws:iam:eu-west-1:123456789012:role/name",
            "arn:aws-cn:iam::123456789012:role/name",
            "arn:aws:iam:::role/name",
        ] {
            assert_eq!(parse_role(bad), None, "{bad}");
        }
    }
}
