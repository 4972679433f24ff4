//! Random policies and requests that reach every corner of the language.

use crate::id::UniqueId;
use crate::policy::tests::fixture::{
    FEDERATED_ARN, OIDC_ARN, RESOURCE, ROLE_ARN, SESSION_ARN, TARGET_ROLE, USER_ARN, World,
    account, directory, federated, other_account, root, session, user, web_identity,
};
use crate::policy::{Caller, Context, DocumentKind, FederationMaker, Policy, Value};

/// SplitMix64: what is drawn follows from the seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// True so many times in a hundred.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const SAML_ARN: &str = "arn:aws:iam::111111111111:saml-provider/idp";
const SERVICE: &str = "ec2.amazonaws.com";
const OTHER_USER_ARN: &str = "arn:aws:iam::222222222222:user/mallory";
/// Never bound: the names of somebody who is gone.
const GONE: [&str; 3] = [
    "arn:aws:iam::111111111111:user/gone",
    "arn:aws:iam::111111111111:role/gone",
    "arn:aws:sts::111111111111:assumed-role/gone/job-7",
];

pub(super) fn callers() -> Vec<(&'static str, Caller)> {
    let id = |text| UniqueId::parse(text).unwrap();
    vec![
        ("root", root()),
        ("user", user()),
        ("role session", session()),
        ("federated user", federated()),
        (
            "federated user of root",
            Caller::FederatedUser {
                account: account(),
                maker: FederationMaker::Root,
                name: "bob".into(),
                arn: FEDERATED_ARN.into(),
            },
        ),
        ("web identity", web_identity()),
        ("SAML", Caller::Saml { provider: SAML_ARN.into() }),
        ("service", Caller::Service { name: SERVICE.into() }),
        ("anonymous", Caller::Anonymous),
        (
            "user without a binding",
            Caller::User {
                account: account(),
                id: id("AIDAGONE0000000000001"),
                arn: GONE[0].into(),
            },
        ),
        (
            "session without a binding",
            Caller::RoleSession {
                account: account(),
                role_id: id("AROAGONE0000000000001"),
                role_arn: GONE[1].into(),
                session_name: "job-7".into(),
                session_arn: GONE[2].into(),
            },
        ),
        (
            "user of another account",
            Caller::User {
                account: other_account(),
                id: id("AIDAMALLORY0000000001"),
                arn: OTHER_USER_ARN.into(),
            },
        ),
    ]
}

const ACTIONS: [&str; 15] = [
    "*",
    "*:*",
    "s3:*",
    "s3:Get*",
    "s3:GetObject",
    "S3:getobject",
    "s3:*Object",
    "s3:?etObj*t",
    "s3:Put*",
    "s3:PutObject",
    "iam:*",
    "iam:CreateUser",
    "sts:AssumeRole",
    "sts:*",
    "sts:Tag*",
];
pub(super) const ASKED_ACTIONS: [&str; 9] = [
    "s3:GetObject",
    "s3:GetObject",
    "S3:GETOBJECT",
    "s3:PutObject",
    "iam:CreateUser",
    "sts:AssumeRole",
    "sts:TagSession",
    "s3:GetObject\u{e9}",
    "nocolon",
];
const TRUST_ACTIONS: [&str; 4] = ["sts:AssumeRole", "sts:*", "STS:assume*", "sts:TagSession"];

const RESOURCES: [&str; 24] = [
    "*",
    "*",
    "arn:aws:s3:::bucket/*",
    "arn:aws:s3:::bucket/team/report.txt",
    "arn:aws:s3:::bucket/${aws:username}/*",
    "arn:aws:s3:::bucket/${aws:username}?*",
    "arn:aws:s3:::bucket/${k:text, 'team'}/*",
    "arn:aws:s3:::*/${k:many}*",
    "arn:aws:s3:::*",
    "arn:aws:s3:e*:*:b",
    "arn:aws:s3:*:*:accesspoint/*",
    "arn:aws:s3::*:bucket/*",
    "arn:*:s3:::bucket/team/*",
    "arn:aws:s3:::bucket/t*?/rep*t",
    "arn:aws:s3:::b?cket/*/report.txt",
    "arn:aws:s3:::bucket/*????????????????????????report*",
    "arn:aws:s3:::other/*",
    "arn:aws:s3:::bucket/${*}",
    "arn:aws:s3:::bucket/${?}x${$}",
    "arn:aws:s3:::bucket/*\u{e9}?*",
    "arn:aws:iam::111111111111:role/*",
    "arn:aws:iam::111111111111:role/target",
    "arn:aws:iam::111111111111:*",
    "arn:aws:s3:::bucket/*${aws:username}?r*",
];
pub(super) const ASKED_RESOURCES: [&str; 14] = [
    RESOURCE,
    RESOURCE,
    RESOURCE,
    RESOURCE,
    "arn:aws:s3:::bucket/a",
    "arn:aws:s3:::bucket/alice/x",
    "arn:aws:s3:::bucket/*",
    "arn:aws:s3:eu:111111111111:accesspoint/a:b",
    TARGET_ROLE,
    "*",
    "arn:aws:s3:::bucket/n17/x",
    "arn:aws:s3:::bucket/\u{e9}t\u{e9}/report",
    "no arn",
    "arn:aws:s3:::bucket/0123456789012345678901234567890report.txt",
];

