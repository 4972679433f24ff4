#![allow(clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark reports")]
//! Decisions of the compiled policy engine, against each other and against the interpreter.
//!
//! Criterion's figures are of each by itself. The table at the end takes turns between them, so
//! that the ratios hold on a busy machine too.

use std::hint::black_box;
use std::time::{Duration, Instant};

use countersign::id::{AccountId, UniqueId};
use countersign::policy::compiled::{
    self, CompiledLayer, CompiledLayers, CompiledNamed, CompiledPolicy, CompiledSet,
};
use countersign::policy::{
    Caller, Context, DocumentKind, Layers, Named, Policy, Request, decide, explain,
};
use criterion::{Criterion, criterion_group, criterion_main};

/// An application's rights on its bucket, its queue and its key, as such policies are written.
const APPLICATION: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"Objects","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],
     "Resource":"arn:aws:s3:::data-${aws:PrincipalTag/team}/*",
     "Condition":{
        "StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5","aws:RequestedRegion":["eu-west-1","eu-central-1"]},
        "IpAddress":{"aws:SourceIp":["10.0.0.0/8","172.16.0.0/12"]},
        "Bool":{"aws:SecureTransport":"true"},
        "DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"},
        "ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/app/*"}}},
    {"Sid":"List","Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::data-*",
     "Condition":{"StringLike":{"s3:prefix":"${aws:username}/*"}}},
    {"Sid":"NotPublic","Effect":"Deny","Action":"s3:Put*Acl","Resource":"*"}]}"#;
const QUEUES: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["sqs:SendMessage","sqs:ReceiveMessage","sqs:DeleteMessage"],
     "Resource":"arn:aws:sqs:*:111111111111:app-*",
     "Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}},
    {"Effect":"Allow","Action":"kms:Decrypt","Resource":"*",
     "Condition":{"StringLike":{"kms:ViaService":"sqs.*.amazonaws.com"}}}]}"#;
