//! `PolicyExclusionList`: policies of a principal that a simulation leaves out.
//!
//! Source: AWS IAM API reference, SimulatePrincipalPolicy, PolicyIdentifier. What names no policy
//! of the principal is left out of nothing, and so are resource control policies.

use super::principal_policies::PrincipalPolicies;
use crate::ops::fault::Fault;
use crate::ops::params::{Validator, rules};

/// At most this many.
const MOST: usize = 256;

/// What `PolicyType` may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inline,
    AwsManaged,
    UserManaged,
    Boundary,
    Scp,
    Rcp,
}

const KINDS: [(&str, Kind); 6] = [
    ("inline", Kind::Inline),
    ("aws-managed", Kind::AwsManaged),
    ("user-managed", Kind::UserManaged),
    ("permission-boundary", Kind::Boundary),
    ("scp", Kind::Scp),
    ("rcp", Kind::Rcp),
];
const HOLDERS: [(&str, &str); 3] = [("user", "user"), ("group", "group"), ("role", "role")];

/// One entry, as it came.
pub(super) struct Exclusion {
    kind: Option<Kind>,
    arn: Option<String>,
    /// The ID that an inline policy has among the principal's.
    inline: Option<String>,
}

/// Reads `PolicyExclusionList`.
pub(super) fn read(v: &mut Validator<'_, '_>) -> Vec<Exclusion> {
    const INLINE: [&str; 3] = [
        "InlinePolicyIdentifier.PolicyName",
        "InlinePolicyIdentifier.AttachmentType",
        "InlinePolicyIdentifier.AttachmentName",
    ];
    let list = v.list("PolicyExclusionList", 0..=MOST, |v| {
        let any = rules::Text::any(0, usize::MAX);
        let inline = INLINE.iter().any(|name| v.optional(name, &any).is_some());
        Exclusion {
            kind: v.choice("PolicyType", &KINDS),
            arn: v.optional("PolicyArn", &rules::ARN).map(ToOwned::to_owned),
            inline: inline.then(|| {
                let [policy, kind, holder] = INLINE;
                let policy = v.required(policy, &rules::NAME);
                let kind = v.required_choice(kind, &HOLDERS).unwrap_or_default();
                let holder = v.required(holder, &rules::NAME);
                format!("{kind}/{holder}/{policy}")
            }),
        }
    });
    list.unwrap_or_default()
}

/// Leaves them out. Returns whether service control policies are left out.
///
/// # Errors
/// `InvalidInput` for an entry that does not name policies in exactly one way.
pub(super) fn leave_out(
    exclusions: &[Exclusion],
    policies: &mut PrincipalPolicies,
) -> Result<bool, Fault> {
    let mut scp = false;
    for Exclusion { kind, arn, inline } in exclusions {
        match (kind, arn, inline) {
            (Some(Kind::Boundary), None, None) => policies.boundary = None,
            (Some(Kind::Scp), None, None) => scp = true,
            (Some(Kind::Rcp), None, None) => {}
            (Some(kind), None, None) => policies.retain(|_, of| match of {
                "aws-managed" => *kind != Kind::AwsManaged,
                "user-managed" => *kind != Kind::UserManaged,
                _ => *kind != Kind::Inline,
            }),
            (None, Some(arn), None) => {
                check_pattern(arn)?;
                policies.retain(|id, of| !of.ends_with("managed") || !fits(arn, id));
            }
            (None, None, Some(inline)) => policies.retain(|id, _| id != inline),
            _ => {
                return Err(Fault::invalid_input(
                    "PolicyExclusionList: an entry has exactly one of PolicyType, PolicyArn and \
                     InlinePolicyIdentifier.",
                ));
            }
        }
    }
    Ok(scp)
}

/// An ARN of a managed policy: in its name at most one `*`, and any number of `?`.
fn check_pattern(arn: &str) -> Result<(), Fault> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let valid = match parts.as_slice() {
        ["arn", partition, "iam", "", account, resource] => {
            let fixed = [partition, account].iter().all(|it| !it.contains(['*', '?']));
            let name = resource.strip_prefix("policy/");
            fixed && name.is_some_and(|it| !it.is_empty() && it.matches('*').count() <= 1)
        }
        _ => false,
    };
    if valid {
        return Ok(());
    }
    Err(Fault::invalid_input("PolicyExclusionList: PolicyArn is not valid."))
}

/// Whether a text fits a pattern with at most one `*`.
fn fits(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let same = |pattern: &str, text: &[char]| {
        pattern.chars().count() == text.len()
            && pattern.chars().zip(text).all(|(one, other)| one == '?' || one == *other)
    };
    let Some((head, tail)) = pattern.split_once('*') else { return same(pattern, &text) };
    let (first, last) = (head.chars().count(), tail.chars().count());
    text.len() >= first + last
        && text.get(..first).is_some_and(|it| same(head, it))
        && text.get(text.len() - last..).is_some_and(|it| same(tail, it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_one_star_in_the_name() {
        let arn = "arn:aws:iam::111111111111:policy/team/limit";
        for (pattern, is_fit) in [
            (arn, true),
            ("arn:aws:iam::111111111111:policy/team/lim?t", true),
            ("arn:aws:iam::111111111111:policy/*", true),
            ("arn:aws:iam::111111111111:policy/*t", true),
            ("arn:aws:iam::111111111111:policy/t*x", false),
            ("arn:aws:iam::111111111111:policy/team/limi", false),
            ("arn:aws:iam::aws:policy/*", false),
        ] {
            assert!(check_pattern(pattern).is_ok(), "{pattern}");
            assert_eq!(fits(pattern, arn), is_fit, "{pattern}");
        }
        for wrong in [
            "arn:aws:iam::111111111111:policy/*a*",
            "arn:aws:iam::*:policy/a",
            "arn:aws:iam::111111111111:user/a",
            "not an arn at all, is it",
        ] {
            assert!(check_pattern(wrong).is_err(), "{wrong}");
        }
    }
}