/// Principals, with those that only some callers are.
const PRINCIPALS: [(&str, &str); 17] = [
    ("AWS", "*"),
    ("AWS", "*"),
    ("AWS", "111111111111"),
    ("AWS", "arn:aws:iam::111111111111:root"),
    ("AWS", "222222222222"),
    ("AWS", USER_ARN),
    ("AWS", ROLE_ARN),
    ("AWS", SESSION_ARN),
    ("AWS", FEDERATED_ARN),
    ("AWS", "AIDAALICE000000000001"),
    ("AWS", "AROAREADER00000000001"),
    ("AWS", GONE[0]),
    ("AWS", GONE[1]),
    ("AWS", GONE[2]),
    ("Federated", OIDC_ARN),
    ("Federated", SAML_ARN),
    ("Service", SERVICE),
];

/// The operators by the type of what they compare, each with a key and operands of that type.
const TYPES: [(&[&str], &str, &[&str]); 9] = [
    (
        &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ],
        "k:text",
        &[
            "a",
            "Team",
            "team",
            "t*m",
            "?eam",
            "${aws:username}",
            "${aws:username}*",
            "${k:none, 'team'}",
            "${k:none}",
            "${k:many}",
            "${K:TEXT}",
            "x${*}y",
            "${$}{",
            "\u{c9}cole",
            "*a*?e*",
            "*x???????????????????????y*",
            "*",
            "",
            "",
            "${aws:username, 'a'}${?}",
        ],
    ),
    (
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        "k:number",
        &["5", "-1", "10.50", "0", "9007199254740993"],
    ),
    (
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        "k:date",
        &["2024-02-29", "2024-02-29T00:00:00Z", "1709164800", "2030-01-01T00:00:00.5+01:00"],
    ),
    (&["Bool"], "k:bool", &["true", "false"]),
    (&["BinaryEquals"], "k:bytes", &["QQ==", "QUI=", "QUJD", ""]),
    (
        &["IpAddress", "NotIpAddress"],
        "k:ip",
        &["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "::ffff:10.0.0.0/104"],
    ),
    (
        &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
        "aws:PrincipalArn",
        &[
            ROLE_ARN,
            USER_ARN,
            "arn:aws:iam::*:role/*",
            "arn:*:*:*:*:user/*",
            "*",
            "${k:arn}",
            "arn:aws:iam::111111111111:role/app/${k:none, 'reader'}",
            "arn:aws:iam:*:*:role/*",
            "arn:aws:iam::111111111111:user/${k:many}",
        ],
    ),
    (
        &["ArnEquals", "ArnNotLike", "ArnLike", "ArnNotEquals"],
        "k:arn",
        &[RESOURCE, "arn:aws:s3:::*", "arn:aws:s3:::bucket/${aws:username}/*", "${k:arn}"],
    ),
    (&["Null"], "k:text", &["true", "false"]),
];

