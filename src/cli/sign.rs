//! `countersign sign`: signs a request and prints it, as a curl command or as a presigned URL.
//!
//! The credentials come from the environment alone, and what is printed holds none but the session
//! token, which is part of the request.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use hyper::Uri;

use super::client::Credentials;
use super::output;
use crate::sigv4::{
    Added, MAX_EXPIRES, RequestHead, SigError, Signer, SignerV4a, SigningKeyV4a, UriRules,
};
use crate::time::{Clock, SystemClock, Timestamp};

/// The largest body that is read, in bytes.
const MAX_BODY: u64 = 64 * 1024 * 1024;

/// Signs with `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The URL, its path and query escaped as they shall be sent
    url: String,
    /// The service in the credential scope, such as orders or s3
    #[arg(long)]
    service: String,
    /// The region in the credential scope; with --sigv4a a set of regions, as in us-*,eu-west-1
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    region: String,
    /// The method [default: GET, or POST with a body]
    #[arg(short = 'X', long, value_name = "METHOD")]
    method: Option<String>,
    /// A header to send and sign, as "Name: value"; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// A file to send as the body
    #[arg(short, long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Presign: print a URL that is good for so many seconds, at most 604800
    #[arg(long, value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(1..=MAX_EXPIRES))]
    presign: Option<u32>,
    /// S3's rules: the path as it stands, the body's hash sent; presigned, the body is unsigned
    #[arg(long)]
    s3: bool,
    /// Leave the body unsigned, which S3 alone allows
    #[arg(long, requires = "s3", conflicts_with = "presign")]
    unsigned_payload: bool,
    /// Sign with SigV4A
    #[arg(long)]
    sigv4a: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign sign https://orders.example/orders/42 --service orders
  countersign sign https://bucket.example/key --service s3 --s3 --presign 3600
  countersign sign https://orders.example/orders --service orders --body order.json \\
      -H 'Content-Type: application/json' | sh";

/// Prints the signed request.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let credentials = Credentials::from_environment()?;
    output::line(&signed(arguments, &credentials, SystemClock::new().now())?)?;
    Ok(ExitCode::SUCCESS)
}

/// The signed request at a moment.
fn signed(
    arguments: &Arguments,
    credentials: &Credentials,
    now: Timestamp,
) -> anyhow::Result<String> {
    let url = Url::parse(&arguments.url)?;
    let headers = headers(arguments, &url.host)?;
    let body = body(arguments)?;
    let default = if body.is_empty() { "GET" } else { "POST" };
    let method = arguments.method.as_deref().unwrap_or(default);
    let borrowed: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head = RequestHead { method, target: &url.target, headers: &borrowed };
    if let Some(expires) = arguments.presign {
        let target = presign(arguments, credentials, &head, &body, now, expires)?;
        Ok(format!("{}://{}{target}", url.scheme, url.host))
    } else {
        let added = sign(arguments, credentials, &head, &body, now)?;
        Ok(curl(arguments, &url, method, &headers, &added))
    }
}

fn sign(
    arguments: &Arguments,
    credentials: &Credentials,
    head: &RequestHead<'_>,
    body: &[u8],
    now: Timestamp,
) -> anyhow::Result<Added> {
    let unsigned = arguments.unsigned_payload;
    let added = if arguments.sigv4a {
        let key = key(credentials)?;
        let signer = v4a(arguments, credentials, &key);
        if unsigned {
            signer.sign_unsigned_payload(head, now)
        } else {
            signer.sign(head, body, now)
        }
    } else {
        let signer = v4(arguments, credentials);
        if unsigned {
            signer.sign_unsigned_payload(head, now)
        } else {
            signer.sign(head, body, now)
        }
    };
    added.map_err(refused)
}

fn presign(
    arguments: &Arguments,
    credentials: &Credentials,
    head: &RequestHead<'_>,
    body: &[u8],
    now: Timestamp,
    expires: u32,
) -> anyhow::Result<String> {
    let target = if arguments.sigv4a {
        let key = key(credentials)?;
        v4a(arguments, credentials, &key).presign(head, body, now, expires)
    } else {
        v4(arguments, credentials).presign(head, body, now, expires)
    };
    target.map_err(refused)
}

fn refused(error: SigError) -> anyhow::Error {
    match error {
        SigError::ConflictingCredentials => {
            anyhow::anyhow!("the request carries credentials already")
        }
        other => other.into(),
    }
}

fn key(credentials: &Credentials) -> anyhow::Result<SigningKeyV4a> {
    SigningKeyV4a::derive(&credentials.secret, &credentials.access_key_id)
        .context("the secret stands for no SigV4A key")
}

fn v4<'a>(arguments: &'a Arguments, credentials: &'a Credentials) -> Signer<'a> {
    Signer {
        access_key_id: &credentials.access_key_id,
        secret: &credentials.secret,
        session_token: credentials.session_token.as_deref(),
        region: &arguments.region,
        service: &arguments.service,
        uri: rules(arguments),
        content_sha256: arguments.s3,
    }
}

