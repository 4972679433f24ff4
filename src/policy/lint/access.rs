//! Whom a statement lets do what: principals, actions, resources.

use super::super::ast::DocumentKind;
use super::super::fold::fold;
use super::super::wildcard::Pattern;
use super::code::Code;
use super::document::{Document, Findings, Statement};
use super::tree::Node;

/// Roles Anywhere, as trust policies name it.
const ROLES_ANYWHERE: &str = "rolesanywhere.amazonaws.com";

pub(super) fn check(document: &Document<'_>, found: &mut Findings<'_>) {
    for statement in &document.statements {
        principals(document.kind, statement, found);
        negations(document.kind, statement, found);
        if document.kind == DocumentKind::Identity && statement.allows() {
            roles(statement, found);
        }
        if document.kind == DocumentKind::Trust && statement.allows() {
            trust_actions(statement, found);
            roles_anywhere(document, statement, found);
        }
        if document.kind == DocumentKind::ResourceControl
            && statement.allows()
            && statement.texts("Action").iter().any(|(action, _)| *action != "*")
        {
            let message = "a resource control policy only denies; what it allows has no effect";
            found.value(Code::RcpAllow, &statement.node, message);
        }
    }
}

fn principals(kind: DocumentKind, statement: &Statement<'_>, found: &mut Findings<'_>) {
    if !statement.allows() || !matches!(kind, DocumentKind::Resource | DocumentKind::Trust) {
        return;
    }
    for (of, name, node) in statement.principals() {
        if of == "AWS" && name == "*" && statement.conditions.is_empty() {
            let message = "everyone is allowed: name the principals, or add a condition such as \
                           aws:PrincipalOrgID";
            found.value(Code::StarPrincipal, &node, message);
        }
        let deputy =
            ["aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"];
        let guarded = statement.conditions.iter().any(|c| deputy.contains(&c.folded().as_ref()));
        if of == "Service" && kind == DocumentKind::Resource && !guarded {
            let message = format!(
                "{name} is allowed on whosever behalf it acts: add a condition on aws:SourceArn, \
                 aws:SourceAccount or aws:SourceOrgID"
            );
            found.value(Code::ServicePrincipal, &node, message);
        }
    }
}

fn negations(kind: DocumentKind, statement: &Statement<'_>, found: &mut Findings<'_>) {
    let element = |name| statement.node.get(name);
    if let Some(node) = element("NotAction") {
        if statement.allows() {
            let message = "Allow with NotAction allows every other action there is and will be: \
                           list what is allowed";
            found.key(Code::AllowNotAction, &node, message);
        } else if statement.denies()
            && statement.conditions.is_empty()
            && kind != DocumentKind::Resource
        {
            let message = "Deny with NotAction and no condition denies everything else, also \
                           what would be needed to change this policy";
            found.key(Code::DenyNotAction, &node, message);
        }
    }
    if let Some(node) = element("NotResource").filter(|_| statement.allows()) {
        let message = "Allow with NotResource allows it on every other resource there is and will \
                       be: list the resources";
        found.key(Code::AllowNotResource, &node, message);
    }
    if let Some(node) = element("NotPrincipal").filter(|_| statement.denies()) {
        let listed: Vec<&str> = node
            .get("AWS")
            .map(|node| node.texts())
            .unwrap_or_default()
            .into_iter()
            .map(|(text, _)| text)
            .collect();
        let account = |arn: &str| arn.split(':').nth(4).map(ToOwned::to_owned);
        let spared = |arn: &&str| {
            let Some(account) = account(arn) else { return true };
            let root = format!("arn:aws:iam::{account}:root");
            arn.ends_with(":root")
                || listed.iter().any(|other| *other == account || **other == root)
        };
        if let Some(arn) = listed.iter().find(|arn| arn.starts_with("arn:") && !spared(arn)) {
            let message = format!(
                "{arn} is denied all the same: list its account too, or use Principal * with \
                 ArnNotEquals on aws:PrincipalArn"
            );
            found.key(Code::DenyNotPrincipal, &node, message);
        }
    }
}

