use super::*;
use crate::directory::{Entity, EntityKey};
use crate::random::SystemRandom;

const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}"#;

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn member(id: &str, parent: Parent, attached: &[PolicyRef]) -> Entity {
    Entity::Member(Member {
        account: account(id),
        parent,
        email: None,
        joined: Joined::Invited,
        joined_at: Timestamp::from_secs(1),
        attached: attached.iter().copied().collect(),
        tags: Vec::new(),
    })
}

fn unit(id: UnitId, parent: Parent, attached: &[PolicyRef]) -> Entity {
    let attached = attached.iter().copied().collect();
    Entity::Unit(Unit { id, parent, name: id.to_string(), attached, tags: Vec::new() })
}

/// Management account 1…, and 2… in one unit within another.
fn tree() -> (Organized, UnitId, UnitId, OrgPolicyId) {
    let random = SystemRandom::new();
    let root = RootId::generate(&random).unwrap();
    let outer = UnitId::generate(&root, &random).unwrap();
    let inner = UnitId::generate(&root, &random).unwrap();
    let policy = OrgPolicyId::generate(&random).unwrap();
    let control = ControlType::ServiceControlPolicy;
    let full = PolicyRef::FullAccess;
    let mut tree = Organized::default();
    for entity in [
        Entity::Organization(Organization {
            id: OrganizationId::generate(&random).unwrap(),
            features: FeatureSet::All,
            management: account("111111111111"),
            created_at: Timestamp::from_secs(1),
            root,
            enabled: [control].into(),
            attached: [full, PolicyRef::ResourceFullAccess].into(),
            tags: Vec::new(),
        }),
        unit(outer, Parent::Root, &[full, PolicyRef::Own(policy)]),
        unit(inner, Parent::Unit(outer), &[full]),
        member("111111111111", Parent::Unit(inner), &[full]),
        member("222222222222", Parent::Unit(inner), &[full]),
        Entity::ControlPolicy(ControlPolicy {
            id: policy,
            control,
            name: "deny".to_owned(),
            description: String::new(),
            content: ControlDocument::parse(DENY, control).unwrap(),
            tags: Vec::new(),
        }),
    ] {
        tree.put(entity);
    }
    (tree, outer, inner, policy)
}

fn names(levels: &[Level]) -> Vec<Vec<&str>> {
    levels.iter().map(|level| level.iter().map(|(name, _)| name.as_str()).collect()).collect()
}

#[test]
fn an_account_has_a_level_for_the_root_each_unit_and_itself() {
    let (tree, outer, inner, policy) = tree();
    let levels = tree.levels(account("222222222222"), ControlType::ServiceControlPolicy);
    let full = "p-FullAWSAccess";
    let policy = policy.to_string();
    // The resource control policy at the root is no service control policy.
    assert_eq!(names(&levels), [vec![full], vec![full, &policy], vec![full], vec![full]]);
    let organization = tree.organization().unwrap();
    let path = format!("{}/{}/{outer}/{inner}/", organization.id, organization.root);
    assert_eq!(tree.path_text(Parent::Unit(inner)), Some(path));
}

#[test]
fn no_level_applies_to_the_management_account_to_strangers_and_to_types_that_are_off() {
    let (tree, ..) = tree();
    let service = ControlType::ServiceControlPolicy;
    assert!(tree.levels(account("111111111111"), service).is_empty());
    assert!(tree.levels(account("333333333333"), service).is_empty());
    let resource = ControlType::ResourceControlPolicy;
    assert!(tree.levels(account("222222222222"), resource).is_empty());
}

#[test]
fn what_is_missing_or_goes_round_denies() {
    let service = ControlType::ServiceControlPolicy;
    let (mut tree, outer, inner, policy) = tree();
    tree.delete(EntityKey::ControlPolicy(policy));
    let levels = tree.levels(account("222222222222"), service);
    assert_eq!(levels[1].len(), 2, "a policy that is attached and gone stands in the level");
    assert!(!format!("{:?}", levels[1][1].1).contains("allows: true"));

    tree.put(unit(outer, Parent::Unit(inner), &[]));
    assert_eq!(names(&tree.levels(account("222222222222"), service)), [Vec::<&str>::new()]);
    tree.delete(EntityKey::Unit(inner));
    assert_eq!(names(&tree.levels(account("222222222222"), service)), [Vec::<&str>::new()]);
}
