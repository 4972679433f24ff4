//! The hosts that a service answers to.

/// A host, or every host one name below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// Lower-case, with the port if it is not the scheme's own.
    host: String,
    /// `*.host`: the names below it, which name buckets.
    below: bool,
}

/// Why a request for another host is refused.
pub const NOT_SERVED: &str = "The request was made for a host that the service does not answer to: a \
                              port that is not the scheme's own is part of it.";

/// A text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("takes names or addresses of hosts, with a port where it is not the scheme's own")]
pub struct HostError;

impl HostPattern {
    /// Reads `host`, `host:port`, or `*.host`.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let (host, below) = text.strip_prefix("*.").map_or((text, false), |host| (host, true));
        let fits = (1..=255).contains(&host.len()) && host.bytes().all(is_host_byte);
        fits.then(|| Self { host: host.to_ascii_lowercase(), below }).ok_or(HostError)
    }

    /// Whether it stands for the names below a host.
    pub fn is_below(&self) -> bool {
        self.below
    }

    /// Whether some host is below both: it would name one bucket by the one, another by the other.
    pub fn overlaps_below(&self, other: &Self) -> bool {
        let within = |one: &str, other: &str| {
            one.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let (one, two) = (self.host.as_str(), other.host.as_str());
        self.below && other.below && (within(one, two) || within(two, one))
    }

    /// Whether this is the host.
    pub fn is(&self, host: &str) -> bool {
        !self.below && self.host.eq_ignore_ascii_case(host)
    }

    /// The name before the host, of a pattern for the names below it; lower-case.
    pub fn name_below(&self, host: &str) -> Option<String> {
        let host = host.to_ascii_lowercase();
        let name = host.strip_suffix(&self.host)?.strip_suffix('.')?;
        (self.below && !name.is_empty()).then(|| name.to_owned())
    }
}

/// Whether a byte can stand in a host with its port.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte)
}
