//! Size limits of policy documents.
//!
//! Source: IAM User Guide, "IAM and AWS STS quotas". IAM does not count white space; the limit of
//! session policies is on the raw text.

/// A document longer than this many bytes is not even looked at.
pub const HARD_CAP_BYTES: usize = 64 * 1024;

/// JSON nested deeper than this is refused; the language itself needs six levels.
pub const MAX_DEPTH: usize = 16;

/// A managed policy's limit, in characters without white space.
pub const MANAGED_CHARS: usize = 6_144;

/// A trust policy's default limit, in characters without white space.
pub const TRUST_CHARS: usize = 2_048;

/// The most to which a trust policy's limit can be raised, in characters without white space.
pub const TRUST_CHARS_MAX: usize = 4_096;

/// The limit of a user's inline policies, all together, in characters without white space.
pub const INLINE_USER_CHARS: usize = 2_048;

/// The limit of a group's inline policies, all together, in characters without white space.
pub const INLINE_GROUP_CHARS: usize = 5_120;

/// The limit of a role's inline policies, all together, in characters without white space.
pub const INLINE_ROLE_CHARS: usize = 10_240;

/// An inline session policy's limit, in characters, white space included.
pub const SESSION_CHARS: usize = 2_048;

/// A document's size as IAM counts it: characters other than white space.
pub fn count_without_whitespace(text: &str) -> usize {
    text.chars().filter(|c| !c.is_ascii_whitespace()).count()
}
