//! Resources: what a statement covers, and an index of statements by how their resources begin.

use super::super::ast::{Clause, Statement as Source};
use super::super::context::Context;
use super::super::resource::ResourcePattern;
use super::super::truth::Truth;
use super::super::variables::{Part, Template};
use super::glob::Glob;

/// One entry of `Resource` or `NotResource`.
#[derive(Debug)]
struct Entry {
    whole: Glob,
    /// The components, where a `*` of `whole` could stand for one of the first five colons.
    parts: Option<Box<[Glob; 6]>>,
}

impl Entry {
    fn new(whole: &Template) -> Self {
        let fixed =
            matches!(whole.parts(), [Part::Text(text), ..] if text.matches(':').count() >= 5);
        let parts = if fixed { None } else { whole.split_arn() };
        Self {
            whole: Glob::new(whole),
            parts: parts.map(|parts| Box::new(parts.each_ref().map(Glob::new))),
        }
    }

    #[inline]
    fn matches(&self, resource: &str, context: &Context) -> Truth {
        let Some(parts) = &self.parts else {
            return Truth::from(self.whole.matches(resource, context));
        };
        let mut fields = resource.splitn(6, ':');
        let by_part = parts
            .iter()
            .all(|part| fields.next().is_some_and(|field| part.matches(field, context)));
        if by_part {
            Truth::True
        } else if self.whole.matches(resource, context) {
            Truth::Unknown
        } else {
            Truth::False
        }
    }
}

/// The resources of a statement, or those of them that begin alike.
#[derive(Debug)]
pub(super) struct Spot {
    /// Every resource that it covers begins so.
    prefix: Box<str>,
    covers: Covers,
}

#[derive(Debug)]
enum Covers {
    Everything,
    Listed(Box<[Entry]>),
    NotListed(Box<[Entry]>),
}

impl Spot {
    /// The spots of a statement. No prefix of one begins with that of another, so that a resource
    /// finds one of them at most.
    pub(super) fn of(statement: &Source) -> Vec<Self> {
        let everywhere = |covers| vec![Self { prefix: "".into(), covers }];
        let Some(Clause { negated, entries }) = &statement.resource else {
            return everywhere(Covers::Everything);
        };
        let wholes: Option<Vec<&Template>> = (entries.iter())
            .map(|entry| match entry {
                ResourcePattern::All => None,
                ResourcePattern::Arn { whole, .. } => Some(&**whole),
            })
            .collect();
        let compile = |wholes: &[&Template]| wholes.iter().map(|whole| Entry::new(whole)).collect();
        match (wholes, negated) {
            (None, false) => everywhere(Covers::Everything),
            // Nothing is outside of `*`.
            (None, true) => Vec::new(),
            (Some(wholes), true) => everywhere(Covers::NotListed(compile(&wholes))),
            (Some(mut wholes), false) => {
                wholes.sort_by_key(|whole| prefix(whole));
                let mut spots = Vec::new();
                let mut rest = wholes.as_slice();
                while let Some(first) = rest.first() {
                    let prefix = prefix(first);
                    let alike =
                        rest.partition_point(|whole| self::prefix(whole).starts_with(prefix));
                    let (these, others) = rest.split_at(alike.max(1));
                    let covers = Covers::Listed(compile(these));
                    spots.push(Self { prefix: prefix.into(), covers });
                    rest = others;
                }
                spots
            }
        }
    }

    #[inline]
    pub(super) fn covers(&self, resource: &str, context: &Context) -> Truth {
        let any = |entries: &[Entry]| {
            Truth::any(entries.iter().map(|entry| entry.matches(resource, context)))
        };
        match &self.covers {
            Covers::Everything => Truth::True,
            Covers::Listed(entries) => any(entries),
            // A variable without a value leaves open what is not listed.
            Covers::NotListed(entries) => !Truth::any(entries.iter().map(|entry| {
                if entry.whole.resolves(context) {
                    entry.matches(resource, context)
                } else {
                    Truth::Unknown
                }
            })),
        }
    }
}

