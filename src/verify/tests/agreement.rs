//! The same request, decided here and by the broker: the same answer.

use super::*;
use crate::api::{Decision, OneOrMany};
use crate::random::{self, SystemRandom};

/// A small generator, so that a seed tells a run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'p, T: ?Sized>(&mut self, from: &[&'p T]) -> &'p T {
        from[self.roll(from.len())]
    }
}

const ACTIONS: [&str; 4] =
    ["orders:GetOrder", "orders:PutOrder", "orders:ListOrders", "ORDERS:getorder"];
const RESOURCES: [&str; 4] = [
    "arn:aws:orders:::order/42",
    "arn:aws:orders:eu-west-1:111111111111:order/alice",
    "arn:aws:orders:::order/*",
    "arn:aws:bills:::bill/1",
];

/// A policy of one to three statements, about the service, others, or everything.
fn policy(dice: &mut Dice) -> String {
    let statements: Vec<_> = (0..=dice.roll(3))
        .map(|_| {
            let effect = if dice.roll(3) == 0 { "Deny" } else { "Allow" };
            let (element, actions) = match dice.roll(8) {
                0 => ("NotAction", vec!["s3:*"]),
                1 => ("NotAction", vec!["orders:Get*"]),
                2 => ("Action", vec!["*"]),
                3 => ("Action", vec!["s3:*"]),
                4 => ("Action", vec!["s3:Get*", "Orders:Get*"]),
                5 => ("Action", vec!["orders:PutOrder"]),
                _ => ("Action", vec!["orders:*"]),
            };
            let resource = dice.pick(&[
                "*",
                "arn:aws:orders:::order/*",
                "arn:aws:orders:*:*:order/${aws:username}",
                "arn:aws:orders:::order/42",
                "arn:aws:orders:*:*:order/${aws:PrincipalTag/team, 'none'}",
            ]);
            let condition = dice.pick(&[
                "{}",
                "{}",
                r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#,
                r#"{"StringEquals":{"aws:SourceIp":"203.0.113.9"}}"#,
                r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
                r#"{"BoolIfExists":{"aws:SecureTransport":"false"}}"#,
                r#"{"StringEquals":{"orders:Colour":["red","blue"]}}"#,
                r#"{"ForAllValues:StringLike":{"orders:Parts":["w*"]}}"#,
                r#"{"Null":{"aws:TokenIssueTime":"true"}}"#,
                r#"{"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}"#,
                r#"{"StringLike":{"aws:userid":"A*"}}"#,
                r#"{"StringEquals":{"aws:PrincipalTag/team":"blue"}}"#,
                r#"{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#,
                r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}"#,
                r#"{"StringEquals":{"aws:PrincipalType":"User"}}"#,
                r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
                r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#,
                r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}"#,
                r#"{"NumericLessThan":{"orders:Amount":"9007199254740993"}}"#,
            ]);
            let condition: serde_json::Value = serde_json::from_str(condition).unwrap();
            serde_json::json!({
                "Effect": effect, element: actions, "Resource": resource, "Condition": condition,
            })
        })
        .collect();
    serde_json::json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn deed(dice: &mut Dice) -> Deed {
    let mut context = BTreeMap::new();
    let one = |text: &str| OneOrMany::One(text.to_owned());
    if dice.roll(2) == 0 {
        context.insert("orders:Colour".to_owned(), one(dice.pick(&["red", "green"])));
    }
    if dice.roll(2) == 0 {
        let many = if dice.roll(2) == 0 { vec!["wheel".to_owned()] } else { vec![] };
        context.insert("orders:Parts".to_owned(), OneOrMany::Many(many));
    }
    if dice.roll(2) == 0 {
        let amount = dice.pick(&["9007199254740992", "9007199254740993", "x"]);
        context.insert("orders:amount".to_owned(), one(amount));
    }
    Deed {
        action: dice.pick(&ACTIONS).to_owned(),
        resource: dice.pick(&RESOURCES).to_owned(),
        resource_policy: None,
        context,
    }
}

fn connection(dice: &mut Dice) -> Connection {
    Connection {
        source_ip: [None, Some("203.0.113.9"), Some("::ffff:203.0.113.9"), Some("::1")]
            [dice.roll(4)]
        .map(|ip| ip.parse().unwrap()),
        secure: [None, Some(true), Some(false)][dice.roll(3)],
    }
}

/// A caller with policies of chance: a user, its session with or without a second factor, a role's
/// session, or one with a session policy and tags.
async fn caller(inside: &Inside, dice: &mut Dice, round: usize) -> Credentials {
    let (bench, admin) = (&inside.bench, &inside.bench.a);
    let name = if dice.roll(2) == 0 { "alice".to_owned() } else { format!("u{round}") };
    if dice.roll(3) == 0 {
        let user = format!("{name}-{round}");
        let key = bench.user(admin, &user, &policy(dice)).await;
        let code = bench.totp(0);
        let serial = bench.mfa_device(&user, Some(&user)).await;
        let shown = [("SerialNumber", serial.as_str()), ("TokenCode", code.as_str())];
        let shown = match dice.roll(4) {
            0 => &[],
            1 => &shown[..],
            _ => return key,
        };
        return Credentials::of_answer(&bench.call(&key, "GetSessionToken", shown).await.unwrap());
    }
    let role = bench.role(admin, &format!("r{round}"), &trusting(&[A]), &policy(dice)).await;
    let mut ask = vec![("RoleArn", role.as_str()), ("RoleSessionName", name.as_str())];
    let session_policy = policy(dice);
    if dice.roll(2) == 0 {
        ask.push(("Policy", session_policy.as_str()));
    }
    if dice.roll(2) == 0 {
        let team = dice.pick(&["blue", "42", "+"]);
        ask.extend([("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", team)]);
    }
    Credentials::of_answer(&bench.call(admin, "AssumeRole", &ask).await.unwrap())
}