const NETWORK: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Deny","Action":["s3:DeleteObject","s3:DeleteBucket"],"Resource":"*",
     "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}},
    {"Effect":"Allow","Action":"ec2:Describe*","Resource":"*",
     "Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}"#;
const BOUNDARY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["s3:*","sqs:*","kms:*","ec2:*"],"Resource":"*",
     "Condition":{"StringEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}},
    {"Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#;
const SESSION: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::data-blue/*",
     "Condition":{"Bool":{"aws:SecureTransport":"true"}}}}"#;
const BUCKET: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/app/reader"},
     "Action":"s3:GetObject","Resource":"arn:aws:s3:::data-blue/*",
     "Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}},
    {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::data-blue/*",
     "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const GUARDRAILS: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"*","Resource":"*"},
    {"Sid":"Regions","Effect":"Deny","NotAction":["iam:*","sts:*","organizations:*"],
     "Resource":"*",
     "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}},
    {"Sid":"Leave","Effect":"Deny","Action":"organizations:LeaveOrganization","Resource":"*"}]}"#;
const EVERYTHING_OF_ALL: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
const PERIMETER: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
    {"Effect":"Deny","Principal":"*","Action":["s3:*","sqs:*","kms:*"],"Resource":"*",
     "Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"},
                  "BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}"#;

fn account() -> AccountId {
    AccountId::parse("111111111111").unwrap_or_else(|e| unreachable!("{e}"))
}

fn role_id() -> UniqueId {
    UniqueId::parse("AROAREADER00000000001").unwrap_or_else(|e| unreachable!("{e}"))
}

fn caller() -> Caller {
    Caller::RoleSession {
        account: account(),
        role_id: role_id(),
        role_arn: "arn:aws:iam::111111111111:role/app/reader".into(),
        session_name: "job-7".into(),
        session_arn: "arn:aws:sts::111111111111:assumed-role/reader/job-7".into(),
    }
}

/// The condition keys that the broker gives to a request, and two tags.
fn context() -> Context {
    Context::new()
        .with("aws:CurrentTime", "2026-11-22T09:00:00Z")
        .with("aws:EpochTime", "1795338000")
        .with("aws:PrincipalIsAWSService", "false")
        .with("aws:ViaAWSService", "false")
        .with("aws:SecureTransport", "true")
        .with("aws:SourceIp", "10.20.30.40")
        .with("aws:UserAgent", "Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux#6.8")
        .with("aws:PrincipalArn", "arn:aws:iam::111111111111:role/app/reader")
        .with("aws:PrincipalAccount", "111111111111")
        .with("aws:PrincipalOrgID", "o-a1b2c3d4e5")
        .with("aws:PrincipalType", "AssumedRole")
        .with("aws:userid", "AROAREADER00000000001:job-7")
        .with("aws:PrincipalTag/team", "blue")
        .with("aws:PrincipalTag/stage", "production")
        .with("aws:TokenIssueTime", "2026-11-22T08:00:00Z")
        .with("aws:RequestedRegion", "eu-west-1")
}

const ACTION: &str = "s3:GetObject";
const OBJECT: &str = "arn:aws:s3:::data-blue/reports/2026/11/report.parquet";

fn parse(text: &str, kind: DocumentKind) -> Policy {
    let mut policy = Policy::parse(text, kind).unwrap_or_else(|e| unreachable!("{e}"));
    policy.bind_known(&mut |_| Some(role_id()));
    policy
}

/// Ten policies through all layers.
struct Ten {
    identity: Vec<Policy>,
    boundary: Policy,
    session: Policy,
    resource: Policy,
    service_control: [Policy; 2],
    resource_control: [Policy; 2],
}

impl Ten {
    fn new() -> Self {
        use DocumentKind::{
            Boundary, Identity, Resource, ResourceControl, ServiceControl, Session,
        };

        Self {
            identity: [APPLICATION, QUEUES, NETWORK].map(|text| parse(text, Identity)).into(),
            boundary: parse(BOUNDARY, Boundary),
            session: parse(SESSION, Session),
            resource: parse(BUCKET, Resource),
            service_control: [EVERYTHING, GUARDRAILS].map(|text| parse(text, ServiceControl)),
            resource_control: [EVERYTHING_OF_ALL, PERIMETER]
                .map(|text| parse(text, ResourceControl)),
        }
    }

    fn ask<T>(&self, request: impl FnOnce(&Layers<'_>) -> T) -> T {
        let identity: Vec<_> =
            self.identity.iter().map(|policy| Named { name: "identity", policy }).collect();
        let service = self.service_control.each_ref().map(|policy| [Named { name: "scp", policy }]);
        let resource =
            self.resource_control.each_ref().map(|policy| [Named { name: "rcp", policy }]);
        request(&Layers {
            resource_account: account(),
            identity: &identity,
            boundary: Some(Named { name: "boundary", policy: &self.boundary }),
            session: Some(&[Named { name: "session", policy: &self.session }]),
            resource: Some(Named { name: "bucket policy", policy: &self.resource }),
            service_control: &[&service[0], &service[1]],
            resource_control: &[&resource[0], &resource[1]],
        })
    }
}

/// A policy like many that one identity has: its own bucket.
fn numbered(index: usize) -> Policy {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",
            "Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket-{index}/*",
            "Condition":{{"StringEquals":{{"aws:RequestedRegion":"eu-west-1"}}}}}}}}"#
    );
    parse(&text, DocumentKind::Identity)
}

fn only(identity: CompiledLayer<'_>) -> CompiledLayers<'_> {
    CompiledLayers {
        resource_account: account(),
        identity,
        boundary: None,
        session: None,
        resource: None,
        service_control: &[],
        resource_control: &[],
    }
}

fn decisions(c: &mut Criterion) {
    let (caller, context) = (caller(), context());
    let request =
        |resource| Request { caller: &caller, action: ACTION, resource, context: &context };

    let one = CompiledPolicy::new(&parse(APPLICATION, DocumentKind::Identity));
    let one = [CompiledNamed { name: "application", policy: &one }];
    let one = only(CompiledLayer::List(&one));

    let ten = Ten::new();
    let identity: Vec<_> =
        ten.identity.iter().map(|policy| Named { name: "identity", policy }).collect();
    let identity = CompiledSet::new(&identity);
    let alone = |policy: &Policy| CompiledPolicy::new(policy);
    let (boundary, session, resource) =
        (alone(&ten.boundary), alone(&ten.session), alone(&ten.resource));
    let service = ten.service_control.each_ref().map(alone);
    let owners = ten.resource_control.each_ref().map(alone);
    let service = service.each_ref().map(|policy| [CompiledNamed { name: "scp", policy }]);
    let owners = owners.each_ref().map(|policy| [CompiledNamed { name: "rcp", policy }]);
    let session = [CompiledNamed { name: "session", policy: &session }];
    let all = CompiledLayers {
        identity: CompiledLayer::Set(&identity),
        boundary: Some(CompiledNamed { name: "boundary", policy: &boundary }),
        session: Some(CompiledLayer::List(&session)),
        resource: Some(CompiledNamed { name: "bucket policy", policy: &resource }),
        service_control: &service.each_ref().map(|level| CompiledLayer::List(level)),
        resource_control: &owners.each_ref().map(|level| CompiledLayer::List(level)),
        ..one
    };

    let sets = [10, 1_500].map(|count| {
        let policies: Vec<Policy> = (0..count).map(numbered).collect();
        let named: Vec<_> =
            policies.iter().map(|policy| Named { name: "numbered", policy }).collect();
        CompiledSet::new(&named)
    });
    let few = only(CompiledLayer::Set(&sets[0]));
    let many = only(CompiledLayer::Set(&sets[1]));

    let compiled = |layers: &CompiledLayers<'_>, resource| {
        compiled::decide(black_box(&request(resource)), black_box(layers)).is_allowed()
    };
    let (few_last, many_last) = ("arn:aws:s3:::bucket-9/x", "arn:aws:s3:::bucket-1499/x");
    let interpreted = || ten.ask(|layers| decide(black_box(&request(OBJECT)), layers).is_allowed());
    let explained =
        || ten.ask(|layers| explain(black_box(&request(OBJECT)), layers).decision.is_allowed());
    let calls: [(&str, &dyn Fn() -> bool); 6] = [
        ("one layer, one policy", &|| compiled(&one, OBJECT)),
        ("all layers, ten policies", &|| compiled(&all, OBJECT)),
        ("10 policies of one identity", &|| compiled(&few, few_last)),
        ("1,500 policies of one identity", &|| compiled(&many, many_last)),
        ("all layers, interpreted", &interpreted),
        ("all layers, explained", &explained),
    ];
    for (name, call) in &calls {
        assert!(call(), "{name} is refused");
    }

    let mut group = c.benchmark_group("policy");
    for (name, call) in &calls {
        group.bench_function(*name, |b| b.iter(call));
    }
    group.finish();

    let times = medians(&calls.map(|(_, call)| call));
    println!();
    for ((name, _), time) in calls.iter().zip(&times) {
        println!("{name:32} {time:10.1} ns");
    }
    let ratio = |what: &str, one: usize, other: usize, most: f64| {
        println!("{what:44} {:6.2} x, at most {most}", times[one] / times[other]);
    };
    println!();
    ratio("ten policies through all layers / one", 1, 0, 3.0);
    ratio("1,500 policies / 10", 3, 2, 2.0);
    ratio("explanation / decision", 5, 1, 200.0);
}

/// The median times of calls that take turns, in nanoseconds.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn medians<const N: usize>(calls: &[&dyn Fn() -> bool; N]) -> [f64; N] {
    const TURN: Duration = Duration::from_micros(400);
    let mut times: [Vec<f64>; N] = [const { Vec::new() }; N];
    for _ in 0..401 {
        for (call, times) in calls.iter().zip(&mut times) {
            let (start, mut done) = (Instant::now(), 0_u32);
            while start.elapsed() < TURN {
                for _ in 0..32 {
                    black_box(call());
                }
                done += 32;
            }
            #[expect(clippy::cast_precision_loss, reason = "a fraction of a millisecond")]
            times.push(start.elapsed().as_nanos() as f64 / f64::from(done));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

criterion_group!(benches, decisions);
criterion_main!(benches);