fn v4a<'a>(
    arguments: &'a Arguments,
    credentials: &'a Credentials,
    key: &'a SigningKeyV4a,
) -> SignerV4a<'a> {
    SignerV4a {
        access_key_id: &credentials.access_key_id,
        key,
        session_token: credentials.session_token.as_deref(),
        region_set: &arguments.region,
        service: &arguments.service,
        uri: rules(arguments),
        content_sha256: arguments.s3,
    }
}

fn rules(arguments: &Arguments) -> UriRules {
    if arguments.s3 { UriRules::S3 } else { UriRules::Standard }
}

/// The parts of a URL, as they go over the wire.
struct Url {
    scheme: String,
    host: String,
    target: String,
}

impl Url {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let uri: Uri = text.parse().context("the URL")?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            bail!("the URL must be whole, as in https://orders.example/orders/42")
        };
        ensure!(matches!(scheme, "http" | "https"), "the URL must be one of http or https");
        ensure!(!authority.as_str().contains('@'), "the URL must name no user");
        let default = if scheme == "http" { 80 } else { 443 };
        // Clients leave the scheme's own port out of `host`.
        let host = match authority.port_u16() {
            Some(port) if port == default => authority.host().to_owned(),
            _ => authority.as_str().to_owned(),
        };
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        Ok(Self { scheme: scheme.to_owned(), host, target })
    }
}

/// The headers to send and sign, `host` first.
fn headers(arguments: &Arguments, host: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut headers = vec![("host".to_owned(), host.to_owned())];
    for text in &arguments.headers {
        let (name, value) =
            text.split_once(':').with_context(|| format!("the header '{text}' has no colon"))?;
        let name = name.trim().to_ascii_lowercase();
        hyper::header::HeaderName::from_bytes(name.as_bytes())
            .with_context(|| format!("the header '{text}'"))?;
        let value = value.trim().to_owned();
        hyper::header::HeaderValue::from_str(&value)
            .with_context(|| format!("the header '{name}'"))?;
        // curl sends no header without a value.
        ensure!(!value.is_empty(), "the header '{name}' has no value");
        ensure!(name != "host", "the host is that of the URL");
        headers.push((name, value));
    }
    // curl would add its own, which is harmless: they are not signed. But for this one.
    let typed = headers.iter().any(|(name, _)| name == "content-type");
    if arguments.body.is_some() && !typed {
        headers.push(("content-type".to_owned(), "application/octet-stream".to_owned()));
    }
    Ok(headers)
}

fn body(arguments: &Arguments) -> anyhow::Result<Vec<u8>> {
    let Some(path) = &arguments.body else { return Ok(Vec::new()) };
    let told = || format!("{}", path.display());
    let mut body = Vec::new();
    let file = std::fs::File::open(path).with_context(told)?;
    file.take(MAX_BODY + 1).read_to_end(&mut body).with_context(told)?;
    ensure!(body.len() as u64 <= MAX_BODY, "{}: larger than {MAX_BODY} bytes", path.display());
    Ok(body)
}

/// The command that sends the request.
fn curl(
    arguments: &Arguments,
    url: &Url,
    method: &str,
    headers: &[(String, String)],
    added: &Added,
) -> String {
    // The path goes as it was signed, dot segments and brackets included.
    let mut words = vec!["curl".to_owned(), "--path-as-is".to_owned(), "--globoff".to_owned()];
    if method == "HEAD" {
        words.push("--head".to_owned());
    } else {
        words.extend(["-X".to_owned(), quoted(method)]);
    }
    let given = headers.iter().skip(1).map(|(name, value)| (name.as_str(), value));
    for (name, value) in given.chain(added.iter().map(|(name, value)| (*name, value))) {
        words.extend(["-H".to_owned(), quoted(&format!("{name}: {value}"))]);
    }
    if let Some(path) = &arguments.body {
        words.extend(["--data-binary".to_owned(), quoted(&format!("@{}", path.display()))]);
    }
    words
        .extend(["--".to_owned(), quoted(&format!("{}://{}{}", url.scheme, url.host, url.target))]);
    words.join(" ")
}

