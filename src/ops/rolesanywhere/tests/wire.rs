//! `POST /sessions` as a client makes it, from the description of the protocol alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::SigningKey as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::region;
use crate::authn::{
    Caller, CertificateError, CertificateIdentity, HeldChain, ShowingRequest, certificate_identity,
};
use crate::federation::x509::Leaf;
use crate::federation::x509::tests::Party;
use crate::id::{AccountId, ProviderId};
use crate::ops::Context;
use crate::ops::fault::Fault;
use crate::ops::rolesanywhere::create_session;
use crate::ops::testing::{A, Bench};
use crate::sigv4::{RequestHead, Rules, UriRules};
use crate::time::Timestamp;

/// A request before it is sent.
pub(super) struct Wire<'p> {
    pub(super) party: &'p Party,
    pub(super) algorithm: String,
    pub(super) serial: String,
    pub(super) region: Option<String>,
    pub(super) service: String,
    pub(super) at: Timestamp,
    pub(super) target: String,
    /// Signed, in order of their names, but for those of `unsigned`.
    pub(super) headers: Vec<(String, String)>,
    pub(super) unsigned: Vec<String>,
    pub(super) body: Vec<u8>,
    /// Changes the signature.
    pub(super) forge: Option<Vec<u8>>,
}

/// A request that was signed: what arrives.
pub(super) struct Arriving {
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

impl<'p> Wire<'p> {
    pub(super) fn new(now: i64, party: &'p Party, body: &Value) -> Self {
        let at = Timestamp::from_secs(now);
        let serial = Leaf::parse(&party.der());
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            party,
            algorithm: "AWS4-X509-ECDSA-SHA256".to_owned(),
            serial: serial.map_or("1193046".to_owned(), |it| it.serial_decimal().to_owned()),
            region: None,
            service: "rolesanywhere".to_owned(),
            at,
            target: "/sessions".to_owned(),
            headers: vec![
                header("content-type", "application/json"),
                header("host", "countersign.test"),
                header("x-amz-date", &at.to_amz()),
                header("x-amz-x509", &STANDARD.encode(party.der())),
            ],
            unsigned: Vec::new(),
            body: body.to_string().into_bytes(),
            forge: None,
        }
    }

    /// With a header that is signed.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self.headers.sort();
        self
    }

    pub(super) fn chain(self, chain: &[Vec<u8>]) -> Self {
        let texts: Vec<_> = chain.iter().map(|der| STANDARD.encode(der)).collect();
        self.header("x-amz-x509-chain", &texts.join(","))
    }

    pub(super) fn sign(&self, bench: &Bench) -> Arriving {
        let region = self.region.clone().unwrap_or_else(|| region(bench));
        let signed: Vec<_> =
            self.headers.iter().filter(|(name, _)| !self.unsigned.contains(name)).collect();
        let names: Vec<_> = signed.iter().map(|(name, _)| name.as_str()).collect();
        let lines: Vec<_> =
            signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let lines = lines.concat();
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let canonical = format!(
            "POST\n{path}\n{query}\n{lines}\n{}\n{}",
            names.join(";"),
            hex(&Sha256::digest(&self.body))
        );
        let time = self.at.to_amz();
        let scope = format!("{}/{region}/{}/aws4_request", &time[..8], self.service);
        let text = format!(
            "{}\n{time}\n{scope}\n{}",
            self.algorithm,
            hex(&Sha256::digest(canonical.as_bytes()))
        );
        let signature = match &self.forge {
            Some(forged) => forged.clone(),
            None => self.party.key.sign(text.as_bytes()).unwrap(),
        };
        let authorization = format!(
            "{} Credential={}/{scope}, SignedHeaders={}, Signature={}",
            self.algorithm,
            self.serial,
            names.join(";"),
            hex(&signature)
        );
        let mut headers = self.headers.clone();
        headers.push(("authorization".to_owned(), authorization));
        Arriving { target: self.target.clone(), headers, body: self.body.clone() }
    }

    pub(super) async fn send(&self, bench: &Bench) -> Result<Value, Fault> {
        self.sign(bench).send(bench).await
    }

    /// Without anything of a signature.
    pub(super) fn bare(&self) -> Arriving {
        let mut headers = self.headers.clone();
        headers.retain(|(name, _)| !name.starts_with("x-amz-"));
        Arriving { target: self.target.clone(), headers, body: self.body.clone() }
    }
}

impl Arriving {
    /// Who it is from, if this anchor of A vouches for its certificate.
    pub(super) fn prove(
        &self,
        bench: &Bench,
        anchor: ProviderId,
    ) -> Result<CertificateIdentity, CertificateError> {
        let headers = self.headers();
        let request = ShowingRequest {
            connection: None,
            head: &RequestHead { method: "POST", target: &self.target, headers: &headers },
            body: &self.body,
            region: &region(bench),
            rules: Rules::new(UriRules::Standard, bench.services.clock.now()),
        };
        let account = AccountId::parse(A).unwrap();
        certificate_identity(&bench.services.directory, &request, account, anchor)
    }

    fn headers(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    pub(super) async fn send(&self, bench: &Bench) -> Result<Value, Fault> {
        self.send_by(bench, None).await
    }

    /// By a connection in whose handshake this was shown.
    pub(super) async fn send_by(
        &self,
        bench: &Bench,
        connection: Option<&HeldChain>,
    ) -> Result<Value, Fault> {
        let headers = self.headers();
        let head = RequestHead { method: "POST", target: &self.target, headers: &headers };
        let facts = bench.facts();
        let caller = &Caller::Anonymous;
        let context = Context { services: &bench.services, caller, facts: &facts, batch: None };
        let members: Value = serde_json::from_slice(&self.body).unwrap();
        let members = members.as_object().unwrap();
        create_session(&context, &head, members, &self.body, connection).await
    }
}
