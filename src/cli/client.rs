//! Clients of a running broker.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::api::ErrorResponse;
use crate::http::Limits;
use crate::http::client::{Client, ClientError, Response};
use crate::secret::SecretAccessKey;
use crate::sigv4::{RequestHead, Signer, UriRules};
use crate::time::{Clock, SystemClock};

/// Where the API is, and who asks.
#[derive(Args, Clone)]
pub(super) struct Endpoint {
    /// The broker's API [default: http://127.0.0.1:8350]
    #[arg(
        id = "endpoint_url",
        long = "endpoint-url",
        env = "AWS_ENDPOINT_URL",
        value_name = "URL"
    )]
    url: Option<String>,
    /// The certificate authority (PEM) of an https endpoint, which must be given
    #[arg(long, env = "AWS_CA_BUNDLE", value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// Speak plaintext to an endpoint beyond loopback
    #[arg(long)]
    insecure_plaintext: bool,
}

/// How long a backup, or putting one back, may take.
const LONG: std::time::Duration = std::time::Duration::from_mins(15);

/// An access key.
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret: SecretAccessKey,
    pub(super) session_token: Option<String>,
}

impl Credentials {
    /// From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    pub(super) fn from_environment() -> anyhow::Result<Self> {
        let variable = |name: &str| {
            std::env::var(name)
                .map_err(|_| anyhow!("{name} is not set: the request cannot be signed"))
        };
        Ok(Self {
            access_key_id: variable("AWS_ACCESS_KEY_ID")?,
            secret: SecretAccessKey::parse(Zeroizing::new(variable("AWS_SECRET_ACCESS_KEY")?))
                .context("AWS_SECRET_ACCESS_KEY")?,
            session_token: std::env::var("AWS_SESSION_TOKEN")
                .ok()
                .filter(|token| !token.is_empty()),
        })
    }
}

/// A client that signs.
pub(super) struct SignedClient {
    client: Client,
    credentials: Credentials,
}

impl SignedClient {
    /// With the endpoint and credentials of flags and environment.
    pub(super) fn connect(endpoint: &Endpoint) -> anyhow::Result<Self> {
        let url = endpoint.url.as_deref().unwrap_or("http://127.0.0.1:8350");
        let client = Client::url(url, endpoint.ca_bundle.as_deref(), endpoint.insecure_plaintext)?;
        Ok(Self { client, credentials: Credentials::from_environment()? })
    }

    /// With these.
    pub(super) fn new(url: &str, credentials: Credentials) -> anyhow::Result<Self> {
        Ok(Self { client: Client::url(url, None, false)?, credentials })
    }

    /// The access key that signs.
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Sends a request signed for a service.
    pub(super) async fn send(
        &self,
        service: &str,
        method: Method,
        target: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<Response> {
        let host = self.client.host().to_owned();
        let given: [(&str, &[u8]); 2] =
            [("host", host.as_bytes()), ("content-type", content_type.as_bytes())];
        let signer = Signer {
            access_key_id: &self.credentials.access_key_id,
            secret: &self.credentials.secret,
            session_token: self.credentials.session_token.as_deref(),
            region: "us-east-1",
            service,
            uri: UriRules::Standard,
            content_sha256: true,
        };
        let head = RequestHead { method: method.as_str(), target, headers: &given };
        let added = signer.sign(&head, &body, SystemClock::new().now())?;
        let mut headers = HeaderMap::new();
        headers.insert(hyper::header::CONTENT_TYPE, HeaderValue::from_str(content_type)?);
        for (name, value) in added {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(&value)?);
        }
        Ok(self.client.request(method, target, headers, body).await?)
    }

    /// Sends JSON to `/countersign/v1` and reads the JSON that comes back.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = serde_json::to_vec(body)?;
        read(&self.send("countersign", method, target, "application/json", body).await?)
    }

    /// Reads JSON from `/countersign/v1`.
    pub(super) async fn get<T: DeserializeOwned>(&self, target: &str) -> anyhow::Result<T> {
        let body = Vec::new();
        read(&self.send("countersign", Method::GET, target, "application/json", body).await?)
    }
}

/// A client of the admin socket.
pub(super) struct AdminClient(Client);

impl AdminClient {
    /// Of the socket at this path.
    pub(super) fn new(socket: &Path) -> Self {
        Self(Client::unix(socket))
    }

    /// Reads what is at a path, however long it is.
    pub(super) async fn download(self, target: &str) -> anyhow::Result<Response> {
        let client = self.0.with_limits(LONG, Limits::BACKUP_BYTES);
        let response = client
            .request(Method::GET, target, HeaderMap::new(), Vec::new())
            .await
            .map_err(|error| unreachable(&error))?;
        if response.status.is_success() { Ok(response) } else { Err(refused(&response)) }
    }

    /// Sends a file, however long it is, and reads the JSON that comes back.
    pub(super) async fn upload<T: DeserializeOwned>(
        self,
        target: &str,
        file: Vec<u8>,
    ) -> anyhow::Result<T> {
        let client = self.0.with_limits(LONG, Client::BODY_BYTES);
        let response = client
            .request(Method::POST, target, HeaderMap::new(), file)
            .await
            .map_err(|error| unreachable(&error))?;
        read(&response)
    }

    /// Sends a request and reads the JSON that comes back. `None` sends no body.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> anyhow::Result<T> {
        let body = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let response = self
            .0
            .request(method, target, HeaderMap::new(), body)
            .await
            .map_err(|error| unreachable(&error))?;
        read(&response)
    }
}

fn read<T: DeserializeOwned>(response: &Response) -> anyhow::Result<T> {
    if response.status.is_success() {
        return serde_json::from_slice(&response.body).context("the answer is not as expected");
    }
    Err(refused(response))
}

fn refused(response: &Response) -> anyhow::Error {
    match serde_json::from_slice::<ErrorResponse>(&response.body) {
        Ok(error) => anyhow!("{}: {}", error.error.code, error.error.message),
        Err(_) => anyhow!("the broker answered {}", response.status),
    }
}

fn unreachable(error: &ClientError) -> anyhow::Error {
    anyhow!("{error}: is the broker running, and its data directory given with --data-dir?")
}
