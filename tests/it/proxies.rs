//! Real proxies in front of a small HTTP service, with the configurations of `deploy/examples`: what
//! reaches the service, and what is refused before.
//!
//! nginx, Caddy and HAProxy are run where they are installed; `tests/run` installs them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use countersign::time::{Clock, SystemClock};
use hyper::Method;
use serde_json::{Value, json};

use crate::broker::{Broker, eventually, finished, stderr, stdout};
use crate::caller::{Answer, Caller, ORDERS, Plan, Prepared, allow, policy, trust};
use crate::python::{client, python, with_key};
use crate::services::home_with;

/// A small HTTP service: it tells back what reached it.
fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let request = line.trim_end().to_owned();
    let mut headers = serde_json::Map::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().into());
    }
    let length = headers.get("content-length").and_then(Value::as_str).unwrap_or("0");
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body = json!({
        "request": request,
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let body = body.to_string();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()
}

/// A proxy that runs, and what stands before and behind it.
struct Site {
    name: &'static str,
    broker: Broker,
    address: SocketAddr,
    proxy: Child,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

fn example(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples").join(path);
    std::fs::read_to_string(path).unwrap()
}

/// The text with what a test must choose by itself put in.
fn put(mut text: String, changes: &[(&str, &str)]) -> String {
    for (from, to) in changes {
        assert!(text.contains(from), "the example has no {from}");
        text = text.replace(from, to);
    }
    text
}

fn is_there(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).output().is_ok();
    if !there {
        let _ = std::io::stderr().write_all(format!("{program}: skipped: not found\n").as_bytes());
    }
    there
}

impl Site {
    /// A proxy's site; none if it is not on this machine.
    fn new(name: &'static str) -> Option<Self> {
        Self::changed(name, &[])
    }

    /// A proxy's site, its example changed besides: HAProxy's script.
    fn changed(name: &'static str, script: &[(&str, &str)]) -> Option<Self> {
        if !is_there(name, if name == "caddy" { "version" } else { "-v" }) {
            return None;
        }
        let home = home_with(|home| {
            let settings = example(&format!("{name}/countersign.toml"));
            put(settings, &[("111122223333", home.account.as_str())])
        });
        let broker = Broker::serve(&home, &[]);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let (verify, behind) = (broker.verify.to_string(), service().to_string());
        let changes = [("127.0.0.1:8351", verify.as_str()), ("127.0.0.1:9000", behind.as_str())];
        let folder = home.folder();
        let command = match name {
            "nginx" => nginx(folder, put(example("nginx/orders.conf"), &changes), address),
            "haproxy" => haproxy(folder, &changes, script, address),
            _ => caddy(folder, put(example("caddy/Caddyfile"), &changes), address),
        };
        let log = std::fs::File::create(folder.join("proxy.log")).unwrap();
        let mut command = command;
        let proxy = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let site = Self { name, broker, address, proxy };
        eventually("the proxy", || TcpStream::connect(address).is_ok());
        Some(site)
    }

    /// Somebody whose requests go to the proxy.
    fn via(&self, caller: &Caller) -> Caller {
        Caller::new(self.address, caller.credentials.clone())
    }

    /// A session that may read and write orders 40 to 49.
    async fn session(&self) -> Caller {
        let admin = self.broker.admin();
        let root = format!("arn:aws:iam::{}:root", self.broker.home.account);
        let policy = policy(&json!([{
            "Effect": "Allow",
            "Action": ["orders:GetOrder", "orders:PutOrder"],
            "Resource": "arn:aws:orders:::order/4?",
        }]));
        let role = admin.make_role("clerk", &trust(&root), &policy).await;
        let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue = green")];
        let session = admin.assume(&role, &tags).await.unwrap();
        self.broker.caller(&session)
    }
}

fn nginx(folder: &Path, site: String, address: SocketAddr) -> Command {
    let site = put(site, &[("listen 8080;", &format!("listen {address};"))]);
    std::fs::write(folder.join("orders.conf"), site).unwrap();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
        .concat();
    let whole = format!(
        "daemon off;\nmaster_process off;\nerror_log stderr info;\npid {0}/nginx.pid;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}include {0}/orders.conf;\n}}\n",
        folder.display()
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, whole).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(file);
    command
}

fn caddy(folder: &Path, site: String, address: SocketAddr) -> Command {
    let site = put(site, &[("http://:8080", &format!("http://:{}", address.port()))]);
    let file = folder.join("Caddyfile");
    std::fs::write(&file, site).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file).env("HOME", folder);
    command
}

