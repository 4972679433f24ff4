//! Why a certificate, an authority or a revocation list is not taken. The texts are the operator's.

use rustls::pki_types::UnixTime;

use crate::time::Timestamp;

/// It is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum X509Error {
    /// It is longer than is read, or there are more than are read.
    #[error("the {0} is too large")]
    TooLarge(&'static str),
    /// It is not DER of its kind, or something follows it.
    #[error("the {0} cannot be read")]
    Malformed(&'static str),
    /// Not PEM, of other things than were expected, or of none.
    #[error("the text is not PEM of one or more {0}")]
    Pem(&'static str),
    /// A certificate of version 1 or 2.
    #[error("the certificate is not of version 3")]
    Version,
    /// Signed by an algorithm that is not taken: SHA-1, MD5, an unknown one.
    #[error("the {0} is signed by an algorithm that is not taken")]
    Algorithm(&'static str),
    /// A key of another type or size than is taken.
    #[error("the key of the {0} is neither RSA of 2048 to 8192 bits nor ECDSA on P-256 or P-384")]
    Key(&'static str),
    /// The serial number is negative, or too long.
    #[error("the serial number is negative, or longer than 20 bytes")]
    Serial,
    /// An extension is there twice, or cannot be read.
    #[error("an extension of the {0} is there twice, or cannot be read")]
    Extension(&'static str),
    /// A critical extension that is not known.
    #[error("a critical extension of the {0} is not known")]
    Critical(&'static str),
    /// Basic constraints are missing or say that it is an authority.
    #[error("the certificate's basic constraints do not say CA:FALSE")]
    NotEndEntity,
    /// Basic constraints are missing or say that it is none.
    #[error("the authority's basic constraints do not say CA:TRUE")]
    NotAuthority,
    /// The key usage does not hold what is needed.
    #[error("the key usage does not hold {0}")]
    KeyUsage(&'static str),
    /// Not in date.
    #[error("an authority of the bundle is not in date")]
    AuthorityNotInDate,
    /// The extended key usage of an authority of the bundle leaves clients out.
    #[error(
        "an authority of the bundle is not for clients: its extended key usage lacks clientAuth"
    )]
    NotForClients,
    /// No path, or one that breaks a rule.
    #[error("{}", of_path(.0))]
    Path(webpki::Error),
    /// More authorities on the path than the bundle's allows below it.
    #[error("the path is longer than the authority allows")]
    PathLength,
    /// A list of the issuer has it.
    #[error("the certificate, or an authority on its path, is revoked")]
    Revoked,
    /// A list of the issuer that is not in date: what it says is not known.
    #[error("a revocation list that covers the certificate ended at {}", .0.to_rfc3339())]
    ListNotInDate(Timestamp),
    /// The list is partial, indirect, or does not end.
    #[error("the revocation list is partial or indirect, or says no time of the next one")]
    PartialList,
    /// Another authority's list, where one is to take the place of an older one.
    #[error("its issuer is another one than that of the list in whose place it comes")]
    OtherIssuer,
    /// An older list, where one is to take the place of an older one.
    #[error("its {0} is older than that of the list in whose place it comes")]
    OlderList(&'static str),
    /// The list is by none of the bundle's authorities.
    #[error("the revocation list is not signed by an authority of the bundle that may")]
    ForeignList,
    /// A name that is no text, or is there several times, is to be mapped.
    #[error("the attribute {0} cannot be a session tag")]
    Attribute(String),
}

/// What was found of a path, in words. Other kinds are the library's own.
fn of_path(error: &webpki::Error) -> String {
    use webpki::Error as E;

    let at = |time: &UnixTime| {
        i64::try_from(time.as_secs()).map_or_else(
            |_| "a time that there is not".to_owned(),
            |secs| Timestamp::from_secs(secs).to_rfc3339(),
        )
    };
    let text = match error {
        E::UnknownIssuer => "no authority of the anchor has issued it",
        E::InvalidSignatureForPublicKey => "a signature on its path does not hold",
        E::RequiredEkuNotFoundContext(_) => {
            "its extended key usage, or that of an authority on its path, lacks clientAuth"
        }
        E::NameConstraintViolation => "an authority on its path may not issue for its names",
        E::MaximumSignatureChecksExceeded => "its path takes too many signatures to check",
        E::CertExpired { not_after, .. } => {
            return format!("it, or an authority on its path, ended at {}", at(not_after));
        }
        E::CertNotValidYet { not_before, .. } => {
            return format!("it, or an authority on its path, begins at {}", at(not_before));
        }
        other => return format!("its path is not good: {other}"),
    };
    text.to_owned()
}
