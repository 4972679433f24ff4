//! Ways to a Redis: sockets, users, passwords, databases, certificates; and what is refused.

use std::path::PathBuf;

use countersign::sessions::Ledger;
use countersign::sessions::redis::{Concern, Endpoint, Password, Settings};
use countersign::settings::{Inputs, Settings as All};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};

use crate::redis_server::{Deployment, RedisServer, quick};

const PASSWORD: &str = "correct-horse-battery-staple";

fn at(url: &str) -> Settings {
    Settings { url: Some(Endpoint::parse(url).unwrap()), ..quick() }
}

async fn works(settings: &Settings) {
    let deployment = Deployment::new();
    let ledger = deployment.open(settings).await.unwrap();
    let (id, bytes) = deployment.keep(&ledger).await;
    assert_eq!(ledger.find(id).await, Ok(Some(bytes)));
}

async fn refused(settings: &Settings) -> String {
    let error = Deployment::new().open(settings).await.err().unwrap();
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!text.contains(PASSWORD) && !debug.contains(PASSWORD), "{text} {debug}");
    text
}

#[tokio::test]
async fn a_unix_socket_and_a_database() {
    let server = RedisServer::start();
    works(&at(&format!("unix://{}?db=3", server.socket().display()))).await;
    works(&at(&format!("{}/4", server.url()))).await;
    assert_eq!(server.keys("*"), Vec::<String>::new());
    let keyspace: String = server.ask(&["INFO", "keyspace"]);
    assert!(keyspace.contains("db3:keys=") && keyspace.contains("db4:keys="), "{keyspace}");
}

#[tokio::test]
async fn a_password_and_a_password_file() {
    let server = RedisServer::with(&["--requirepass", PASSWORD]);
    let url = server.url();
    let password = Some(Password::new(PASSWORD));
    works(&Settings { password: password.clone(), ..at(&url) }).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let from_file = |prefix: &str| Settings {
        password_file: Some(file.clone()),
        prefix: countersign::sessions::redis::Prefix::parse(prefix).unwrap(),
        ..at(&url)
    };
    for (index, content) in [PASSWORD.into(), format!("{PASSWORD}\n"), format!("{PASSWORD}\r\n")]
        .into_iter()
        .enumerate()
    {
        std::fs::write(&file, content).unwrap();
        works(&from_file(&format!("p{index}"))).await;
    }
    for (settings, reason) in [
        (at(&url), "NOAUTH (the password or the user is wrong)"),
        (
            Settings { password: Some(Password::new("wrong")), ..at(&url) },
            "WRONGPASS (the password or the user is wrong)",
        ),
        (Settings { password, ..from_file("x") }, "are both set: set one"),
        (at(&format!("redis://broker@127.0.0.1:{}", server.port)), "there is no password"),
    ] {
        let text = refused(&settings).await;
        assert!(text.contains(reason), "{text}");
    }
    std::fs::write(&file, "\n").unwrap();
    assert!(refused(&from_file("x")).await.ends_with("is empty"));
    std::fs::remove_file(&file).unwrap();
    assert!(refused(&from_file("x")).await.contains("password: No such file"));
}

/// What the module's documentation says a user must be allowed.
const ALLOWED: &str = "+get +mget +set +del +incr +pttl +pexpire +pexpireat +zadd +zrem +zcount \
                       +zrange +zremrangebyscore +eval +evalsha +time";

