//! Who may ask about a service.

use std::fmt;
use std::str::FromStr;

use crate::arn;

/// The names in a client's certificate, once the listener's client CA has vouched for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// The subject as RFC 4514 writes it, its last element first: `CN=orders,O=Example`.
    pub subject: String,
    /// The DNS names among the subject's alternative names.
    pub dns: Vec<String>,
    /// The URIs among them.
    pub uris: Vec<String>,
    /// The e-mail addresses among them.
    pub emails: Vec<String>,
}

/// One entry of a service's `askers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// `local`: any process that reaches the listener over loopback or its Unix socket.
    Local,
    /// `subject:CN=orders,O=Example`: a client certificate with this subject.
    Subject(String),
    /// `dns:orders.internal`: a client certificate with this DNS name.
    Dns(String),
    /// `uri:spiffe://example/orders`: a client certificate with this URI.
    Uri(String),
    /// `email:orders@example.com`: a client certificate with this e-mail address.
    Email(String),
    /// `arn:aws:iam::111122223333:role/orders`: questions signed by this user or role.
    Principal(String),
}

/// A text is no entry of `askers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "takes `local`, `subject:…`, `dns:…`, `uri:…`, `email:…` of a client certificate, or the ARN of \
     a user or role"
)]
pub struct AskerError;

impl FromStr for Asker {
    type Err = AskerError;

    fn from_str(text: &str) -> Result<Self, AskerError> {
        if text == "local" {
            return Ok(Self::Local);
        }
        if text.starts_with("arn:") {
            let known = arn::parse_role(text).is_some() || arn::parse_user(text).is_some();
            let known = known && !text.contains(['*', '?', '$']);
            return known.then(|| Self::Principal(text.to_owned())).ok_or(AskerError);
        }
        let (kind, name) = text.split_once(':').ok_or(AskerError)?;
        let plain = |c: char| !c.is_control() && c != '*';
        if name.is_empty() || name.trim() != name || !name.chars().all(plain) {
            return Err(AskerError);
        }
        match kind {
            "subject" => Ok(Self::Subject(name.to_owned())),
            "dns" => Ok(Self::Dns(name.to_ascii_lowercase())),
            "uri" => Ok(Self::Uri(name.to_owned())),
            "email" => Ok(Self::Email(name.to_owned())),
            _ => Err(AskerError),
        }
    }
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Subject(name) => write!(f, "subject:{name}"),
            Self::Dns(name) => write!(f, "dns:{name}"),
            Self::Uri(name) => write!(f, "uri:{name}"),
            Self::Email(name) => write!(f, "email:{name}"),
            Self::Principal(arn) => f.write_str(arn),
        }
    }
}

/// What the connection of a question shows of who asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// It came over loopback or the Unix socket.
    pub local: bool,
    /// The client's certificate, vouched for by the listener's client CA.
    pub certificate: Option<&'a CertificateNames>,
}

/// How an asker was admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Admission {
    /// As some process of this host. Never enough for signing keys and the change feed.
    Local,
    /// By a certificate or signature that the service lists.
    Registered,
}

impl Asker {
    /// Whether what the connection shows is this asker. A principal is never shown by a connection.
    pub(super) fn is(&self, shown: &Shown<'_>) -> Option<Admission> {
        let certificate = |held: &dyn Fn(&CertificateNames) -> bool| {
            shown.certificate.is_some_and(held).then_some(Admission::Registered)
        };
        match self {
            Self::Local => shown.local.then_some(Admission::Local),
            Self::Subject(subject) => certificate(&|names| names.subject == *subject),
            Self::Dns(dns) => {
                certificate(&|names| names.dns.iter().any(|name| name.eq_ignore_ascii_case(dns)))
            }
            Self::Uri(uri) => certificate(&|names| names.uris.contains(uri)),
            Self::Email(email) => certificate(&|names| names.emails.contains(email)),
            Self::Principal(_) => None,
        }
    }
}
