//! Session tags and source identity: who may pass them, and how they travel.

use super::*;

#[tokio::test]
async fn museum_m30_tags_and_source_identity_travel_and_cannot_be_escaped() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let second = bench.role(&bench.b, "second", &trusting(&[&role]), &allow(&["*"])).await;
    let tagged = [
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "blue"),
        ("Tags.member.2.Key", "Ticket"),
        ("Tags.member.2.Value", "7"),
        ("TransitiveTagKeys.member.1", "Team"),
        ("SourceIdentity", "alice"),
    ];
    let answer = bench.call(&alice, "AssumeRole", &ask(&role, &tagged)).await.unwrap();
    assert_eq!(element(&answer, "SourceIdentity"), "alice");
    assert!(element(&answer, "PackedPolicySize").parse::<u8>().unwrap() > 0);
    let session = Credentials::of_answer(&answer);

    let next = bench.assume(&session, &second, "next").await.unwrap();
    let (tags, source_identity, ancestors) = claims_of(&bench, &next).await;
    let team = Tag { key: "Team".into(), value: "blue".into(), transitive: true };
    assert_eq!((tags, source_identity.as_deref(), ancestors), (vec![team], Some("alice"), 2));

    for (wrong, expected) in [
        (
            vec![("Tags.member.1.Key", "tEAM"), ("Tags.member.1.Value", "red")],
            FaultCode::InvalidParameterValue,
        ),
        (vec![("SourceIdentity", "mallory")], FaultCode::AccessDenied),
        (
            vec![
                ("Tags.member.1.Key", "a"),
                ("Tags.member.1.Value", "1"),
                ("Tags.member.2.Key", "A"),
                ("Tags.member.2.Value", "2"),
            ],
            FaultCode::InvalidParameterValue,
        ),
        (vec![("TransitiveTagKeys.member.1", "unsent")], FaultCode::ValidationError),
    ] {
        let result = bench.call(&session, "AssumeRole", &ask(&second, &wrong)).await;
        assert_eq!(code(result), expected, "{wrong:?}");
    }
}

#[tokio::test]
async fn tags_and_source_identity_need_their_own_permission() {
    let bench = Bench::new().await;
    let (alice, _) = stage(&bench).await;
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": A }, "Action": "sts:AssumeRole" }],
    });
    let role = bench.role(&bench.b, "plain", &trust.to_string(), &allow(&["*"])).await;
    assert!(bench.call(&alice, "AssumeRole", &ask(&role, &[])).await.is_ok());
    for more in [
        vec![("SourceIdentity", "alice")],
        vec![("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "1")],
    ] {
        assert_eq!(
            code(bench.call(&alice, "AssumeRole", &ask(&role, &more)).await),
            FaultCode::AccessDenied
        );
    }
    // What a chain hands down needs it too.
    let (_, open) = (0, format!("arn:aws:iam::{B}:role/deploy"));
    let closed = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": open }, "Action": "sts:AssumeRole" }],
    });
    let closed = bench.role(&bench.b, "closed", &closed.to_string(), &allow(&["*"])).await;
    let named = [("SourceIdentity", "alice")];
    let answer = bench.call(&alice, "AssumeRole", &ask(&open, &named)).await.unwrap();
    let session = Credentials::of_answer(&answer);
    assert_eq!(
        code(bench.call(&session, "AssumeRole", &ask(&closed, &[])).await),
        FaultCode::AccessDenied
    );
}

#[tokio::test]
async fn too_many_tags_for_a_token_are_told_as_a_percentage() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let tags: Vec<(String, String)> = (1..=20)
        .flat_map(|n| {
            [
                (format!("Tags.member.{n}.Key"), format!("key-{n}")),
                (format!("Tags.member.{n}.Value"), "x".repeat(256)),
            ]
        })
        .collect();
    let more: Vec<(&str, &str)> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let fault = bench.call(&alice, "AssumeRole", &ask(&role, &more)).await.unwrap_err();
    assert_eq!(fault.code(), FaultCode::PackedPolicyTooLarge);
    assert!(fault.message().contains('%'));
}

/// Keys of tags are the same here exactly if they are the same to a policy: `ς` ends a word that
/// `σ` does not, and the Kelvin sign is no `k`.
#[tokio::test]
async fn museum_m30_keys_of_tags_are_compared_as_policies_compare_them() {
    let bench = Bench::new().await;
    let (alice, first) = stage(&bench).await;
    let second = bench.role(&bench.b, "second", &trusting(&[B]), &allow(&["*"])).await;
    let passed = [
        ("Tags.member.1.Key", "ΑΣ"),
        ("Tags.member.1.Value", "low"),
        ("TransitiveTagKeys.member.1", "ΑΣ"),
    ];
    let answer = bench.call(&alice, "AssumeRole", &ask(&first, &passed)).await.unwrap();
    let session = Credentials::of_answer(&answer);
    let over = [("Tags.member.1.Key", "ασ"), ("Tags.member.1.Value", "high")];
    let result = bench.call(&session, "AssumeRole", &ask(&second, &over)).await;
    assert_eq!(code(result), FaultCode::InvalidParameterValue, "a transitive tag was set again");
    let twice = [
        ("Tags.member.1.Key", "ΑΣ"),
        ("Tags.member.1.Value", "low"),
        ("Tags.member.2.Key", "ασ"),
        ("Tags.member.2.Value", "high"),
    ];
    let result = bench.call(&alice, "AssumeRole", &ask(&second, &twice)).await;
    assert_eq!(code(result), FaultCode::InvalidParameterValue, "a key came twice");

    // A tag of the role stays, whatever a session's key looks like.
    let tag = [("RoleName", "deploy"), ("Tags.member.1.Key", "risk"), ("Tags.member.1.Value", "1")];
    bench.call(&bench.b, "TagRole", &tag).await.unwrap();
    let lookalike = [("Tags.member.1.Key", "ris\u{212a}"), ("Tags.member.1.Value", "0")];
    let answer = bench.call(&alice, "AssumeRole", &ask(&first, &lookalike)).await.unwrap();
    let session = Credentials::of_answer(&answer);
    let caller = bench.verify(&session, "GetCallerIdentity", &[]).await.unwrap();
    let Caller::Signed(signed) = caller else { panic!("signed") };
    let tags = crate::ops::context::principal_tags(signed.identity());
    assert!(tags.contains(&("risk".to_owned(), "1".to_owned())), "{tags:?}");
    // Nor does setting or removing the one touch the other.
    let tag = [
        ("RoleName", "deploy"),
        ("Tags.member.1.Key", "ris\u{212a}"),
        ("Tags.member.1.Value", "0"),
    ];
    bench.call(&bench.b, "TagRole", &tag).await.unwrap();
    let untag = [("RoleName", "deploy"), ("TagKeys.member.1", "ris\u{212a}")];
    bench.call(&bench.b, "UntagRole", &untag).await.unwrap();
    let listed = bench.call(&bench.b, "ListRoleTags", &[("RoleName", "deploy")]).await.unwrap();
    assert_eq!((element(&listed, "Key"), element(&listed, "Value")), ("risk", "1"));
}
