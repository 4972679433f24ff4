#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

//! Certificates made on the spot, each with one thing wrong.

/// A moment, in seconds from [`NOW`].
macro_rules! at {
    ($seconds:expr) => {{
        let seconds: i64 = $seconds;
        let since = (crate::federation::x509::tests::NOW + seconds).cast_unsigned();
        rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(since)
    }};
}
pub(crate) use at;

mod bundles;
mod lists;
mod make;
mod mapping;
mod paths;

pub(crate) use make::{Authority, NOW, Party, authority, end_entity};