/// Handing on roles.
fn roles(statement: &Statement<'_>, found: &mut Findings<'_>) {
    let matches = |action: &str, name: &str| Pattern::parse(action).folded().matches(name);
    let everywhere = statement.texts("Resource").into_iter().any(|(text, _)| is_every_role(text));
    for (action, node) in statement.texts("Action") {
        if matches(action, "iam:passrole") {
            let exact = fold(action) == "iam:passrole";
            if statement.has("NotResource") {
                let message = "iam:PassRole with NotResource passes every other role: list the \
                               roles that may be passed";
                found.value(Code::PassRoleNotResource, &node, message);
            } else if everywhere && exact {
                let message = "iam:PassRole on every role passes an administrator's too: list the \
                               roles that may be passed";
                found.value(Code::PassRoleStar, &node, message);
            } else if everywhere {
                let message = format!(
                    "{action} includes iam:PassRole, here for every role: list the actions, and \
                     the roles that may be passed"
                );
                found.value(Code::PassRoleStarAction, &node, message);
            }
        }
        let assumes = action != "*" && matches(action, "sts:assumerole");
        if assumes && everywhere && statement.conditions.is_empty() {
            let message = "sts:AssumeRole on every role: whoever trusts this account lets this \
                           principal in; list the roles";
            found.value(Code::AssumeRoleStar, &node, message);
        }
    }
}

/// Whether a resource covers every role of an account, or of all.
fn is_every_role(resource: &str) -> bool {
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    match fields.as_slice() {
        ["*"] => true,
        ["arn", _, "iam", _, account, "*" | "role*" | "role/*"] => !account.is_empty(),
        _ => false,
    }
}

fn trust_actions(statement: &Statement<'_>, found: &mut Findings<'_>) {
    let Some(node) = statement.node.get("Action") else { return };
    for (of, name, _) in statement.principals() {
        let needed = match of {
            "AWS" | "Service" => "sts:AssumeRole",
            "Federated" if name.contains(":saml-provider/") => "sts:AssumeRoleWithSAML",
            "Federated" => "sts:AssumeRoleWithWebIdentity",
            _ => continue,
        };
        let kin = ["sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext", needed];
        let fits = node.texts().into_iter().any(|(action, _)| {
            let pattern = Pattern::parse(action).folded();
            kin.iter().any(|name| pattern.matches(&fold(name)))
        });
        if !fits {
            let message = format!("{name} assumes roles with {needed}, which is not listed here");
            found.value(Code::TrustAction, &node, message);
        }
    }
}

/// Trust in Roles Anywhere: its sessions have tags and a source identity, which have to be allowed as
/// well, here or in another statement.
fn roles_anywhere(document: &Document<'_>, statement: &Statement<'_>, found: &mut Findings<'_>) {
    let Some(node) = anywhere(statement).filter(|_| lists(statement, "sts:AssumeRole")) else {
        return;
    };
    let mut missing = vec!["sts:TagSession", "sts:SetSourceIdentity"];
    for other in &document.statements {
        if other.allows() && anywhere(other).is_some() {
            missing.retain(|wanted| !lists(other, wanted));
        }
    }
    if !missing.is_empty() {
        let message = format!(
            "Roles Anywhere makes tags and a source identity of a certificate's names: allow {} \
             too, or such a certificate gets no session",
            missing.join(" and ")
        );
        found.value(Code::RolesAnywhereActions, &node, message);
    }
}

/// Where a statement names Roles Anywhere.
fn anywhere<'d>(statement: &Statement<'d>) -> Option<Node<'d>> {
    let mut named = statement.principals().into_iter();
    named.find(|(of, name, _)| *of == "Service" && *name == ROLES_ANYWHERE).map(|(.., node)| node)
}

/// Whether its actions, perhaps with wildcards, include this one.
fn lists(statement: &Statement<'_>, wanted: &str) -> bool {
    let wanted = fold(wanted);
    let mut actions = statement.texts("Action").into_iter();
    actions.any(|(action, _)| Pattern::parse(action).folded().matches(&wanted))
}
