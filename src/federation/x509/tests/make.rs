//! Authorities and certificates.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams,
    CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, RevokedCertParams, SerialNumber,
};

use crate::time::Timestamp;

/// The time of these tests: that of the bench of operations.
pub(crate) const NOW: i64 = 1_790_000_000;

/// [`NOW`].
pub(super) fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

pub(super) fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// What the certificate of an end entity looks like.
pub(crate) fn end_entity(common: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = name(common);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    (params.not_before, params.not_after) = (at!(-3600), at!(86_400));
    params.serial_number = Some(SerialNumber::from_slice(&[0x12, 0x34, 0x56]));
    params
}

/// What that of an authority looks like.
pub(crate) fn authority(common: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = name(common);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (at!(-7200), at!(10 * 86_400));
    params
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

/// An authority with its key.
pub(crate) struct Authority(pub(crate) CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub(crate) struct Party {
    pub(crate) certificate: Certificate,
    pub(crate) key: KeyPair,
}

impl Party {
    pub(crate) fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }
}

impl Authority {
    /// One by its own word.
    pub(crate) fn root(common: &str) -> Self {
        Self::of(authority(common))
    }

    pub(crate) fn of(params: CertificateParams) -> Self {
        Self(CertifiedIssuer::self_signed(params, key()).unwrap())
    }

    /// One below this one.
    pub(crate) fn below(&self, common: &str) -> Self {
        self.below_with(authority(common))
    }

    pub(super) fn below_with(&self, params: CertificateParams) -> Self {
        Self(CertifiedIssuer::signed_by(params, key(), &self.0).unwrap())
    }

    /// The certificate of an end entity.
    pub(crate) fn issue(&self, params: &CertificateParams) -> Party {
        self.issue_to(params, key())
    }

    pub(crate) fn issue_to(&self, params: &CertificateParams, key: KeyPair) -> Party {
        Party { certificate: params.signed_by(&key, &self.0).unwrap(), key }
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A list of these serial numbers, good until `until` seconds from now.
    pub(crate) fn list(&self, serials: &[&[u8]], until: i64) -> Vec<u8> {
        self.list_with(serials, until, |_| {})
    }

    pub(crate) fn list_with(
        &self,
        serials: &[&[u8]],
        until: i64,
        change: impl FnOnce(&mut CertificateRevocationListParams),
    ) -> Vec<u8> {
        let entry = |serial: &&[u8]| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: at!(-60),
            reason_code: None,
            invalidity_date: None,
        };
        let mut params = CertificateRevocationListParams {
            this_update: at!(-120),
            next_update: at!(until),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        change(&mut params);
        params.signed_by(&self.0).unwrap().der().to_vec()
    }
}
