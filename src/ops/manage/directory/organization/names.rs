//! What files name units and policies of the organization by.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::api::OrganizationFile;
use crate::directory::Organized;
use crate::directory::organization::{
    ControlPolicy, ControlType, Parent, PolicyRef, Unit, full_access,
};
use crate::ops::fault::Fault;

/// The names of units from the root down; none of the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::ops::manage::directory) struct UnitPath(pub(super) Vec<String>);

impl UnitPath {
    /// Reads `production/europe`. An empty text is the root.
    ///
    /// # Errors
    /// `ValidationError` for a name that is empty, and for a backslash that stands for nothing.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let wrong = || Fault::validation(format!("unit {text}: that is no path of units."));
        let (mut names, mut name) = (Vec::new(), String::new());
        let mut chars = text.chars();
        while let Some(next) = chars.next() {
            match next {
                '/' => names.push(std::mem::take(&mut name)),
                '\\' => match chars.next() {
                    Some(plain @ ('/' | '\\')) => name.push(plain),
                    _ => return Err(wrong()),
                },
                plain => name.push(plain),
            }
        }
        names.push(name);
        if names.iter().any(String::is_empty) {
            return Err(wrong());
        }
        Ok(Self(names))
    }

    /// Where a parent stands; `None` in a broken tree.
    pub(super) fn of(organized: &Organized, parent: Parent) -> Option<Self> {
        let path = organized.path_to(parent)?;
        Some(Self(path.into_iter().map(|unit| unit.name.clone()).collect()))
    }

    /// The unit that stands there; `None` too for the root.
    pub(super) fn find<'o>(&self, organized: &'o Organized) -> Option<&'o Arc<Unit>> {
        let mut found = None;
        for name in &self.0 {
            let parent = found.map_or(Parent::Root, |unit: &Arc<Unit>| Parent::Unit(unit.id));
            found =
                Some(organized.units().find(|unit| unit.parent == parent && unit.name == *name)?);
        }
        found
    }

    /// What it stands in, and its own name; `None` for the root.
    pub(super) fn split(&self) -> Option<(Self, &str)> {
        let (name, above) = self.0.split_last()?;
        Some((Self(above.to_vec()), name))
    }

    pub(super) fn is_below(&self, other: &Self) -> bool {
        self != other && self.0.starts_with(&other.0)
    }

    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for UnitPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            f.write_str(&name.replace('\\', "\\\\").replace('/', "\\/"))?;
        }
        Ok(())
    }
}

/// A policy by what it is called: its ID may not be known yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::ops::manage::directory) enum PolicyKey {
    /// The one that allows everything.
    FullAccess(ControlType),
    /// One that somebody wrote.
    Own(ControlType, String),
}

impl PolicyKey {
    pub(super) fn of(organized: &Organized, reference: &PolicyRef) -> Option<Self> {
        match reference {
            PolicyRef::FullAccess => Some(Self::FullAccess(ControlType::ServiceControlPolicy)),
            PolicyRef::ResourceFullAccess => {
                Some(Self::FullAccess(ControlType::ResourceControlPolicy))
            }
            PolicyRef::Own(id) => {
                organized.policy(id).map(|it| Self::Own(it.control, it.name.clone()))
            }
        }
    }

    pub(super) fn find<'o>(&self, organized: &'o Organized) -> Option<&'o Arc<ControlPolicy>> {
        let Self::Own(control, name) = self else { return None };
        organized.policies().find(|it| it.control == *control && it.name == *name)
    }

    pub(super) fn control(&self) -> ControlType {
        match self {
            Self::FullAccess(control) | Self::Own(control, _) => *control,
        }
    }

    /// Whether it is on every target, whatever anybody says.
    pub(super) fn is_everywhere(&self) -> bool {
        *self == Self::FullAccess(ControlType::ResourceControlPolicy)
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::FullAccess(control) => full_access(*control).name,
            Self::Own(_, name) => name,
        }
    }
}

impl fmt::Display for PolicyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.control().as_str(), self.name())
    }
}

