//! Uploads to S3 by real clients through the chunk verifier: the service of
//! `deploy/examples/s3-upload`, boto3, the SDK for Java, and our own signer.
//!
//! boto3 signs no chunks: it sends `STREAMING-UNSIGNED-PAYLOAD-TRAILER` over TLS, and signs the
//! whole payload over plain HTTP or without a checksum. The SDK for Java signs chunks over plain HTTP, with trailers and
//! without.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use countersign::secret::SecretAccessKey;
use countersign::sigv4::{
    Body, ChecksumAlgorithm, ChunkError, ChunkVerifier, Chunks, Limits, RequestHead, Rules, Signer,
    SigningKey, StreamingMode, UriRules, parse, verify,
};
use countersign::time::{Clock as _, SystemClock, Timestamp};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use self::service::{Object, Uploads};
use crate::broker::{isolate, stderr, stdout};
use crate::certificates::Authority;
use crate::python;
use crate::sdks::{at_least, done, sources, unless_made, version};

#[path = "../../deploy/examples/s3-upload/service.rs"]
#[allow(unreachable_pub, clippy::redundant_pub_crate)]
mod service;

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SIZE: usize = 64 * 1024 * 1024;

fn secret() -> SecretAccessKey {
    SecretAccessKey::parse(SECRET.to_owned().into()).unwrap()
}

/// 64 MiB that do not repeat, made the same way each time.
fn payload(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut payload = Vec::with_capacity(length + 8);
    while payload.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        payload.extend_from_slice(&state.to_le_bytes());
    }
    payload.truncate(length);
    payload
}

/// The service on a port of its own, plain and behind TLS.
struct Site {
    folder: TempDir,
    uploads: Arc<Uploads>,
    plain: SocketAddr,
    authority: Authority,
    payload: Vec<u8>,
}

