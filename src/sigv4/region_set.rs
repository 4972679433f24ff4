//! The set of regions of a SigV4A request: names separated by commas, `*` standing for any text.

use super::SigError;

/// The longest set, in bytes.
const MAX_BYTES: usize = 1024;

/// Reads a set: visible ASCII, no name empty.
pub(super) fn parse(value: &[u8]) -> Result<&str, SigError> {
    let text = std::str::from_utf8(value).map_err(|_| SigError::MalformedRegionSet)?;
    let stands = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    if text.len() <= MAX_BYTES && names(text).all(stands) {
        Ok(text)
    } else {
        Err(SigError::MalformedRegionSet)
    }
}

/// Whether a set holds a region.
pub(super) fn covers(set: &str, region: &str) -> bool {
    names(set).any(|name| matches(name.as_bytes(), region.as_bytes()))
}

fn names(set: &str) -> impl Iterator<Item = &str> {
    set.split(',').map(|name| name.trim_matches(' '))
}

/// Matches in the time of `pattern` times `text` at most: only the last `*` is tried again.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, text) {
            ([b'*', after @ ..], _) => {
                again = Some((after, text));
                pattern = after;
            }
            ([p, after @ ..], [t, rest @ ..]) if p == t => (pattern, text) = (after, rest),
            ([], []) => return true,
            _ => {
                let Some((after, [_, rest @ ..])) = again else { return false };
                again = Some((after, rest));
                (pattern, text) = (after, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_cover() {
        for (set, region, expected) in [
            ("us-east-1", "us-east-1", true),
            ("us-east-1", "us-east-2", false),
            ("us-east-1", "us-east-11", false),
            ("us-east-1", "", false),
            ("us-east-1,eu-west-1", "eu-west-1", true),
            ("us-east-1, eu-west-1", "eu-west-1", true),
            ("*", "anything", true),
            ("*", "", true),
            ("us-*", "us-east-1", true),
            ("us-*", "eu-us-1", false),
            ("*-1", "us-east-1", true),
            ("*-1", "us-east-1a", false),
            ("us-*-1", "us-east-1", true),
            ("us-*-1", "us-east-2", false),
            ("**a*b", "xaab", true),
            ("a*a", "a", false),
            ("US-EAST-1", "us-east-1", false),
        ] {
            assert_eq!(covers(set, region), expected, "{set} {region}");
        }
    }

    #[test]
    fn malformed_sets() {
        for bad in ["", ",", "a,", ",a", "a,,b", "a b", "a\tb", "é", "a\n"] {
            assert_eq!(parse(bad.as_bytes()), Err(SigError::MalformedRegionSet), "{bad:?}");
        }
        assert!(parse(&[b'a'; 1024]).is_ok());
        assert!(parse(&[b'a'; 1025]).is_err());
        assert!(parse(b"\xff").is_err());
    }
}
