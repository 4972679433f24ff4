//! Settings of IAM.

use serde::Deserialize;

/// The section `iam`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether a role may trust an identity provider without saying whom of its people.
    pub allow_unconditioned_federation: bool,
}
