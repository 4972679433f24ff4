//! Which listeners may be reached from where, decided before anything is bound.
//!
//! INVARIANT (no accidental plaintext): beyond loopback, the API and verify listeners speak TLS
//! unless the operator said `--insecure-plaintext`; the verify listener with TLS asks its clients
//! for certificates, unless some service is asked about by principals that sign their questions.
//! Who neither shows a certificate nor signs, nor is on this host, is answered nothing there. The
//! ops listener serves no secrets and stays plaintext, for probes.

use std::net::SocketAddr;

use super::settings::{ClientCertificates, Settings, TlsSettings};
use super::tls::{Clients, TlsFiles};

/// A listener that must not be opened as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExposureError {
    /// Beyond loopback without TLS.
    #[error(
        "{setting} {address} is beyond loopback: set tls.certificate and tls.key, \
         or accept the risk with --insecure-plaintext"
    )]
    Plaintext {
        /// The setting that names the address.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// The verify listener beyond loopback, with TLS but open to any client.
    #[error(
        "verify_listen {address} is beyond loopback: set tls.verify_client_ca, \
         or list principals that sign their questions among the askers of a service"
    )]
    AnyClient {
        /// The address.
        address: SocketAddr,
    },
    /// A certificate without its key, or the other way around.
    #[error("tls.certificate and tls.key go together: {missing} is not set")]
    HalfTls {
        /// The setting that is missing.
        missing: &'static str,
    },
    /// A client CA where no TLS is spoken.
    #[error("tls.verify_client_ca needs tls.certificate and tls.key")]
    ClientCaWithoutTls,
    /// Certificates are asked for where no TLS is spoken.
    #[error("tls.client_certificates = \"request\" needs tls.certificate and tls.key")]
    ClientCertificatesWithoutTls,
}

/// The TLS files of each listener that may speak TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Of the API listener; `None` is plaintext.
    pub api: Option<TlsFiles>,
    /// Of the verify listener; `None` is plaintext.
    pub verify: Option<TlsFiles>,
}

/// Decides what each listener speaks, or why it must not start.
///
/// `signing_askers`: some service is asked about by principals that sign their questions.
pub fn decide(
    settings: &Settings,
    tls: &TlsSettings,
    signing_askers: bool,
) -> Result<Exposure, ExposureError> {
    let files = files(tls)?;
    refuse_plaintext("listen", settings.listen, files.is_some(), settings.insecure_plaintext)?;
    refuse_plaintext(
        "verify_listen",
        settings.verify_listen,
        files.is_some(),
        settings.insecure_plaintext,
    )?;
    let with = |clients: Clients| files.clone().map(|files| TlsFiles { clients, ..files });
    let api = with(match tls.client_certificates {
        ClientCertificates::Off => Clients::Anonymous,
        ClientCertificates::Request => Clients::Asked,
    });
    let verify = with(tls.verify_client_ca.clone().map_or(Clients::Anonymous, Clients::Known));
    if let Some(verify) = verify.as_ref().filter(|_| !signing_askers) {
        refuse_any_client(settings.verify_listen, verify)?;
    }
    Ok(Exposure { api, verify })
}

/// Refuses an address beyond loopback that would speak plaintext without the operator's word.
pub fn refuse_plaintext(
    setting: &'static str,
    address: SocketAddr,
    tls: bool,
    insecure_plaintext: bool,
) -> Result<(), ExposureError> {
    if tls || insecure_plaintext || is_loopback(address) {
        return Ok(());
    }
    Err(ExposureError::Plaintext { setting, address })
}

