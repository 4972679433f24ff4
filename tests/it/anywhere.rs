//! IAM Roles Anywhere against the running broker: boto3 manages it, and AWS's own
//! `aws_signing_helper`, built from its Go module, shows certificates.
//!
//! Where there is no Go, or no C compiler, a line says so and the test of the helper passes.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use countersign::ops::json::{Kind, Member};
use countersign::ops::rolesanywhere::ROWS;
use hyper::Method;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CustomExtension, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};

use crate::broker::{Broker, isolate, stderr, stdout};
use crate::caller::{Credentials, Plan};
use crate::python::{aws, client, done, refused, run_script_with, script};
use crate::sdks;

pub(crate) type Issuer = CertifiedIssuer<'static, KeyPair>;

/// Builds AWS's helper.
fn make_helper(folder: &Path) -> Result<Vec<OsString>, String> {
    sdks::at_least("go", "version", &[1, 21])?;
    sdks::at_least("gcc", "-dumpversion", &[1])?;
    let program = folder.join("aws_signing_helper");
    let mut command = Command::new("go");
    command
        .args(["build", "-modcacherw", "-o"])
        .arg(&program)
        .arg("github.com/aws/rolesanywhere-credential-helper")
        .current_dir(sdks::sources("rolesanywhere"))
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "")
        .env("CGO_ENABLED", "1")
        .env("GOMODCACHE", folder.join("mod"))
        .env("GOCACHE", folder.join("cache"));
    sdks::done(&mut command);
    Ok(vec![program.into()])
}

pub(crate) fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(crate) fn end_entity(serial: u8) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "orders");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.serial_number = Some(SerialNumber::from_slice(&[0x5a, serial]));
    params
}

/// Certificates, keys and lists in a folder.
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
}

impl Files {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes `<name>.pem` and `<name>.key`.
    fn issue(&self, name: &str, params: &CertificateParams, key: &KeyPair, by: &Issuer) {
        self.write(&format!("{name}.pem"), &params.signed_by(key, by).unwrap().pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    fn list(&self, name: &str, by: &Issuer, serials: &[u8]) {
        let entry = |serial: &u8| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[0x5a, *serial]),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2200, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        self.write(name, &params.signed_by(by).unwrap().pem().unwrap());
    }

    /// Everything that is needed, and the names of those that must get nothing.
    pub(crate) fn make(&self) -> Vec<&'static str> {
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let root = Issuer::self_signed(authority("root"), key()).unwrap();
        let below = |params| Issuer::signed_by(params, key(), &root).unwrap();
        self.write("root.pem", &root.pem());
        self.issue("ec", &end_entity(1), &key(), &root);
        let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        self.issue("p384", &end_entity(2), &p384, &root);
        let rsa =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("src/federation/oidc/tests/rsa-2048.pem");
        let rsa = KeyPair::from_pem(&fs::read_to_string(rsa).unwrap()).unwrap();
        self.issue("rsa", &end_entity(3), &rsa, &root);
        let between = below(authority("between"));
        self.write("between.pem", &between.pem());
        self.issue("deep", &end_entity(4), &key(), &between);

        let mut bad = Vec::new();
        let mut add = |name: &'static str, change: &dyn Fn(&mut CertificateParams), by: &Issuer| {
            let mut params = end_entity(5);
            change(&mut params);
            self.issue(name, &params, &key(), by);
            bad.push(name);
        };
        let as_is = |_: &mut CertificateParams| ();
        add("revoked", &|it| it.serial_number = Some(SerialNumber::from_slice(&[0x5a, 9])), &root);
        add("expired", &|it| it.not_after = date_time_ymd(2024, 1, 1), &root);
        add("early", &|it| it.not_before = date_time_ymd(2200, 1, 1), &root);
        add(
            "servers",
            &|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
            &root,
        );
        add("encipherment", &|it| it.key_usages = vec![KeyUsagePurpose::KeyEncipherment], &root);
        add("authority", &|it| it.is_ca = IsCa::Ca(BasicConstraints::Unconstrained), &root);
        add("unsaid", &|it| it.is_ca = IsCa::NoCa, &root);
        add(
            "critical",
            &|it| {
                let mut odd =
                    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999], vec![5, 0]);
                odd.set_criticality(true);
                it.custom_extensions.push(odd);
            },
            &root,
        );
        // Of another role's name; without its authority; of another root under the same name.
        let other = |it: &mut CertificateParams| {
            it.distinguished_name = rcgen::DistinguishedName::new();
            it.distinguished_name.push(DnType::CommonName, "payments");
        };
        add("other", &other, &root);
        add("chainless", &as_is, &below(authority("unseen")));
        let impostor = Issuer::self_signed(authority("root"), key()).unwrap();
        add("museum_m53", &|it| it.serial_number = end_entity(1).serial_number, &impostor);
        let mut constrained = authority("constrained");
        let permitted = GeneralSubtree::DnsName("good.example".to_owned());
        constrained.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![permitted],
            excluded_subtrees: Vec::new(),
        });
        let constrained = below(constrained);
        let named = |name: &'static str| {
            move |it: &mut CertificateParams| {
                it.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
            }
        };
        self.write("museum_m55.chain", &constrained.pem());
        add("museum_m55", &named("evil.example"), &constrained);
        let own = key();
        let certificate = end_entity(6).self_signed(&own).unwrap();
        self.write("self-signed.pem", &certificate.pem());
        self.write("self-signed.key", &own.serialize_pem());
        bad.push("self-signed");
        // The key of another certificate.
        fs::copy(self.path("ec.pem"), self.path("stolen.pem")).unwrap();
        fs::copy(self.path("deep.key"), self.path("stolen.key")).unwrap();
        bad.push("stolen");

        self.list("crl.pem", &root, &[9]);
        self.list("other-crl.pem", &impostor, &[9]);
        bad
    }
}

