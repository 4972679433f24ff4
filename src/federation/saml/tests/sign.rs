//! A signer for tests, which signs what a test has it sign, right or wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use super::super::c14n;
use super::*;

pub(crate) type Edit = Box<dyn Fn(String) -> String>;

/// What is signed, and what is changed before and after.
pub(crate) struct Form {
    pub(crate) assertion: bool,
    pub(crate) response: bool,
    /// Changes the document before anything is signed. `[R]` and `[A]` are where signatures go.
    pub(crate) document: Edit,
    /// Changes a `SignedInfo` before it is signed.
    pub(crate) info: Edit,
    /// Changes a whole signature once it is made.
    pub(crate) signature: Edit,
}

impl Default for Form {
    fn default() -> Self {
        let same = || Box::new(|text| text) as Edit;
        Self { assertion: true, response: false, document: same(), info: same(), signature: same() }
    }
}

/// A response that is good, but for its signatures.
pub(crate) const RESPONSE: &str = r#"<samlp:Response
 xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns="urn:oasis:names:tc:SAML:2.0:assertion"
 ID="_r" Version="2.0" IssueInstant="2026-09-21T14:13:15Z">
<Issuer>https://idp.example/metadata</Issuer>[R]
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
<Assertion ID="_a" Version="2.0" IssueInstant="2026-09-21T14:13:15Z">
<Issuer>https://idp.example/metadata</Issuer>[A]
<Subject><NameID>alice</NameID>
<SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><SubjectConfirmationData
 Recipient="https://signin.aws.amazon.com/saml" NotOnOrAfter="2026-09-21T14:15:20Z"/></SubjectConfirmation></Subject>
<Conditions NotBefore="2026-09-21T14:13:10Z" NotOnOrAfter="2026-09-21T14:16:20Z">
<AudienceRestriction><Audience>https://signin.aws.amazon.com/saml</Audience></AudienceRestriction>
</Conditions>
<AuthnStatement AuthnInstant="2026-09-21T14:13:15Z"/>
<AttributeStatement>
<Attribute Name="https://aws.amazon.com/SAML/Attributes/Role"><AttributeValue>arn:aws:iam::123456789012:saml-provider/Corp,arn:aws:iam::123456789012:role/Admin</AttributeValue></Attribute>
<Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><AttributeValue>alice</AttributeValue></Attribute>
</AttributeStatement>
</Assertion></samlp:Response>"#;

pub(crate) struct Signer {
    key: EcdsaKeyPair,
    certificate: String,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = CertificateParams::default().self_signed(&pair).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            pair.serialized_der(),
            &SystemRandom::new(),
        )
        .unwrap();
        Self { key, certificate: STANDARD.encode(certificate.der()) }
    }

    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    pub(crate) fn metadata(&self) -> Metadata {
        Metadata::parse(&metadata::text(&[&self.certificate])).unwrap()
    }

    /// Signs [`RESPONSE`].
    pub(crate) fn signed(&self, form: &Form) -> String {
        let mut text = (form.document)(RESPONSE.to_owned());
        for (place, id, wanted) in [("[A]", "_a", form.assertion), ("[R]", "_r", form.response)] {
            let signature = if wanted { self.signature(&text, id, form) } else { String::new() };
            text = text.replace(place, &signature);
        }
        text
    }

    /// A signature of the element with this ID.
    pub(crate) fn signature(&self, text: &str, id: &str, form: &Form) -> String {
        let bare = text.replace("[A]", "").replace("[R]", "");
        let canonical = c14n::canonical(&bare, Some(id), &[]).unwrap().unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, canonical.as_bytes());
        let info = format!(
            "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
             <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
             <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"/>\
             <ds:Reference URI=\"#{id}\"><ds:Transforms>\
             <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
             <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
             <ds:DigestValue>{}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
            STANDARD.encode(digest)
        );
        let info = (form.info)(info);
        let value = self.value(&info);
        (form.signature)(format!(
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}\
             <ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        ))
    }

    fn value(&self, info: &str) -> String {
        let canonical = match c14n::canonical(info, None, &[]) {
            Ok(canonical) => canonical.unwrap(),
            // What has no canonical form is refused before its signature is looked at.
            Err(_) => info.to_owned(),
        };
        STANDARD.encode(self.key.sign(&SystemRandom::new(), canonical.as_bytes()).unwrap())
    }
}
