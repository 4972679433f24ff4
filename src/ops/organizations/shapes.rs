//! The shapes of the Organizations model.

use crate::ops::json::shape::Text;
use crate::ops::json::{Kind, Member};
use crate::ops::params::chars;

const fn text(min: usize, max: usize, pattern: &'static str, accepts: fn(&str) -> bool) -> Kind {
    Kind::Text(Text { min, max: Some(max), pattern, accepts })
}

/// A run of such characters, this many of them.
fn run(text: &str, least: usize, most: usize, accepts: fn(u8) -> bool) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(accepts)
}

fn small(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn mixed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_account(text: &str) -> bool {
    run(text, 12, 12, |b| b.is_ascii_digit())
}

fn is_root(text: &str) -> bool {
    text.strip_prefix("r-").is_some_and(|rest| run(rest, 4, 32, small))
}

fn is_unit(text: &str) -> bool {
    let parts = text.strip_prefix("ou-").and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(root, own)| run(root, 4, 32, small) && run(own, 8, 32, small))
}

fn is_policy(text: &str) -> bool {
    text.strip_prefix("p-").is_some_and(|rest| run(rest, 8, 128, mixed))
}

fn anything(_: &str) -> bool {
    true
}

const ANYTHING: &str = r"[\s\S]*";

/// An account's ID.
pub static ACCOUNT_ID: Kind = text(0, 12, r"^\d{12}$", is_account);
/// The ID of a root or unit.
pub static PARENT_ID: Kind =
    text(0, 100, r"^(r-[0-9a-z]{4,32})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$", |it| {
        is_root(it) || is_unit(it)
    });
/// The ID of a root, unit or account.
pub static TARGET_ID: Kind =
    text(0, 100, r"^(r-[0-9a-z]{4,32})|(\d{12})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$", |it| {
        is_root(it) || is_unit(it) || is_account(it)
    });
/// The ID of a unit or account.
pub static CHILD_ID: Kind = text(0, 100, r"^(\d{12})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$", |it| {
    is_unit(it) || is_account(it)
});
/// A root's ID.
pub static ROOT_ID: Kind = text(0, 34, r"^r-[0-9a-z]{4,32}$", is_root);
/// A unit's ID.
pub static UNIT_ID: Kind = text(0, 68, r"^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$", is_unit);
/// A policy's ID.
pub static POLICY_ID: Kind = text(0, 130, r"^p-[0-9a-zA-Z_]{8,128}$", is_policy);
/// The ID of a request for an account.
pub static CREATION_ID: Kind = text(0, 36, r"^car-[a-z0-9]{8,32}$", |it| {
    it.strip_prefix("car-").is_some_and(|rest| run(rest, 8, 32, small))
});
/// The ID of whatever has tags.
pub static TAGGABLE_ID: Kind = text(
    0,
    130,
    r"^(r-[0-9a-z]{4,32})|(\d{12})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})|(^p-[0-9a-zA-Z_]{8,128})|(^rp-[0-9a-zA-Z_]{4,128})|(^rt-[0-9a-zA-Z_]{8,32})$",
    |it| {
        let rest = |prefix| it.strip_prefix(prefix);
        is_root(it)
            || is_account(it)
            || is_unit(it)
            || is_policy(it)
            || rest("rp-").is_some_and(|rest| run(rest, 4, 128, mixed))
            || rest("rt-").is_some_and(|rest| run(rest, 8, 32, mixed))
    },
);
/// Where a list goes on.
pub static NEXT_TOKEN: Kind = text(0, 100_000, ANYTHING, anything);
/// How many entries a page has.
pub static MAX_RESULTS: Kind = Kind::Integer { min: 1, max: 20 };
/// A unit's name, a policy's name.
pub static NAME: Kind = text(1, 128, ANYTHING, anything);
/// A policy's description.
pub static DESCRIPTION: Kind = text(0, 512, ANYTHING, anything);
/// A policy's text.
pub static CONTENT: Kind =
    Kind::Text(Text { min: 1, max: None, pattern: ANYTHING, accepts: anything });
