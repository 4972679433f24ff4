//! The shapes of the model.

use crate::id::parse_uuid;
use crate::ops::json::shape::Text;
use crate::ops::json::{Kind, Member};

fn any(_: &str) -> bool {
    true
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'_'))
}

fn is_id(text: &str) -> bool {
    parse_uuid(text).is_some()
}

fn is_tag(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b" _.:/=+@-".contains(&b))
}

/// `arn:aws(-[^:]+)?:iam(:.*){2}(:role.*)`: what follows is read by whoever looks the role up.
fn is_role(text: &str) -> bool {
    text.starts_with("arn:aws") && text.contains(":iam:") && text.contains(":role")
}

/// `arn:aws(-[^:]+)?:rolesanywhere(:.*){2}(:trust-anchor.*)`, likewise.
fn is_anchor(text: &str) -> bool {
    text.starts_with("arn:aws")
        && text.contains(":rolesanywhere:")
        && text.contains(":trust-anchor")
}

const fn text(min: usize, max: usize, pattern: &'static str, accepts: fn(&str) -> bool) -> Kind {
    Kind::Text(Text { min, max: Some(max), pattern, accepts })
}

static ID_TEXT: Kind = text(36, 36, ".*[a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}.*", is_id);
static NAME_TEXT: Kind = text(1, 255, "[ a-zA-Z0-9-_]*", is_name);
static TAG_KEY: Kind = text(1, 128, "[ a-zA-Z0-9_.:/=+@-]*", is_tag);
static TAG_VALUE: Kind = text(0, 256, "[ a-zA-Z0-9_.:/=+@-]*", is_tag);
static ROLE: Kind = text(1, 1011, "arn:aws(-[^:]+)?:iam(:.*){2}(:role.*)", is_role);
static ANCHOR_TEXT: Kind =
    text(1, 1011, "arn:aws(-[^:]+)?:rolesanywhere(:.*){2}(:trust-anchor.*)", is_anchor);
static MANAGED: Kind = text(1, 200, "", any);
static POLICY: Kind = text(1, 100_000, "", any);
static ARN: Kind = text(1, 1011, "", any);
static SPECIFIER: Kind = text(0, 60, "", any);
static TOKEN: Kind = text(1, 10_000, "", any);
static BUNDLE: Kind = text(1, 16_000, "", any);
static ANY: Kind = text(0, 2048, "", any);
/// In base64: the model's 1 to 300,000 bytes.
static LIST: Kind = text(4, 400_000, "", any);
static TAG: Kind =
    Kind::Structure(&[Member::required("key", &TAG_KEY), Member::required("value", &TAG_VALUE)]);
static DURATION_RANGE: Kind = Kind::Integer { min: 900, max: 43_200 };
static FIELDS: Kind = Kind::Choice(&["x509Subject", "x509Issuer", "x509SAN"]);
static RULE: Kind = Kind::Structure(&[Member::required("specifier", &SPECIFIER)]);
static SOURCE_KIND: Kind =
    Kind::Choice(&["AWS_ACM_PCA", "CERTIFICATE_BUNDLE", "SELF_SIGNED_REPOSITORY"]);
static SOURCE_DATA: Kind = Kind::Structure(&[
    Member::optional("x509CertificateData", &BUNDLE),
    Member::optional("acmPcaArn", &ANY),
]);
static SOURCE_SHAPE: Kind = Kind::Structure(&[
    Member::optional("sourceType", &SOURCE_KIND),
    Member::optional("sourceData", &SOURCE_DATA),
]);
static EVENT: Kind = Kind::Choice(&["CA_CERTIFICATE_EXPIRY", "END_ENTITY_CERTIFICATE_EXPIRY"]);
static CHANNEL: Kind = Kind::Choice(&["ALL"]);
static SETTING: Kind = Kind::Structure(&[
    Member::required("enabled", &Kind::Boolean),
    Member::required("event", &EVENT),
    Member::optional("threshold", &Kind::Integer { min: 1, max: 360 }),
    Member::optional("channel", &CHANNEL),
]);
static SETTING_KEY: Kind =
    Kind::Structure(&[Member::required("event", &EVENT), Member::optional("channel", &CHANNEL)]);

