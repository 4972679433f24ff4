//! Three-valued truth: what cannot be decided is neither true nor false.
//!
//! INVARIANT (fail closed): an `Allow` needs [`Truth::True`]; a `Deny` applies unless it is
//! [`Truth::False`].

use std::fmt;
use std::ops::Not;

/// Whether something matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It does.
    True,
    /// It does not.
    False,
    /// It cannot be decided.
    Unknown,
}

impl Truth {
    /// Kleene's conjunction, stopping at the first false one.
    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::True;
        for part in parts {
            match part {
                Self::False => return Self::False,
                Self::Unknown => all = Self::Unknown,
                Self::True => {}
            }
        }
        all
    }

    /// Kleene's disjunction, stopping at the first true one.
    pub(crate) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Self::False;
        for part in parts {
            match part {
                Self::True => return Self::True,
                Self::Unknown => any = Self::Unknown,
                Self::False => {}
            }
        }
        any
    }

    /// The opposite when `negated`.
    pub(crate) fn negate_if(self, negated: bool) -> Self {
        if negated { !self } else { self }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "matches",
            Self::False => "does not match",
            Self::Unknown => "cannot be decided",
        })
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}
