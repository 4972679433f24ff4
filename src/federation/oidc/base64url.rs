//! base64url without padding, one text a value (RFC 7515, section 2; RFC 4648, section 3.5).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

// INVARIANT: padding, other alphabets, white space and stray trailing bits are refused, or a token
// could be written in several ways.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    ENGINE.decode(text).ok()
}

pub(super) fn encode(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}