/// Values of each key: of its type, and of none.
const VALUES: [(&str, &[&str]); 9] = [
    (
        "k:text",
        &[
            "a",
            "team",
            "",
            "TEAM",
            "team",
            "alice",
            "",
            "\u{e9}cole",
            "x*y",
            "*",
            "x-----------------------y",
        ],
    ),
    ("k:number", &["5", "5.0", "-1", "10.5", "9007199254740992", "5abc", ""]),
    (
        "k:date",
        &[
            "2020-01-01",
            "2024-02-29T00:00:00Z",
            "2020-01-01",
            "2020-01-01",
            "2024-02-30",
            "1709164800",
            "2029-12-31T23:00:00.5Z",
            "",
            "now",
        ],
    ),
    ("k:bool", &["true", "FALSE", "yes", "", "false"]),
    ("k:bytes", &["QQ==", "QUI=", "QUJD", "QR==", "!", "", "QQ"]),
    ("k:ip", &["10.1.2.3", "192.0.2.1", "2001:db8::1", "::ffff:10.1.2.3", "", "10.1.2.3.4"]),
    ("k:arn", &[RESOURCE, "arn:aws:s3:::x", "arn:aws:s3:::bucket/team/x", "nothing", ""]),
    ("aws:PrincipalArn", &[ROLE_ARN, USER_ARN, ROLE_ARN, "arn:aws:iam::1:role:x", ""]),
    ("aws:username", &["team", "*", "alice", "a", "../a"]),
];

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn list(texts: &[&str]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    if let [one] = quoted.as_slice() { one.clone() } else { format!("[{}]", quoted.join(",")) }
}

