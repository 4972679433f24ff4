//! `/countersign/v1`: sessions and revocations; on the admin socket also accounts, long-term keys
//! and backups.

pub mod accounts;
pub mod backups;
pub mod directory;
pub mod keys;
pub mod revocations;
pub mod sessions;

use crate::audit::UserIdentity;
use crate::ops::{Context, trail};

/// Who asks for something of `/countersign/v1`.
pub enum Asker<'a> {
    /// A signed caller on the API listener: its policies decide.
    Signed(&'a Context<'a>),
    /// Whoever may open the admin socket: the host's operator. The file's mode decided.
    HostOperator(&'a Context<'a>),
}

impl Asker<'_> {
    /// The request.
    pub fn context(&self) -> &Context<'_> {
        match self {
            Self::Signed(context) | Self::HostOperator(context) => context,
        }
    }

    /// Who asks, as audit records tell it.
    pub fn user_identity(&self) -> UserIdentity {
        match self {
            Self::Signed(context) => trail::user_identity(context.caller),
            Self::HostOperator(_) => trail::host_operator(),
        }
    }
}
