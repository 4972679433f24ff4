//! The verifier with its broker: asks it, follows its feed, and verifies by itself in between.

mod connect;
mod flights;
mod follow;
mod question;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

pub use connect::{BrokerAddress, ClientError, CredentialSource, Credentials, Tls};

use super::answer::{Kind, Refused, Verified, of_broker};
use super::local::{self, Asking, Local, Outcome, Settings};
use super::request::Request;
use crate::downstream::Service;
use crate::sigv4::Presented;
use crate::time::{Clock, SystemClock};
use connect::Broker;
use flights::Flights;
use question::Answered;
use turns::Turns;

/// Verifies the requests of one service.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use countersign::sigv4::{Body, RequestHead};
/// use countersign::verify::{BrokerAddress, Connection, Request, Tls, Verifier};
///
/// let broker = BrokerAddress::https("https://broker.internal:8351", Tls {
///     ca_pem: std::fs::read("ca.pem")?,
///     client: Some((std::fs::read("orders.pem")?, std::fs::read("orders.key")?)),
/// })?;
/// let verifier = Verifier::builder("orders", broker).start();
/// let head = RequestHead { method: "GET", target: "/orders/42", headers: &[] };
/// let connection = Connection::default();
/// let request = Request { head, body: Body::Bytes(b""), connection, deed: None };
/// match verifier.verify(&request).await {
///     Ok(verified) => println!("{} may", verified.principal().arn),
///     Err(refused) => println!("{} {refused}", refused.kind().status()),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Verifier {
    shared: Arc<Shared>,
    following: Vec<JoinHandle<()>>,
}

/// What the verifier and its feed share.
struct Shared {
    name: String,
    local: Local,
    broker: Broker,
    prefixes: Vec<String>,
    clock: Arc<dyn Clock>,
    freshness: Duration,
    flights: Flights,
    turns: Turns,
    /// Woken when a proof is wanted at once.
    wanted: tokio::sync::Notify,
}

/// A verifier in the making.
pub struct VerifierBuilder {
    service: String,
    broker: BrokerAddress,
    credentials: Option<Arc<dyn CredentialSource>>,
    settings: Settings,
    prefixes: Vec<String>,
    clock: Arc<dyn Clock>,
}

