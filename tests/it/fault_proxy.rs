//! A proxy between a client and the broker, which counts what is asked and answers some of it itself.
//!
//! What it passes on it does not touch: `Host` stays what the client signed.

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The first two requests whose body holds this find the service unavailable.
const UNAVAILABLE: &str = "RoleSessionName=unavailable";

/// A request that came by, and the status of its answer.
struct Seen {
    body: String,
    status: u16,
}

/// The proxy. It serves until the process ends.
pub(crate) struct FaultProxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl FaultProxy {
    /// Stands before a broker.
    pub(crate) fn start(broker: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::default();
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&shared);
                // A client that goes away is no matter.
                std::thread::spawn(move || drop(serve(&client, broker, &seen)));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests had this text in their bodies.
    pub(crate) fn asked(&self, text: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| seen.body.contains(text)).count()
    }

    /// How many requests were refused as the client's fault.
    pub(crate) fn refusals(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| (400..500).contains(&seen.status)).count()
    }
}

/// One connection of a client, and one to the broker for it.
fn serve(mut client: &TcpStream, broker: SocketAddr, seen: &Mutex<Vec<Seen>>) -> io::Result<()> {
    let upstream = TcpStream::connect(broker)?;
    let (mut requests, mut answers) = (BufReader::new(client), BufReader::new(&upstream));
    loop {
        let request = Message::read(&mut requests)?;
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let before = seen.lock().unwrap().iter().filter(|seen| seen.body == body).count();
        let (bytes, status) = if body.contains(UNAVAILABLE) && before < 2 {
            (unavailable(), 503)
        } else {
            (&upstream).write_all(&request.bytes())?;
            let answer = Message::read(&mut answers)?;
            (answer.bytes(), answer.status())
        };
        seen.lock().unwrap().push(Seen { body, status });
        client.write_all(&bytes)?;
    }
}

/// What a service answers that cannot at the moment.
fn unavailable() -> Vec<u8> {
    let body = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
                <Type>Receiver</Type><Code>ServiceUnavailable</Code><Message>Ask again.</Message>\
                </Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>";
    let length = body.len();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/xml\r\nContent-Length: {length}\
         \r\n\r\n{body}"
    )
    .into_bytes()
}

/// A request or an answer of HTTP/1.1, its body as long as `Content-Length` says.
struct Message {
    head: String,
    body: Vec<u8>,
}

impl Message {
    fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body)?;
        Ok(Self { head, body })
    }

    fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), &self.body].concat()
    }

    /// The status of an answer.
    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }
}
