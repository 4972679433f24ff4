//! The index of statements by their actions.
//!
//! A request's action finds its statements by two look-ups, of the action and of its service, and
//! by the patterns of its service. What is about every action, and what is about all actions but
//! some, stands beside. Below each of these, statements are found by how their resources begin.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::super::ast::Policy;
use super::super::decide::Layer;
use super::super::hash::hash;
use super::super::principal::Reach;
use super::action::ActionGlob;
use super::resource::{Spot, Table};
use super::statement::{Facts, Posting, Statement};

/// A statement with more patterns of actions than this is tried whole, so that no request can have
/// its conditions evaluated many times.
const MOST_PATTERNS: usize = 8;

/// A statement with more actions times resources than this has its resources indexed once, for all
/// of its actions: the index grows with their sum.
const MOST_POSTINGS: usize = 64;

/// Policies of one kind of layer, compiled together.
#[derive(Debug)]
pub(super) struct Index {
    /// Whole actions, and services with their colon, by their hash.
    named: HashMap<u64, Box<[Named]>, BuildHasherDefault<AsIs>>,
    /// Every action.
    everything: Effects,
    /// What has to be tried.
    general: Box<[General]>,
    statements: usize,
    has_denies: bool,
    has_services: bool,
}

#[derive(Debug)]
struct Named {
    /// Lower-cased.
    name: Box<str>,
    /// The statements that name it; those that name all of a service.
    whole: Effects,
    /// The patterns of a service.
    patterns: Box<[(ActionGlob, Effects)]>,
}

/// Statements by what they do.
#[derive(Debug)]
struct Effects {
    denies: Table<Posting>,
    allows: Table<Posting>,
    /// Those of statements with many actions and many resources, which share them.
    shared: Box<[Arc<Effects>]>,
}

#[derive(Debug)]
struct General {
    negated: bool,
    globs: Box<[ActionGlob]>,
    effects: Effects,
}

/// What an action finds.
#[derive(Clone, Copy)]
pub(super) struct Found<'i> {
    index: &'i Index,
    action: Option<&'i Named>,
    service: Option<&'i Named>,
}

#[derive(Default)]
struct Lists {
    denies: Vec<Posting>,
    allows: Vec<Posting>,
    shared: Vec<Arc<Effects>>,
}

#[derive(Default)]
struct Service {
    whole: Lists,
    patterns: BTreeMap<String, Lists>,
}

