//! TLS end to end: the AWS CLI, boto3 and our own commands through certificates of a private
//! authority; downstream services by certificates of theirs; certificates renewed while it serves.

use std::path::PathBuf;
use std::sync::Arc;

use crate::broker::{Broker, Home, Signal, countersign, stderr, stdout};
use crate::certificates::Authority;
use crate::python::{aws, done, run_script, with_key};

/// A deployment with certificates beside its data.
struct Site {
    home: Arc<Home>,
    authority: Authority,
}

impl Site {
    fn new() -> Self {
        let site = Self { home: Arc::new(Home::init()), authority: Authority::new("ours") };
        site.authority.server(&site.file("cert.pem"), &site.file("key.pem"));
        site.authority.write(site.file("ca.pem"));
        site
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.folder().join(name)
    }

    fn serve(&self, client_ca: bool) -> Broker {
        let (certificate, key, ca) =
            (self.file("cert.pem"), self.file("key.pem"), self.file("ca.pem"));
        let mut settings = vec![
            ("COUNTERSIGN_TLS_CERTIFICATE", certificate.to_str().unwrap()),
            ("COUNTERSIGN_TLS_KEY", key.to_str().unwrap()),
        ];
        if client_ca {
            settings.push(("COUNTERSIGN_TLS_VERIFY_CLIENT_CA", ca.to_str().unwrap()));
        }
        Broker::serve(Arc::clone(&self.home), &settings)
    }
}

#[test]
fn openssl_clients_are_served_by_their_certificates() {
    let site = Site::new();
    let other = Authority::new("theirs");
    other.write(site.file("other-ca.pem"));
    site.authority.client(&site.file("client.pem"), &site.file("client.key"));
    other.client(&site.file("stranger.pem"), &site.file("stranger.key"));
    let broker = site.serve(true);
    let folder = site.home.folder().to_str().unwrap().to_owned();
    let told = run_script(&broker, "tls.py", &[("CERTIFICATES", &folder)]);
    assert!(told.ends_with("8 steps\n"), "{told}");
}

#[test]
fn commands_go_through_tls() {
    let site = Site::new();
    let broker = site.serve(false);
    let first = &site.home.first;
    let ca = site.file("ca.pem");
    let mut whoami =
        aws(&broker.url(), Some(first), "sts get-caller-identity --query Arn --output text", &[]);
    whoami.env("AWS_CA_BUNDLE", &ca);
    assert_eq!(done(whoami), format!("arn:aws:iam::{}:user/admin", site.home.account));

    // Our own client takes the same variables, and no other authority.
    let revoke = |ca: Option<&PathBuf>| {
        let user = format!("arn:aws:iam::{}:user/admin", site.home.account);
        let mut command = countersign(["sessions", "revoke", "--user", &user]);
        with_key(&mut command, first).env("AWS_ENDPOINT_URL", broker.url());
        if let Some(ca) = ca {
            command.env("AWS_CA_BUNDLE", ca);
        }
        command.output().unwrap()
    };
    let good = revoke(Some(&ca));
    assert!(stdout(&good).starts_with("revoked at "), "{}", stderr(&good));
    assert!(stderr(&revoke(None)).contains("CA"), "{}", stderr(&revoke(None)));
    let other = Authority::new("theirs").write(site.file("other-ca.pem"));
    assert!(!revoke(Some(&other)).status.success());
}

/// Whether a client that trusts this authority is served: our own, for its speed.
fn served(site: &Site, broker: &Broker, ca: &str) -> bool {
    let user = format!("arn:aws:iam::{}:user/admin", site.home.account);
    let mut command = countersign(["sessions", "revoke", "--user", &user]);
    with_key(&mut command, &site.home.first)
        .env("AWS_ENDPOINT_URL", broker.url())
        .env("AWS_CA_BUNDLE", site.file(ca));
    command.output().unwrap().status.success()
}

#[test]
fn certificates_are_renewed_while_it_serves() {
    let site = Site::new();
    let broker = site.serve(false);
    assert!(served(&site, &broker, "ca.pem"));
    let next = Authority::new("next");
    next.write(site.file("next-ca.pem"));
    next.server(&site.file("cert.pem"), &site.file("key.pem"));
    assert!(!served(&site, &broker, "next-ca.pem"), "before it was told");
    broker.signal(Signal::Hangup);
    broker.logged("certificates reloaded");
    crate::broker::eventually("the new certificate", || served(&site, &broker, "next-ca.pem"));
    assert!(!served(&site, &broker, "ca.pem"));

    // What is of no use is not used.
    std::fs::write(site.file("cert.pem"), "half a certificate").unwrap();
    broker.signal(Signal::Hangup);
    broker.logged("the old certificates stay in use");
    assert!(served(&site, &broker, "next-ca.pem"));
}