static TAG_LIST: Kind = Kind::List(&TAG);
static TAG_KEY_LIST: Kind = Kind::List(&TAG_KEY);
static SETTING_LIST: Kind = Kind::List(&SETTING);
static SETTING_KEY_LIST: Kind = Kind::List(&SETTING_KEY);
static ROLE_LIST: Kind = Kind::List(&ROLE);
static MANAGED_LIST: Kind = Kind::List(&MANAGED);
static RULE_LIST: Kind = Kind::List(&RULE);
static SPECIFIER_LIST: Kind = Kind::List(&SPECIFIER);

pub(super) const ANCHOR_ID: Member = Member::required("trustAnchorId", &ID_TEXT);
pub(super) const PROFILE_ID: Member = Member::required("profileId", &ID_TEXT);
pub(super) const CRL_ID: Member = Member::required("crlId", &ID_TEXT);
pub(super) const SUBJECT_ID: Member = Member::required("subjectId", &ID_TEXT);
pub(super) const NAME: Member = Member::required("name", &NAME_TEXT);
pub(super) const NEW_NAME: Member = Member::optional("name", &NAME_TEXT);
pub(super) const SOURCE: Member = Member::required("source", &SOURCE_SHAPE);
pub(super) const NEW_SOURCE: Member = Member::optional("source", &SOURCE_SHAPE);
pub(super) const ENABLED: Member = Member::optional("enabled", &Kind::Boolean);
pub(super) const TAGS: Member = Member::optional("tags", &TAG_LIST);
pub(super) const NEW_TAGS: Member = Member::required("tags", &TAG_LIST);
pub(super) const TAG_KEYS: Member = Member::required("tagKeys", &TAG_KEY_LIST);
pub(super) const NOTIFICATIONS: Member = Member::optional("notificationSettings", &SETTING_LIST);
pub(super) const NEW_NOTIFICATIONS: Member =
    Member::required("notificationSettings", &SETTING_LIST);
pub(super) const NOTIFICATION_KEYS: Member =
    Member::required("notificationSettingKeys", &SETTING_KEY_LIST);
pub(super) const INSTANCE: Member = Member::optional("requireInstanceProperties", &Kind::Boolean);
pub(super) const SESSION_POLICY: Member = Member::optional("sessionPolicy", &POLICY);
pub(super) const ROLES: Member = Member::required("roleArns", &ROLE_LIST);
pub(super) const NEW_ROLES: Member = Member::optional("roleArns", &ROLE_LIST);
pub(super) const MANAGED_POLICIES: Member = Member::optional("managedPolicyArns", &MANAGED_LIST);
pub(super) const DURATION: Member = Member::optional("durationSeconds", &DURATION_RANGE);
pub(super) const SESSION_NAMES: Member = Member::optional("acceptRoleSessionName", &Kind::Boolean);
pub(super) const FIELD: Member = Member::required("certificateField", &FIELDS);
pub(super) const RULES: Member = Member::required("mappingRules", &RULE_LIST);
pub(super) const SPECIFIERS: Member = Member::optional("specifiers", &SPECIFIER_LIST);
pub(super) const CRL_DATA: Member = Member::required("crlData", &LIST);
pub(super) const NEW_CRL_DATA: Member = Member::optional("crlData", &LIST);
pub(super) const ANCHOR: Member = Member::required("trustAnchorArn", &ANCHOR_TEXT);
pub(super) const RESOURCE: Member = Member::required("resourceArn", &ARN);
pub(super) const NEXT: Member = Member::optional("nextToken", &TOKEN);
pub(super) const PAGE: Member =
    Member::optional("pageSize", &Kind::Integer { min: i64::MIN, max: i64::MAX });

/// CreateSession, which botocore's model does not have: its page in the User Guide.
pub(super) const PROFILE: Member = Member::required("profileArn", &ARN);
pub(super) const SESSION_ROLE: Member = Member::required("roleArn", &ARN);
pub(super) const SESSION_ANCHOR: Member = Member::required("trustAnchorArn", &ARN);
pub(super) const SESSION_NAME: Member = Member::optional("roleSessionName", &ANY);
/// Deprecated, and of no effect.
pub(super) const OLD_SESSION_NAME: Member = Member::optional("sessionName", &ANY);
pub(super) const PROPERTIES: Member =
    Member::optional("instanceProperties", &Kind::Texts { most: 50, key: 200, value: 200 });
