//! A seed as a picture that authenticator apps read.
//!
//! Sources: ISO/IEC 18004 (QR codes, by `qrcodegen`); the W3C's PNG specification, third edition;
//! RFC 1950 and RFC 1951 (zlib); the `otpauth:` URIs that authenticator apps agree on.

use std::fmt::Write as _;

use crc_fast::CrcAlgorithm;
use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use super::Seed;

/// Whose codes they are, as apps show them.
const ISSUER: &str = "Countersign";
/// Pixels a module.
const SCALE: usize = 4;
/// Modules of white around.
const QUIET: usize = 4;
/// The most bytes in a block that is stored as it is.
const MAX_BLOCK: usize = 0xffff;

/// What an app shows beside the codes.
pub struct Label<'a> {
    /// The device's name.
    pub device: &'a str,
    /// The account's alias or ID.
    pub account: &'a str,
}

impl Label<'_> {
    /// The URI that hands a seed over.
    pub fn uri(&self, seed: &Seed) -> Zeroizing<String> {
        let mut uri = Zeroizing::new(String::with_capacity(256 + 3 * self.device.len()));
        let _ = write!(uri, "otpauth://totp/{ISSUER}:");
        escape(self.device, &mut uri);
        uri.push('@');
        escape(self.account, &mut uri);
        let _ = write!(uri, "?secret={}&issuer={ISSUER}", *seed.base32());
        uri
    }
}

/// A PNG of the text as a QR code; `None` if it is too long for one.
pub fn png(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = usize::try_from(code.size()).ok()?;
    let side = (size + 2 * QUIET) * SCALE;
    let line = side.div_ceil(8);
    // Rows of one bit a pixel, black is 0; each begins with the number of its filter, none.
    let mut rows = Zeroizing::new(Vec::with_capacity(side * (line + 1)));
    for y in 0..side {
        rows.push(0);
        for byte in 0..line {
            let bit = |bits: u8, x: usize| bits << 1 | u8::from(!is_black(&code, x, y));
            rows.push((byte * 8..byte * 8 + 8).fold(0, bit));
        }
    }
    let side = u32::try_from(side).ok()?;
    let mut out = Zeroizing::new(Vec::with_capacity(rows.len() + 128));
    out.extend_from_slice(b"\x89PNG\r\n\x1a\n");
    let [a, b, c, d] = side.to_be_bytes();
    // Width, height, one bit of grey, the only compression and filter there are, not interlaced.
    chunk(&mut out, *b"IHDR", &[a, b, c, d, a, b, c, d, 1, 0, 0, 0, 0]);
    chunk(&mut out, *b"IDAT", &stored(&rows));
    chunk(&mut out, *b"IEND", &[]);
    Some(out)
}

fn is_black(code: &QrCode, x: usize, y: usize) -> bool {
    let module = |at: usize| (at / SCALE).checked_sub(QUIET).and_then(|at| i32::try_from(at).ok());
    // Beyond its edges the code is white.
    module(x).zip(module(y)).is_some_and(|(x, y)| code.get_module(x, y))
}

/// A zlib stream that holds the bytes as they are: the pictures are small, and made once.
fn stored(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let blocks = bytes.chunks(MAX_BLOCK);
    let last = blocks.len().saturating_sub(1);
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len() + 16));
    out.extend_from_slice(&[0x78, 0x01]);
    for (at, block) in blocks.enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(at == last));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    out.extend_from_slice(&(high << 16 | low).to_be_bytes());
    out
}

fn chunk(out: &mut Zeroizing<Vec<u8>>, kind: [u8; 4], data: &[u8]) {
    let mut crc = crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc);
    crc.update(&kind);
    crc.update(data);
    out.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    out.extend_from_slice(&u32::try_from(crc.finalize()).unwrap_or(0).to_be_bytes());
}

/// Escapes whatever is not unreserved in a URI (RFC 3986, section 2.3).
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
