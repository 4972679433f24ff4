//! Roles in an order in which each is made after those that its trust policy names.

use std::collections::{BTreeSet, HashMap};

use crate::api::RoleFile;
use crate::arn;
use crate::id::AccountId;

/// A role of the files among the others.
#[derive(Default)]
struct Node {
    /// How many that it names are not placed yet.
    waits_for: usize,
    /// Those that name it.
    named_by: Vec<usize>,
}

/// The roles, those that others trust in front. Roles that trust each other stand in the order of
/// the files: making the first of them is then refused, as the IAM API would.
///
/// It takes about as long as the files are: whoever may see a plan must not hold the broker up.
pub(super) fn by_trust(account: AccountId, roles: &[RoleFile]) -> Vec<&RoleFile> {
    let mut nodes = graph(account, roles);
    let mut left: BTreeSet<usize> = (0..roles.len()).collect();
    let waits = |at: &usize| nodes.get(*at).is_some_and(|node| node.waits_for > 0);
    let mut ready: BTreeSet<usize> = left.iter().copied().filter(|at| !waits(at)).collect();
    let mut ordered = Vec::with_capacity(roles.len());
    while let Some(next) = ready.pop_first().or_else(|| left.first().copied()) {
        left.remove(&next);
        ordered.extend(roles.get(next));
        let named_by = nodes.get_mut(next).map(|node| std::mem::take(&mut node.named_by));
        for at in named_by.unwrap_or_default() {
            let Some(node) = nodes.get_mut(at) else { continue };
            node.waits_for = node.waits_for.saturating_sub(1);
            if node.waits_for == 0 && left.contains(&at) {
                ready.insert(at);
            }
        }
    }
    ordered
}

fn graph(account: AccountId, roles: &[RoleFile]) -> Vec<Node> {
    let arn_of = |role: &RoleFile| {
        arn::iam(account, "role", role.path.as_deref().unwrap_or("/"), &role.name)
    };
    let places: HashMap<String, usize> = roles.iter().map(arn_of).zip(0..).collect();
    let mut nodes: Vec<Node> = roles.iter().map(|_| Node::default()).collect();
    for (at, role) in roles.iter().enumerate() {
        let trust = role.trust.text();
        // As it stands in a JSON text: between quotation marks.
        let named: BTreeSet<usize> =
            trust.split('"').filter_map(|text| places.get(text)).copied().collect();
        for other in named.into_iter().filter(|other| *other != at) {
            if let Some(node) = nodes.get_mut(other) {
                node.named_by.push(at);
            }
            if let Some(node) = nodes.get_mut(at) {
                node.waits_for += 1;
            }
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random as _, SystemRandom};

    const ACCOUNT: &str = "111111111111";

    fn role(at: usize, names: &[usize]) -> RoleFile {
        let names: Vec<String> =
            names.iter().map(|at| format!("arn:aws:iam::{ACCOUNT}:role/r{at}")).collect();
        let trust = serde_json::json!({ "Principal": { "AWS": names } });
        serde_json::from_value(serde_json::json!({ "name": format!("r{at}"), "trust": trust }))
            .unwrap()
    }

    /// The rule, as it reads: the first that names none of those left; if all do, the first.
    fn slowly(names: &[Vec<usize>]) -> Vec<usize> {
        let (mut left, mut ordered) = ((0..names.len()).collect::<Vec<_>>(), Vec::new());
        while !left.is_empty() {
            let waits = |at: usize| names[at].iter().any(|it| *it != at && left.contains(it));
            let next = left.iter().position(|at| !waits(*at)).unwrap_or(0);
            ordered.push(left.remove(next));
        }
        ordered
    }

    #[test]
    fn a_role_stands_behind_those_that_it_names() {
        let mut seed = [0; 1];
        SystemRandom::new().fill(&mut seed).unwrap();
        let mut state = u64::from(seed[0]) + 1;
        println!("seed {}", seed[0]);
        let mut below = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from((state >> 33) % limit).unwrap()
        };
        let account = AccountId::parse(ACCOUNT).unwrap();
        for _ in 0..500 {
            let names: Vec<Vec<usize>> =
                (0..8).map(|_| (0..below(3)).map(|_| below(9)).collect()).collect();
            let roles: Vec<RoleFile> =
                names.iter().enumerate().map(|(at, names)| role(at, names)).collect();
            let ordered: Vec<&str> =
                by_trust(account, &roles).into_iter().map(|role| role.name.as_str()).collect();
            // One of the names is of no role in the files.
            let known: Vec<Vec<usize>> = names
                .iter()
                .map(|names| names.iter().copied().filter(|at| *at < 8).collect())
                .collect();
            let expected: Vec<String> =
                slowly(&known).into_iter().map(|at| format!("r{at}")).collect();
            assert_eq!(ordered, expected, "{names:?}");
        }
    }
}
