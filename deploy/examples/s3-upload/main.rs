//! Serves the test service for S3 uploads on a port of loopback.
//!
//! ```sh
//! export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
//! export AWS_REGION=eu-west-1
//! cargo run --example s3-upload -- 127.0.0.1:8400 &
//! aws s3api put-object --endpoint-url http://127.0.0.1:8400 --bucket b --key k --body file
//! ```
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

#[allow(dead_code, unreachable_pub, reason = "tests take it in too, and use more of it")]
mod service;

use std::sync::Arc;

use anyhow::Context as _;
use countersign::secret::SecretAccessKey;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use service::Uploads;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8400".to_owned());
    let id = std::env::var("AWS_ACCESS_KEY_ID").context("AWS_ACCESS_KEY_ID")?;
    let secret = std::env::var("AWS_SECRET_ACCESS_KEY").context("AWS_SECRET_ACCESS_KEY")?;
    let region = std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned());
    let uploads = Uploads::new(&region, &id, SecretAccessKey::parse(secret.into())?, false);
    let listener = TcpListener::bind(&address).await?;
    println!("taking uploads at http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let uploads = Arc::clone(&uploads);
        tokio::spawn(async move {
            let told = Arc::clone(&uploads);
            let service = service_fn(move |request| Arc::clone(&uploads).handle(request));
            let builder = Builder::new(TokioExecutor::new());
            if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                println!("{error}");
            }
            if let Some(code) = told.refusals().last() {
                println!("refused so far: {}, the last: {code}", told.refusals().len());
            }
            println!("the most memory taken for a chunk: {} bytes", told.high_water());
        });
    }
}
