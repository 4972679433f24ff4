//! PEM (RFC 7468): blocks of one label, and nothing else but comments between them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::X509Error;

/// The DER of every block.
///
/// # Errors
/// There is none, more than `most`, one of another label, or one that is not closed.
pub(super) fn blocks(
    text: &str,
    label: &'static str,
    most: usize,
) -> Result<Vec<Vec<u8>>, X509Error> {
    let wrong = X509Error::Pem(label);
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines().map(str::trim) {
        match &mut open {
            None if line == begin => open = Some(String::new()),
            None if line.starts_with("-----") => return Err(wrong),
            // What stands between blocks is a comment: OpenSSL writes the certificate in words there.
            None => {}
            Some(base64) if line == end => {
                let der = STANDARD.decode(base64.as_bytes()).map_err(|_| wrong.clone())?;
                if found.len() == most {
                    return Err(X509Error::TooLarge("bundle"));
                }
                found.push(der);
                open = None;
            }
            Some(base64) => base64.push_str(line),
        }
    }
    if open.is_some() || found.is_empty() { Err(wrong) } else { Ok(found) }
}
