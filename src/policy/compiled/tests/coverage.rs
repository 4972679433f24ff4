//! What the generated cases reached.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::policy::condition::{ArnPattern, Operands};
use crate::policy::context::{Context, Value};
use crate::policy::principal::{Naming, Principal};
use crate::policy::resource::ResourcePattern;
use crate::policy::tests::fixture::World;
use crate::policy::truth::Truth;
use crate::policy::variables::{Part, Template};
use crate::policy::{Caller, Decision, Effect, Layer, Policy};

/// Counts by row and column.
#[derive(Default)]
struct Table(BTreeMap<String, [u64; 3]>);

impl Table {
    fn add(&mut self, row: &str, column: usize) {
        if let Some(counts) = self.0.get_mut(row) {
            counts[column] += 1;
        } else {
            let mut counts = [0; 3];
            counts[column] = 1;
            self.0.insert(row.to_owned(), counts);
        }
    }
}

#[derive(Default)]
pub(super) struct Coverage {
    pub(super) cases: u64,
    operators: Table,
    variables: Table,
    layers: Table,
    principals: Table,
    callers: Table,
    accounts: Table,
    effects: [u64; 3],
}

const EFFECTS: [&str; 3] = ["allow", "implicit deny", "explicit deny"];
const TRUTHS: [&str; 3] = ["matches", "does not", "undecided"];

fn column(effect: Effect) -> usize {
    match effect {
        Effect::Allow => 0,
        Effect::ImplicitDeny => 1,
        Effect::ExplicitDeny => 2,
    }
}

impl Coverage {
    /// What the parts of a world's policies make of a request.
    pub(super) fn parts(&mut self, world: &World, caller: &Caller, context: &Context) {
        let levels = world.service_control.iter().chain(&world.resource_control).flatten();
        let policies = (world.identity.iter())
            .chain(&world.boundary)
            .chain(world.session.iter().flatten())
            .chain(&world.resource)
            .chain(&world.trust)
            .chain(levels);
        for policy in policies {
            self.policy(policy, caller, context);
        }
    }

    fn policy(&mut self, policy: &Policy, caller: &Caller, context: &Context) {
        for statement in &policy.statements {
            for condition in &statement.conditions {
                let column = match condition.holds(context) {
                    Truth::True => 0,
                    Truth::False => 1,
                    Truth::Unknown => 2,
                };
                self.operators.add(&condition.operator.to_string(), column);
                match &condition.operands {
                    Operands::Text { list, .. } => {
                        for template in list {
                            self.template("text", template, context);
                        }
                    }
                    Operands::Arn(list) => list.iter().for_each(|pattern| match pattern {
                        ArnPattern::Any => {}
                        ArnPattern::Variable(whole) => self.template("ARN", whole, context),
                        ArnPattern::Parts(parts) => {
                            parts.iter().for_each(|part| self.template("ARN", part, context));
                        }
                    }),
                    _ => {}
                }
            }
            for entry in statement.resource.iter().flat_map(|clause| &clause.entries) {
                if let ResourcePattern::Arn { whole, .. } = entry {
                    self.template("resource", whole, context);
                }
            }
            if let Some(clause) = &statement.principal {
                for entry in &clause.entries {
                    let column = match entry.names(caller) {
                        Naming::Yes(_) => 0,
                        Naming::No => 1,
                        Naming::Doubtful => 2,
                    };
                    let not = if clause.negated { "not " } else { "" };
                    self.principals.add(&format!("{not}{}", kind(entry)), column);
                }
            }
        }
    }

    fn template(&mut self, place: &str, template: &Template, context: &Context) {
        for part in template.parts() {
            let form = match part {
                Part::Variable { key, default } => match (context.value(key), default) {
                    (Some(Value::One(_)), _) => "value",
                    (Some(Value::Many(_)), _) => "multivalued",
                    (None, Some(_)) => "default",
                    (None, None) => "unresolved",
                },
                Part::Text(text) if text.contains(['*', '?', '$']) => "literal character",
                _ => continue,
            };
            self.variables.add(&format!("{place}: {form}"), 0);
        }
    }

    pub(super) fn decision(&mut self, world: &World, caller: (&str, &Caller), decision: &Decision) {
        let column = column(decision.effect());
        self.cases += 1;
        self.effects[column] += 1;
        self.layers.add(&decision.layer().to_string(), column);
        self.callers.add(caller.0, column);
        let account = caller.1.account();
        self.accounts.add(
            match (account, world.elsewhere) {
                (None, _) => "outside every account",
                (Some(account), elsewhere)
                    if (account == crate::policy::tests::fixture::account()) != elsewhere =>
                {
                    "same account"
                }
                _ => "across accounts",
            },
            column,
        );
    }