fn haproxy(
    folder: &Path,
    changes: &[(&str, &str)],
    of_script: &[(&str, &str)],
    address: SocketAddr,
) -> Command {
    let [broker, behind] = changes else { panic!("two changes") };
    let script = folder.join("countersign.lua");
    let text = put(put(example("haproxy/countersign.lua"), &[*broker]), of_script);
    std::fs::write(&script, text).unwrap();
    let load = format!("lua-load {}", script.display());
    let changes =
        [*behind, ("127.0.0.1:8080", &address.to_string()), ("lua-load countersign.lua", &load)];
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, put(example("haproxy/haproxy.cfg"), &changes)).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file);
    command
}

fn plan(method: Method, target: &str) -> Plan<'static> {
    Plan {
        service: "orders",
        method,
        target: target.to_owned(),
        headers: Vec::new(),
        body: String::new(),
        at: None,
    }
}

#[track_caller]
fn passed(answer: &Answer, what: &str) -> Value {
    assert_eq!(answer.status, 200, "{what}: {answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str, what: &str) {
    assert!(is_refused(answer, status, code), "{what}: {status} {code}, not {answer:?}");
}

/// Whether an answer is a refusal with this reason, and the service saw nothing of the request.
fn is_refused(answer: &Answer, status: u16, code: &str) -> bool {
    answer.status == status
        && answer.body.contains(&format!("\"{code}\""))
        && !answer.body.contains("\"request\":")
}

impl Site {
    /// Each request must be refused with its reason; all that are not are told.
    async fn refuses(&self, via: &Caller, status: u16, requests: Vec<(&str, Prepared, &str)>) {
        let mut wrong = Vec::new();
        for (what, request, code) in requests {
            let answer = via.send(request).await;
            if !is_refused(&answer, status, code) {
                wrong.push(format!("{}: {what}: {status} {code}, not {answer:?}", self.name));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn nginx_passes_what_is_allowed_and_refuses_the_rest() {
    if let Some(site) = Site::new("nginx") {
        site.whole().await;
        site.clients().await;
    }
}

#[tokio::test]
async fn caddy_passes_what_is_allowed_and_refuses_the_rest() {
    if let Some(site) = Site::new("caddy") {
        site.whole().await;
    }
}

#[tokio::test]
async fn haproxy_passes_what_is_allowed_and_refuses_the_rest() {
    if let Some(site) = Site::new("haproxy") {
        site.whole().await;
    }
}

/// HAProxy's client takes so many headers and crashes over more.
#[tokio::test]
async fn haproxy_lives_through_any_number_of_headers() {
    let Some(mut site) = Site::new("haproxy") else { return };
    let session = site.session().await;
    let via = site.via(&session);
    let with = |mut request: Prepared, count: usize| {
        for number in request.headers.len()..count {
            request = request.add(&format!("x-more-{number}"), "1");
        }
        request
    };
    let good = || session.sign_for(ORDERS, plan(Method::GET, "/orders/42"));
    for count in [60, 84, 91, 92, 95, 96, 97, 98, 99, 100, 101, 102, 110] {
        let mut unsigned = good();
        unsigned.headers.retain(|(name, _)| name == "host");
        for (signed, request) in [(true, good()), (false, unsigned)] {
            let what = format!("{count} headers, signed: {signed}");
            let answer = raw(&mut site.connect(), &with(request, count)).expect(&what);
            // `host` is not passed on, and six are added; HAProxy itself takes 100.
            match (count, signed) {
                (..=91, true) => drop(passed(&answer, &what)),
                (..=91, false) => refused(&answer, 401, "MissingAuthenticationToken", &what),
                (..=100, _) => refused(&answer, 403, "TooManyHeaders", &what),
                _ => assert_eq!(answer.status, 400, "{what}: {answer:?}"),
            }
        }
        assert_eq!(site.proxy.try_wait().unwrap(), None, "HAProxy lives: {count}");
    }
    // One name with many values counts them all.
    let repeated = (0..90).fold(good(), |request, _| request.add("x-more", "1"));
    let answer = raw(&mut site.connect(), &repeated).expect("one name");
    refused(&answer, 403, "TooManyHeaders", "one name");
    passed(&via.send(good()).await, "it lives");
}

/// A script that fails lets nothing through, nor what comes behind a good request.
#[tokio::test]
async fn haproxy_passes_nothing_on_when_its_script_fails() {
    let broken = "if arrived[\"x-break\"] then error(\"broken\") end\n";
    let early = ("local asked = {}\n", &*format!("local asked = {{}}\n{broken}"));
    let last = "    -- Last: haproxy.cfg";
    let late = (last, &*format!("{broken}{last}"));
    for (when, change) in [("early", early), ("late", late)] {
        let Some(site) = Site::changed("haproxy", &[change]) else { return };
        let session = site.session().await;
        let good = || session.sign_for(ORDERS, plan(Method::GET, "/orders/42"));
        let mut connection = site.connect();
        for _ in 0..2 {
            let answer = raw(&mut connection, &good()).expect(when);
            passed(&answer, when);
        }
        let broken = good().add("x-break", "1");
        let answer = raw(&mut connection, &broken).expect(when);
        assert_eq!(answer.status, 503, "{when}: {answer:?}");
        assert!(!answer.body.contains("\"request\":"), "{when}: {answer:?}");
        let answer = raw(&mut site.connect(), &broken).expect(when);
        assert_eq!(answer.status, 503, "{when}: {answer:?}");
        // No client sets the variable.
        let named = broken.add("txn.countersign", "true").add("countersign", "true");
        let answer = raw(&mut site.connect(), &named).expect(when);
        assert_eq!(answer.status, 503, "{when}: {answer:?}");
    }
}

/// Without a broker that answers, nothing passes.
#[tokio::test]
async fn no_proxy_passes_anything_on_without_the_broker() {
    for name in ["nginx", "caddy", "haproxy"] {
        let Some(mut site) = Site::new(name) else { continue };
        let session = site.session().await;
        let good = session.sign_for(ORDERS, plan(Method::GET, "/orders/42"));
        let via = site.via(&session);
        passed(&via.send(good.clone()).await, name);
        site.broker.kill();
        let answer = via.send(good).await;
        assert!(answer.status.is_server_error(), "{name}: {answer:?}");
        assert!(!answer.body.contains("\"request\":"), "{name}: {answer:?}");
    }
}

/// Sends a request on a connection that may have served others, and reads the answer; none if the
/// connection ends before it.
fn raw(stream: &mut BufReader<TcpStream>, request: &Prepared) -> Option<Answer> {
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    stream.get_mut().write_all(text.as_bytes()).ok()?;
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some(Answer { status, headers: hyper::HeaderMap::new(), body })
}

impl Site {
    /// A connection to the proxy.
    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        BufReader::new(stream)
    }

    /// Whether the proxy asks in nginx's words.
    fn speaks_nginx(&self) -> bool {
        self.name != "caddy"
    }

    async fn whole(&self) {
        let name = self.name;
        let session = self.session().await;
        let via = self.via(&session);
        let get = |target: &str| session.sign_for(ORDERS, plan(Method::GET, target));
        let good = get("/orders/42?x=1");
        let reached = passed(&via.send(good.clone()).await, name);
        assert_eq!(reached["request"], "GET /orders/42?x=1 HTTP/1.1", "{name}");
        let account = &self.broker.home.account;
        let arn = format!("arn:aws:sts::{account}:assumed-role/clerk/test");
        for (header, value) in [
            ("principal", arn.as_str()),
            ("account", account.as_str()),
            ("session", "test"),
            ("tags", "team=blue%20%3D%20green"),
        ] {
            assert_eq!(reached["headers"][format!("x-countersign-{header}")], value, "{name}");
        }

        // A client may name any header as one of its connection.
        let named = good.clone().add("connection", "x-countersign-principal, x-countersign-tags");
        let reached = passed(&via.send(named).await, name);
        for header in ["principal", "account", "session", "tags"] {
            assert!(
                reached["headers"].get(format!("x-countersign-{header}")).is_some(),
                "{header}"
            );
        }

        self.refuses_what_is_not_signed(&session, &via).await;
        self.refuses_what_is_not_allowed(&session, &via).await;
        self.bodies(&session, &via).await;

        // What was good is refused once it is revoked.
        let target = json!({ "session": session.credentials.id });
        self.broker.admin().revoke(&target).await.ok();
        refused(&via.send(good).await, 401, "SessionRevoked", name);
    }

    async fn refuses_what_is_not_signed(&self, session: &Caller, via: &Caller) {
        let get = |target: &str| session.sign_for(ORDERS, plan(Method::GET, target));
        let good = || get("/orders/42");
        let mut unsigned = good();
        unsigned.headers.retain(|(name, _)| name == "host");
        let mut tampered = good();
        tampered.target = String::from("/orders/43");
        let mut method = good();
        method.method = Method::DELETE;
        let mut elsewhere = good();
        *elsewhere.header("host") = String::from("billing.example");
        let now = SystemClock::new().now();
        let expired = Plan { at: Some(now.plus_secs(-1200)), ..plan(Method::GET, "/orders/42") };
        let expired = session.sign_for(ORDERS, expired);
        let scope = Plan { service: "billing", ..plan(Method::GET, "/orders/42") };
        let scope = session.sign_for(ORDERS, scope);
        let host = session.sign_for("billing.example", plan(Method::GET, "/orders/42"));
        let mut forged = good();
        let signature = forged.header("authorization");
        let at = signature.len() - 64;
        signature.replace_range(at.., &"0".repeat(64));
        let mut token = good();
        token.header("x-amz-security-token").push('A');
        let query = "/orders/42?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA/x";
        let mut in_query = good();
        in_query.headers.retain(|(name, _)| name == "host");
        in_query.target = String::from(query);
        let requests = vec![
            ("unsigned", unsigned, "MissingAuthenticationToken"),
            ("m09: another path", tampered, "SignatureDoesNotMatch"),
            ("m09: another method", method, "SignatureDoesNotMatch"),
            ("m02: another host", elsewhere, "HostNotServed"),
            ("expired", expired, "SignatureDoesNotMatch"),
            ("another service's scope", scope, "SignatureDoesNotMatch"),
            ("another service's host", host, "HostNotServed"),
            ("m04: a forged signature", forged, "SignatureDoesNotMatch"),
            ("m13: a longer token", token, "InvalidClientTokenId"),
            ("m05: an unsigned query", in_query, "IncompleteSignature"),
            ("m05: two places", get_with_query(good()), "IncompleteSignature"),
            ("m01: an ACL", good().add("x-amz-acl", "public-read"), "SignatureDoesNotMatch"),
            ("m01: a source", good().add("X-Amz-Copy-Source", "/b/k"), "SignatureDoesNotMatch"),
        ];
        self.refuses(via, 401, requests).await;
    }

    async fn refuses_what_is_not_allowed(&self, session: &Caller, via: &Caller) {
        let sign = |method: Method, target: &str| session.sign_for(ORDERS, plan(method, target));
        let good = || sign(Method::GET, "/orders/42");
        let requests = vec![
            ("another order", sign(Method::GET, "/orders/52"), "ImplicitDeny"),
            ("another action", sign(Method::DELETE, "/orders/42"), "ImplicitDeny"),
            ("no route", sign(Method::GET, "/other"), "Unmapped"),
            ("m33: a wildcard", sign(Method::GET, "/orders/4%2A"), "Unmapped"),
            ("m11: a slash", sign(Method::GET, "/orders/4%2F2"), "AmbiguousPath"),
            ("m11: twice", sign(Method::GET, "/orders/%252e%252e"), "AmbiguousPath"),
            ("a spoofed header", good().add("X-Countersign-Principal", "admin"), "SpoofedHeader"),
            ("an override", good().add("X-HTTP-Method-Override", "DELETE"), "MethodOverride"),
        ];
        self.refuses(via, 403, requests).await;
        // A header of another dialect; each proxy's own it sets itself.
        let other = if self.speaks_nginx() { "X-Forwarded-Uri" } else { "X-Original-URI" };
        let answer = via.send(good().add(other, "/orders/43")).await;
        refused(&answer, 403, "OtherDialect", self.name);
        for own in ["X-Original-URI", "X-Original-Method", "X-Forwarded-Uri", "X-Forwarded-Method"]
        {
            if own.starts_with("X-Original") == self.speaks_nginx() {
                let answer = via.send(good().add(own, "/orders/43")).await;
                passed(&answer, "the proxy's own header is over the client's");
            }
        }
        // Dot segments: the proxy or we refuse them, and they do not reach the service.
        for path in ["/orders/../orders/42", "/orders/%2e%2e/admin", "/orders//42"] {
            let answer = via.send(sign(Method::GET, path)).await;
            assert!(answer.status.is_client_error(), "{path}: {answer:?}");
        }

        // M32: what a client says of its address is not its address.
        let here = json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } });
        let statement = json!([{ "Effect": "Allow", "Action": "orders:*", "Resource": "*",
            "Condition": here }]);
        let admin = self.broker.admin();
        let user = admin.make_user("far", &policy(&statement)).await;
        let far = self.broker.caller(&user);
        let request = far.sign_for(ORDERS, plan(Method::GET, "/orders/42"));
        for header in ["X-Forwarded-For", "X-Real-IP", "X-Original-IP", "Forwarded"] {
            if header == "X-Original-IP" && !self.speaks_nginx() {
                continue;
            }
            let answer = via.send(request.clone().add(header, "203.0.113.7")).await;
            refused(&answer, 403, "ImplicitDeny", header);
        }
        let near = json!([{ "Effect": "Allow", "Action": "orders:*", "Resource": "*",
            "Condition": { "IpAddress": { "aws:SourceIp": "127.0.0.1" } } }]);
        let user = admin.make_user("near", &policy(&near)).await;
        let near = self.broker.caller(&user);
        let request = near.sign_for(ORDERS, plan(Method::GET, "/orders/42"));
        passed(&via.send(request).await, "its address is the connection's");
    }

    /// Neither proxy shows bodies: what the signature says of them, and what the service does.
    async fn bodies(&self, session: &Caller, via: &Caller) {
        let put = |hashed: bool| {
            let mut plan = plan(Method::PUT, "/orders/42");
            plan.body = String::from("a body");
            if hashed {
                let hash = ring::digest::digest(&ring::digest::SHA256, plan.body.as_bytes());
                let hash = data_encoding::HEXLOWER.encode(hash.as_ref());
                plan.headers.push(("x-amz-content-sha256".to_owned(), hash));
            }
            session.sign_for(ORDERS, plan)
        };
        let mut hashed = put(true);
        let hash = hashed.header("x-amz-content-sha256").clone();
        let reached = passed(&via.send(hashed).await, "a body whose hash is signed");
        assert_eq!(reached["headers"]["x-countersign-content-sha256"], hash);
        assert_eq!(reached["body"], "a body");
        refused(&via.send(put(false)).await, 401, "BodyUnverified", "a body that is not shown");
        if self.speaks_nginx() {
            // A request without a body, sent again with one.
            let mut again = session.sign_for(ORDERS, plan(Method::GET, "/orders/42"));
            again.body = String::from("smuggled");
            refused(&via.send(again.clone()).await, 401, "BodyUnverified", "a body from nowhere");
            let chunked = chunked(self.address, &again);
            assert!(chunked.starts_with("HTTP/1.1 401") && chunked.contains("BodyUnverified"));
        }
    }

    /// Requests as real clients sign them.
    async fn clients(&self) {
        let session = self.session_of("clients").await;
        let key = &session.credentials;
        let url = "http://orders.example/orders/42?a=b%20c";
        let curl = |more: &[&str]| {
            let mut command = Command::new("curl");
            command
                .args(["--silent", "--show-error", "--max-time", "20", "--connect-to"])
                .arg(format!("orders.example:80:{}", self.address))
                .args(["--aws-sigv4", "aws:amz:us-east-1:orders"])
                .arg("--user")
                .arg(format!("{}:{}", key.id, key.secret))
                .arg("--header")
                .arg(format!("x-amz-security-token: {}", key.token.as_deref().unwrap()))
                .args(more);
            let output = finished(command);
            assert!(output.status.success(), "{}", stderr(&output));
            stdout(&output)
        };
        assert!(curl(&[url]).contains("\"request\":\"GET /orders/42?a=b%20c"), "{}", curl(&[url]));
        let denied = curl(&["http://orders.example/orders/52"]);
        assert!(denied.contains("ImplicitDeny"), "{denied}");

        let mut boto3 = client(&self.broker.url());
        with_key(&mut boto3, key).arg(script("python/forward.py"));
        self.told(boto3, "boto3");

        let modules = javascript();
        let Some(modules) = modules else { return };
        let mut node = Command::new("node");
        crate::broker::isolate(&mut node);
        with_key(&mut node, key).arg(script("javascript/forward.mjs")).env("MODULES", modules);
        self.told(node, "javascript");
    }

    fn told(&self, mut command: Command, who: &str) {
        command.env("PROXY", self.address.to_string()).env("SERVICE_HOST", ORDERS);
        let output = finished(command);
        assert!(output.status.success(), "{who}: {}{}", stdout(&output), stderr(&output));
        assert!(stdout(&output).trim().ends_with("ok"), "{who}: {}", stdout(&output));
    }

    async fn session_of(&self, name: &str) -> Caller {
        let admin = self.broker.admin();
        let root = format!("arn:aws:iam::{}:root", self.broker.home.account);
        let orders = allow("orders:*", "arn:aws:orders:::order/4?");
        let role = admin.make_role(name, &trust(&root), &orders).await;
        self.broker.caller(&admin.assume(&role, &[]).await.unwrap())
    }
}

fn get_with_query(mut request: Prepared) -> Prepared {
    request.target.push_str("?X-Amz-Signature=00");
    request
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(name)
}

/// The modules of the AWS SDK for JavaScript, installed if need be; none without Node.
fn javascript() -> Option<PathBuf> {
    let there = is_there("node", "--version") && is_there("npm", "--version");
    there.then(crate::sdks::javascript_modules).flatten()
}

/// Sends a request with its body in chunks, so that no length is told.
fn chunked(address: SocketAddr, request: &Prepared) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("connection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    text.push_str(&format!("{:x}\r\n{}\r\n0\r\n\r\n", request.body.len(), request.body));
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Envoy's question by gRPC's own client and Envoy's own message definitions, over HTTP/2.
#[tokio::test]
async fn envoys_question_by_its_own_definitions() {
    let home = home_with(|home| {
        let settings = example("envoy/countersign.toml");
        put(settings, &[("111122223333", home.account.as_str())])
    });
    let broker = Broker::serve(&home, &[]);
    let mut command = Command::new(python());
    crate::broker::isolate(&mut command);
    with_key(&mut command, &home.first)
        .arg(script("python/ext_authz.py"))
        .env("VERIFY", broker.verify.to_string())
        .env("ACCOUNT", &home.account)
        .env("SERVICE_HOST", ORDERS);
    let output = finished(command);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).trim().ends_with("ok"), "{}", stdout(&output));
}
