//! A load on the real server: requests a second, latency, and CPU a request, beside a bare server
//! that takes in and gives out as many bytes.
//!
//! `cargo bench --bench load`; `-- --seconds 10 --connections 16` for other than the defaults.
//! Everything runs on this machine, over loopback and keep-alive connections, so that client and
//! server share its processors: compare the rows of one run with each other, not with other runs.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    unreachable_pub,
    missing_docs,
    reason = "a tool that measures, and fails loudly"
)]

mod bare;
mod broker;
mod drive;
mod issuer;
mod process;

use broker::{Broker, Ledger};
use drive::{Load, Row};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == "--bare") {
        let answer = arguments[at + 1].parse().unwrap();
        return bare::serve(answer).await;
    }
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|a| a == name);
        at.map_or(default, |at| arguments[at + 1].parse().unwrap())
    };
    let load =
        Load { seconds: number("--seconds", 5) as u64, connections: number("--connections", 16) };
    println!(
        "{} s a row, {} connections, {} processors; default logs and audit on",
        load.seconds,
        load.connections,
        std::thread::available_parallelism().map_or(0, usize::from)
    );
    println!("{}", Row::HEADER);
    let mut rows = Vec::new();
    let embedded = Broker::start(&Ledger::Embedded).await;
    rows.extend(measure(&load, &embedded, "embedded").await);
    match Ledger::redis() {
        Some(redis) => {
            let broker = Broker::start(&redis).await;
            rows.extend(measure(&load, &broker, "redis").await);
        }
        None => println!("redis: skipped, there is no redis-server on this machine"),
    }
    println!(
        "\nAssumeRoleWithWebIdentity to AssumeRole and the bare check of its token's signature:"
    );
    let check = issuer::bare_check_micros();
    for kinds in rows.chunks(6) {
        let [_, _, keys, _, tokens, _] = kinds else { continue };
        println!(
            "{:<38} CPU a request {:.2} x ({:.1} to {:.1} + {check:.1} us)",
            tokens.name,
            tokens.cpu_micros / (keys.cpu_micros + check),
            tokens.cpu_micros,
            keys.cpu_micros
        );
    }
    println!("\nratios to the bare server with as many bytes in and out, of the same run:");
    for pair in rows.chunks(2) {
        let [ours, floor] = pair else { continue };
        println!(
            "{:<28} throughput {:.2} x, CPU a request {:.2} x",
            ours.name,
            ours.per_second / floor.per_second,
            ours.cpu_micros / floor.cpu_micros
        );
    }
}

/// Verification and both ways to a session, each followed by its floor.
async fn measure(load: &Load, broker: &Broker, ledger: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, shots) in [
        ("verify", broker.questions().await),
        ("AssumeRole", broker.assumptions()),
        ("AssumeRoleWithWebIdentity", broker.tokens()),
    ] {
        let name = format!("{what} ({ledger})");
        let ours = drive::run(&name, load, &broker.pids(), &shots).await;
        println!("{ours}");
        let bare = bare::Bare::start(ours.answer_bytes);
        let floor = drive::run(
            &format!("  bare, {} B in, {} B out", ours.request_bytes, ours.answer_bytes),
            load,
            &[bare.pid()],
            &shots.at(&bare.url),
        )
        .await;
        println!("{floor}");
        rows.extend([ours, floor]);
    }
    rows
}
