//! The managed policies that every deployment has: `arn:aws:iam::aws:policy/*`.

use std::sync::LazyLock;

use super::document::Document;

/// A policy that cannot be changed and belongs to no account.
pub struct BuiltIn {
    /// `arn:aws:iam::aws:policy/<name>`
    pub arn: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it allows.
    pub document: Document,
}

/// Everything, everywhere in the account.
pub const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

const TEXTS: &[(&str, &str, &str)] = &[(
    ADMINISTRATOR_ACCESS,
    "AdministratorAccess",
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
)];

static BUILT_IN: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    // A test parses every text; here one that did not would just not exist.
    TEXTS
        .iter()
        .filter_map(|(arn, name, text)| {
            Document::parse(text).ok().map(|document| BuiltIn { arn, name, document })
        })
        .collect()
});

/// A built-in managed policy by its ARN.
pub fn find(arn: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|policy| policy.arn == arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_policy_parses() {
        assert_eq!(BUILT_IN.len(), TEXTS.len());
        assert!(find(ADMINISTRATOR_ACCESS).is_some());
    }
}
