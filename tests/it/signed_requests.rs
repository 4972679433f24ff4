//! botocore against our signer and our verifier, on generated requests: what botocore signs, we
//! verify; what we sign is what it signs; and each with one thing changed is refused.
//!
//! `COUNTERSIGN_TEST_SIGNED_REQUESTS` says how many, `COUNTERSIGN_TEST_SEED` which.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use countersign::secret::SecretAccessKey;
use countersign::sigv4::{
    Body, Presented, RequestHead, Rules, SigError, Signer, SigningKey, UriRules, parse, verify,
};
use countersign::time::Timestamp;
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::broker::isolate;
use crate::python;
use crate::sdks::sources;

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const HOST: &str = "example.amazonaws.com";
/// The forms that `signatures.py` knows.
const FORMS: [&str; 5] = ["header", "query", "s3", "s3-unsigned", "s3-query"];

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

fn now() -> Timestamp {
    Timestamp::parse_amz(b"20150830T123600Z").unwrap()
}

fn secret() -> SecretAccessKey {
    SecretAccessKey::parse(SECRET.to_owned().into()).unwrap()
}

/// Numbers that a seed decides.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % end
    }

    fn one<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }

    fn pieces(&mut self, texts: &[&str], most: usize) -> String {
        (0..self.below(most)).map(|_| self.one(texts)).collect()
    }
}

struct Case {
    form: &'static str,
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    token: Option<String>,
    region: &'static str,
    service: &'static str,
}

impl Case {
    fn draw(draw: &mut Draw) -> Self {
        let form = FORMS[draw.below(FORMS.len())];
        let mut path = draw.pieces(
            &["/", "/", "a", "Z9", "-_~", ".", "..", "%20", "%2F", "%C3%A9", "%25", "@", ":", "$"],
            10,
        );
        // RFC 3986 §5.2.4 leaves a slash of a dot segment at the end, and botocore none.
        if path.ends_with('.') {
            path.push('z');
        }
        // botocore takes a query for escaped as it must be, and drops repeated names when it
        // presigns.
        let values = ["a", "B9", "-_.~", "%20", "%2F", "%3D", "%26", "%2B", "%C3%A9", "%7B"];
        let query: Vec<String> = (0..draw.below(5))
            .map(|index| format!("n{index}{}={}", draw.pieces(&values, 3), draw.pieces(&values, 4)))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let mut headers = Vec::new();
        for name in ["X-One", "x-two", "Accept", "X-Amz-Meta-A", "User-Agent", "X-Amz-Acl"] {
            if draw.below(3) == 0 {
                let value = draw.pieces(&["a", "B", "  ", " ", ",", "\"", "=", ";", "/"], 7);
                headers.push((name.to_owned(), value.trim().to_owned()));
            }
        }
        // botocore sends a body that it presigns for in the query.
        let body: Vec<u8> = if form.ends_with("query") {
            Vec::new()
        } else {
            (0..draw.below(60)).map(|_| u8::try_from(draw.below(256)).unwrap()).collect()
        };
        let methods: &[&str] =
            if body.is_empty() { &["GET", "HEAD", "DELETE", "PUT"] } else { &["POST", "PUT"] };
        Self {
            form,
            method: match draw.one(methods) {
                "GET" => "GET",
                "HEAD" => "HEAD",
                "DELETE" => "DELETE",
                "PUT" => "PUT",
                _ => "POST",
            },
            target: format!("/{path}{mark}{}", query.join("&")),
            headers,
            body,
            token: (draw.below(2) == 0)
                .then(|| format!("t{}", draw.pieces(&["a", "B/", "+", "=", "9"], 30))),
            region: if draw.below(2) == 0 { "us-east-1" } else { "local-1" },
            service: if form.starts_with("s3") { "s3" } else { "orders" },
        }
    }

    fn uri(&self) -> UriRules {
        if self.form.starts_with("s3") { UriRules::S3 } else { UriRules::Standard }
    }

    fn line(&self) -> String {
        json!({
            "form": self.form, "method": self.method, "target": self.target, "host": HOST,
            "scheme": "https", "headers": self.headers, "body": BASE64.encode(&self.body),
            "token": self.token, "region": self.region, "service": self.service,
            "id": KEY_ID, "secret": SECRET,
        })
        .to_string()
    }