impl VerifierBuilder {
    /// Signs the questions, for a broker that knows its askers by signature.
    #[must_use]
    pub fn signed_by(mut self, credentials: impl CredentialSource) -> Self {
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// For how long to go on without news from the broker: one minute if not set.
    #[must_use]
    pub fn freshness(mut self, limit: Duration) -> Self {
        self.settings.freshness = limit;
        self
    }

    /// How many credentials, each in each scope, are kept: 10,000 if not set.
    #[must_use]
    pub fn capacity(mut self, entries: usize) -> Self {
        self.settings.capacity = entries;
        self
    }

    /// The prefixes of the actions that the service names by itself. The service's own name, if not
    /// set; those of routes that are registered with the broker are always among them.
    #[must_use]
    pub fn action_prefixes(mut self, prefixes: impl IntoIterator<Item = String>) -> Self {
        self.prefixes = prefixes.into_iter().collect();
        self
    }

    /// Takes the time from another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Begins to follow the broker. Within a tokio runtime. The broker need not be there yet.
    pub fn start(self) -> Verifier {
        let Self { service, broker, credentials, settings, prefixes, clock } = self;
        let shared = Arc::new(Shared {
            local: Local::new(&service, settings),
            broker: Broker::new(broker, credentials, Arc::clone(&clock)),
            name: service,
            prefixes,
            clock,
            freshness: settings.freshness,
            flights: Flights::default(),
            turns: Turns::default(),
            wanted: tokio::sync::Notify::new(),
        });
        let following = vec![
            tokio::spawn(follow::prove(Arc::clone(&shared))),
            tokio::spawn(follow::follow(Arc::clone(&shared))),
        ];
        Verifier { shared, following }
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.following.iter().for_each(JoinHandle::abort);
    }
}

impl Verifier {
    /// A verifier of the service of this name in scopes.
    pub fn builder(service: &str, broker: BrokerAddress) -> VerifierBuilder {
        VerifierBuilder {
            service: service.to_owned(),
            broker,
            credentials: None,
            settings: Settings::default(),
            prefixes: vec![service.to_owned()],
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Verifies a request and decides about it.
    ///
    /// # Errors
    /// Why it is refused. Only what a policy allows is `Ok`.
    pub async fn verify(&self, request: &Request<'_>) -> Result<Verified, Refused> {
        let presented = local::presented(&request.head)?;
        self.verify_presented(request, &presented).await
    }

    /// Likewise, with what the request presents.
    pub(super) async fn verify_presented(
        &self,
        request: &Request<'_>,
        presented: &Presented<'_>,
    ) -> Result<Verified, Refused> {
        let shared = &self.shared;
        let asking = match shared.check(request, presented, false) {
            Outcome::Decided(answer) => return answer.map(|verified| *verified),
            Outcome::Ask(asking) => asking,
        };
        let flight = match asking.key() {
            Some(key) => {
                let flight = shared.flights.join(key).await;
                if flight.is_none() {
                    // Somebody has just asked about these credentials.
                    match shared.check(request, presented, false) {
                        Outcome::Decided(answer) => return answer.map(|verified| *verified),
                        Outcome::Ask(again) => {
                            return shared.ask(request, presented, &again).await;
                        }
                    }
                }
                flight
            }
            None => None,
        };
        let answer = shared.ask(request, presented, &asking).await;
        drop(flight);
        answer
    }

    /// The service as the broker has it registered; `None` until the broker was heard.
    pub fn service(&self) -> Option<Arc<Service>> {
        self.shared.local.service()
    }

    /// Whether requests of known credentials are verified without asking.
    pub fn is_fresh(&self) -> bool {
        self.shared.local.is_fresh(self.shared.clock.monotonic())
    }
}

impl Shared {
    fn check(
        &self,
        request: &Request<'_>,
        presented: &Presented<'_>,
        unconfirmed: bool,
    ) -> Outcome {
        let (now, monotonic) = (self.clock.now(), self.clock.monotonic());
        self.local.check_presented(request, presented, now, monotonic, unconfirmed)
    }

    /// Asks the broker, and keeps what it gives.
    async fn ask(
        &self,
        request: &Request<'_>,
        presented: &Presented<'_>,
        asking: &Asking,
    ) -> Result<Verified, Refused> {
        let known = asking.has_entry();
        let Some(_turn) = self.turns.take(known, self.clock.as_ref()).await else {
            return Err(Refused::unavailable("Too many requests wait for the broker. Ask again."));
        };
        let asked_at = self.clock.monotonic();
        match question::ask(self, request).await {
            Ok(Answered::Granted(mut grant)) => {
                let authenticated = grant.answer.authenticated;
                if authenticated {
                    self.local.keep(asking, &mut grant, asked_at);
                } else if !known {
                    self.turns.in_vain(self.clock.monotonic());
                }
                let ends = !authenticated && ends_credentials(&grant.answer.reason.code);
                let answer = of_broker(grant.answer);
                if let (Err(refused), true) = (&answer, ends) {
                    self.local.refuse(asking, refused, asked_at);
                }
                answer
            }
            Ok(Answered::Refused { status, code, message }) => {
                tracing::error!(status, %code, %message, "the broker does not take the question");
                if disowns(status, &code) {
                    self.local.dismiss();
                }
                Err(Refused::unavailable("The request cannot be verified now. Ask again."))
            }
            Err(error) => {
                tracing::warn!(%error, "the broker does not answer");
                if asking.has_entry()
                    && let Outcome::Decided(answer) = self.check(request, presented, true)
                {
                    return answer.map(|verified| *verified);
                }
                Err(Refused::new(
                    Kind::Unavailable,
                    "ServiceUnavailable",
                    "The request cannot be verified now. Ask again.",
                ))
            }
        }
    }
}

/// Whether the broker says that it does not know the asker, or not any more.
///
/// What stands between may refuse a question for what is in it. That is not in the broker's words,
/// and ends nothing.
fn disowns(status: u16, code: &str) -> bool {
    matches!(status, 401 | 403) && !code.is_empty()
}

/// Whether a refusal is about the credentials, not the request.
fn ends_credentials(code: &str) -> bool {
    matches!(
        code,
        "InvalidClientTokenId"
            | "ExpiredToken"
            | "SessionRevoked"
            | "PrincipalDeleted"
            | "AccountClosed"
            | "KeyInactive"
            | "DirectoryRestored"
    )
}

#[cfg(test)]
mod tests {
    use super::disowns;

    #[test]
    fn only_the_broker_s_own_words_end_what_is_kept() {
        assert!(disowns(401, "MissingAuthenticationToken") && disowns(403, "AccessDenied"));
        // A firewall's page, whatever its status, and a question that is refused for its form.
        assert!(!disowns(403, "") && !disowns(401, "") && !disowns(400, "InvalidRequest"));
    }
}
