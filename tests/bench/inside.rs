//! A service with the verification layer in front of it, to the same service without it.
//!
//! Client and service are in this process and talk over loopback; the broker is the real one, asked
//! once for the first request. Short rounds of both services alternate, each first as often as the
//! other, so that whatever else the machine does falls on both alike. The rates are over all rounds,
//! and the ratio is the quotient of the two; how far rounds differ is printed beside it.
//!
//! `cargo bench --bench inside`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::cast_precision_loss)]

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use countersign::secret::SecretAccessKey;
use countersign::sigv4::{RequestHead, Signer, UriRules};
use countersign::time::{Clock as _, SystemClock};
use countersign::verify::{BrokerAddress, Credentials, Verifier, VerifyLayer};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tower_layer::Layer as _;
use tower_service::Service as _;

const HOST: &str = "orders.example";
const CONNECTIONS: usize = 8;
const ROUND: Duration = Duration::from_millis(250);
const ROUNDS: usize = 60;

struct Broker {
    process: Child,
    verify: String,
    id: String,
    secret: String,
    _folder: tempfile::TempDir,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Broker {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let program = env!("CARGO_BIN_EXE_countersign");
        let made = Command::new(program)
            .args(["init", "--format", "json", "--data-dir"])
            .arg(&data)
            .output()
            .unwrap();
        let key: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        let id = text("AccessKeyId");
        let account = countersign::id::AccessKeyId::parse(&id).unwrap().account();
        let settings = format!(
            "[[service]]\nname = 'orders'\nhosts = ['{HOST}']\naccount = '{account}'\n\
             askers = ['arn:aws:iam::{account}:user/admin']\nsigning_keys = true\n\
             [[service.route]]\nmethod = 'GET'\npath = '/orders/{{id}}'\n\
             action = 'orders:GetOrder'\nresource = 'arn:aws:orders:::order/{{id}}'\n"
        );
        std::fs::write(data.join("countersign.toml"), settings).unwrap();
        let mut command = Command::new(program);
        command.args(["serve", "--log-format", "json", "--data-dir"]).arg(&data);
        for listener in ["--listen", "--verify-listen", "--ops-listen"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let verify = loop {
            let line = lines.next().expect("the broker serves").unwrap();
            let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if line["message"] == "listening" && line["listener"] == "verify" {
                break format!("http://{}", line["address"].as_str().unwrap());
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, verify, id, secret: text("SecretAccessKey"), _folder: folder }
    }

    fn secret(&self) -> SecretAccessKey {
        SecretAccessKey::parse(self.secret.clone().into()).unwrap()
    }

    /// A request that is good for a quarter of an hour.
    fn request(&self) -> Request<Full<Bytes>> {
        let secret = self.secret();
        let signer = Signer {
            access_key_id: &self.id,
            secret: &secret,
            session_token: None,
            region: "us-east-1",
            service: "orders",
            uri: UriRules::Standard,
            content_sha256: false,
        };
        let target = "/orders/42";
        let headers: [(&str, &[u8]); 1] = [("host", HOST.as_bytes())];
        let head = RequestHead { method: "GET", target, headers: &headers };
        let added = signer.sign(&head, b"", SystemClock::new().now()).unwrap();
        let mut request = Request::builder().uri(target).header("host", HOST);
        for (name, value) in added {
            request = request.header(name, value);
        }
        request.body(Full::default()).unwrap()
    }
}

/// What the service does: reads the body and says something short.
#[derive(Clone)]
struct Hello;

impl<B> tower_service::Service<Request<B>> for Hello
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Debug,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(async move {
            let body = request.into_body();
            let bytes = Box::pin(body).collect().await.unwrap().to_bytes();
            Ok(Response::new(Full::new(Bytes::from(format!("{} bytes\n", bytes.len())))))
        })
    }
}

async fn serve<S>(service: S) -> SocketAddr
where
    S: tower_service::Service<
            Request<Incoming>,
            Response = Response<Full<Bytes>>,
            Error = Infallible,
        > + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let service = service.clone();
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(
                TokioIo::new(stream),
                service_fn(move |request| service.clone().call(request)),
            ));
        }
    });
    address
}

/// Requests of one round, and how long it took.
async fn drive(address: SocketAddr, request: &Request<Full<Bytes>>) -> (f64, f64) {
    let started = Instant::now();
    let end = started + ROUND;
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let request = request.clone();
            tokio::spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut open, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
                tokio::spawn(connection);
                let mut done = 0_u32;
                while Instant::now() < end {
                    open.ready().await.unwrap();
                    let answer = open.send_request(request.clone()).await.unwrap();
                    assert_eq!(answer.status(), 200);
                    answer.into_body().collect().await.unwrap();
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    (f64::from(done), started.elapsed().as_secs_f64())
}

/// What was done in all rounds of one service.
#[derive(Default)]
struct Sum {
    requests: f64,
    seconds: f64,
}

impl Sum {
    fn rate(&self) -> f64 {
        self.requests / self.seconds
    }
}

#[tokio::main]
async fn main() {
    let broker = Broker::start();
    let credentials = Arc::new(Credentials {
        access_key_id: broker.id.clone(),
        secret: broker.secret(),
        session_token: None,
    });
    let verifier = Verifier::builder("orders", BrokerAddress::loopback(&broker.verify).unwrap())
        .signed_by(credentials)
        .start();
    let verifier = Arc::new(verifier);
    while !verifier.is_fresh() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let layer = VerifyLayer::mapped(verifier);
    let request = broker.request();

    // The layer alone, warm, without a network.
    let mut direct = layer.layer(Hello);
    let call = |request: Request<Full<Bytes>>| direct.call(request);
    let per_call = time_calls(call, &request).await;
    println!("layer and service, no network: {:.1} µs a request", per_call * 1e6);

    let bare = serve(Hello).await;
    let verified = serve(layer.layer(Hello)).await;
    let addresses = [bare, verified];
    let mut sums = [Sum::default(), Sum::default()];
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        let mut rates = [0.0; 2];
        for which in order {
            let (requests, seconds) = drive(addresses[which], &request).await;
            sums[which].requests += requests;
            sums[which].seconds += seconds;
            rates[which] = requests / seconds;
        }
        ratios.push(rates[1] / rates[0]);
    }
    ratios.sort_by(f64::total_cmp);
    let [without, with] = sums.map(|sum| sum.rate());
    println!("without the layer: {without:.0} requests/s");
    println!("with the layer:    {with:.0} requests/s");
    let (low, high) = (ratios[ROUNDS / 4], ratios[ROUNDS * 3 / 4]);
    println!(
        "ratio:             {:.2} (half of the rounds: {low:.2} to {high:.2})",
        with / without
    );
}

async fn time_calls<F>(
    mut call: impl FnMut(Request<Full<Bytes>>) -> F,
    request: &Request<Full<Bytes>>,
) -> f64
where
    F: Future<Output = Result<Response<Full<Bytes>>, Infallible>>,
{
    for _ in 0..100 {
        assert_eq!(call(request.clone()).await.unwrap().status(), 200);
    }
    let rounds = 5000_u32;
    let started = Instant::now();
    for _ in 0..rounds {
        assert_eq!(call(request.clone()).await.unwrap().status(), 200);
    }
    started.elapsed().as_secs_f64() / f64::from(rounds)
}