/// A broker that boto3 has set up, and what its certificates need.
struct Site {
    broker: Broker,
    files: Files,
    wanted: Value,
    bad: Vec<&'static str>,
}

impl Site {
    fn new() -> Self {
        let broker = Broker::start();
        let files = Files { folder: broker.home.folder().join("certificates") };
        fs::create_dir_all(&files.folder).unwrap();
        let bad = files.make();
        let told = run_script_with(&broker, "anywhere.py", &[], &[files.folder.to_str().unwrap()]);
        let wanted = serde_json::from_str(told.trim_end().lines().last().unwrap()).unwrap();
        assert!(told.lines().filter(|line| line.starts_with("ok ")).count() >= 30, "{told}");
        Self { broker, files, wanted, bad }
    }

    fn wanted(&self, name: &str) -> &str {
        self.wanted[name].as_str().unwrap()
    }

    /// The helper's command for a certificate.
    fn helper(&self, program: &[OsString], name: &str) -> Command {
        let mut command = Command::new(&program[0]);
        isolate(&mut command);
        command
            .args(["credential-process", "--endpoint", &self.broker.url()])
            .args(["--certificate".as_ref(), self.files.path(&format!("{name}.pem")).as_os_str()])
            .args(["--private-key".as_ref(), self.files.path(&format!("{name}.key")).as_os_str()])
            .args(["--trust-anchor-arn", self.wanted("anchor")])
            .args(["--profile-arn", self.wanted("profile")])
            .args(["--role-arn", self.wanted("role")]);
        let chain = self.files.path(&format!("{name}.chain"));
        if chain.exists() {
            command.arg("--intermediates").arg(chain);
        }
        command
    }
}

fn session(output: &Output) -> Credentials {
    assert!(output.status.success(), "{}{}", stdout(output), stderr(output));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    assert_eq!(told["Version"], 1);
    Credentials {
        id: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        token: Some(text("SessionToken")),
    }
}

#[test]
fn boto3_manages_anchors_profiles_and_lists() {
    let site = Site::new();
    // All of it is there after a restart.
    let home = std::sync::Arc::clone(&site.broker.home);
    let anchor = site.wanted("anchor").to_owned();
    drop(site.broker);
    let broker = Broker::serve(&home, &[]);
    let words =
        "rolesanywhere list-trust-anchors --query trustAnchors[].trustAnchorArn --output text";
    assert_eq!(done(aws(&broker.url(), Some(&home.first), words, &[])), anchor);
    for (words, count) in [
        ("rolesanywhere list-profiles --query length(profiles)", "1"),
        ("rolesanywhere list-crls --query length(crls)", "1"),
        ("rolesanywhere list-subjects --query length(subjects)", "0"),
    ] {
        assert_eq!(done(aws(&broker.url(), Some(&home.first), words, &[])), count, "{words}");
    }
}

