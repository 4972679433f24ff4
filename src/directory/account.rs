//! What belongs to an account as a whole.

use serde::{Deserialize, Serialize};

/// The rules for the passwords of an account's users.
///
/// Nobody signs in with a password here: the rules are kept for the tools that manage them.
///
/// Source: AWS IAM API reference, UpdateAccountPasswordPolicy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PasswordPolicy {
    /// Characters, 6 to 128.
    pub minimum_length: u32,
    /// One of the symbols.
    pub symbols: bool,
    /// A digit.
    pub numbers: bool,
    /// A capital letter.
    pub uppercase: bool,
    /// A small letter.
    pub lowercase: bool,
    /// Whether users may change their own.
    pub users_may_change: bool,
    /// Days, 1 to 1,095; `None`: they do not expire.
    pub max_age: Option<u32>,
    /// How many earlier passwords cannot be used again, 1 to 24.
    pub reuse_prevention: Option<u32>,
    /// Whether an expired password cannot be replaced by its user.
    pub hard_expiry: Option<bool>,
}

impl Default for PasswordPolicy {
    /// What a parameter that is not given means.
    fn default() -> Self {
        Self {
            minimum_length: 6,
            symbols: false,
            numbers: false,
            uppercase: false,
            lowercase: false,
            users_may_change: false,
            max_age: None,
            reuse_prevention: None,
            hard_expiry: None,
        }
    }
}