    pub(super) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        for (mine, theirs) in self.effects.iter_mut().zip(other.effects) {
            *mine += theirs;
        }
        let pairs = [
            (&mut self.operators, other.operators),
            (&mut self.variables, other.variables),
            (&mut self.layers, other.layers),
            (&mut self.principals, other.principals),
            (&mut self.callers, other.callers),
            (&mut self.accounts, other.accounts),
        ];
        for (mine, theirs) in pairs {
            for (row, counts) in theirs.0 {
                let mine = mine.0.entry(row).or_default();
                for (mine, theirs) in mine.iter_mut().zip(counts) {
                    *mine += theirs;
                }
            }
        }
    }

    /// The tables, as text.
    pub(super) fn shown(&self) -> String {
        let mut text = format!("{} decisions\n", self.cases);
        for (name, count) in EFFECTS.iter().zip(self.effects) {
            let percent = count * 1000 / self.cases.max(1);
            let _ = writeln!(text, "{name:38}{count:12}  {}.{} %", percent / 10, percent % 10);
        }
        for (name, table, columns) in [
            ("deciding layer", &self.layers, EFFECTS),
            ("caller", &self.callers, EFFECTS),
            ("account", &self.accounts, EFFECTS),
            ("operator", &self.operators, TRUTHS),
            ("principal", &self.principals, ["names", "does not", "doubtful"]),
            ("variable", &self.variables, ["seen", "", ""]),
        ] {
            let _ =
                writeln!(text, "\n{name:38}{:>14}{:>14}{:>14}", columns[0], columns[1], columns[2]);
            for (row, counts) in &table.0 {
                let _ = writeln!(text, "{row:38}{:14}{:14}{:14}", counts[0], counts[1], counts[2]);
            }
        }
        text
    }

    /// Every cell that there can be has been reached, and each effect by a fifth of all.
    pub(super) fn check(&self) {
        for count in self.effects {
            assert!(count * 5 >= self.cases, "{EFFECTS:?}: {:?}", self.effects);
        }
        // Of the 27 names, two pairs are one operator each; all but Null have three quantifiers,
        // with and without IfExists.
        assert_eq!(self.operators.0.len(), 24 * 6 + 1);
        assert_eq!(self.variables.0.len(), 3 * 5, "{:?}", self.variables.0.keys());
        assert_eq!(self.callers.0.len(), super::generate::callers().len());
        assert_eq!(self.accounts.0.len(), 3);
        for table in [&self.operators, &self.callers, &self.accounts] {
            for (row, counts) in &table.0 {
                assert!(counts.iter().all(|count| *count > 0), "{row}: {counts:?}");
            }
        }
        let reached = |table: &Table, row: &str, columns: [bool; 3]| {
            let counts = table.0.get(row).copied().unwrap_or_default();
            assert_eq!(counts.map(|count| count > 0), columns, "{row}: {counts:?}");
        };
        for (layer, columns) in [
            (Layer::Root, [true, false, false]),
            (Layer::Identity, [true, true, true]),
            (Layer::Boundary, [false, true, true]),
            (Layer::Session, [false, true, true]),
            (Layer::Resource, [true, true, true]),
            (Layer::Trust, [true, true, true]),
            (Layer::ServiceControl, [false, true, true]),
            (Layer::ResourceControl, [false, true, true]),
        ] {
            reached(&self.layers, &layer.to_string(), columns);
        }
        for (kind, columns) in [
            ("anyone", [true, false, true]),
            ("account", [true, true, false]),
            ("user", [true, true, false]),
            ("user, not bound", [false, true, true]),
            ("role", [true, true, false]),
            ("role, not bound", [false, true, true]),
            ("role session", [true, true, false]),
            ("role session, not bound", [false, true, true]),
            ("federated user", [true, true, false]),
            ("unique ID", [true, true, false]),
            ("provider", [true, true, false]),
            ("service", [true, true, false]),
            ("not account", [true, true, false]),
            ("not user", [true, true, false]),
            ("not role session", [true, true, false]),
            ("not service", [true, true, false]),
        ] {
            reached(&self.principals, kind, columns);
        }
    }
}

fn kind(principal: &Principal) -> &'static str {
    match principal {
        Principal::Anyone => "anyone",
        Principal::Account(_) => "account",
        Principal::User { id: Some(_), .. } => "user",
        Principal::User { .. } => "user, not bound",
        Principal::Role { id: Some(_), .. } => "role",
        Principal::Role { .. } => "role, not bound",
        Principal::RoleSession { role_id: Some(_), .. } => "role session",
        Principal::RoleSession { .. } => "role session, not bound",
        Principal::FederatedUser { .. } => "federated user",
        Principal::Unique(_) => "unique ID",
        Principal::Federated(_) => "provider",
        Principal::Service(_) => "service",
    }
}
