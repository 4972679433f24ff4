//! Operations: what the broker does when it is asked, one file each.
//!
//! # Model
//!
//! An operation is a type that implements [`Operation`]: it reads its request, executes it against
//! a [`Context`], and writes its response. It answers with its response or a [`fault::Fault`]. The
//! [`catalog`] has a row for each, and [`dispatch`] takes every request the same way: read, record
//! the intent if the operation changes something or hands out credentials, execute, record the
//! outcome.
//!
//! # Trust boundary
//!
//! The caller in a [`Context`] comes from [`crate::authn`] and cannot be made elsewhere. Everything
//! in a request is hostile until its operation has checked it.
//!
//! INVARIANT (not denied is not allowed): an operation asks [`Context::authorize`] before it tells
//! or changes anything; [`catalog`]'s tests hold each row to that.

mod authenticate;
pub mod authorize;
pub mod catalog;
pub mod context;
pub mod credentials;
pub mod denial;
pub mod dispatch;
pub mod eks;
pub mod fault;
pub mod iam;
pub mod issuer;
pub mod json;
pub mod manage;
pub mod organizations;
pub mod organized;
pub mod params;
pub mod region;
pub mod rolesanywhere;
mod second_factor;
pub mod sts;
#[cfg(test)]
pub(crate) mod testing;
mod trail;
pub mod verify;

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use prometheus_client::metrics::counter::Counter;
use serde_json::Value;

use crate::audit::AuditSink;
use crate::authn::{Authenticator, Caller, SamlSettings};
use crate::directory::{Directory, StoreError, Transaction, WriteError};
use crate::downstream;
use crate::id::RequestId;
use crate::keysets::KeySource;
use crate::random::Random;
use crate::seal::Keyring;
use crate::sessions::Ledger;
use crate::time::{Clock, Timestamp};
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use fault::Fault;

/// What operations work on: one deployment's state, behind traits.
pub struct Services {
    /// Accounts, users, roles, keys.
    pub directory: Arc<Directory>,
    /// Live sessions.
    pub ledger: Arc<dyn Ledger>,
    /// The broker's own keys.
    pub keyring: Arc<Keyring>,
    /// Where records of what was done go.
    pub audit: Arc<dyn AuditSink>,
    /// Where and with what accounts vouch for their principals.
    pub issuer: Arc<issuer::Issuer>,
    /// The downstream services that are registered.
    pub downstream: downstream::Shared,
    /// The feeds of changes that are open.
    pub feeds: verify::Feeds,
    /// The public keys of identity providers.
    pub key_sets: Arc<dyn KeySource>,
    /// What is expected of SAML responses.
    pub saml: SamlSettings,
    /// The resource policies that came with questions.
    pub resource_policies: verify::ResourcePolicies,
    /// The verification pipeline.
    pub authenticator: Authenticator,
    /// Room for requests that come without a signature.
    pub strangers: dispatch::Strangers,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What IAM takes and refuses.
    pub iam: iam::settings::Settings,
    /// Clocks. A request's time is in its [`Context`].
    pub clock: Arc<dyn Clock>,
    /// How often it was not kept that somebody came with a certificate.
    pub subjects_lost: Counter,
    /// How many of each thing an account may have.
    pub quotas: iam::quotas::Quotas,
    /// The region that the deployment is in.
    pub region: region::Region,
    /// The credential reports that were made.
    pub reports: iam::credential_report::Reports,
}

/// Facts about a request that do not come from its signer's word alone.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its ID.
    pub request_id: RequestId,
    /// When it arrived: the clock is read once a request.
    pub now: Timestamp,
    /// The address at the other end of the connection; `None` on a Unix socket.
    pub source_ip: Option<IpAddr>,
    /// Whether it came by TLS.
    pub secure: bool,
    /// The region that it was made to: the deployment's, whatever its signature names.
    pub region: region::Region,
    /// The `User-Agent` header: the caller's word, the one unsigned value that may become a
    /// condition key.
    pub user_agent: Option<String>,
}

