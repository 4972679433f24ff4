//! HTTP/2 by raw frames (RFC 9113), and plaintext with prior knowledge.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::edge_support::{Setup, exchange};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM_AND_HEADERS: u8 = 5;

/// Indexed fields of HPACK's static table (RFC 7541, appendix A).
const GET: u8 = 0x82;
const PATH_ROOT: u8 = 0x84;
const SCHEME_HTTP: u8 = 0x86;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A literal that is not indexed, of a name in the static table.
fn literal(index: u8, value: &str) -> Vec<u8> {
    let name = if index < 15 { vec![index] } else { vec![15, index - 15] };
    [name, vec![u8::try_from(value.len()).unwrap()], value.as_bytes().to_vec()].concat()
}

fn authority(value: &str) -> Vec<u8> {
    literal(1, value)
}

fn host(value: &str) -> Vec<u8> {
    literal(38, value)
}

fn request(stream: u32, fields: &[Vec<u8>]) -> Vec<u8> {
    let block = [vec![GET, PATH_ROOT, SCHEME_HTTP], fields.concat()].concat();
    frame(HEADERS, END_STREAM_AND_HEADERS, stream, &block)
}

fn opening() -> Vec<u8> {
    [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &[])].concat()
}

/// Reads frames for a while: kind and payload of each.
async fn read_frames(stream: &mut TcpStream, patience: Duration) -> (Vec<(u8, Vec<u8>)>, bool) {
    let mut bytes = Vec::new();
    let closed = tokio::time::timeout(patience, async {
        use tokio::io::AsyncReadExt;
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..count]);
        }
    })
    .await
    .is_ok();
    let mut frames = Vec::new();
    let mut rest = bytes.as_slice();
    while let [a, b, c, kind, _, _, _, _, _, after @ ..] = rest {
        let length = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap();
        if after.len() < length {
            break;
        }
        frames.push((*kind, after[..length].to_vec()));
        rest = &after[length..];
    }
    (frames, closed)
}

/// The status's HPACK byte and the body of the answer to one request.
async fn ask(address: SocketAddr, fields: &[Vec<u8>]) -> (u8, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[opening(), request(1, fields)].concat()).await.unwrap();
    let (frames, _) = read_frames(&mut stream, Duration::from_millis(300)).await;
    let head = frames.iter().find(|(kind, _)| *kind == HEADERS);
    let body: Vec<u8> = frames
        .iter()
        .filter(|(kind, _)| *kind == DATA)
        .flat_map(|(_, data)| data.clone())
        .collect();
    (head.map_or(0, |(_, block)| block[0]), String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn the_authority_is_the_host() {
    const OK: u8 = 0x88;
    const BAD_REQUEST: u8 = 0x8c;
    let server = Setup::default().start().await;
    for (name, fields, status, seen) in [
        ("authority", vec![authority("sts.a:1")], OK, "header host: sts.a:1\n"),
        ("host", vec![host("sts.a")], OK, "header host: sts.a\n"),
        ("both", vec![authority("sts.a"), host("sts.a")], OK, "header host: sts.a\n"),
        ("conflict", vec![authority("sts.a"), host("sts.b")], BAD_REQUEST, ""),
        ("hosts", vec![authority("sts.a"), host("sts.a"), host("sts.a")], BAD_REQUEST, ""),
        ("user", vec![authority("u@sts.a"), host("sts.a")], BAD_REQUEST, ""),
        ("neither", vec![], BAD_REQUEST, ""),
    ] {
        let (answer, body) = ask(server.address, &fields).await;
        assert_eq!(answer, status, "{name}: {body}");
        assert!(body.contains(seen), "{name}: {body}");
        assert_eq!(body.matches("header host:").count(), usize::from(status == OK), "{name}");
    }
}

#[tokio::test]
async fn rapid_resets_end_their_connection_and_nothing_else() {
    let server = Setup::default().start().await;
    let mut flood = opening();
    for index in 0..2000 {
        flood.extend(request(2 * index + 1, &[authority("a")]));
        flood.extend(frame(RESET, 0, 2 * index + 1, &8_u32.to_be_bytes()));
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The other side may close before all is written.
    let _ = stream.write_all(&flood).await;
    let (frames, closed) = read_frames(&mut stream, Duration::from_secs(5)).await;
    assert!(closed || frames.iter().any(|(kind, _)| *kind == GOAWAY));
    let begun = server.mirror.begun.load(Ordering::SeqCst);
    assert!(begun < 1000, "{begun} requests were begun");
    let (answer, _) = exchange(
        server.address,
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        Duration::from_secs(5),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn header_lists_are_bounded_as_they_are_read_not_as_they_are_sent() {
    let server = Setup::default().start().await;
    // A field put into the dynamic table, then referred to by a byte each.
    let short = [vec![0x40, 1, b'x', 1], vec![b'y'; 1]].concat();
    let long = [vec![0x40, 1, b'x', 127, 189, 29], vec![b'y'; 3900]].concat();
    for (field, references, accepted) in
        [(&long, 10, true), (&long, 60, false), (&short, 100, true), (&short, 200, false)]
    {
        let fields = [authority("a"), field.clone(), vec![0xbe; references]];
        let before = server.mirror.begun.load(Ordering::SeqCst);
        let (status, _) = ask(server.address, &fields).await;
        assert_eq!(status == 0x88, accepted, "{references} of {}", field.len());
        let begun = server.mirror.begun.load(Ordering::SeqCst) - before;
        assert_eq!(begun, usize::from(accepted), "{references} of {}", field.len());
    }
}

/// A body that does not come costs its sender's connection, not everybody's room.
#[tokio::test]
async fn requests_whose_bodies_do_not_come_do_not_keep_others_out() {
    const HEADERS_ONLY: u8 = 4;
    let server = Setup::default().start().await;
    let mut idle = Vec::new();
    for _ in 0..4 {
        let mut bytes = opening();
        for index in 0..128 {
            let block = [vec![0x83, PATH_ROOT, SCHEME_HTTP], authority("a")].concat();
            bytes.extend(frame(HEADERS, HEADERS_ONLY, 2 * index + 1, &block));
        }
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        idle.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (answer, _) = exchange(
        server.address,
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        Duration::from_secs(5),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
