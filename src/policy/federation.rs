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
    /// The names of sessions that it takes (`sts:RoleSessionName`), which whoever asks chooses.
    /// Empty: any.
    pub session_names: Vec<String>,
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
            session_names: Vec::new(),
            claims: Vec::new(),
        };
        for condition in &self.conditions {
            if condition.key.folded() == "sts:rolesessionname" {
                allow.session_names.extend(condition.limits().into_iter().flatten());
            }
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

/// Issuers that many organizations share, and the claim that tells them apart there. A trust in
/// one of them has to require values of that claim; of one whose tokens tell nobody apart, of the
/// condition key that does, which has its prefix here.
///
/// Source: IAM User Guide, "Identity-provider controls for shared OIDC providers". Google, whose
/// service accounts get tokens for any audience, has been added.
pub const SHARED_ISSUERS: &[(&str, &str)] = &[
    ("accounts.google.com", "sub"),
    ("agent.buildkite.com", "sub"),
    ("api.pulumi.com/oidc", "aud"),
    ("app.terraform.io", "sub"),
    ("cognito-identity.amazonaws.com", "aud"),
    ("gitlab.com", "sub"),
    ("oidc-configuration.audit-log.githubusercontent.com", "sub"),
    ("oidc.codefresh.io", "sub"),
    ("oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu", "sub"),
    ("oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb", "sub"),
    ("oidc.vercel.com", "aud"),
    ("proidc.upbound.io", "sub"),
    ("rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7", "sub"),
    ("rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr", "sub"),
    ("rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg", "sub"),
    ("rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26", "sub"),
    ("sandboxes.cloud", "aud"),
    ("scalr.io", "sub"),
    // Microsoft Sentinel: one client of one tenant, for all of its customers.
    ("sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d", "sts:RoleSessionName"),
    ("studio.datachain.ai/api", "sub"),
    ("token.actions.githubusercontent.com", "sub"),
    ("tokens.cloud.shisho.dev", "sub"),
    ("vstoken.actions.githubusercontent.com", "sub"),
];

/// The issuers whose subjects name repositories of GitHub.
const GITHUB: [&str; 2] =
    ["token.actions.githubusercontent.com", "vstoken.actions.githubusercontent.com"];

/// What a subject of GitHub begins with when it names an owner or something of an owner.
const GITHUB_CLAIMS: [&str; 8] = [
    "repo",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "job_workflow_ref",
    "enterprise",
    "enterprise_id",
];

/// What an allow for a federated provider would have to say and does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lack {
    /// Anything at all.
    #[error(
        "everybody with an account at the provider has the role: add a condition on the subject or the audience"
    )]
    Condition,
    /// A value of the claim that tells the users of a shared issuer apart.
    #[error(
        "{issuer} is shared by many organizations: add a condition on {} with a value that only yours has",
        key(.issuer, .claim)
    )]
    Claim {
        /// The issuer.
        issuer: String,
        /// The claim, or a condition key in place of one.
        claim: &'static str,
    },
    /// The owner in a subject of GitHub.
    #[error(
        "every repository of GitHub has the role: add a condition on the subject that names the owner in full, such as repo:OWNER/REPOSITORY:*"
    )]
    GithubOwner,
}

/// The condition key of an issuer's claim, unless it is one already.
fn key(issuer: &str, claim: &str) -> String {
    if claim.contains(':') { claim.to_owned() } else { format!("{issuer}:{claim}") }
}

impl FederatedAllow {
    /// What it does not say and would have to.
    ///
    /// Of several patterns each has to say it: they stand for each other.
    pub fn lack(&self) -> Option<Lack> {
        let issuer = self.issuer();
        let host = issuer.split('/').next().unwrap_or_default();
        if GITHUB.contains(&host) {
            let fixed = !self.subjects.is_empty() && self.subjects.iter().all(|it| names_owner(it));
            return (!fixed).then_some(Lack::GithubOwner);
        }
        let shared = SHARED_ISSUERS.iter().find(|(shared, _)| {
            issuer.strip_prefix(shared).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if let Some((issuer, claim)) = shared {
            let patterns = match *claim {
                "sub" => &self.subjects,
                "aud" => &self.audiences,
                _ => &self.session_names,
            };
            let fixed = !patterns.is_empty() && patterns.iter().all(|it| names_someone(it));
            return (!fixed).then(|| Lack::Claim { issuer: (*issuer).to_owned(), claim });
        }
        self.is_unconditioned().then_some(Lack::Condition)
    }

    /// The issuer of an OIDC provider, lower-cased; the provider's ARN of a SAML provider.
    fn issuer(&self) -> String {
        let issuer = self.provider.split_once(":oidc-provider/").map(|(_, issuer)| issuer);
        super::fold::fold(issuer.unwrap_or(&self.provider)).into_owned()
    }
}

/// Whether a subject of GitHub names an owner, a repository or a workflow in full.
fn names_owner(pattern: &str) -> bool {
    let Some((claim, value)) = pattern.split_once(':') else { return false };
    let first = value.split([':', '/']).next().unwrap_or_default();
    GITHUB_CLAIMS.contains(&claim) && !first.is_empty() && !first.contains(['*', '?', '$'])
}

/// Whether a pattern says more than which kind of thing it is about: `project_path:*` does not.
fn names_someone(pattern: &str) -> bool {
    let (kind, value) = pattern.split_once(':').unwrap_or(("", pattern));
    if kind.contains(['*', '?']) || pattern.contains("${") {
        return false;
    }
    let first = value.split(['*', '?']).next().unwrap_or_default();
    if pattern.contains(['*', '?']) {
        // The name before the first wildcard has to be whole: `project_path:team/*`.
        first.contains(['/', ':']) && !first.starts_with(['/', ':'])
    } else {
        !value.is_empty()
    }
}
