//! The `Resource` element: patterns of ARNs.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Resource". AWS documents that a `*` may, or
//! may not, expand beyond the colon after its component. We take both readings: a resource that
//! matches component by component matches; one that matches only when a `*` crosses one of the
//! first five colons is undecided, so that an `Allow` does not reach it and a `Deny` does.
//!
//! Of a variable without a value AWS says that its entry matches no resource, and that the whole
//! statement may be invalid. Under `Resource` these come to the same; under `NotResource` the one
//! would cover every resource and the other none, so that it is undecided.

use std::fmt;

use super::context::{Context, Key};
use super::truth::Truth;
use super::variables::Template;
use super::wildcard::Pattern;

/// One entry of `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(crate) enum ResourcePattern {
    /// `*`
    All,
    /// An ARN with wildcards, and with variables after its fifth colon.
    Arn {
        /// Partition, service, region, account.
        parts: Box<[Pattern; 4]>,
        /// After the fifth colon.
        resource: Box<Template>,
        /// The whole ARN.
        whole: Box<Template>,
    },
}

impl ResourcePattern {
    /// Whether it matches; an entry with a variable that does not resolve matches nothing.
    pub(crate) fn matches(&self, request: &str, context: &Context) -> Truth {
        let Self::Arn { parts, resource, whole } = self else {
            return Truth::True;
        };
        if !whole.resolve(context).is_some_and(|pattern| pattern.matches(request)) {
            return Truth::False;
        }
        let mut fields = request.splitn(6, ':');
        let by_part = fields.next() == Some("arn")
            && parts.iter().all(|part| fields.next().is_some_and(|field| part.matches(field)))
            && fields.next().is_some_and(|field| {
                resource.resolve(context).is_some_and(|pattern| pattern.matches(field))
            });
        if by_part { Truth::True } else { Truth::Unknown }
    }
}

impl ResourcePattern {
    /// Whether all of its variables have values.
    pub(crate) fn resolves(&self, context: &Context) -> bool {
        match self {
            Self::All => true,
            Self::Arn { whole, .. } => whole.resolves(context),
        }
    }

    /// The keys of its variables.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        let template = match self {
            Self::All => None,
            Self::Arn { whole, .. } => Some(whole),
        };
        template.into_iter().flat_map(|template| template.keys())
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Arn { whole, .. } => whole.fmt(f),
        }
    }
}