impl Index {
    pub(super) fn new<'p>(policies: impl Iterator<Item = &'p Policy>) -> Self {
        let mut actions: BTreeMap<String, Lists> = BTreeMap::new();
        let mut services: BTreeMap<String, Service> = BTreeMap::new();
        let mut everything = Lists::default();
        let mut general = Vec::new();
        let mut statements = 0;
        let mut has_denies = false;
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        for (member, policy) in policies.enumerate() {
            statements += policy.statements.len();
            for (index, source) in policy.statements.iter().enumerate() {
                let statement = Statement::new(number(member), number(index), policy.kind, source);
                let statement = Arc::new(statement);
                let postings: Vec<Posting> = Spot::of(source)
                    .into_iter()
                    .map(|spot| Posting { statement: Arc::clone(&statement), spot: Arc::new(spot) })
                    .collect();
                has_denies |= !source.allows;
                let texts: BTreeSet<String> =
                    source.action.entries.iter().map(ToString::to_string).collect();
                let patterns = texts.iter().filter(|text| is_pattern(text)).count();
                let all = |lists: &mut Lists| {
                    let list = if source.allows { &mut lists.allows } else { &mut lists.denies };
                    list.extend(postings.iter().cloned());
                };
                let shared = (postings.len() * texts.len() > MOST_POSTINGS).then(|| {
                    let mut lists = Lists::default();
                    all(&mut lists);
                    Arc::new(lists.freeze())
                });
                let add = |lists: &mut Lists| match &shared {
                    Some(shared) => lists.shared.push(Arc::clone(shared)),
                    None => all(lists),
                };
                if source.action.negated || patterns > MOST_PATTERNS {
                    let mut lists = Lists::default();
                    add(&mut lists);
                    general.push(General {
                        negated: source.action.negated,
                        globs: texts.iter().map(|text| ActionGlob::new(text)).collect(),
                        effects: lists.freeze(),
                    });
                    continue;
                }
                for text in texts {
                    match place(&text) {
                        Place::Everything => add(&mut everything),
                        Place::Action => add(actions.entry(text).or_default()),
                        Place::Service(name) => {
                            add(&mut services.entry(name.to_owned()).or_default().whole);
                        }
                        Place::Pattern(name) => {
                            let service = services.entry(name.to_owned()).or_default();
                            add(service.patterns.entry(text).or_default());
                        }
                    }
                }
            }
        }
        let has_services = !services.is_empty();
        let actions = actions
            .into_iter()
            .map(|(name, lists)| (name, Service { whole: lists, patterns: BTreeMap::new() }));
        let mut named: HashMap<u64, Vec<Named>, BuildHasherDefault<AsIs>> = HashMap::default();
        for (name, service) in actions.chain(services) {
            named.entry(hash(name.as_bytes())).or_default().push(Named {
                name: name.into(),
                whole: service.whole.freeze(),
                patterns: (service.patterns.into_iter())
                    .map(|(text, lists)| (ActionGlob::new(&text), lists.freeze()))
                    .collect(),
            });
        }
        Self {
            named: named.into_iter().map(|(hash, list)| (hash, list.into())).collect(),
            everything: everything.freeze(),
            general: general.into(),
            statements,
            has_denies,
            has_services,
        }
    }

    /// How many statements there are.
    pub(super) fn statements(&self) -> usize {
        self.statements
    }

    /// What there is for an action.
    #[inline]
    pub(super) fn find(&self, action: &Action<'_>) -> Found<'_> {
        let get = |hash: u64, name: &str| {
            let named = self.named.get(&hash)?;
            named.iter().find(|named| named.name.eq_ignore_ascii_case(name))
        };
        if self.named.is_empty() {
            return Found { index: self, action: None, service: None };
        }
        Found {
            index: self,
            action: get(action.hash, action.whole),
            service: if self.has_services {
                get(action.service_hash, action.service)
            } else {
                None
            },
        }
    }
}

/// A request's action, hashed.
#[derive(Clone, Copy)]
pub(super) struct Action<'a> {
    whole: &'a str,
    hash: u64,
    /// With its colon; empty when there is none.
    service: &'a str,
    service_hash: u64,
}

impl<'a> Action<'a> {
    #[inline]
    pub(super) fn new(whole: &'a str) -> Self {
        let service = match whole.bytes().position(|byte| byte == b':') {
            Some(colon) => whole.get(..=colon).unwrap_or_default(),
            None => "",
        };
        let service_hash = hash(service.as_bytes());
        Self { whole, hash: hash(whole.as_bytes()), service, service_hash }
    }
}

impl<'i> Found<'i> {
    /// The first statement found that takes effect, of those that deny or of those that allow, for
    /// which `enough` says so. It sees every statement before that, and how far it carries.
    #[inline]
    pub(super) fn first(
        &self,
        allows: bool,
        facts: &Facts<'_>,
        layer: Layer,
        mut enough: impl FnMut(&'i Statement, Reach) -> bool,
    ) -> bool {
        if !allows && !self.index.has_denies {
            return false;
        }
        let mut take = |posting: &'i Posting| {
            (posting.applies(facts, layer)).is_some_and(|reach| enough(&posting.statement, reach))
        };
        let resource = facts.request.resource;
        let mut look = |effects: &'i Effects| {
            let table = if allows { &effects.allows } else { &effects.denies };
            !table.is_empty() && table.visit(resource, &mut take)
        };
        let mut visit = |effects: &'i Effects| {
            look(effects) || effects.shared.iter().any(|shared| look(shared))
        };
        let action = facts.request.action;
        self.action.is_some_and(|named| visit(&named.whole))
            || self.service.is_some_and(|named| {
                visit(&named.whole)
                    || named
                        .patterns
                        .iter()
                        .any(|(glob, effects)| glob.matches(action) && visit(effects))
            })
            || visit(&self.index.everything)
            || self.index.general.iter().any(|general| {
                general.globs.iter().any(|glob| glob.matches(action)) != general.negated
                    && visit(&general.effects)
            })
    }
}

