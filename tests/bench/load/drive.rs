//! Driving a server with prepared requests.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign::http::client::Client;
use hyper::Method;
use hyper::header::HeaderMap;

use crate::process::cpu_micros;

/// How hard and how long.
pub struct Load {
    pub seconds: u64,
    pub connections: usize,
}

/// A prepared request.
#[derive(Clone)]
pub struct Shot {
    pub target: &'static str,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Prepared requests to one server.
#[derive(Clone)]
pub struct Shots {
    pub url: String,
    pub list: Arc<Vec<Shot>>,
}

impl Shots {
    /// The same requests to another server.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), list: Arc::clone(&self.list) }
    }
}

/// What was measured.
pub struct Row {
    pub name: String,
    pub per_second: f64,
    pub cpu_micros: f64,
    pub request_bytes: usize,
    pub answer_bytes: usize,
    failed: usize,
    percentiles: [Duration; 4],
}

impl Row {
    pub const HEADER: &'static str = "what                            requests/s     p50 ms     p90 ms     p99 ms    max ms   CPU us/request   failed";
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<30} {:>11.0}", self.name, self.per_second)?;
        for percentile in self.percentiles {
            write!(f, " {:>10.3}", percentile.as_secs_f64() * 1000.0)?;
        }
        write!(f, " {:>15.1} {:>8}", self.cpu_micros, self.failed)
    }
}

/// Sends the requests round and round over keep-alive connections.
pub async fn run(name: &str, load: &Load, pids: &[u32], shots: &Shots) -> Row {
    // Warm-up: every connection once around a tenth of the time.
    shoot(Duration::from_millis(load.seconds * 100), load.connections, shots).await;
    let cpu = |pids: &[u32]| pids.iter().map(|pid| cpu_micros(*pid)).sum::<f64>();
    let before = cpu(pids);
    let start = Instant::now();
    let (mut times, failed, answer_bytes) =
        shoot(Duration::from_secs(load.seconds), load.connections, shots).await;
    let took = start.elapsed().as_secs_f64();
    let used = cpu(pids) - before;
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let first = &shots.list[0];
    let heads: usize = first.headers.iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum();
    Row {
        name: name.to_owned(),
        per_second: times.len() as f64 / took,
        cpu_micros: used / times.len() as f64,
        request_bytes: heads + first.body.len(),
        answer_bytes,
        failed,
        percentiles: [at(0.5), at(0.9), at(0.99), at(1.0)],
    }
}

async fn shoot(time: Duration, connections: usize, shots: &Shots) -> (Vec<Duration>, usize, usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let end = Instant::now() + time;
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let (next, shots) = (Arc::clone(&next), shots.clone());
            tokio::spawn(async move {
                let client = Client::url(&shots.url, None, false).unwrap();
                let (mut times, mut failed, mut bytes) = (Vec::new(), 0, 0);
                while Instant::now() < end {
                    let at = next.fetch_add(1, Ordering::Relaxed) % shots.list.len();
                    let shot = &shots.list[at];
                    let start = Instant::now();
                    let answer = client
                        .request(Method::POST, shot.target, shot.headers.clone(), shot.body.clone())
                        .await;
                    times.push(start.elapsed());
                    match answer {
                        Ok(answer) if answer.status.is_success() => bytes = answer.body.len(),
                        Ok(answer) => {
                            if failed == 0 {
                                eprintln!("{}: {:?}", answer.status, answer.body);
                            }
                            failed += 1;
                        }
                        Err(error) => {
                            eprintln!("{error}");
                            failed += 1;
                        }
                    }
                }
                (times, failed, bytes)
            })
        })
        .collect();
    let mut all = (Vec::new(), 0, 0);
    for worker in workers {
        let (times, failed, bytes) = worker.await.unwrap();
        all.0.extend(times);
        all.1 += failed;
        all.2 = all.2.max(bytes);
    }
    all
}
