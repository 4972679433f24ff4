//! A parsed document.

use std::collections::HashSet;
use std::ops::Range;

use super::condition::Condition;
use super::context::Key;
use super::principal::{Principal, Unresolved};
use super::resource::ResourcePattern;
use super::wildcard::Pattern;
use crate::id::UniqueId;

/// What a document is attached to; it decides which elements it may and must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A managed or inline policy of a user, group or role.
    Identity,
    /// A role's trust policy.
    Trust,
    /// Any other resource's policy.
    Resource,
    /// A policy passed when a session was made.
    Session,
    /// A permissions boundary.
    Boundary,
    /// An organization's service control policy.
    ServiceControl,
    /// An organization's resource control policy.
    ResourceControl,
}

impl DocumentKind {
    /// Whether statements name principals.
    pub(crate) const fn has_principals(self) -> bool {
        matches!(self, Self::Trust | Self::Resource | Self::ResourceControl)
    }
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2008-10-17`, also when the document names none: `${…}` is literal text.
    V2008,
    /// `2012-10-17`: `${…}` is a variable.
    V2012,
}

/// A policy document, parsed, with the text it was parsed from.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) text: std::sync::Arc<str>,
    pub(crate) kind: DocumentKind,
    pub(crate) version: Version,
    pub(crate) id: Option<String>,
    pub(crate) statements: Vec<Statement>,
}

/// One statement. Its index is its place in the document.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sid: Option<String>,
    pub(crate) allows: bool,
    pub(crate) principal: Option<Clause<Principal>>,
    pub(crate) action: Clause<Pattern>,
    pub(crate) resource: Option<Clause<ResourcePattern>>,
    pub(crate) conditions: Vec<Condition>,
    /// Where it stands in the document's text, in bytes.
    pub(crate) span: Range<usize>,
}

/// An element that comes in two forms: `Action` and `NotAction`.
#[derive(Clone, Debug)]
pub(crate) struct Clause<T> {
    pub(crate) negated: bool,
    pub(crate) entries: Vec<T>,
}

impl Policy {
    /// A policy that explicitly denies everything to everyone: it stands in for a stored document
    /// that no longer parses.
    pub fn deny_everything(kind: DocumentKind) -> Self {
        let text = match kind {
            DocumentKind::Trust => {
                r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"sts:*"}}"#
            }
            DocumentKind::Resource | DocumentKind::ResourceControl => {
                r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#
            }
            _ => r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#,
        };
        // A test parses each of them; without statements a policy at least allows nothing.
        Self::parse(text, kind).unwrap_or(Self {
            text: text.into(),
            kind,
            version: Version::V2008,
            id: None,
            statements: Vec::new(),
        })
    }

    /// The text it was parsed from. Principals that were bound are not in it.
    pub fn text(&self) -> &std::sync::Arc<str> {
        &self.text
    }

    /// What the document is attached to.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The version of the language it is written in.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Its `Id`, which only resource policies may have.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// How many statements it has.
    pub fn statements(&self) -> usize {
        self.statements.len()
    }

    /// Where a statement stands in the text that was parsed, in bytes.
    pub fn statement_span(&self, statement: usize) -> Option<Range<usize>> {
        self.statements.get(statement).map(|statement| statement.span.clone())
    }

    /// The ARNs of users, roles and role sessions that stand as principals and must be bound to
    /// unique IDs, each once, in the order of the document.
    ///
    /// Federated-user sessions are not among them: their ARNs name no entity.
    pub fn principals(&self) -> Vec<&str> {
        let mut arns = Vec::new();
        for arn in self.all_principals().filter_map(Principal::bindable) {
            if !arns.contains(&arn) {
                arns.push(arn);
            }
        }
        arns
    }

    /// Binds every ARN of [`Policy::principals`] to the unique ID that `resolve` gives for it: the
    /// user's for a user, the role's for a role or a role session (whose ARN holds the role's
    /// name without its path).
    ///
    /// An ARN without an ID, or with one of the wrong kind, is an error, and the policy is left as
    /// it was.
    pub fn bind(
        &mut self,
        resolve: &mut dyn FnMut(&str) -> Option<UniqueId>,
    ) -> Result<(), Unresolved> {
        let mut bound = self.clone();
        if let Some(arn) = bound.bind_known(resolve).into_iter().next() {
            return Err(Unresolved { arn });
        }
        *self = bound;
        Ok(())
    }

    /// Like [`Policy::bind`], but leaves those that do not resolve unbound, and returns them.
    ///
    /// Unbound ARNs grant nothing; in a `Deny` they still apply to a caller with that very ARN.
    pub fn bind_known(&mut self, resolve: &mut dyn FnMut(&str) -> Option<UniqueId>) -> Vec<String> {
        let clauses = self.statements.iter_mut().filter_map(|s| s.principal.as_mut());
        let mut unresolved = Vec::new();
        for principal in clauses.flat_map(|clause| &mut clause.entries) {
            let Some(arn) = principal.bindable().map(str::to_owned) else { continue };
            if !principal.bind(resolve(&arn)) && !unresolved.contains(&arn) {
                unresolved.push(arn);
            }
        }
        unresolved
    }

    /// The condition keys that conditions and variables ask for, as they are written, each once,
    /// in the order of the document.
    pub fn condition_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&Key> = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        for statement in &self.statements {
            let resources = statement.resource.iter().flat_map(|clause| &clause.entries);
            let conditions = statement.conditions.iter();
            let asked =
                resources.flat_map(ResourcePattern::keys).chain(conditions.flat_map(|condition| {
                    std::iter::once(&condition.key).chain(condition.operands.keys())
                }));
            for key in asked {
                if seen.insert(key.folded()) {
                    keys.push(key);
                }
            }
        }
        keys.into_iter().map(Key::text).collect()
    }

    fn all_principals(&self) -> impl Iterator<Item = &Principal> {
        self.statements
            .iter()
            .filter_map(|statement| statement.principal.as_ref())
            .flat_map(|clause| &clause.entries)
    }
}
