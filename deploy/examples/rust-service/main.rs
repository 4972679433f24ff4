//! A small HTTP service that verifies its callers by itself: the tower layer in front of one
//! function.
//!
//! ```sh
//! cargo run --example rust-service -- --listen 127.0.0.1:8080 \
//!     --broker https://127.0.0.1:8351 --ca ca.pem --certificate orders.pem --key orders.key
//! ```
//!
//! The broker has the service registered as `service.toml` beside this file says: with its routes,
//! so that nothing here has to know which action a request is.

#![allow(clippy::print_stderr, reason = "an example tells what it does")]

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign::verify::{
    BrokerAddress, Connection, Tls, Verified, VerifiedBody, Verifier, VerifyLayer,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tower_layer::Layer as _;

/// The service itself: it sees only requests that are verified and allowed.
async fn orders(
    request: Request<VerifiedBody<Incoming>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let Some(verified) = request.extensions().get::<Verified>().cloned() else {
        return Ok(answer(500, "not verified\n"));
    };
    let path = request.uri().path().to_owned();
    let Ok(body) = request.into_body().collect().await else {
        return Ok(answer(400, "the body cannot be read\n"));
    };
    let (who, bytes) = (&verified.principal().arn, body.to_bytes().len());
    let text = format!(
        "{who} {path} {bytes} bytes{}\n",
        if verified.in_process() { "" } else { ", as the broker says" }
    );
    Ok(answer(200, &text))
}

fn answer(status: u16, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text.to_owned())));
    if let Ok(status) = hyper::StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (address, serving) = serve(Options::read()?).await?;
    eprintln!("listening on {address}");
    serving.await;
    Ok(())
}

/// Where it listens, and what serves there for ever.
pub(crate) async fn serve(
    options: Options,
) -> Result<(SocketAddr, impl Future<Output = ()> + Send), Box<dyn Error>> {
    let verifier =
        Verifier::builder("orders", options.broker()?).freshness(options.freshness).start();
    let layer = VerifyLayer::mapped(Arc::new(verifier));
    let service = layer.layer(tower(orders));

    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    let serving = async move {
        loop {
            let Ok((stream, peer)) = listener.accept().await else { continue };
            tokio::spawn(answer_all(stream, peer, service.clone()));
        }
    };
    Ok((address, serving))
}

async fn answer_all<S>(stream: TcpStream, peer: SocketAddr, service: S)
where
    S: tower_service::Service<
            Request<Incoming>,
            Response = Response<Full<Bytes>>,
            Error = Infallible,
        > + Clone
        + Send,
    S::Future: Send,
{
    let answering = service_fn(move |mut request: Request<Incoming>| {
        // What the connection tells becomes condition keys. Behind a proxy, say what the proxy
        // vouches for instead.
        request
            .extensions_mut()
            .insert(Connection { source_ip: Some(peer.ip().to_canonical()), secure: Some(false) });
        service.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), answering);
    if let Err(error) = connection.await {
        eprintln!("{peer}: {error}");
    }
}

/// A function as tower's kind of service. Any framework on tower has its own way to do this.
fn tower<F, A, B>(function: F) -> Function<F>
where
    F: Fn(Request<B>) -> A,
{
    Function(function)
}

#[derive(Clone)]
struct Function<F>(F);

impl<F, A, B, T, E> tower_service::Service<Request<B>> for Function<F>
where
    F: Fn(Request<B>) -> A,
    A: Future<Output = Result<T, E>>,
{
    type Response = T;
    type Error = E;
    type Future = A;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> A {
        (self.0)(request)
    }
}

/// Where it listens, whom it asks, and by which certificates.
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) broker: String,
    pub(crate) ca: Option<String>,
    pub(crate) certificate: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) freshness: Duration,
}

impl Options {
    fn read() -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            broker: "https://127.0.0.1:8351".to_owned(),
            ca: None,
            certificate: None,
            key: None,
            freshness: Duration::from_mins(1),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--listen" => options.listen = value.parse()?,
                "--broker" => options.broker = value,
                "--ca" => options.ca = Some(value),
                "--certificate" => options.certificate = Some(value),
                "--key" => options.key = Some(value),
                "--freshness-seconds" => options.freshness = Duration::from_secs(value.parse()?),
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        Ok(options)
    }

    fn broker(&self) -> Result<BrokerAddress, Box<dyn Error>> {
        let read = |path: &Option<String>, name: &str| -> Result<Vec<u8>, Box<dyn Error>> {
            let path = path.as_ref().ok_or_else(|| format!("{name} is needed"))?;
            Ok(std::fs::read(path)?)
        };
        let tls = Tls {
            ca_pem: read(&self.ca, "--ca")?,
            client: Some((read(&self.certificate, "--certificate")?, read(&self.key, "--key")?)),
        };
        Ok(BrokerAddress::https(&self.broker, tls)?)
    }
}