impl Site {
    async fn new(length: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let uploads = Uploads::new("eu-west-1", KEY_ID, secret(), true);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plain = listener.local_addr().unwrap();
        let shared = Arc::clone(&uploads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let uploads = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| Arc::clone(&uploads).handle(request));
                    let stream = TokioIo::new(stream);
                    let _ =
                        Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
                });
            }
        });
        let payload = payload(length);
        fs::write(folder.path().join("payload"), &payload).unwrap();
        Self { folder, uploads, plain, authority: Authority::new("uploads"), payload }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A proxy before the service: it ends TLS, if asked to, and flips a bit of the byte at a place
    /// of each body that is sent through it.
    async fn proxy(&self, tls: bool, flip: Option<usize>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plain = self.plain;
        let acceptor = tls.then(|| self.acceptor());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let server = TcpStream::connect(plain).await.unwrap();
                    match acceptor {
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                forward(stream, server, flip).await;
                            }
                        }
                        None => forward(stream, server, flip).await,
                    }
                });
            }
        });
        address
    }

    fn acceptor(&self) -> TlsAcceptor {
        let (certificate, key) = (self.file("cert.pem"), self.file("key.pem"));
        self.authority.server(&certificate, &key);
        self.authority.write(self.file("ca.pem"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(certificate).unwrap()],
                PrivateKeyDer::from_pem_file(key).unwrap(),
            )
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// Runs a client with the payload, and returns the lines it printed.
    async fn client(&self, program: Vec<OsString>, url: String, ways: &[&str]) -> Vec<String> {
        let (ca, file) = (self.file("ca.pem"), self.file("payload"));
        let ways: Vec<OsString> = ways.iter().map(OsString::from).collect();
        let run = move || {
            let (first, rest) = program.split_first().unwrap();
            let mut command = Command::new(first);
            isolate(&mut command);
            command
                .env("HOME", "/nonexistent")
                .env("AWS_CONFIG_FILE", "/nonexistent")
                .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
                .env("AWS_EC2_METADATA_DISABLED", "true")
                .env("AWS_DEFAULT_REGION", "eu-west-1")
                .env("AWS_ACCESS_KEY_ID", KEY_ID)
                .env("AWS_SECRET_ACCESS_KEY", SECRET)
                .env("AWS_CA_BUNDLE", ca)
                .args(rest)
                .arg(url)
                .arg(file)
                .args(ways);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
            stdout(&output).lines().map(str::to_owned).collect()
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// What arrived is what was sent.
    #[track_caller]
    fn arrived(&self, name: &str, mode: &str) -> Object {
        let object = self.uploads.object(&format!("/bucket/{name}")).expect(name);
        assert_eq!((object.mode.as_str(), object.length), (mode, self.payload.len() as u64));
        assert_eq!(object.sha256, <[u8; 32]>::from(Sha256::digest(&self.payload)), "{name}");
        object
    }
}

/// Copies both ways; `flip` counts the bytes after the head of what the client sends.
async fn forward(
    client: impl AsyncRead + AsyncWrite + Unpin,
    server: TcpStream,
    flip: Option<usize>,
) {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut buffer = vec![0; 64 * 1024];
        let mut head: Vec<u8> = Vec::new();
        let mut body: Option<usize> = None;
        loop {
            let length = match from_client.read(&mut buffer).await {
                Ok(length) if length > 0 => length,
                _ => break,
            };
            let mut start = 0;
            if body.is_none() {
                let before = head.len();
                head.extend_from_slice(&buffer[..length]);
                if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
                    start = end + 4 - before;
                    body = Some(0);
                }
            }
            if let Some(at) = &mut body {
                let in_body = &mut buffer[start..length];
                if let Some(byte) = flip.and_then(|flip| in_body.get_mut(flip.wrapping_sub(*at))) {
                    *byte ^= 0x10;
                }
                *at += in_body.len();
            }
            if to_server.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
        let _ = to_server.shutdown().await;
    };
    let down = async {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::join!(up, down);
}

fn boto3() -> Vec<OsString> {
    vec![python::python().into(), sources("python/s3_upload.py").into()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_uploads_64_mib_with_trailers_and_without() {
    let site = Site::new(SIZE).await;
    let tls = site.proxy(true, None).await;
    let ways = ["CRC32", "SHA1", "SHA256", "none"];
    let told = site.client(boto3(), format!("https://{tls}"), &ways).await;
    assert_eq!(told, ["ok CRC32", "ok SHA1", "ok SHA256", "ok none"]);
    for way in ["CRC32", "SHA1", "SHA256"] {
        let object = site.arrived(&format!("boto3-{way}"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        assert!(object.wire.starts_with(b"100000\r\n"), "chunks of 1 MiB");
    }
    site.arrived("boto3-none", "SHA256");
    assert_eq!(site.uploads.high_water(), 0, "nothing is held");

    let plain = site.client(boto3(), format!("http://{}", site.plain), &["CRC32", "none"]).await;
    assert_eq!(plain, ["ok CRC32", "ok none"]);
    site.arrived("boto3-CRC32", "SHA256");

    // A byte in the middle changed on the way: the checksum tells.
    let tampered = site.proxy(true, Some(SIZE / 2)).await;
    let told = site.client(boto3(), format!("https://{tampered}"), &["SHA256"]).await;
    assert_eq!(told, ["refused SHA256 BadDigest"]);
    assert_eq!(site.uploads.refusals(), ["BadDigest"]);
}

fn java() -> Result<Vec<OsString>, String> {
    at_least("javac", "-version", &[17])?;
    version("java", "-version")?;
    version("mvn", "--version")?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk-java-s3");
    fs::create_dir_all(&folder).unwrap();
    let lock = fs::File::create(folder.with_file_name("sdks.lock")).unwrap();
    lock.lock().unwrap();
    let (from, build) = (sources("java-s3"), folder.join("build"));
    let setting = |name: &str, path: &Path| format!("-D{name}={}", path.display());
    unless_made(&folder, &[from.join("pom.xml"), from.join("src/main/java/Upload.java")], || {
        let mut command = Command::new("mvn");
        command
            .args(["--quiet", "--batch-mode", "--file"])
            .arg(from.join("pom.xml"))
            .arg(setting("maven.repo.local", &folder.with_file_name("sdk-java").join("repository")))
            .arg(setting("build.folder", &build))
            .args(["compile", "dependency:build-classpath"]);
        done(&mut command);
    });
    let packages = fs::read_to_string(build.join("classpath")).unwrap();
    let classpath = format!("{}:{}", build.join("classes").display(), packages.trim());
    let start = ["java", "-XX:TieredStopAtLevel=1", "-cp", &classpath, "Upload"];
    Ok(start.map(OsString::from).into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_for_java_uploads_64_mib_in_signed_chunks() {
    use std::io::Write as _;
    let program = match tokio::task::spawn_blocking(java).await.unwrap() {
        Ok(program) => program,
        Err(missing) => {
            let line = format!("java uploads: skipped: {missing}\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            return;
        }
    };
    let site = Site::new(SIZE).await;
    let url = format!("http://{}", site.plain);
    let told = site.client(program.clone(), url, &["none", "CRC32", "SHA256"]).await;
    assert_eq!(told, ["ok none", "ok CRC32", "ok SHA256"]);
    let mut largest = 0;
    for (way, mode) in [
        ("none", StreamingMode::Signed),
        ("CRC32", StreamingMode::SignedTrailer),
        ("SHA256", StreamingMode::SignedTrailer),
    ] {
        let object = site.arrived(&format!("java-{way}"), mode.name());
        largest = largest.max(Recording::of(&object).hostile());
    }
    let held = site.uploads.high_water();
    assert!(held > 0 && held <= largest, "{held} bytes held, chunks of {largest}");
    let line = format!("java uploads: chunks of {largest} bytes, {held} bytes held at most\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();

    let tampered = site.proxy(false, Some(SIZE / 2)).await;
    let told = site.client(program, format!("http://{tampered}"), &["none", "SHA256"]).await;
    for line in &told {
        assert!(line.ends_with(" SignatureDoesNotMatch"), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_signer_uploads_64_mib_in_every_way() {
    let site = Site::new(SIZE).await;
    let chunk = 256 * 1024;
    let ways = [
        ("signed", Chunks::Signed, StreamingMode::Signed),
        (
            "crc64nvme",
            Chunks::SignedWith(ChecksumAlgorithm::Crc64Nvme),
            StreamingMode::SignedTrailer,
        ),
        (
            "unsigned",
            Chunks::UnsignedWith(ChecksumAlgorithm::Crc32c),
            StreamingMode::UnsignedTrailer,
        ),
    ];
    for (name, chunks, mode) in ways {
        let host = site.plain.to_string();
        let headers = [("host", host.as_bytes())];
        let target = format!("/bucket/{name}");
        let head = RequestHead { method: "PUT", target: &target, headers: &headers };
        let secret = secret();
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: None,
            region: "eu-west-1",
            service: "s3",
            uri: UriRules::S3,
            content_sha256: true,
        };
        let now = SystemClock::new().now();
        let (added, mut signer) = signer.sign_streaming(&head, chunks, SIZE as u64, now).unwrap();
        let mut body = Vec::new();
        for part in site.payload.chunks(chunk) {
            signer.chunk(part, &mut body).unwrap();
        }
        signer.finish(&mut body).unwrap();
        let mut text = format!("PUT {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in added {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("content-length: {}\r\n\r\n", body.len());
        let mut stream = TcpStream::connect(site.plain).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let object = site.arrived(name, mode.name());
        assert_eq!(object.wire, body);
        if mode.signed_by().is_some() {
            assert_eq!(Recording::of(&object).hostile(), chunk);
        }
    }
    assert_eq!(site.uploads.high_water(), chunk, "one chunk is held, and no more");
}

/// A good signature says that the request was meant for whom it names.
#[tokio::test]
async fn what_was_signed_for_another_service_region_or_host_is_refused() {
    let site = Site::new(8).await;
    let here = site.plain.to_string();
    for (service, region, host, expected) in [
        ("s3", "eu-west-1", here.as_str(), "200"),
        ("s3-outposts", "eu-west-1", &here, "403"),
        ("s3", "eu-west-2", &here, "403"),
        ("s3", "eu-west-1", "elsewhere.example", "403"),
        ("s3", "eu-west-1", "127.0.0.1.elsewhere.example:80", "403"),
    ] {
        let headers = [("host", host.as_bytes())];
        let head = RequestHead { method: "PUT", target: "/bucket/key", headers: &headers };
        let secret = secret();
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: None,
            region,
            service,
            uri: UriRules::S3,
            content_sha256: true,
        };
        let added = signer.sign(&head, b"", SystemClock::new().now()).unwrap();
        let mut text = format!(
            "PUT /bucket/key HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n"
        );
        for (name, value) in added {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        let mut stream = TcpStream::connect(site.plain).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1);
        assert_eq!(status, Some(expected), "{service} {region} {host}: {answer}");
    }
}

/// A signed upload that was recorded, to be tampered with and replayed.
struct Recording {
    head: (String, String, Vec<(String, Vec<u8>)>),
    now: Timestamp,
    wire: Vec<u8>,
    /// Where each chunk begins, the last and empty one included.
    starts: Vec<usize>,
}

impl Recording {
    fn of(object: &Object) -> Self {
        let wire = object.wire.clone();
        let mut starts = Vec::new();
        let mut at = 0;
        loop {
            starts.push(at);
            let line = wire[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let text = std::str::from_utf8(&wire[at..at + line]).unwrap();
            let size = usize::from_str_radix(text.split(';').next().unwrap(), 16).unwrap();
            if size == 0 {
                break;
            }
            at += line + size + 2;
        }
        Self { head: object.head.clone(), now: SystemClock::new().now(), wire, starts }
    }

    fn verifier(&self) -> ChunkVerifier {
        let (method, target, headers) = &self.head;
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let presented = parse(&RequestHead { method, target, headers: &headers }).unwrap().unwrap();
        let key = SigningKey::derive(&secret(), presented.scope());
        let rules = Rules::new(UriRules::S3, self.now);
        let verified = verify(&presented, &key, Body::Streamed, &rules).unwrap();
        verified.chunks(&key, Limits::default()).unwrap()
    }

    fn replay(&self, pieces: &[&[u8]]) -> Result<(), ChunkError> {
        let mut verifier = self.verifier();
        for piece in pieces {
            for mut packet in piece.chunks(64 * 1024) {
                while verifier.push(&mut packet)?.is_some() {}
            }
        }
        verifier.finish().map(|_| ())
    }

    /// Tampers in every way; all are refused. Returns the size of the first chunk.
    fn hostile(&self) -> usize {
        let wire = &self.wire[..];
        self.replay(&[wire]).unwrap();
        let last = self.starts[self.starts.len() - 1];
        let chunk = |index: usize| {
            let end = self.starts.get(index + 1).copied().unwrap_or(wire.len());
            &wire[self.starts[index]..end]
        };
        let count = self.starts.len();
        // A flipped byte: in sixteen chunks from the first to the last of them.
        for index in (0..count).step_by((count / 16).max(1)).chain([count - 1]) {
            let bytes = chunk(index);
            for at in [30, bytes.len() / 2] {
                let mut spoilt = bytes.to_vec();
                spoilt[at] ^= 1;
                let before = &wire[..self.starts[index]];
                let after = &wire[self.starts[index] + bytes.len()..];
                assert!(self.replay(&[before, &spoilt, after]).is_err(), "chunk {index}, {at}");
            }
        }
        let middle = count / 2;
        let (before, one, two) = (&wire[..self.starts[middle]], chunk(middle), chunk(middle + 1));
        let after = &wire[self.starts[middle + 2]..];
        assert!(self.replay(&[before, after]).is_err(), "dropped");
        assert!(self.replay(&[before, one, one, two, after]).is_err(), "repeated");
        assert!(self.replay(&[before, two, one, after]).is_err(), "reordered");
        assert!(self.replay(&[before, &wire[last..]]).is_err(), "cut short, with the end");
        for end in [wire.len() - 1, wire.len() - 2, last + 3, last, last - 1, middle] {
            assert_eq!(self.replay(&[&wire[..end]]), Err(ChunkError::CutOff));
        }
        assert_eq!(self.replay(&[wire, b"\r\n"]), Err(ChunkError::AfterEnd));
        let line = wire.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        self.starts[1] - line - 2
    }
}
