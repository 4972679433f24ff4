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
        delegated: BTreeMap::new(),
        root_access_ended: None,
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
            services: BTreeMap::new(),
            root_access: std::collections::BTreeSet::new(),
            root_access_ended: BTreeMap::new(),
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

#[test]
fn what_was_taken_away_is_stored_and_the_latest_counts() {
    const ORGANIZATION: &str = r#"{"kind":"organization","id":"o-abcdefghij","features":"ALL","management":"111111111111","created_at":1790000000000,"root":"r-ab12","enabled":[],"attached":[],"tags":[],"root_access":["RootSessions"],"root_access_ended":{"RootSessions":{"version":7,"at":1790000000000}}}"#;
    const MEMBER: &str = r#"{"kind":"member","account":"222222222222","parent":"root","email":null,"joined":"CREATED","joined_at":1790000000000,"attached":[],"tags":[],"root_access_ended":{"version":9,"at":1790000000000}}"#;
    const MANAGEMENT: &str = r#"{"kind":"member","account":"111111111111","parent":"root","joined":"CREATED","joined_at":1790000000000}"#;
    let mut tree = Organized::default();
    for form in [ORGANIZATION, MEMBER, MANAGEMENT] {
        let entity: Entity = serde_json::from_str(form).unwrap();
        let text = serde_json::to_string(&entity).unwrap();
        assert_eq!(serde_json::from_str::<Entity>(&text).unwrap(), entity);
        tree.put(entity);
    }
    let ended = |by: &str, task| tree.root_access_ended(account(by), task).map(|it| it.version);
    for (by, task, version) in [
        ("111111111111", RootTask::UnlockQueue, Some(7)),
        ("111111111111", RootTask::DeleteCredentials, None),
        ("222222222222", RootTask::UnlockQueue, Some(9)),
        ("222222222222", RootTask::DeleteCredentials, Some(9)),
        ("333333333333", RootTask::UnlockQueue, None),
    ] {
        assert_eq!(ended(by, task), version, "{by} {task:?}");
    }
}

/// The stored form of every entity of the organization in format version 2, as released: it must
/// read for ever.
#[test]
fn stored_forms_of_format_version_2_read() {
    const FORMS: &[&str] = &[
        r#"{"kind":"organization","id":"o-abcdefghij","features":"ALL","management":"111111111111","created_at":1790000000000,"root":"r-ab12","enabled":["SERVICE_CONTROL_POLICY"],"attached":["p-FullAWSAccess"],"tags":[]}"#,
        r#"{"kind":"unit","id":"ou-ab12-12345678","parent":"root","name":"outer","attached":["p-FullAWSAccess"],"tags":[{"key":"k","value":"v"}]}"#,
        r#"{"kind":"unit","id":"ou-ab12-abcdefgh","parent":{"unit":"ou-ab12-12345678"},"name":"inner","attached":["p-abcd1234"],"tags":[]}"#,
        r#"{"kind":"member","account":"222222222222","parent":{"unit":"ou-ab12-abcdefgh"},"email":"a@b.example","joined":"CREATED","joined_at":1790000000000,"attached":["p-FullAWSAccess","p-RCPFullAWSAccess"],"tags":[]}"#,
        r#"{"kind":"control_policy","id":"p-abcd1234","control":"RESOURCE_CONTROL_POLICY","name":"n","description":"d","content":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}","tags":[]}"#,
        r#"{"kind":"creation","id":"car-abcd1234","name":"dev","at":1790000000000,"account":"222222222222"}"#,
        r#"{"kind":"account_state","account":"222222222222","closed_at":1790000000000,"left":{"version":7,"at":1790000000000}}"#,
    ];
    let mut tree = Organized::default();
    for form in FORMS {
        let entity: Entity = serde_json::from_str(form).unwrap_or_else(|e| panic!("{form}: {e}"));
        tree.put(entity);
    }
    let again: Vec<Entity> = tree.entities().collect();
    assert_eq!(again.len(), FORMS.len());
    for entity in again {
        let text = serde_json::to_string(&entity).unwrap();
        assert_eq!(serde_json::from_str::<Entity>(&text).unwrap(), entity);
        assert!(tree.holds(entity.key()), "{}", entity.key());
    }
    assert!(tree.is_closed(account("222222222222")));
}
