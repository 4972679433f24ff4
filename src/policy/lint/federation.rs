//! Trust in identity providers that does not say whom.

use super::super::federation::Lack;
use super::code::Code;
use super::document::{Document, Findings};

pub(super) fn check(document: &Document<'_>, found: &mut Findings<'_>) {
    let Some(policy) = &document.policy else { return };
    for allow in policy.federated_allows() {
        let statement = document.statements.get(allow.statement);
        let Some(statement) = statement.filter(|it| !document.mended.contains(&it.index)) else {
            continue;
        };
        let named = statement.principals().into_iter().find(|(_, name, _)| *name == allow.provider);
        let Some((_, _, node)) = named else { continue };
        if let Some(lack) = allow.lack() {
            let code = match lack {
                Lack::Condition => Code::FederatedWithoutCondition,
                Lack::Claim { .. } => Code::FederatedWithoutSubject,
                Lack::GithubOwner => Code::GithubSubject,
            };
            found.value(code, &node, lack.to_string());
        } else if allow.audiences.is_empty() && !allow.provider.contains(":saml-provider/") {
            let message = "tokens that the provider made for another client are taken too: add a \
                           condition on the audience";
            found.value(Code::FederatedWithoutAudience, &node, message);
        }
    }
}