/// An account's address.
pub static EMAIL: Kind = text(6, 64, r"[^\s@]+@[^\s@]+\.[^\s@]+", |it| {
    let plain =
        |text: &str| !text.is_empty() && !text.contains(|c: char| c == '@' || c.is_whitespace());
    it.split_once('@').is_some_and(|(local, domain)| {
        let dot = |(at, _): (usize, &str)| at > 0 && at + 1 < domain.len();
        plain(local) && plain(domain) && domain.match_indices('.').any(dot)
    })
});
/// An account's name.
pub static ACCOUNT_NAME: Kind = text(1, 50, r"[\u0020-\u007E]+", |it| {
    !it.is_empty() && it.bytes().all(|b| (b' '..=b'~').contains(&b))
});
/// The name of the role that a new account gets.
pub static ROLE_NAME: Kind = text(0, 64, r"[\w+=,.@-]{1,64}", |it| {
    run(it, 1, 64, |b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
});
/// A service, by its principal's name.
pub static SERVICE_PRINCIPAL: Kind = text(1, 128, r"[\w+=,.@-]*", |it| {
    it.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
});
/// A handshake's ID.
pub static HANDSHAKE_ID: Kind = text(0, 34, r"^h-[0-9a-z]{8,32}$", |it| {
    it.strip_prefix("h-").is_some_and(|rest| run(rest, 8, 32, small))
});

static PARTY_ID: Kind = text(1, 64, ANYTHING, anything);
static PARTY_TYPE: Kind = Kind::Choice(&["ACCOUNT", "ORGANIZATION", "EMAIL"]);
/// Who takes part in a handshake.
pub static PARTY: Kind =
    Kind::Structure(&[Member::required("Id", &PARTY_ID), Member::required("Type", &PARTY_TYPE)]);
/// Words for whoever is invited.
pub static NOTES: Kind = text(0, 1024, ANYTHING, anything);

const TAG_TEXT: &str = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$";

/// A tag's key.
pub static TAG_KEY: Kind = text(1, 128, TAG_TEXT, chars::TAG_VALUE.accepts);
static TAG_VALUE: Kind = text(0, 256, TAG_TEXT, chars::TAG_VALUE.accepts);
static TAG: Kind =
    Kind::Structure(&[Member::required("Key", &TAG_KEY), Member::required("Value", &TAG_VALUE)]);
/// Tags.
pub static TAGS: Kind = Kind::List(&TAG);
/// Keys of tags.
pub static TAG_KEYS: Kind = Kind::List(&TAG_KEY);

/// What an organization does.
pub static FEATURE_SET: Kind = Kind::Choice(&["ALL", "CONSOLIDATED_BILLING"]);
/// Every type of policy that AWS has.
pub static POLICY_TYPE: Kind = Kind::Choice(&[
    "SERVICE_CONTROL_POLICY",
    "RESOURCE_CONTROL_POLICY",
    "TAG_POLICY",
    "BACKUP_POLICY",
    "AISERVICES_OPT_OUT_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "SECURITYHUB_POLICY",
    "SECURITYHUB_CSPM_POLICY",
    "INSPECTOR_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
    "BEDROCK_POLICY",
    "S3_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    "GUARDDUTY_POLICY",
]);
/// The types of policies that are put together into an effective one.
pub static EFFECTIVE_POLICY_TYPE: Kind = Kind::Choice(&[
    "TAG_POLICY",
    "BACKUP_POLICY",
    "AISERVICES_OPT_OUT_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "SECURITYHUB_POLICY",
    "SECURITYHUB_CSPM_POLICY",
    "INSPECTOR_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
    "BEDROCK_POLICY",
    "S3_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    "GUARDDUTY_POLICY",
]);
/// What may stand in a parent.
pub static CHILD_TYPE: Kind = Kind::Choice(&["ACCOUNT", "ORGANIZATIONAL_UNIT"]);
/// Whether users of an account see its bills.
pub static BILLING_ACCESS: Kind = Kind::Choice(&["ALLOW", "DENY"]);
/// How far the making of an account is.
pub static CREATION_STATES: Kind =
    Kind::List(&Kind::Choice(&["IN_PROGRESS", "SUCCEEDED", "FAILED"]));
static HANDSHAKE_ACTION: Kind = Kind::Choice(&[
    "INVITE",
    "ENABLE_ALL_FEATURES",
    "APPROVE_ALL_FEATURES",
    "ADD_ORGANIZATIONS_SERVICE_LINKED_ROLE",
    "TRANSFER_RESPONSIBILITY",
]);
/// Which handshakes are to be listed.
pub static HANDSHAKE_FILTER: Kind = Kind::Structure(&[
    Member::optional("ActionType", &HANDSHAKE_ACTION),
    Member::optional("ParentHandshakeId", &HANDSHAKE_ID),
]);

/// `NextToken`.
pub const fn next_token() -> Member {
    Member::optional("NextToken", &NEXT_TOKEN)
}

/// `MaxResults`.
pub const fn max_results() -> Member {
    Member::optional("MaxResults", &MAX_RESULTS)
}