/// One request: who asks, and what to work on.
pub struct Context<'a> {
    /// What to work on.
    pub services: &'a Services,
    /// Who asks.
    pub caller: &'a Caller,
    /// What is known about the request.
    pub facts: &'a Facts,
    /// Set where several operations make one write together: all of them, or none.
    pub batch: Option<&'a Mutex<Transaction>>,
}

/// What an operation does to the world, and so how it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: one record, after.
    Read,
    /// It changes the directory: an intent before, an outcome after.
    Write,
    /// It hands out credentials: an intent before, an outcome after, and without the outcome they
    /// are withheld.
    Mint,
}

/// The service that an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The Security Token Service.
    Sts,
    /// Identity and Access Management.
    Iam,
    /// Organizations.
    Organizations,
    /// Elastic Kubernetes Service: associations of EKS Pod Identity.
    Eks,
    /// EKS Auth: sessions for pods.
    EksAuth,
    /// IAM Roles Anywhere.
    RolesAnywhere,
    /// What has no place in AWS's services.
    Countersign,
}

impl Service {
    /// Its name in a credential scope, and the prefix of its actions.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Organizations => "organizations",
            Self::Eks => "eks",
            Self::EksAuth => "eks-auth",
            Self::RolesAnywhere => "rolesanywhere",
            Self::Countersign => "countersign",
        }
    }

    /// Its name in audit records.
    pub const fn event_source(self) -> &'static str {
        match self {
            Self::Sts => "sts.amazonaws.com",
            Self::Iam => "iam.amazonaws.com",
            Self::Organizations => "organizations.amazonaws.com",
            Self::Eks => "eks.amazonaws.com",
            Self::EksAuth => "eks-auth.amazonaws.com",
            Self::RolesAnywhere => "rolesanywhere.amazonaws.com",
            Self::Countersign => "countersign",
        }
    }

    /// The version of its API.
    pub const fn version(self) -> &'static str {
        match self {
            Self::Sts => "2011-06-15",
            Self::Iam => "2010-05-08",
            Self::Organizations => "2016-11-28",
            Self::Eks => "2017-11-01",
            Self::EksAuth => "2023-11-26",
            Self::RolesAnywhere => "2018-05-10",
            Self::Countersign => "v1",
        }
    }
}

/// An operation of a Query service.
pub trait Operation: 'static {
    /// The action's name, such as `AssumeRole`.
    const NAME: &'static str;
    /// The service it belongs to.
    const SERVICE: Service;
    /// What it does to the world.
    const EFFECT: Effect;
    /// Whether its model has an output shape: only then is there a result element.
    const HAS_RESULT: bool = true;
    /// Whether its requests come without a signature: then [`assert`](Self::assert) says whom they
    /// are from.
    const UNSIGNED: bool = false;

    /// What is asked, checked.
    type Request: Send + Sync;
    /// What is answered.
    type Response: Send + Sync;

    /// Reads a request from its parameters.
    fn read(params: &Params) -> Result<Self::Request, Fault>;

    /// What the audit records tell of a request. Nothing secret.
    fn describe(request: &Self::Request) -> Value;

    /// Finds out whom an unsigned request is from, by what it holds.
    fn assert(
        _context: &Context<'_>,
        _request: &Self::Request,
    ) -> impl Future<Output = Result<Caller, Fault>> + Send {
        std::future::ready(Err(Fault::missing_authentication_token()))
    }

    /// Does it.
    fn execute(
        context: &Context<'_>,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, Fault>> + Send;

    /// What the audit records tell of a response. Nothing secret.
    fn outcome(_response: &Self::Response) -> Value {
        Value::Null
    }

    /// Writes the result.
    fn write(_response: &Self::Response, _xml: &mut Xml) {}
}

/// What a directory write that failed is answered with.
pub fn write_fault(error: WriteError<Fault>) -> Fault {
    match error {
        WriteError::Refused(fault) => fault,
        WriteError::Store(error @ StoreError::Unknown(_)) => Fault::outcome_unknown(error),
        WriteError::Store(error) => Fault::unavailable(error),
    }
}
