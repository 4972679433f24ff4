//! Roles in an order in which each is made after those that its trust policy names.

use crate::api::RoleFile;
use crate::arn;
use crate::id::AccountId;

/// The roles, those that others trust in front. Roles that trust each other stand in the order of
/// the files: making the first of them is then refused, as the IAM API would.
pub(super) fn by_trust(account: AccountId, roles: &[RoleFile]) -> Vec<&RoleFile> {
    let named: Vec<(String, String)> = roles
        .iter()
        .map(|role| {
            let path = role.path.as_deref().unwrap_or("/");
            // As it stands in a JSON text: with the quotation mark behind it, or a prefix would do.
            (format!("{}\"", arn::iam(account, "role", path, &role.name)), role.trust.text())
        })
        .collect();
    let mut left: Vec<usize> = (0..roles.len()).collect();
    let mut ordered = Vec::with_capacity(roles.len());
    while !left.is_empty() {
        let waits = |at: usize, others: &[usize]| {
            others.iter().any(|other| {
                let (Some((_, trust)), Some((arn, _))) = (named.get(at), named.get(*other)) else {
                    return false;
                };
                *other != at && trust.contains(arn.as_str())
            })
        };
        let next = left.iter().position(|at| !waits(*at, &left)).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered.into_iter().filter_map(|at| roles.get(at)).collect()
}
