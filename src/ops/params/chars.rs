//! The character patterns of AWS's service models, as functions.
//!
//! The text of each pattern is what AWS quotes in its errors; the function next to it is what we
//! check, so that no regular expression runs on a caller's input. `\w` is ASCII, as in AWS's.

/// A pattern of the models: its text, and whether a whole value matches.
#[derive(Clone, Copy)]
pub struct Chars {
    /// As quoted in an error.
    pub pattern: &'static str,
    /// Whether the value matches from its beginning to its end.
    pub accepts: fn(&str) -> bool,
}

/// Whatever an answer can carry: what the models say of ARNs.
pub const ANY: Chars = Chars {
    pattern: r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+",
    accepts: |v| {
        some(v, |c| {
            matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..)
                && !matches!(c, '\u{fffe}' | '\u{ffff}')
        })
    },
};

/// Names of users, roles and most else in IAM.
pub const NAME: Chars =
    Chars { pattern: r"[\w+=,.@-]+", accepts: |v| some(v, |c| word(c) || "+=,.@-".contains(c)) };

/// Names of sessions, and source identities.
pub const SESSION_NAME: Chars =
    Chars { pattern: r"[\w+=,.@-]*", accepts: |v| all(v, |c| word(c) || "+=,.@-".contains(c)) };

/// External IDs.
pub const EXTERNAL_ID: Chars = Chars {
    pattern: r"[\w+=,.@:\/-]*",
    accepts: |v| all(v, |c| word(c) || "+=,.@:/-".contains(c)),
};

/// Serial numbers of MFA devices.
pub const SERIAL: Chars =
    Chars { pattern: r"[\w+=/:,.@-]*", accepts: |v| all(v, |c| word(c) || "+=/:,.@-".contains(c)) };

/// Access key IDs and unique IDs.
pub const WORD: Chars = Chars { pattern: r"[\w]*", accepts: |v| all(v, word) };

/// IDs of private keys.
pub const KEY_ID: Chars = Chars {
    pattern: r"[A-Z0-9]+",
    accepts: |v| some(v, |c| c.is_ascii_uppercase() || c.is_ascii_digit()),
};

/// Names of services in actions.
pub const NAMESPACE: Chars =
    Chars { pattern: r"[\w-]*", accepts: |v| all(v, |c| word(c) || c == '-') };

/// Codes of MFA devices.
pub const DIGITS: Chars = Chars { pattern: r"[\d]*", accepts: |v| all(v, |c| c.is_ascii_digit()) };

/// Account IDs.
pub const ACCOUNT: Chars =
    Chars { pattern: r"\d{12}", accepts: |v| v.len() == 12 && all(v, |c| c.is_ascii_digit()) };

/// Policy documents and passwords.
pub const LATIN: Chars = Chars {
    pattern: r"[\u0009\u000A\u000D\u0020-\u00FF]+",
    accepts: |v| some(v, |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}')),
};

/// Descriptions.
pub const DESCRIPTION: Chars = Chars {
    pattern: r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*",
    accepts: |v| all(v, |c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}')),
};

/// Page markers.
pub const MARKER: Chars =
    Chars { pattern: r"[\u0020-\u00FF]+", accepts: |v| some(v, |c| matches!(c, ' '..='\u{ff}')) };

/// Paths of users, groups and roles: `/`, or `/…/`.
pub const PATH: Chars = Chars {
    pattern: r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)",
    accepts: |v| {
        v == "/"
            || v.strip_prefix('/')
                .and_then(|rest| rest.strip_suffix('/'))
                .is_some_and(|inner| some(inner, |c| c.is_ascii_graphic()))
    },
};

/// Beginnings of paths, by which lists are filtered.
pub const PATH_PREFIX: Chars = Chars {
    pattern: r"\u002F[\u0021-\u007F]*",
    accepts: |v| v.strip_prefix('/').is_some_and(|rest| all(rest, |c| matches!(c, '!'..='\u{7f}'))),
};

/// Paths of managed policies.
pub const POLICY_PATH: Chars = Chars {
    pattern: r"((/[A-Za-z0-9\.,\+@=_-]+)*)/",
    accepts: |v| {
        v.strip_suffix('/').is_some_and(|rest| {
            let part = |p: &str| some(p, |c| word(c) || ".,+@=-".contains(c));
            rest.is_empty() || rest.strip_prefix('/').is_some_and(|rest| rest.split('/').all(part))
        })
    },
};

/// Versions of managed policies.
pub const POLICY_VERSION: Chars = Chars {
    pattern: r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?",
    accepts: |v| {
        v.strip_prefix('v').is_some_and(|rest| {
            let (number, label) = rest.split_once('.').unwrap_or((rest, ""));
            some(number, |c| c.is_ascii_digit())
                && !number.starts_with('0')
                && all(label, |c| c.is_ascii_alphanumeric() || c == '-')
        })
    },
};

/// Aliases of accounts.
pub const ACCOUNT_ALIAS: Chars = Chars {
    pattern: r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
    accepts: |v| {
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        (3..=63).contains(&v.len())
            && all(v, |c| edge(c) || c == '-')
            && v.starts_with(edge)
            && v.ends_with(edge)
            && !v.contains("--")
    },
};

/// Names of SAML providers.
pub const SAML_NAME: Chars =
    Chars { pattern: r"[\w._-]+", accepts: |v| some(v, |c| word(c) || "._-".contains(c)) };

/// Keys of tags. `\p{L}` is taken with the marks that belong to letters (Unicode's Alphabetic).
pub const TAG_KEY: Chars =
    Chars { pattern: r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", accepts: |v| some(v, tag) };

/// Values of tags, as [`TAG_KEY`], perhaps empty.
pub const TAG_VALUE: Chars =
    Chars { pattern: r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", accepts: |v| all(v, tag) };

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn tag(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

fn all(value: &str, accepts: impl FnMut(char) -> bool) -> bool {
    value.chars().all(accepts)
}

fn some(value: &str, accepts: impl FnMut(char) -> bool) -> bool {
    !value.is_empty() && all(value, accepts)
}