/// The literal text that a pattern begins with.
fn prefix(template: &Template) -> &str {
    match template.parts() {
        [Part::Text(text), ..] => text,
        _ => "",
    }
}

/// Something for each spot, found by a resource.
#[derive(Debug)]
pub(super) struct Table<T> {
    /// What is for resources that begin in any way.
    anywhere: Box<[T]>,
    /// All prefixes begin so.
    common: Box<str>,
    /// In the order of their prefixes.
    nodes: Box<[Node<T>]>,
}

#[derive(Debug)]
struct Node<T> {
    /// After what is common.
    prefix: Box<[u8]>,
    /// The node with the longest prefix that this one's begins with.
    parent: Option<usize>,
    here: Box<[T]>,
}

/// So few nodes are walked and not searched.
const FEW: usize = 6;

impl<T> Table<T> {
    pub(super) fn new(postings: Vec<T>, spot: impl Fn(&T) -> &Spot) -> Self {
        let (anywhere, mut placed): (Vec<T>, Vec<T>) =
            postings.into_iter().partition(|posting| spot(posting).prefix.is_empty());
        placed.sort_by(|one, other| spot(one).prefix.cmp(&spot(other).prefix));
        let prefixes = placed.iter().map(|posting| &*spot(posting).prefix);
        let common = prefixes.reduce(shared).unwrap_or_default().to_owned();
        let mut nodes: Vec<(Vec<u8>, Option<usize>, Vec<T>)> = Vec::new();
        for posting in placed {
            let prefix = spot(&posting).prefix.as_bytes();
            let prefix = prefix.get(common.len()..).unwrap_or_default().to_vec();
            if let Some((_, _, here)) = nodes.last_mut().filter(|(last, ..)| *last == prefix) {
                here.push(posting);
                continue;
            }
            // The one before it, or one of those that that one begins with.
            let mut parent = nodes.len().checked_sub(1);
            while let Some((above, next, _)) = parent.and_then(|at| nodes.get(at)) {
                if prefix.starts_with(above) {
                    break;
                }
                parent = *next;
            }
            nodes.push((prefix, parent, vec![posting]));
        }
        let nodes = nodes.into_iter().map(|(prefix, parent, here)| Node {
            prefix: prefix.into(),
            parent,
            here: here.into(),
        });
        Self { anywhere: anywhere.into(), common: common.into(), nodes: nodes.collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.anywhere.is_empty() && self.nodes.is_empty()
    }

    /// Shows everything for spots that may cover the resource to `take`, until it says to stop.
    #[inline]
    pub(super) fn visit<'t>(
        &'t self,
        resource: &str,
        take: &mut impl FnMut(&'t T) -> bool,
    ) -> bool {
        if self.anywhere.iter().any(&mut *take) {
            return true;
        }
        if self.nodes.is_empty() {
            return false;
        }
        let Some(rest) = resource.as_bytes().strip_prefix(self.common.as_bytes()) else {
            return false;
        };
        if FEW >= self.nodes.len() {
            return (self.nodes.iter())
                .filter(|node| rest.starts_with(&node.prefix))
                .any(|node| node.here.iter().any(&mut *take));
        }
        // Whatever `rest` begins with is the last node that is not after it, or what that one
        // begins with.
        let after = self.nodes.partition_point(|node| *node.prefix <= *rest);
        let mut at = after.checked_sub(1);
        while let Some(node) = at.and_then(|at| self.nodes.get(at)) {
            if rest.starts_with(&node.prefix) && node.here.iter().any(&mut *take) {
                return true;
            }
            at = node.parent;
        }
        false
    }
}

/// What two texts begin with.
fn shared<'t>(one: &'t str, other: &str) -> &'t str {
    let differ = one.char_indices().zip(other.chars()).find(|((_, a), b)| a != b);
    let end = differ.map_or(one.len().min(other.len()), |((at, _), _)| at);
    one.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::fixture::identity;
    use super::{FEW, Spot, Table, shared};

    const BUCKETS: &str = "arn:aws:s3:::";

    /// The spots of a statement about what begins with each of these in some bucket.
    fn spots(starts: &[String]) -> Vec<Spot> {
        let list: Vec<String> =
            starts.iter().map(|start| format!("\"{BUCKETS}{start}*\"")).collect();
        let statement =
            format!(r#"{{"Effect":"Allow","Action":"*","Resource":[{}]}}"#, list.join(","));
        identity(&statement).statements.iter().flat_map(Spot::of).collect()
    }

    #[test]
    fn resources_that_begin_alike_are_one_spot() {
        let of = |starts: &[&str]| {
            let starts: Vec<String> = starts.iter().map(ToString::to_string).collect();
            let spots = spots(&starts);
            spots.iter().map(|spot| spot.prefix[BUCKETS.len()..].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of(&["b", "a"]), ["a", "b"]);
        assert_eq!(of(&["ab", "a", "abc", "b"]), ["a", "b"]);
        assert_eq!(of(&["aa", "ab"]), ["aa", "ab"]);
        assert_eq!(of(&["a?", "a"]), ["a"]);
    }

    #[test]
    fn two_texts_share_what_they_begin_with() {
        for (one, other, expected) in [
            ("", "", ""),
            ("a", "", ""),
            ("", "a", ""),
            ("abc", "abd", "ab"),
            ("ab", "abc", "ab"),
            ("abc", "ab", "ab"),
            ("xa", "ya", ""),
            ("bä", "bö", "b"),
        ] {
            assert_eq!(shared(one, other), expected, "{one} {other}");
        }
    }

    /// A table shows what begins as the resource does, and nothing else, few as many.
    #[test]
    fn a_table_shows_what_begins_as_the_resource_does() {
        let words = |length: usize| {
            let letter = |word: usize, at: usize| if word >> at & 1 == 0 { 'a' } else { 'b' };
            (0..1_usize << length)
                .map(move |word| (0..length).map(|at| letter(word, at)).collect::<String>())
        };
        let all: Vec<String> = (1..=4).flat_map(words).collect();
        for step in [1, 2, 3, 7, 11, 30] {
            let starts: Vec<String> = all.iter().step_by(step).cloned().collect();
            // Each by itself, so that nested ones stay.
            let postings: Vec<Spot> =
                starts.iter().flat_map(|start| spots(std::slice::from_ref(start))).collect();
            let table = Table::new(postings, |spot| spot);
            assert!(!table.is_empty());
            assert!(table.common.starts_with(BUCKETS));
            assert_eq!(table.nodes.len(), starts.len());
            assert_eq!(starts.len() > FEW, step < 7, "both ways of looking are met");
            for word in (0..=5).flat_map(words) {
                let resource = format!("{BUCKETS}{word}");
                let mut seen = Vec::new();
                let stopped = table.visit(&resource, &mut |spot| {
                    seen.push(spot.prefix[BUCKETS.len()..].to_owned());
                    false
                });
                seen.sort();
                let mut expected: Vec<String> =
                    starts.iter().filter(|start| word.starts_with(*start)).cloned().collect();
                expected.sort();
                assert!(!stopped);
                assert_eq!(seen, expected, "{word}");
                // It stops where it is told to.
                let mut shown = 0;
                let stopped = table.visit(&resource, &mut |_| {
                    shown += 1;
                    true
                });
                assert_eq!((stopped, shown), (!expected.is_empty(), expected.len().min(1)));
            }
            assert!(!table.visit("arn:aws:sqs:::a", &mut |_| true));
        }
        assert!(Table::new(Vec::new(), |spot: &Spot| spot).is_empty());
    }

    /// What says nothing about how its resources begin is shown to every request.
    #[test]
    fn what_begins_in_any_way_is_always_shown() {
        let everything = identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
        let table = Table::new(everything.statements.iter().flat_map(Spot::of).collect(), |it| it);
        assert!(!table.is_empty() && table.nodes.is_empty());
        assert!(table.visit("anything", &mut |_| true));
        assert!(!table.visit("anything", &mut |_| false));
    }
}
