//! What a trust policy asks of federated identities.
//!
//! A provider vouches for everybody who has an account with it. A trust policy that allows a
//! provider without saying whom of its people, or which client they signed in to, gives the role
//! to all of them; whoever stores trust policies should not take one without a word of consent.

use super::ast::{Policy, Statement};
use super::condition::{Condition, Operands};
use super::principal::Principal;
use super::variables::Template;

/// An allow for a federated provider, and what limits it.
///
/// A pattern is listed when its condition requires the claim to be present, and every value that
/// the condition takes says something: not only wildcards and variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FederatedAllow {
    /// The statement's place in the policy, counted from 0.
    pub statement: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// The provider, as the statement names it.
    pub provider: String,
    /// The subjects that it takes (`<issuer>:sub`, `saml:sub`). Empty: any.
    pub subjects: Vec<String>,
    /// The audiences that it takes (`<issuer>:aud`, `saml:aud`). Empty: any.
    pub audiences: Vec<String>,
    /// The other claims of the provider that it requires values of, lower-cased.
    pub claims: Vec<String>,
}

impl FederatedAllow {
    /// Whether anybody with an account at the provider has it.
    pub fn is_unconditioned(&self) -> bool {
        self.subjects.is_empty() && self.audiences.is_empty() && self.claims.is_empty()
    }
}

impl Policy {
    /// Every allow for a federated provider, in the order of the document.
    ///
    /// There are no others: `*` as a principal grants nothing to federated identities.
    pub fn federated_allows(&self) -> Vec<FederatedAllow> {
        let allows = self.statements.iter().enumerate().filter(|(_, statement)| statement.allows);
        let mut found = Vec::new();
        for (index, statement) in allows {
            let entries = statement.principal.iter().flat_map(|clause| &clause.entries);
            found.extend(entries.filter_map(|principal| match principal {
                Principal::Federated(provider) => Some(statement.federated(index, provider)),
                _ => None,
            }));
        }
        found
    }
}

impl Statement {
    fn federated(&self, index: usize, provider: &str) -> FederatedAllow {
        let prefix = claim_prefix(provider);
        let mut allow = FederatedAllow {
            statement: index,
            sid: self.sid.clone(),
            provider: provider.to_owned(),
            subjects: Vec::new(),
            audiences: Vec::new(),
            claims: Vec::new(),
        };
        for condition in &self.conditions {
            let Some(claim) = condition.key.folded().strip_prefix(prefix.as_str()) else {
                continue;
            };
            let Some(patterns) = condition.limits() else { continue };
            match claim {
                "sub" => allow.subjects.extend(patterns),
                "aud" => allow.audiences.extend(patterns),
                other => allow.claims.push(other.to_owned()),
            }
        }
        allow
    }
}

/// The condition keys of a provider's claims begin so, lower-cased.
fn claim_prefix(provider: &str) -> String {
    if provider.contains(":saml-provider/") {
        return "saml:".to_owned();
    }
    let issuer = provider.split_once(":oidc-provider/").map_or(provider, |(_, issuer)| issuer);
    format!("{}:", super::fold::fold(issuer))
}

impl Condition {
    /// The patterns of which the key's value has to match one, when they narrow at all.
    fn limits(&self) -> Option<Vec<String>> {
        let Operands::Text { list, .. } = &self.operands else { return None };
        let narrows = self.is_positive() && list.iter().all(Template::says_something);
        narrows.then(|| list.iter().map(ToString::to_string).collect())
    }
}