#[tokio::test]
async fn a_user_that_may_do_what_is_needed_and_no_more() {
    let server = RedisServer::start();
    let user = |more: &str| {
        let password = format!(">{PASSWORD}");
        let mut words = vec!["ACL", "SETUSER", "broker", "reset", "on", &password, "~cs:*"];
        words.extend(ALLOWED.split_whitespace().chain(more.split_whitespace()));
        let _: String = server.ask(&words);
    };
    let url = format!("redis://broker@127.0.0.1:{}", server.port);
    let settings = Settings { password: Some(Password::new(PASSWORD)), ..at(&url) };
    user("");
    let deployment = Deployment::new();
    let ledger = deployment.open(&settings).await.unwrap();
    let new = deployment.record(crate::redis_server::principal());
    let (id, role, bytes) = (new.access_key_id, new.principal, new.record.clone());
    let place = countersign::sessions::Mark { expires_at: new.expires_at, access_key_id: id };
    ledger.insert(new).await.unwrap();
    assert_eq!(ledger.find(id).await, Ok(Some(bytes)));
    let now = deployment.clock.now();
    let listing = countersign::sessions::Listing { principal: role, after: None, limit: 5, now };
    assert_eq!(ledger.list(listing).await.unwrap().records.len(), 1);
    assert_eq!(ledger.remove(role, place).await, Ok(true));
    assert_eq!(ledger.concerns(), [Concern::Unread { what: "INFO" }]);
    ledger.close().await;
    // With INFO and CONFIG GET the settings are looked at.
    user("+info +config|get");
    let ledger = deployment.open(&settings).await.unwrap();
    assert_eq!(ledger.concerns(), [Concern::NoPersistence]);
    ledger.close().await;
    // Without one of the commands there is no start, and the reason is told.
    user("-eval -evalsha");
    let text = deployment.open(&settings).await.err().unwrap().to_string();
    assert!(text.contains("NOPERM (the ACL user may not do what the ledger needs)"), "{text}");
}

#[tokio::test]
async fn settings_that_endanger_sessions_are_told() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let concerns = async |pairs: &[(&str, &str)]| {
        for (name, value) in pairs {
            let _: String = server.ask(&["CONFIG", "SET", name, value]);
        }
        let ledger = deployment.open(&server.settings()).await.unwrap();
        ledger.close().await;
        ledger.concerns().to_vec()
    };
    assert_eq!(concerns(&[]).await, [Concern::NoPersistence]);
    assert_eq!(concerns(&[("save", "3600 1")]).await, [Concern::SnapshotsOnly]);
    assert_eq!(concerns(&[("appendonly", "yes")]).await, []);
    assert_eq!(concerns(&[("appendfsync", "no")]).await, [Concern::AppendWithoutSync]);
    let evicts =
        concerns(&[("appendfsync", "everysec"), ("maxmemory-policy", "volatile-ttl")]).await;
    assert_eq!(evicts, [Concern::Eviction { policy: "volatile-ttl".into() }]);
    assert!(evicts[0].to_string().starts_with("maxmemory-policy is volatile-ttl"), "{}", evicts[0]);
}

#[tokio::test]
async fn a_replica_and_a_cluster_are_refused() {
    let master = RedisServer::start();
    let server = RedisServer::start();
    let _: String = server.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    assert!(refused(&server.settings()).await.contains("it is a replica"));
    let cluster = RedisServer::with(&["--cluster-enabled", "yes"]);
    assert!(refused(&cluster.settings()).await.contains("Redis Cluster"));
    drop(cluster);
    let gone = {
        let server = RedisServer::start();
        server.settings()
    };
    assert!(refused(&gone).await.contains("cannot connect"));
}

#[tokio::test]
async fn a_redis_that_hangs_at_the_start_is_given_up_in_time() {
    let server = RedisServer::start();
    server.freeze();
    let asked = std::time::Instant::now();
    let text = refused(&server.settings()).await;
    assert!(asked.elapsed().as_secs() < 4, "{:?}", asked.elapsed());
    assert!(text.contains("in time"), "{text}");
    server.thaw();
}

struct Pki {
    folder: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let pki = Self { folder: tempfile::tempdir().unwrap(), authority };
        std::fs::write(pki.file("ca.pem"), pki.authority.pem()).unwrap();
        pki
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.insert_extended_key_usage(usage);
        // OpenSSL takes a certificate of its issuer's name for one that signed itself.
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        let files = (self.file(&format!("{name}.pem")), self.file(&format!("{name}.key")));
        std::fs::write(&files.0, certificate.pem()).unwrap();
        std::fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }
}

