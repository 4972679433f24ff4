//! Second factors: time-based one-time passwords.
//!
//! # Model
//!
//! A virtual device and the broker share a [`Seed`]. Each step of 30 seconds has one [`Code`] of six
//! digits, which only they can make. A device's clock may stand a little apart from ours: by how many
//! steps was seen when it was enabled (its drift), and each use looks one step to either side of that.
//!
//! INVARIANT: a code is good once. Whoever finds one takes note of its [step](Seed::find) before he
//! acts on it, and no code of that step or of an older one is found again.
//!
//! INVARIANT: guessing is slow. [`Failures`] are counted a device (and, as long as it is nobody's,
//! for who tries it last), and after a few of them in a row codes are not even looked at for a
//! while.
//!
//! # Trust boundary
//!
//! A code is whatever the caller typed: exactly six ASCII digits, or it is none. Comparisons take
//! the same time wherever they differ, and for each step that is looked at.
//!
//! Source: RFC 6238 (TOTP) and RFC 4226 (HOTP): SHA-1, 30 seconds, 6 digits, as every authenticator
//! app has them by default and AWS has them.

mod attempts;
#[cfg(feature = "server")]
mod picture;
mod totp;

#[cfg(test)]
mod tests;

pub use attempts::Failures;
#[cfg(feature = "server")]
pub use picture::{Label, png};
pub use totp::{Code, RESYNC_STEPS, STEP_SECS, Seed, step_at};
