//! Requests whose end two readers could see in different places: none reaches a handler.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::edge_support::{Setup, exchange};

/// Each with the request that a smuggler would hide behind it.
const CORPUS: &[(&str, &str)] = &[
    (
        "length and chunked",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked and length",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    ),
    (
        "two lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n",
    ),
    (
        "two equal lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    ),
    ("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n"),
    ("length with a sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n"),
    ("negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
    ("hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n"),
    ("huge length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
    (
        "chunked twice",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked not last",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "unknown coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "two codings",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "vertical tab in the coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "space before the colon",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    ("space before the first name", "POST / HTTP/1.1\r\n Host: a\r\nContent-Length: 0\r\n\r\n"),
    ("folded line", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 0\r\n\r\n"),
    (
        "folded value",
        "POST / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\tTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    ),
    ("bare line feeds", "POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n"),
    ("one bare line feed", "POST / HTTP/1.1\r\nHost: a\nContent-Length: 0\r\n\r\n"),
    ("bare line feed at the end", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\n"),
    ("bare carriage return", "POST / HTTP/1.1\r\nHost: a\rContent-Length: 0\r\n\r\n"),
    (
        "carriage return in a value",
        "POST / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\nContent-Length: 0\r\n\r\n",
    ),
    ("NUL in a value", "POST / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\nContent-Length: 0\r\n\r\n"),
    ("no name", "POST / HTTP/1.1\r\nHost: a\r\n: b\r\nContent-Length: 0\r\n\r\n"),
    ("no colon", "POST / HTTP/1.1\r\nHost: a\r\nX-A\r\nContent-Length: 0\r\n\r\n"),
    (
        "chunk size with a sign",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    ),
    (
        "chunk size in C's hexadecimal",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    ),
    (
        "chunk size that overflows",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
    ),
    ("no chunk size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n"),
    (
        "chunk longer than its size",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    ),
    (
        "chunk line ended by a line feed",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\r\n",
    ),
    (
        "line feed in a chunk extension",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n",
    ),
    (
        "chunk ended by a line feed",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n",
    ),
    ("two hosts", "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n"),
    ("no host", "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
    ("empty host", "POST / HTTP/1.1\r\nHost:\r\nContent-Length: 0\r\n\r\n"),
    (
        "absolute target of another host",
        "POST http://b/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "absolute target with a user",
        "POST http://u@a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    ),
    ("tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"),
    ("no path", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("HTTP/0.9", "GET /\r\n\r\n"),
    ("a version of the future", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    ("HTTP/2 upgraded by hand", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    ("space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("not HTTP", "\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n"),
];

#[tokio::test]
async fn ambiguous_requests_reach_no_handler_and_end_their_connection() {
    let mut failures = Vec::new();
    for (name, request) in CORPUS {
        let server = Setup::default().start().await;
        let bytes = format!("{request}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        let patience = Duration::from_millis(500);
        let (answer, closed) = exchange(server.address, bytes.as_bytes(), patience).await;
        let reached = server.mirror.begun.load(Ordering::SeqCst);
        if reached > 0 || !closed || answer.contains(" 200 ") {
            failures.push(format!(
                "{name}: {reached} reached, closed {closed}: {}",
                answer.lines().next().unwrap_or("")
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