#[tokio::test]
async fn what_is_decided_here_is_what_the_broker_decides() {
    let seed = u64::from_le_bytes(random::bytes(&SystemRandom::new()).unwrap()) | 1;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let inside = Inside::new(&[]).await;
    let (mut allowed, mut denied) = (0, 0);
    for round in 0..60 {
        // With a region, and without one.
        let region = (round % 2 == 0).then(|| "eu-west-1".to_owned());
        inside.register(&ServiceSettings { region, ..settings() }, &[]);
        let who = caller(&inside, &mut dice, round).await;
        inside.sync().unwrap();
        let mut first = true;
        for _ in 0..20 {
            let signed = inside.sign(&who, "GET", "/orders/42", b"");
            let (deed, connection) = (deed(&mut dice), connection(&mut dice));
            if first {
                assert!(inside.warm_with(&signed, &deed, connection).await, "seed {seed}");
                first = false;
            }
            let here = match inside.check_with(&signed, Some(&deed), connection, false) {
                Outcome::Decided(answer) => answer,
                Outcome::Ask(_) => panic!("seed {seed}: {deed:?} is not decided here"),
            };
            let question = VerifyRequest {
                source_ip: connection.source_ip.map(|ip| ip.to_string()),
                secure_transport: connection.secure,
                ..inside.question(&signed, Some(&deed), false)
            };
            let there = inside.ask_as(&verifier(), &question).await.unwrap().answer;
            let told = format!("seed {seed}, round {round}: {deed:?} {connection:?} {there:?}");
            match here {
                Ok(verified) => {
                    allowed += 1;
                    assert_eq!(there.decision, Decision::Allow, "{told}");
                    assert!(!there.matched.is_empty(), "{told}");
                    assert_eq!(verified.matched(), there.matched, "{told}");
                    assert_eq!(Some(verified.principal()), there.principal.as_ref(), "{told}");
                    assert_eq!(verified.expires_at(), there.expires_at.as_deref(), "{told}");
                    assert_eq!(Some(verified.body()), there.body, "{told}");
                }
                Err(refused) => {
                    denied += 1;
                    assert_eq!(there.decision, Decision::Deny, "{told}: {refused}");
                    assert_eq!(refused.code(), there.reason.code, "{told}");
                    assert_eq!(refused.message(), there.reason.message, "{told}");
                }
            }
        }
    }
    assert!(allowed > 50 && denied > 50, "seed {seed}: {allowed} allowed, {denied} denied");
}

impl Inside {
    pub(super) async fn warm_with(
        &self,
        signed: &Signed,
        deed: &Deed,
        connection: Connection,
    ) -> bool {
        let Outcome::Ask(asking) = self.check_with(signed, Some(deed), connection, false) else {
            panic!("it is answered here")
        };
        let question = self.question(signed, Some(deed), true);
        let mut grant = self.ask_as(&verifier(), &question).await.unwrap();
        self.local.keep(&asking, &mut grant, self.bench.clock.monotonic())
    }
}

#[tokio::test]
async fn what_the_broker_would_not_read_is_not_decided_here() {
    let inside = Inside::new(&[]).await;
    let alice = inside.bench.user(&inside.bench.a, "alice", &allow(&["*"])).await;
    inside.sync().unwrap();
    let signed = inside.get(&alice);
    let good = Deed {
        action: "orders:GetOrder".into(),
        resource: "arn:aws:orders:::order/42".into(),
        ..Deed::default()
    };
    assert!(inside.warm_with(&signed, &good, Connection::default()).await);
    let decided = |deed: Option<&Deed>| {
        matches!(
            inside.check_with(&signed, deed, Connection::default(), false),
            Outcome::Decided(_)
        )
    };
    assert!(decided(Some(&good)));
    assert!(!decided(None), "identity alone");
    let key = |key: &str| [(key.to_owned(), OneOrMany::One("v".into()))].into();
    for bad in [
        Deed { action: "orders:*".into(), ..good.clone() },
        Deed { action: "GetOrder".into(), ..good.clone() },
        Deed { action: "iam:CreateUser".into(), ..good.clone() },
        Deed { action: "bills:Pay".into(), ..good.clone() },
        Deed { resource: "order/42".into(), ..good.clone() },
        Deed { resource: "arn:aws:orders::222222222222:order/42".into(), ..good.clone() },
        Deed { resource_policy: Some("{}".into()), ..good.clone() },
        Deed { context: key("aws:PrincipalArn"), ..good.clone() },
        Deed { context: key("AWS:SourceIp"), ..good.clone() },
        Deed { context: key("sts:ExternalId"), ..good.clone() },
        Deed { context: key("colour"), ..good.clone() },
        Deed { context: key("orders:"), ..good.clone() },
    ] {
        assert!(!decided(Some(&bad)), "{bad:?}");
    }
}