/// Refuses a verify listener beyond loopback that would serve any client.
pub fn refuse_any_client(address: SocketAddr, files: &TlsFiles) -> Result<(), ExposureError> {
    if matches!(files.clients, Clients::Known(_)) || is_loopback(address) {
        return Ok(());
    }
    Err(ExposureError::AnyClient { address })
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn files(tls: &TlsSettings) -> Result<Option<TlsFiles>, ExposureError> {
    match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            clients: Clients::Anonymous,
        })),
        (Some(_), None) => Err(ExposureError::HalfTls { missing: "tls.key" }),
        (None, Some(_)) => Err(ExposureError::HalfTls { missing: "tls.certificate" }),
        (None, None) if tls.verify_client_ca.is_some() => Err(ExposureError::ClientCaWithoutTls),
        (None, None) if tls.client_certificates == ClientCertificates::Request => {
            Err(ExposureError::ClientCertificatesWithoutTls)
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(listen: &str, verify: &str, tls: bool, ca: bool, insecure: bool) -> String {
        judge_with(listen, verify, tls, ca, insecure, false)
    }

    #[expect(clippy::fn_params_excessive_bools, reason = "a row of a table")]
    fn judge_with(
        listen: &str,
        verify: &str,
        tls: bool,
        ca: bool,
        insecure: bool,
        signing: bool,
    ) -> String {
        let settings = Settings {
            listen: listen.parse().unwrap(),
            verify_listen: verify.parse().unwrap(),
            insecure_plaintext: insecure,
            ..Settings::default()
        };
        let tls = TlsSettings {
            certificate: tls.then(|| "c".into()),
            key: tls.then(|| "k".into()),
            verify_client_ca: ca.then(|| "a".into()),
            client_certificates: ClientCertificates::Off,
        };
        match decide(&settings, &tls, signing) {
            Ok(exposure) => {
                let word = |files: &Option<TlsFiles>| match files {
                    None => "plain",
                    Some(TlsFiles { clients: Clients::Anonymous, .. }) => "tls",
                    Some(TlsFiles { clients: Clients::Known(_), .. }) => "mtls",
                    Some(TlsFiles { clients: Clients::Asked, .. }) => "asked",
                };
                format!("{}/{}", word(&exposure.api), word(&exposure.verify))
            }
            Err(ExposureError::Plaintext { setting, .. }) => format!("{setting} plaintext"),
            Err(ExposureError::AnyClient { .. }) => "any client".into(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn the_rules() {
        let (near, far) = ("127.0.0.1:1", "0.0.0.0:1");
        for (listen, verify, tls, ca, insecure, expected) in [
            (near, near, false, false, false, "plain/plain"),
            ("[::1]:1", "[::ffff:127.0.0.1]:1", false, false, false, "plain/plain"),
            (far, near, false, false, false, "listen plaintext"),
            ("[::]:1", near, false, false, false, "listen plaintext"),
            ("10.0.0.1:1", near, false, false, false, "listen plaintext"),
            (near, far, false, false, false, "verify_listen plaintext"),
            (far, far, false, false, true, "plain/plain"),
            (far, near, true, false, false, "tls/tls"),
            (far, far, true, false, false, "any client"),
            (far, far, true, false, true, "any client"),
            (far, far, true, true, false, "tls/mtls"),
            (
                near,
                near,
                false,
                true,
                false,
                "tls.verify_client_ca needs tls.certificate and tls.key",
            ),
        ] {
            assert_eq!(judge(listen, verify, tls, ca, insecure), expected, "{listen} {verify}");
        }
    }

    #[test]
    fn principals_that_sign_need_no_certificate_but_tls() {
        let (near, far) = ("127.0.0.1:1", "0.0.0.0:1");
        for (tls, ca, expected) in [
            (true, false, "tls/tls"),
            (true, true, "tls/mtls"),
            (false, false, "verify_listen plaintext"),
        ] {
            assert_eq!(judge_with(near, far, tls, ca, false, true), expected);
        }
    }

    /// Who shows any certificate on the API listener is known by it there, and nowhere else.
    #[test]
    fn the_api_listener_alone_asks_for_any_certificate() {
        let tls = |files: bool, ca: bool| TlsSettings {
            certificate: files.then(|| "c".into()),
            key: files.then(|| "k".into()),
            verify_client_ca: ca.then(|| "a".into()),
            client_certificates: ClientCertificates::Request,
        };
        let near = Settings::default();
        let far = Settings { verify_listen: "0.0.0.0:1".parse().unwrap(), ..Settings::default() };
        let known = || Clients::Known("a".into());
        for (ca, expected) in [(false, Clients::Anonymous), (true, known())] {
            let exposure = decide(&near, &tls(true, ca), false).unwrap();
            assert_eq!(exposure.api.unwrap().clients, Clients::Asked);
            assert_eq!(exposure.verify.unwrap().clients, expected);
        }
        let address = far.verify_listen;
        let refused = decide(&far, &tls(true, false), false);
        assert_eq!(refused, Err(ExposureError::AnyClient { address }));
        let asked = TlsFiles { certificate: "c".into(), key: "k".into(), clients: Clients::Asked };
        assert!(refuse_any_client(address, &asked).is_err());
        let refused = decide(&near, &tls(false, false), false);
        assert_eq!(refused, Err(ExposureError::ClientCertificatesWithoutTls));
    }

    #[test]
    fn half_of_tls_is_an_error() {
        for (certificate, key, missing) in
            [(Some("c"), None, "tls.key"), (None, Some("k"), "tls.certificate")]
        {
            let tls = TlsSettings {
                certificate: certificate.map(Into::into),
                key: key.map(Into::into),
                ..TlsSettings::default()
            };
            let refused = decide(&Settings::default(), &tls, false);
            assert_eq!(refused, Err(ExposureError::HalfTls { missing }));
        }
    }
}