/// Every policy that there is or that files describe.
pub(super) struct PolicyNames<'a> {
    organized: &'a Organized,
    known: BTreeSet<PolicyKey>,
}

impl<'a> PolicyNames<'a> {
    pub(super) fn new(organized: &'a Organized) -> Self {
        let own = organized.policies().map(|it| PolicyKey::Own(it.control, it.name.clone()));
        let known = ControlType::ALL.into_iter().map(PolicyKey::FullAccess).chain(own).collect();
        Self { organized, known }
    }

    /// # Errors
    /// As [`control`].
    pub(super) fn with(mut self, file: &OrganizationFile) -> Result<Self, Fault> {
        for policy in &file.policy {
            self.known.insert(PolicyKey::Own(control(&policy.kind)?, policy.name.clone()));
        }
        Ok(self)
    }

    /// The policy that a text names: by name, by type and name, by ID.
    ///
    /// # Errors
    /// `ValidationError` if it names none, or one of each type.
    pub(super) fn find(&self, text: &str) -> Result<PolicyKey, Fault> {
        let by_id = PolicyRef::parse(text).ok();
        if let Some(key) = by_id.and_then(|it| PolicyKey::of(self.organized, &it)) {
            return Ok(key);
        }
        let fits = |key: &&PolicyKey| key.name() == text || key.to_string() == text;
        let mut found = self.known.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(key.clone()),
            (None, _) => {
                Err(Fault::validation(format!("There is no policy {text:?} of the organization.")))
            }
            (Some(one), Some(other)) => Err(Fault::validation(format!(
                "policy {text:?} of the organization: say {one} or {other}."
            ))),
        }
    }

    /// What a policy is called where nothing else is called so.
    pub(super) fn shortest(&self, key: &PolicyKey) -> String {
        let short = key.name();
        match self.find(short) {
            Ok(found) if found == *key => short.to_owned(),
            _ => key.to_string(),
        }
    }
}

/// The type of policies that a word names.
///
/// # Errors
/// `ValidationError`.
pub(super) fn control(word: &str) -> Result<ControlType, Fault> {
    ControlType::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(|| {
        let known = ControlType::ALL.map(ControlType::as_str).join(" or ");
        Fault::validation(format!("{word:?} is no type of policies: {known} is expected."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_from_their_text() {
        for (text, names) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("a/b c/d", &["a", "b c", "d"]),
            (r"a\/b/c\\", &["a/b", r"c\"]),
        ] {
            let path = UnitPath::parse(text).unwrap();
            assert_eq!(path.0, names);
            assert_eq!(path.to_string(), text);
        }
        for wrong in ["/", "a/", "/a", "a//b", r"a\", r"a\b"] {
            assert!(UnitPath::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_of_both_types_has_to_be_told_apart() {
        let organized = Organized::default();
        let policy = |kind: &str| format!(r#"{{"name":"guard","type":"{kind}","content":"{{}}"}}"#);
        let file = format!(
            r#"{{"policy":[{},{}]}}"#,
            policy("SERVICE_CONTROL_POLICY"),
            policy("RESOURCE_CONTROL_POLICY")
        );
        let file: OrganizationFile = serde_json::from_str(&file).unwrap();
        let names = PolicyNames::new(&organized).with(&file).unwrap();
        assert!(names.find("guard").is_err());
        assert!(names.find("other").is_err());
        let key = names.find("RESOURCE_CONTROL_POLICY/guard").unwrap();
        assert_eq!(key.control(), ControlType::ResourceControlPolicy);
        assert_eq!(names.shortest(&key), "RESOURCE_CONTROL_POLICY/guard");
        for text in ["FullAWSAccess", "p-FullAWSAccess", "SERVICE_CONTROL_POLICY/FullAWSAccess"] {
            let key = names.find(text).unwrap();
            assert_eq!(key, PolicyKey::FullAccess(ControlType::ServiceControlPolicy));
            assert_eq!(names.shortest(&key), "FullAWSAccess");
        }
    }
}
