//! What a verifier inside a service goes on with by itself.
//!
//! INVARIANT: everything that the broker's own answer depends on and that can change is in the
//! material's list of names to watch, or makes the feed tell of everything
//! ([`crate::directory::changes::name`]).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::{
    Keep, Material, MaterialCaller, MaterialPolicies, MaterialPolicy, OneOrMany, Position,
};
use crate::authn::{Identity, VerifiedRequest};
use crate::directory::changes::name;
use crate::directory::{EntityKey, Snapshot};
use crate::downstream::Service;
use crate::id::{AccessKeyId, AccessKeyKind, UniqueId, UniqueKind};
use crate::ops::authorize::{CallerPolicies, policy_caller};
use crate::ops::{Facts, Services, context, organized};
use crate::policy::{self, Layers, Named, Value};
use crate::time::{Monotonic, Timestamp};

/// The shortest time between confirmations that is given out: while the ledger does not answer
/// nothing is confirmed, and yet not every request is to be a question.
const LEAST_CONFIRM: Duration = Duration::from_secs(1);

/// The material of a request whose signature is good. `None`: the broker keeps it to itself, and is
/// to be asked each time.
///
/// INVARIANT: no key of a caller whom the service does not serve leaves the broker.
pub(super) fn of(
    services: &Services,
    facts: &Facts,
    monotonic: Monotonic,
    service: &Service,
    signed: &VerifiedRequest,
    keep: &Keep,
) -> Option<Material> {
    let identity = signed.identity();
    if !service.serves(identity.account()) {
        return None;
    }
    let snapshot = signed.snapshot();
    let caller = match policy_caller(identity) {
        policy::Caller::User { account, id, arn } => MaterialCaller::User { account, id, arn },
        policy::Caller::RoleSession { account, role_id, role_arn, session_name, session_arn } => {
            MaterialCaller::AssumedRole { account, role_id, role_arn, session_name, session_arn }
        }
        _ => return None,
    };
    let mut keys = policy::Context::new();
    context::add_identity(&mut keys, identity, facts.now);
    organized::add_keys(
        &mut keys,
        snapshot.organized(),
        Some(identity.account()),
        service.account(),
    );
    let context: BTreeMap<String, OneOrMany> = keys
        .iter()
        // It changes with time: the verifier makes it of `mfa_at`.
        .filter(|(key, _)| *key != "aws:multifactorauthage")
        .map(|(key, value)| {
            let value = match value {
                Value::One(one) => OneOrMany::One(one.clone()),
                Value::Many(many) => OneOrMany::Many(many.clone()),
            };
            (key.to_owned(), value)
        })
        .collect();
    let claims = identity.session().map(|session| session.claims());
    let owner = service.account();
    let policies = CallerPolicies::gather(snapshot, identity).with_interpreted(
        &policy_caller(identity),
        owner,
        |layers| policies(layers, &keep.prefixes),
    );
    let mut watch = Vec::new();
    for link in identity.chain(facts.now, snapshot.version()) {
        watch_credential(snapshot, &link.access_key_id, &link.principal_id, &mut watch);
    }
    let federated = claims.and_then(|claims| claims.federated.as_ref());
    watch.extend(federated.and_then(|it| name(EntityKey::OidcProvider(it.provider))));
    watch.extend(name(EntityKey::Account(owner)));
    watch.sort_unstable();
    watch.dedup();
    let confirm_every = confirm_every(services, identity, monotonic);
    Some(Material {
        date: signed.scope_day()?.to_owned(),
        region: signed.region().to_owned(),
        signing_key: services.authenticator.signing_key(signed, service.name())?,
        caller,
        context,
        mfa_at: claims.and_then(|claims| claims.mfa_at).map(Timestamp::millis),
        expires_at: claims.map(|claims| claims.expires_at.millis()),
        confirm_every: u64::try_from(confirm_every.as_millis()).unwrap_or(u64::MAX),
        policies,
        at: Position {
            deployment: services.keyring.deployment().to_string(),
            epoch: snapshot.epoch(),
            version: snapshot.version(),
        },
        watch,
    })
}

/// How long the broker's word for a credential lasts: what is left of the ledger's own.
fn confirm_every(services: &Services, identity: &Identity, now: Monotonic) -> Duration {
    let every = services.authenticator.settings().confirm_every;
    let Some(session) = identity.session() else { return every };
    let left = every.saturating_sub(session.confirmed_for(now).unwrap_or(every));
    left.max(LEAST_CONFIRM.min(every))
}

/// Adds what a credential stands and falls with, and where its principal's policies come from.
fn watch_credential(
    snapshot: &Snapshot,
    id: &AccessKeyId,
    principal: &UniqueId,
    watch: &mut Vec<String>,
) {
    let key = match id.kind() {
        AccessKeyKind::LongTerm => EntityKey::AccessKey(*id),
        AccessKeyKind::Session => EntityKey::SessionRevocation(*id),
    };
    let (entity, account) = match principal.kind() {
        UniqueKind::User => {
            (EntityKey::User(*principal), snapshot.user(principal).map(|user| user.account))
        }
        _ => (EntityKey::Role(*principal), snapshot.role(principal).map(|role| role.account)),
    };
    let account = account.map(EntityKey::Account);
    watch.extend([Some(key), Some(entity), account].into_iter().flatten().filter_map(name));
}

fn policies(layers: &Layers<'_>, prefixes: &[String]) -> MaterialPolicies {
    // Every layer by name: a new one does not compile until it is handed out too.
    let Layers {
        resource_account,
        identity,
        boundary,
        session,
        resource: _,
        service_control,
        resource_control,
    } = layers;
    let one = |named: &Named<'_>| {
        let (text, statements) = policy::select(named.policy, prefixes);
        MaterialPolicy { name: named.name.to_owned(), kind: named.policy.kind(), text, statements }
    };
    let list = |policies: &[Named<'_>]| policies.iter().map(one).collect::<Vec<_>>();
    MaterialPolicies {
        prefixes: prefixes.to_vec(),
        resource_account: resource_account.to_string(),
        identity: list(identity),
        boundary: boundary.as_ref().map(one),
        session: session.map(list),
        service_control: service_control.iter().map(|level| list(level)).collect(),
        resource_control: resource_control.iter().map(|level| list(level)).collect(),
    }
}