#[tokio::test]
async fn tls_with_a_private_authority() {
    let pki = Pki::new();
    let (certificate, key) = pki.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth);
    let tls_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = |path: PathBuf| path.display().to_string();
    let (port, ca) = (tls_port.to_string(), text(pki.file("ca.pem")));
    let (cert_file, key_file) = (text(certificate), text(key));
    let server = RedisServer::with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &cert_file,
        "--tls-key-file",
        &key_file,
        "--tls-ca-cert-file",
        &ca,
        "--tls-auth-clients",
        "optional",
        "--requirepass",
        PASSWORD,
    ]);
    let url = format!("rediss://localhost:{tls_port}");
    let password = Some(Password::new(PASSWORD));
    let trusting =
        Settings { ca: Some(pki.file("ca.pem")), password: password.clone(), ..at(&url) };
    works(&trusting).await;
    // The system's authorities do not vouch for it, nor does another private one.
    let system = Settings { password: password.clone(), ..at(&url) };
    assert!(refused(&system).await.contains("cannot connect"));
    let other = Settings { ca: Some(Pki::new().file("ca.pem")), ..trusting.clone() };
    assert!(refused(&other).await.contains("cannot read"), "the other folder is gone");
    let other = Pki::new();
    let stranger = Settings { ca: Some(other.file("ca.pem")), ..trusting.clone() };
    assert!(refused(&stranger).await.contains("invalid peer certificate"));
    // The certificate is localhost's.
    let elsewhere = at(&format!("rediss://127.0.0.1:{tls_port}")).url;
    let elsewhere = Settings { url: elsewhere, ..trusting.clone() };
    assert!(refused(&elsewhere).await.contains("invalid peer certificate"));
    // Plaintext to a TLS port gets nowhere.
    let plain = Settings { password: password.clone(), ..at(&format!("redis://localhost:{port}")) };
    refused(&plain).await;
    // A client's certificate, when Redis asks for one.
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection_info().clone();
    let info = connection.redis_settings().clone().set_password(PASSWORD);
    connection = connection.set_redis_settings(info);
    let mut connection = redis::Client::open(connection).unwrap().get_connection().unwrap();
    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg("tls-auth-clients").arg("yes").exec(&mut connection).unwrap();
    redis::cmd("FLUSHALL").exec(&mut connection).unwrap();
    refused(&trusting).await;
    let (certificate, key) = pki.issue("broker", ExtendedKeyUsagePurpose::ClientAuth);
    let known = Settings {
        client_certificate: Some(certificate),
        client_key: Some(key),
        ..trusting.clone()
    };
    works(&known).await;
    let half = Settings { client_key: None, ..known };
    assert!(refused(&half).await.contains("belong together"));
    let without = Settings { ca: Some(pki.file("ca.pem")), ..at(&server.url()) };
    assert!(refused(&without).await.contains("need a rediss:// URL"));
}

fn read(
    file: &str,
    variables: &[(&str, &str)],
    flags: &[(&'static str, &str)],
) -> Result<All, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, file).unwrap();
    let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let flags = flags.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    All::load(&Inputs { config: Some(path), flags, environment }).map_err(|error| error.to_string())
}

#[test]
fn a_password_stands_in_its_variable_or_a_file_and_nowhere_else() {
    let all = read("", &[("COUNTERSIGN_REDIS_PASSWORD", PASSWORD)], &[]).unwrap();
    assert!(all.redis.password.is_some());
    assert!(!format!("{all:?}").contains(PASSWORD));
    let all = read("[redis]\npassword_file = \"/run/secrets/redis\"\n", &[], &[]).unwrap();
    assert_eq!(all.redis.password_file, Some("/run/secrets/redis".into()));
    let secret = "set it as COUNTERSIGN_REDIS_PASSWORD, or as a file by `redis.password_file`";
    let in_url = "has a password in it, which process lists and histories would show";
    let url = format!("redis://broker:{PASSWORD}@localhost");
    for (result, reason) in [
        (read(&format!("[redis]\npassword = \"{PASSWORD}\"\n"), &[], &[]), secret),
        (read("", &[], &[("redis.password", PASSWORD)]), secret),
        (read("", &[], &[("redis.url", &url)]), in_url),
        (read("", &[("COUNTERSIGN_REDIS_URL", &url)], &[]), in_url),
        (read(&format!("[redis]\nurl = \"{url}\"\n"), &[], &[]), in_url),
        (read("", &[("COUNTERSIGN_REDIS_PASSWORD", "")], &[]), "it is empty"),
        (read("", &[], &[("redis.prefix", "{cs}")]), "a prefix is 1 to 64 characters"),
    ] {
        let text = result.err().unwrap();
        assert!(text.contains(reason), "{text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
}
