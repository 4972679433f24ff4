//! `ProvidedContexts`: what a context provider says of the user for whom a role is assumed.
//!
//! A context assertion of AWS is signed and encrypted by AWS itself, for its Identity Center: nobody
//! else can read one or make one, and this deployment has no provider of its own. So every assertion
//! is refused, after the role's trust policy has been asked for `sts:SetContext`: a session without the
//! context that was asked for would be another session.
//!
//! Source: AWS STS API reference, AssumeRole and ProvidedContext; IAM Identity Center User Guide,
//! "Identity-enhanced IAM role sessions".

use serde_json::{Value, json};

use crate::ops::fault::Fault;
use crate::ops::params::{Text, Validator, rules};

/// The most contexts of a request.
const MAX: usize = 5;
/// `ContextAssertion`
const ASSERTION: Text = Text::any(4, 2048).secret();

/// One context, by its provider. What it says is not kept.
pub(super) struct ProvidedContext {
    provider: Option<String>,
}

impl ProvidedContext {
    /// Reads the parameters.
    pub(super) fn read(v: &mut Validator<'_, '_>) -> Vec<Self> {
        let read = v.list("ProvidedContexts", 1..=MAX, |v| {
            v.optional("ContextAssertion", &ASSERTION);
            Self { provider: v.optional("ProviderArn", &rules::ARN).map(ToOwned::to_owned) }
        });
        read.unwrap_or_default()
    }

    /// What audit records tell of them.
    pub(super) fn described(contexts: &[Self]) -> Value {
        let told: Vec<_> =
            contexts.iter().map(|it| json!({ "providerArn": it.provider })).collect();
        if told.is_empty() { Value::Null } else { told.into() }
    }

    /// The ARNs of their providers.
    pub(super) fn providers(contexts: &[Self]) -> Vec<String> {
        contexts.iter().filter_map(|it| it.provider.clone()).collect()
    }
}

/// Refuses contexts: no provider is trusted.
///
/// # Errors
/// `InvalidParameterValue`
pub(super) fn check(contexts: &[ProvidedContext]) -> Result<(), Fault> {
    if contexts.is_empty() {
        return Ok(());
    }
    Err(Fault::invalid_parameter_value(
        "The context assertion is not valid: this deployment trusts no context provider.",
    ))
}
