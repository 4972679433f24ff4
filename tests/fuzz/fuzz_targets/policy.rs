//! Any bytes, read as policies and a request: parsed, compiled, and decided by both evaluators,
//! which must agree.
//!
//! The input is lines. The first byte picks caller, accounts and layers; the first line after it is
//! the action, the second the resource, the third a value of a few condition keys, and what follows
//! are documents, one a line. Bytes that are no UTF-8 are replaced, as a reader would refuse them.
//!
//! Run: `cargo +nightly fuzz run policy -- -max_total_time=300`, in this folder.

#![no_main]

use countersign::id::{AccountId, UniqueId};
use countersign::policy::compiled::{
    self, CompiledLayer, CompiledLayers, CompiledNamed, CompiledPolicy, CompiledSet,
};
use countersign::policy::{
    Caller, Context, DocumentKind, Layers, Named, Policy, Request, Value, decide, decide_trust,
};
use libfuzzer_sys::fuzz_target;

const ROLE: &str = "arn:aws:iam::111111111111:role/app/reader";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/reader/job-7";

fn caller(pick: u8) -> Caller {
    let account = AccountId::parse("111111111111").unwrap();
    match pick % 4 {
        0 => Caller::User {
            account,
            id: UniqueId::parse("AIDAALICE000000000001").unwrap(),
            arn: "arn:aws:iam::111111111111:user/alice".into(),
        },
        1 => Caller::RoleSession {
            account,
            role_id: UniqueId::parse("AROAREADER00000000001").unwrap(),
            role_arn: ROLE.into(),
            session_name: "job-7".into(),
            session_arn: SESSION.into(),
        },
        2 => Caller::Root { account },
        _ => Caller::Anonymous,
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((pick, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (action, resource, value) = (line(), line(), line());
    let mut context = Context::new().with("aws:PrincipalArn", ROLE).with("aws:username", value);
    context.insert("k:ey", Value::One(value.to_owned()));
    context.insert("k:many", Value::Many(value.split(',').map(ToOwned::to_owned).collect()));

    let mut bind = |arn: &str| {
        (arn == ROLE || arn == SESSION).then(|| UniqueId::parse("AROAREADER00000000001").unwrap())
    };
    let mut read = |text: &str, kind| {
        let mut policy = Policy::parse(text, kind).ok()?;
        policy.bind_known(&mut bind);
        Some(policy)
    };
    let mut identity = Vec::new();
    let (mut session, mut owner) = (None, None);
    let trusts = pick & 0b1_0000 != 0;
    for (place, text) in lines.take(8).enumerate() {
        match place % 4 {
            1 => session = read(text, DocumentKind::Session).or(session),
            2 => {
                let kind = if trusts { DocumentKind::Trust } else { DocumentKind::Resource };
                owner = read(text, kind).or(owner);
            }
            _ => identity.extend(read(text, DocumentKind::Identity)),
        }
    }

    let resource_account = match pick & 0b10_0000 {
        0 => AccountId::parse("111111111111").unwrap(),
        _ => AccountId::parse("222222222222").unwrap(),
    };
    let caller = caller(*pick);
    let request = Request { caller: &caller, action, resource, context: &context };
    let named: Vec<_> = identity.iter().map(|policy| Named { name: "identity", policy }).collect();
    let session_list: Vec<_> =
        session.iter().map(|policy| Named { name: "session", policy }).collect();
    let layers = Layers {
        resource_account,
        identity: &named,
        boundary: None,
        session: session.as_ref().map(|_| session_list.as_slice()),
        resource: owner.as_ref().map(|policy| Named { name: "owner", policy }),
        service_control: &[],
        resource_control: &[],
    };
    let (set, passed) = (CompiledSet::new(&named), CompiledSet::new(&session_list));
    let compiled_owner = owner.as_ref().map(CompiledPolicy::new);
    let compiled_owner =
        compiled_owner.as_ref().map(|policy| CompiledNamed { name: "owner", policy });
    let compiled_layers = CompiledLayers {
        resource_account,
        identity: CompiledLayer::Set(&set),
        boundary: None,
        session: session.as_ref().map(|_| CompiledLayer::Set(&passed)),
        resource: compiled_owner,
        service_control: &[],
        resource_control: &[],
    };
    let (one, other) = match (layers.resource, compiled_owner) {
        (Some(trust), Some(compiled)) if trusts => (
            decide_trust(&request, trust, &layers),
            compiled::decide_trust(&request, compiled, &compiled_layers),
        ),
        _ => (decide(&request, &layers), compiled::decide(&request, &compiled_layers)),
    };
    assert_eq!((one.effect(), one.layer()), (other.effect(), other.layer()));
    for matched in other.to_decision().matched() {
        assert!(one.matched().contains(matched));
    }
});
