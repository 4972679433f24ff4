//! The floor: a server that reads a request and answers with so many bytes.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::process::Guard;

/// Serves on a free port, whose address is printed, until killed.
pub async fn serve(answer_bytes: usize) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let answer = Bytes::from(vec![b'x'; answer_bytes]);
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer.clone();
            async move {
                let _ = request.into_body().collect().await;
                Ok::<_, Infallible>(Response::new(Full::new(answer)))
            }
        });
        tokio::spawn(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// The bare server in a process of its own.
pub struct Bare {
    process: Guard,
    pub url: String,
}

impl Bare {
    pub fn start(answer_bytes: usize) -> Self {
        let mut process = Guard::spawn(
            Command::new(std::env::current_exe().unwrap())
                .args(["--bare", &answer_bytes.to_string()])
                .stdout(Stdio::piped()),
        );
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, url: format!("http://{}", line.trim()) }
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}