impl Random {
    fn some<'t>(&mut self, from: &[&'t str]) -> Vec<&'t str> {
        let count = self.pick(&[1, 1, 2, 3]);
        (0..count).map(|_| self.pick(from)).collect()
    }

    fn condition(&mut self) -> String {
        let quantifiers = ["", "", "ForAllValues:", "ForAnyValue:"];
        let mut operators: Vec<(String, String)> = Vec::new();
        for _ in 0..self.pick(&[1, 1, 1, 2]) {
            // Texts and ARNs are what most conditions are about.
            let (names, key, operands) = self.pick(&TYPES);
            let name = self.pick(names);
            let operator = if name == "Null" {
                name.to_owned()
            } else {
                let if_exists = if self.chance(40) { "IfExists" } else { "" };
                format!("{}{name}{if_exists}", self.pick(&quantifiers))
            };
            let key = if self.chance(4) { self.pick(&VALUES).0 } else { key };
            let operands = match name {
                "Bool" | "Null" => vec![self.pick(operands)],
                _ if self.chance(4) && key == "k:text" => operands.to_vec(),
                _ => self.some(operands),
            };
            let key = if self.chance(20) { key.to_uppercase() } else { key.to_owned() };
            if operators.iter().all(|(name, _)| *name != operator) {
                operators.push((operator, format!("{{{}:{}}}", quoted(&key), list(&operands))));
            }
        }
        let fields: Vec<String> = operators
            .into_iter()
            .map(|(operator, tests)| format!("{}:{tests}", quoted(&operator)))
            .collect();
        format!("{{{}}}", fields.join(","))
    }

    fn principal(&mut self) -> String {
        if self.chance(10) {
            return "\"*\"".to_owned();
        }
        let mut fields: Vec<(&str, Vec<&str>)> = Vec::new();
        for _ in 0..self.pick(&[1, 1, 2, 4]) {
            let (kind, name) = self.pick(&PRINCIPALS);
            match fields.iter_mut().find(|(of, _)| *of == kind) {
                Some((_, names)) => names.push(name),
                None => fields.push((kind, vec![name])),
            }
        }
        let fields: Vec<String> =
            fields.iter().map(|(kind, names)| format!("\"{kind}\":{}", list(names))).collect();
        format!("{{{}}}", fields.join(","))
    }

    fn statement(&mut self, kind: DocumentKind, open: bool) -> String {
        let allows = open || self.chance(66);
        let not = |negated: bool| if negated { "Not" } else { "" };
        let mut fields = vec![format!("\"Effect\":\"{}\"", if allows { "Allow" } else { "Deny" })];
        if kind.has_principals() {
            let negated = kind == DocumentKind::Resource && !allows && self.chance(40);
            let principal = match self.principal() {
                _ if kind == DocumentKind::ResourceControl => "\"*\"".to_owned(),
                text if negated && text.contains("\"*\"") => {
                    list_of(&[USER_ARN, "111111111111", SESSION_ARN, ROLE_ARN])
                }
                text => text,
            };
            fields.push(format!("\"{}Principal\":{principal}", not(negated)));
        }
        if kind == DocumentKind::Trust {
            let actions = self.some(&TRUST_ACTIONS);
            fields.push(format!("\"Action\":{}", list(&actions)));
        } else {
            let negated = !open && self.chance(10);
            let mut actions = if open { vec!["*"] } else { self.some(&ACTIONS) };
            if !open && self.chance(3) {
                // More patterns than are looked up one by one.
                actions.extend([
                    "s3:a*",
                    "s3:b*",
                    "s3:*c",
                    "s3:*d*",
                    "s3:e?",
                    "s3:*Object*",
                    "iam:a*",
                    "iam:b*",
                    "iam:*c",
                    "iam:Create*",
                ]);
            }
            fields.push(format!("\"{}Action\":{}", not(negated), list(&actions)));
            let negated = !open && self.chance(10);
            let resources = if open { vec!["*"] } else { self.some(&RESOURCES) };
            let many: Vec<String> = if !open && self.chance(4) {
                (0..40).map(|index| format!("arn:aws:s3:::bucket/n{index}/*")).collect()
            } else {
                Vec::new()
            };
            let all: Vec<&str> =
                resources.iter().copied().chain(many.iter().map(String::as_str)).collect();
            fields.push(format!("\"{}Resource\":{}", not(negated), list(&all)));
        }
        if !open && self.chance(if allows { 55 } else { 75 }) {
            let condition = self.condition();
            fields.push(format!("\"Condition\":{condition}"));
        }
        format!("{{{}}}", fields.join(","))
    }

    fn policy(&mut self, kind: DocumentKind) -> Policy {
        // Most lists hold an allow for everything, so that enough requests pass all layers.
        let limits = !matches!(kind, DocumentKind::Identity | DocumentKind::Resource);
        let open = kind != DocumentKind::Trust && self.chance(if limits { 90 } else { 60 });
        let counts: &[usize] = if limits { &[0, 1, 1, 2] } else { &[1, 1, 2, 3] };
        let count = self.pick(counts).max(usize::from(!open));
        let mut statements: Vec<String> = (0..count).map(|_| self.statement(kind, false)).collect();
        if open {
            statements.push(self.statement(kind, true));
        }
        let version = if self.chance(90) { "2012-10-17" } else { "2008-10-17" };
        let text =
            format!("{{\"Version\":\"{version}\",\"Statement\":[{}]}}", statements.join(","));
        // A variable that stands for an ARN is none where there are no variables.
        let text =
            if version == "2008-10-17" { text.replace("\"${k:arn}\"", "\"*\"") } else { text };
        let mut policy = Policy::parse(&text, kind).unwrap_or_else(|e| panic!("{e}: {text}"));
        policy.bind_known(&mut directory);
        policy
    }

    fn policies(&mut self, kind: DocumentKind, counts: &[usize]) -> Vec<Policy> {
        (0..self.pick(counts)).map(|_| self.policy(kind)).collect()
    }

    fn levels(&mut self, kind: DocumentKind) -> Vec<Vec<Policy>> {
        (0..self.pick(&[0, 0, 0, 0, 1, 2])).map(|_| self.policies(kind, &[1, 1, 2])).collect()
    }

    pub(super) fn world(&mut self) -> World {
        let trust = self.chance(25);
        World {
            identity: self.policies(DocumentKind::Identity, &[0, 1, 1, 2, 2, 3]),
            boundary: self.chance(20).then(|| self.policy(DocumentKind::Boundary)),
            session: (self.chance(35))
                .then(|| self.policies(DocumentKind::Session, &[0, 1, 1, 1, 2, 2])),
            resource: (!trust && self.chance(60)).then(|| self.policy(DocumentKind::Resource)),
            trust: trust.then(|| self.policy(DocumentKind::Trust)),
            service_control: self.levels(DocumentKind::ServiceControl),
            resource_control: self.levels(DocumentKind::ResourceControl),
            elsewhere: self.chance(15),
            context: Context::new(),
        }
    }

    pub(super) fn context(&mut self) -> Context {
        let mut context = Context::new();
        for (key, values) in VALUES {
            match self.below(10) {
                0 | 1 => {}
                2 | 3 => {
                    let values = (0..self.below(4)).map(|_| self.pick(values).to_owned()).collect();
                    context.insert(key, Value::Many(values));
                }
                _ => {
                    context.insert(key, Value::One(self.pick(values).to_owned()));
                }
            }
        }
        context.insert("k:many", Value::Many(vec!["team".to_owned(), "a".to_owned()]));
        context
    }
}

fn list_of(names: &[&str]) -> String {
    format!("{{\"AWS\":{}}}", list(names))
}