/// A word of a POSIX shell that stands for exactly this text.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::secret::SecretAccessKey;
    use crate::sigv4::{Body, Rules, SigningKey, VerifyingKey, parse, verify, verify_v4a};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn credentials() -> Credentials {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
        Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret: SecretAccessKey::parse(secret.into()).unwrap(),
            session_token: Some("a'token".to_owned()),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_secs(1_440_938_160)
    }

    fn run(words: &[&str]) -> anyhow::Result<String> {
        let cli = Cli::try_parse_from([&["sign"], words].concat())?;
        signed(&cli.arguments, &credentials(), now())
    }

    /// What a shell makes of a command: its words.
    fn words(command: &str) -> Vec<String> {
        let script = format!("for word in {command}; do printf '%s\\0' \"$word\"; done");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    /// Verifies a command of curl's, as its receiver would.
    fn check(command: &str, host: &str, body: &[u8], uri: UriRules) {
        let words = words(command);
        let after = |word: &str| {
            let at = words.iter().position(|other| other == word).unwrap();
            words[at + 1].clone()
        };
        let mut headers = vec![("host".to_owned(), host.to_owned())];
        for pair in words.windows(2).filter(|pair| pair[0] == "-H") {
            let (name, value) = pair[1].split_once(": ").unwrap();
            headers.push((name.to_owned(), value.to_owned()));
        }
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let url = after("--");
        let target = &url[url.find(host).unwrap() + host.len()..];
        let method = after("-X");
        verified(&RequestHead { method: &method, target, headers: &headers }, body, uri);
    }

    fn verified(head: &RequestHead<'_>, body: &[u8], uri: UriRules) {
        let presented = parse(head).unwrap().unwrap();
        assert_eq!(presented.security_token(), Some("a'token"));
        let (credentials, rules) = (credentials(), Rules::new(uri, now()));
        if presented.region_set().is_some() {
            let key = VerifyingKey::derive(&credentials.secret, "AKIDEXAMPLE").unwrap();
            verify_v4a(&presented, &key, None, Body::Bytes(body), &rules).unwrap();
        } else {
            let key = SigningKey::derive(&credentials.secret, presented.scope());
            verify(&presented, &key, Body::Bytes(body), &rules).unwrap();
        }
    }

    #[test]
    fn commands_say_what_was_signed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("it's a $(body) file");
        std::fs::write(&file, "content").unwrap();
        let file = file.to_str().unwrap();
        let url = "https://orders.example:8443/a'b/$(id)/../%60c%60;d?e=f&g=[1]";
        for more in [
            &[][..],
            &["--s3"],
            &["--sigv4a"],
            &["--sigv4a", "--s3"],
            &["--s3", "--unsigned-payload"],
        ] {
            let header = "X-Note: it's \"$HOME\" `id`";
            let given = ["--service", "orders", "-H", header, "--body", file, "-X", "PUT", url];
            let command = run(&[&given, more].concat()).unwrap();
            let uri = if more.contains(&"--s3") { UriRules::S3 } else { UriRules::Standard };
            check(&command, "orders.example:8443", b"content", uri);
            let words = words(&command);
            assert!(words.contains(&format!("@{file}")) && words.contains(&url.to_owned()));
            assert!(words.contains(&"x-note: it's \"$HOME\" `id`".to_owned()), "{words:?}");
            assert!(!command.contains("wJalrXUtnFEMI"));
        }
        let command = run(&["--service", "sts", "http://sts.example:80"]).unwrap();
        check(&command, "sts.example", b"", UriRules::Standard);
    }

    #[test]
    fn presigned_urls_are_good() {
        for more in [&[][..], &["--s3"], &["--sigv4a", "--region", "us-*"]] {
            let given = ["--service", "s3", "--presign", "604800", "https://s3.example/key?a=b"];
            let url = run(&[&given, more].concat()).unwrap();
            let target = url.strip_prefix("https://s3.example").unwrap();
            let headers = [("host", b"s3.example".as_slice())];
            let head = RequestHead { method: "GET", target, headers: &headers };
            let uri = if more == ["--s3"] { UriRules::S3 } else { UriRules::Standard };
            verified(&head, b"", uri);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let service = ["--service", "s3"];
        let url = "https://s3.example/key";
        for (bad, told) in [
            (&["s3.example/key"][..], "URL"),
            (&["/key"], "whole"),
            (&["ftp://s3.example/key"], "http or https"),
            (&["https://user@s3.example/key"], "user"),
            (&[url, "--presign", "0"], "0"),
            (&[url, "--presign", "604801"], "604801"),
            (&[url, "--presign", "-1"], "-1"),
            (&[url, "--unsigned-payload"], "--s3"),
            (&[url, "-H", "nothing"], "colon"),
            (&[url, "-H", "a b: c"], "a b"),
            (&[url, "-H", "a: b\r\nc: d"], "header"),
            (&[url, "-H", "a:"], "no value"),
            (&[url, "-H", "Host: other"], "host"),
            (&[url, "-H", "Authorization: Bearer a"], "credentials already"),
            (&["https://s3.example/?X-Amz-Signature=a"], "credentials already"),
            (&[url, "--body", "/nonexistent"], "/nonexistent"),
        ] {
            let error = run(&[&service[..], bad].concat()).unwrap_err();
            let told_so = format!("{error:#}");
            assert!(told_so.contains(told), "{bad:?}: {told_so}");
        }
    }
}