    /// Verifies a request as it arrives.
    fn check<T>(
        &self,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
        told: impl FnOnce(&Presented<'_>) -> T,
    ) -> Result<T, SigError> {
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let head = RequestHead { method: self.method, target, headers: &headers };
        let presented = parse(&head)?.expect("credentials");
        let key = SigningKey::derive(&secret(), presented.scope());
        let rules = Rules::new(self.uri(), now());
        verify(&presented, &key, Body::Bytes(body), &rules)?;
        Ok(told(&presented))
    }

    fn against(&self, theirs: &Value) {
        let told = || format!("{}\n{theirs}", self.line());
        let target = theirs["target"].as_str().unwrap();
        let mut headers = vec![("host".to_owned(), HOST.to_owned())];
        for pair in theirs["headers"].as_array().unwrap() {
            let text = |index: usize| pair[index].as_str().unwrap().to_owned();
            headers.push((text(0), text(1)));
        }
        let token = self
            .check(target, &headers, &self.body, |p| p.security_token().map(str::to_owned))
            .unwrap_or_else(|error| panic!("{error}\n{}", told()));
        assert_eq!(token, self.token, "{}", told());
        self.ours_is(target, &headers, &told());
        // One thing changed each.
        let refused = |target: &str, headers: &[(String, String)], body: &[u8]| {
            assert!(self.check(target, headers, body, |_| ()).is_err(), "{}", told());
        };
        let mut elsewhere = headers.clone();
        "example.amazonaws.org".clone_into(&mut elsewhere[0].1);
        refused(target, &elsewhere, &self.body);
        let mut more = headers.clone();
        more.push(("x-amz-more".to_owned(), "1".to_owned()));
        refused(target, &more, &self.body);
        let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
        let other = format!("{path}x{query}");
        refused(&other, &headers, &self.body);
        if !matches!(self.form, "s3-unsigned" | "s3-query") {
            refused(target, &headers, &[&self.body[..], b"!"].concat());
        }
    }

    /// Our signature is theirs.
    fn ours_is(&self, target: &str, theirs: &[(String, String)], told: &str) {
        let mut headers = vec![("host", HOST.as_bytes())];
        headers.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let secret = secret();
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: self.token.as_deref(),
            region: self.region,
            service: self.service,
            uri: self.uri(),
            content_sha256: self.form == "s3",
        };
        // It leaves out no header that the request has, and adds none of its own.
        let head = RequestHead { method: self.method, target: &self.target, headers: &headers };
        let signature = |text: &str| text.rsplit_once("Signature=").unwrap().1[..64].to_owned();
        let (ours, expected) = match self.form {
            "query" | "s3-query" => {
                (signer.presign(&head, b"", now(), 3600).unwrap(), target.to_owned())
            }
            form => {
                let added = if form == "s3-unsigned" {
                    signer.sign_unsigned_payload(&head, now()).unwrap()
                } else {
                    signer.sign(&head, &self.body, now()).unwrap()
                };
                let (_, ours) =
                    added.into_iter().find(|(name, _)| *name == "authorization").unwrap();
                let named = |name: &str| name.eq_ignore_ascii_case("authorization");
                let (_, expected) = theirs.iter().find(|(name, _)| named(name)).unwrap();
                (ours, expected.clone())
            }
        };
        assert_eq!(signature(&ours), signature(&expected), "{ours}\n{told}");
    }
}

#[test]
fn we_agree_with_botocore() {
    let count = variable("COUNTERSIGN_TEST_SIGNED_REQUESTS").unwrap_or(4000);
    let seed = variable("COUNTERSIGN_TEST_SEED").unwrap_or(0x5eed_0005);
    println!("seed {seed}, {count} requests");
    let mut draw = Draw(seed.max(1));
    let cases: Vec<Case> = (0..count).map(|_| Case::draw(&mut draw)).collect();
    let mut command = Command::new(python::python());
    isolate(&mut command);
    let mut botocore = command
        .arg(sources("python/signatures.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = botocore.stdin.take().unwrap();
    let output = BufReader::new(botocore.stdout.take().unwrap());
    std::thread::scope(|scope| {
        let cases = &cases;
        scope.spawn(move || {
            for case in cases {
                writeln!(input, "{}", case.line()).unwrap();
            }
        });
        let mut lines = output.lines();
        for case in cases {
            let line = lines.next().expect("botocore stopped").unwrap();
            case.against(&serde_json::from_str(&line).unwrap());
        }
    });
    assert!(botocore.wait().unwrap().success());
}