impl Lists {
    fn freeze(self) -> Effects {
        let table = |list: Vec<Posting>| Table::new(list, |posting| &posting.spot);
        Effects {
            denies: table(self.denies),
            allows: table(self.allows),
            shared: self.shared.into(),
        }
    }
}

enum Place<'t> {
    Everything,
    Action,
    Service(&'t str),
    Pattern(&'t str),
}

/// Where an action is looked for. It is lower-cased, and no wildcard stands before its colon.
fn place(text: &str) -> Place<'_> {
    if text == "*" {
        return Place::Everything;
    }
    let colon = text.find(':').map_or(0, |colon| colon + 1);
    let (service, name) = text.split_at(colon);
    match name {
        "*" => Place::Service(service),
        name if name.contains(['*', '?']) => Place::Pattern(service),
        _ => Place::Action,
    }
}

fn is_pattern(text: &str) -> bool {
    matches!(place(text), Place::Pattern(_))
}

/// What is hashed already.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher as _;

    use super::super::super::hash::hash;
    use super::super::super::tests::fixture::identity;
    use super::{AsIs, Index, MOST_PATTERNS, MOST_POSTINGS};

    fn list(of: impl Fn(usize) -> String, count: usize) -> String {
        let texts: Vec<String> = (0..count).map(|number| format!("{:?}", of(number))).collect();
        format!("[{}]", texts.join(","))
    }

    /// One statement about these actions and one bucket, or about so many.
    fn index(element: &str, actions: &str, buckets: usize) -> Index {
        let resources = list(|number| format!("arn:aws:s3:::b{number:02}/*"), buckets);
        let statement =
            format!(r#"{{"Effect":"Allow","{element}":{actions},"Resource":{resources}}}"#);
        Index::new(std::iter::once(&identity(&statement)))
    }

    /// The names that are looked up, the patterns below them, and what is tried whole.
    fn shape(index: &Index) -> (usize, usize, usize) {
        let named = || index.named.values().flatten();
        (named().count(), named().map(|named| named.patterns.len()).sum(), index.general.len())
    }

    #[test]
    fn actions_are_looked_up_and_only_many_patterns_are_tried() {
        let whole = |number| format!("s3:Action{number}");
        let pattern = |number| format!("s3:Action{number}*");
        let service = |number| format!("s{number}:*");
        assert_eq!(shape(&index("Action", &list(whole, 40), 1)), (40, 0, 0));
        assert_eq!(shape(&index("Action", &list(service, 40), 1)), (40, 0, 0));
        assert_eq!(
            shape(&index("Action", &list(pattern, MOST_PATTERNS), 1)),
            (1, MOST_PATTERNS, 0)
        );
        assert_eq!(shape(&index("Action", &list(pattern, MOST_PATTERNS + 1), 1)), (0, 0, 1));
        assert_eq!(shape(&index("NotAction", &list(whole, 3), 1)), (0, 0, 1));
        let all = index("Action", r#""*""#, 1);
        assert_eq!(shape(&all), (0, 0, 0));
        assert!(!all.everything.allows.is_empty() && all.everything.denies.is_empty());
    }

    #[test]
    fn resources_of_many_actions_are_indexed_once() {
        let shared = |actions: usize, buckets: usize| {
            let index = index("Action", &list(|number| format!("s3:A{number}"), actions), buckets);
            let named = index.named.values().flatten();
            named.map(|named| named.whole.shared.len()).collect::<Vec<_>>()
        };
        assert_eq!(MOST_POSTINGS, 64);
        assert_eq!(shared(8, 8), [0; 8]);
        assert_eq!(shared(8, 9), [1; 8]);
        assert_eq!(shared(1, 64), [0; 1]);
        assert_eq!(shared(65, 1), [1; 65]);
    }

    #[test]
    fn what_is_hashed_already_is_not_hashed_again() {
        let mut hasher = AsIs::default();
        hasher.write_u64(0x0123_4567_89ab_cdef);
        assert_eq!(hasher.finish(), 0x0123_4567_89ab_cdef);
        hasher.write(b"s3:GetObject");
        assert_eq!(hasher.finish(), hash(b"s3:GetObject"));
    }
}
