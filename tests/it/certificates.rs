//! Authorities and certificates for tests, as PEM files.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Without these, clients that keep to RFC 5280 do not take it for one.
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes its certificate.
    pub(crate) fn write(&self, file: PathBuf) -> PathBuf {
        std::fs::write(&file, self.0.pem()).unwrap();
        file
    }

    /// Writes a certificate for a server on loopback, and its key.
    pub(crate) fn server(&self, certificate: &Path, key: &Path) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        self.issue(names, ExtendedKeyUsagePurpose::ServerAuth, certificate, key);
    }

    /// Writes a certificate for a client, and its key.
    pub(crate) fn client(&self, certificate: &Path, key: &Path) {
        let names = vec!["orders.example".to_owned()];
        self.issue(names, ExtendedKeyUsagePurpose::ClientAuth, certificate, key);
    }

    fn issue(
        &self,
        names: Vec<String>,
        usage: ExtendedKeyUsagePurpose,
        certificate: &Path,
        key: &Path,
    ) {
        let mut params = CertificateParams::new(names).unwrap();
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.insert_extended_key_usage(usage);
        let pair = KeyPair::generate().unwrap();
        std::fs::write(certificate, params.signed_by(&pair, &self.0).unwrap().pem()).unwrap();
        std::fs::write(key, pair.serialize_pem()).unwrap();
    }
}