/// RSA, P-256, P-384 and one below an authority get credentials, which boto3 uses; the others do not.
#[test]
fn aws_s_own_helper_shows_certificates() {
    let Some(program) = sdks::program("aws_signing_helper", make_helper) else { return };
    let site = Site::new();
    fs::copy(site.files.path("between.pem"), site.files.path("deep.chain")).unwrap();
    let url = site.broker.url();
    for (name, serial) in [("ec", "5a01"), ("p384", "5a02"), ("rsa", "5a03"), ("deep", "5a04")] {
        let session = session(&site.helper(&program, name).output().unwrap());
        let whoami = "sts get-caller-identity --query Arn --output text";
        let arn = done(aws(&url, Some(&session), whoami, &[]));
        assert!(arn.ends_with(&format!(":assumed-role/orders/{serial}")), "{arn}");
        // The profile's policy binds: the role may list roles, the session may not.
        done(aws(&url, Some(&session), "iam list-users", &[]));
        refused(aws(&url, Some(&session), "iam list-roles", &[]), "AccessDenied");
    }
    for name in &site.bad {
        let output = site.helper(&program, name).output().unwrap();
        let told = format!("{}{}", stdout(&output), stderr(&output));
        assert!(!output.status.success() && !told.contains("AccessKeyId"), "{name}: {told}");
        // What is wrong with a certificate is not told.
        let expected = match *name {
            "other" => "Unable to assume role",
            "stolen" => "InvalidSignatureException",
            _ => "Untrusted certificate",
        };
        assert!(told.contains(expected), "{name}: {told}");
    }
    // By configuration alone, as the README has it.
    let helper = site.helper(&program, "ec");
    let words: Vec<_> = std::iter::once(helper.get_program())
        .chain(helper.get_args())
        .map(|word| word.to_str().unwrap())
        .collect();
    let config = site.files.path("config");
    fs::write(&config, format!("[default]\ncredential_process = {}\n", words.join(" "))).unwrap();
    let mut command = client(&url);
    command.env("AWS_CONFIG_FILE", &config).args([
        "-c",
        "
import boto3
print(boto3.client('sts').get_caller_identity()['Arn'])
print(len(boto3.client('iam').list_users()['Users']))
",
    ]);
    assert!(done(command).contains(":assumed-role/orders/5a01"));
    // Who came: one subject, and nothing secret in what the broker wrote.
    let key = &site.broker.home.first;
    let words = "rolesanywhere list-subjects --query sort(subjects[].x509Subject) --output json";
    let subjects: Value = serde_json::from_str(&done(aws(&url, Some(key), words, &[]))).unwrap();
    assert_eq!(subjects, json!(["CN=orders", "CN=payments"]));
    let audit = fs::read_to_string(site.broker.home.data().join("audit.jsonl")).unwrap();
    assert!(audit.contains("rolesanywhere.amazonaws.com") && audit.contains("CreateSession"));
    assert!(!audit.contains("CST1") && !site.broker.log().contains("CST1"));
}

#[test]
fn every_operation_of_the_model_is_read_as_it_says() {
    fn kind(of: &Kind) -> Value {
        match of {
            Kind::Text(text) => json!({ "kind": "text", "min": text.min, "max": text.max,
                "pattern": text.pattern }),
            Kind::Choice(words) => json!({ "kind": "choice", "enum": words }),
            Kind::Integer { min, max } => json!({ "kind": "integer", "min": min, "max": max }),
            Kind::Boolean => json!({ "kind": "boolean" }),
            Kind::Texts { .. } => json!({ "kind": "map" }),
            Kind::List(of) => json!({ "kind": "list", "of": kind(of) }),
            Kind::Structure(of) => json!({ "kind": "structure", "members": members(of) }),
        }
    }
    fn members(of: &[Member]) -> Vec<Value> {
        of.iter()
            .map(|it| json!({ "name": it.name, "required": it.required, "kind": kind(it.kind) }))
            .collect()
    }
    let described: Vec<_> = ROWS
        .iter()
        .map(|row| {
            let faults: Vec<_> = row.faults.iter().map(|code| code.as_str()).collect();
            json!({ "name": row.name, "input": members(row.input), "faults": faults })
        })
        .collect();
    let mut command = client("http://127.0.0.1:1");
    let mut child = command
        .arg(script("anywhere_model.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_vec(&described).unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(told.trim_end().ends_with("mismatches 0"), "{told}");
    assert!(told.contains("operations 30 of 30"), "{told}");
}

/// Every route: method, target, body.
fn routes() -> Vec<(Method, String, String)> {
    let id = "00010203-0405-4607-8809-0a0b0c0d0e0f";
    let arn = format!("arn%3Aaws%3Arolesanywhere%3Aus-east-1%3A111122223333%3Aprofile%2F{id}");
    let new = json!({ "name": "x" }).to_string();
    let mut routes = vec![
        (Method::PUT, format!("/profiles/{id}/mappings"), "{}".to_owned()),
        (
            Method::DELETE,
            format!("/profiles/{id}/mappings?certificateField=x509SAN"),
            String::new(),
        ),
        (Method::GET, "/subjects".to_owned(), String::new()),
        (Method::GET, format!("/subject/{id}"), String::new()),
        (Method::PATCH, "/put-notifications-settings".to_owned(), "{}".to_owned()),
        (Method::PATCH, "/reset-notifications-settings".to_owned(), "{}".to_owned()),
        (Method::POST, "/TagResource".to_owned(), "{}".to_owned()),
        (Method::POST, "/UntagResource".to_owned(), "{}".to_owned()),
        (Method::GET, format!("/ListTagsForResource?resourceArn={arn}"), String::new()),
    ];
    for (one, many) in [("trustanchor", "trustanchors"), ("profile", "profiles"), ("crl", "crls")] {
        routes.extend([
            (Method::POST, format!("/{many}"), new.clone()),
            (Method::GET, format!("/{many}?pageSize=1"), String::new()),
            (Method::GET, format!("/{one}/{id}"), String::new()),
            (Method::PATCH, format!("/{one}/{id}"), new.clone()),
            (Method::DELETE, format!("/{one}/{id}"), String::new()),
            (Method::POST, format!("/{one}/{id}/enable"), String::new()),
            (Method::POST, format!("/{one}/{id}/disable"), String::new()),
        ]);
    }
    routes
}

/// M06 and M04: no route takes a known key with a bad signature for its owner, nor one that was made for
/// another service; and what a certificate has to sign, no key signs.
#[tokio::test]
async fn museum_m06_no_route_of_roles_anywhere_takes_a_key_without_its_signature() {
    let broker = Broker::start();
    let admin = broker.admin();
    let forger =
        broker.caller(&Credentials { secret: "0".repeat(40), ..broker.home.first.clone() });
    let mut routes = routes();
    assert_eq!(routes.len(), ROWS.len());
    routes.push((Method::POST, "/sessions".to_owned(), json!({}).to_string()));
    for (method, target, body) in routes {
        let plan = |service| Plan {
            service,
            method: method.clone(),
            target: target.clone(),
            headers: Vec::new(),
            body: body.clone(),
            at: None,
        };
        let said = format!("{method} {target}");
        let is_session = target == "/sessions";
        let forged = forger.sign(plan("rolesanywhere"));
        let answer = forger.send(forged.clone()).await;
        assert!(answer.status.is_client_error(), "{said}: {answer:?}");
        assert!(is_session || answer.status.as_u16() == 403, "{said}: {answer:?}");
        for other in ["sts", "iam", "eks"] {
            let answer = admin.send(admin.sign(plan(other))).await;
            assert!(answer.status.is_client_error(), "{said} for {other}: {answer:?}");
            assert!(is_session || answer.status.as_u16() == 403, "{said} for {other}: {answer:?}");
        }
        let mut bare = forged.clone();
        bare.headers.retain(|(name, _)| name == "host");
        let answer = forger.send(bare).await;
        assert!(answer.status.is_client_error(), "{said}: {answer:?}");
        // The honest one is understood; a key gets no session here.
        let answer = admin.send(admin.sign(plan("rolesanywhere"))).await;
        assert!(!answer.status.is_server_error(), "{said}: {answer:?}");
        assert!(is_session || answer.status.as_u16() != 403, "{said}: {answer:?}");
        assert!(!is_session || answer.status.is_client_error(), "{said}: {answer:?}");
    }
}
