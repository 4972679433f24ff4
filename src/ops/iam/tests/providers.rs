//! OIDC and SAML providers.

use super::matrix::METADATA;
use super::{must, refused};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, element, elements, find};

const PRINT: &str = "0123456789abcdef0123456789abcdef01234567";

#[tokio::test]
async fn an_oidc_provider_is_made_changed_and_deleted() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let create = [
        ("Url", "https://Issuer.example/tenant/"),
        ("ClientIDList.member.1", "one"),
        ("ClientIDList.member.2", "one"),
        ("ThumbprintList.member.1", PRINT),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    let made = must(bench, admin, "CreateOpenIDConnectProvider", &create).await;
    let arn = format!("arn:aws:iam::{A}:oidc-provider/issuer.example/tenant");
    assert_eq!(element(&made, "OpenIDConnectProviderArn"), arn);
    assert_eq!(element(&made, "Key"), "k");
    let again = bench.call(admin, "CreateOpenIDConnectProvider", &create[..1]).await;
    refused(again, FaultCode::EntityAlreadyExists);
    let named = ("OpenIDConnectProviderArn", arn.as_str());
    let lists = || async {
        let shown = must(bench, admin, "GetOpenIDConnectProvider", &[named]).await;
        assert_eq!(element(&shown, "Url"), "issuer.example/tenant");
        let list = |name: &str| {
            let list = find(&shown, name).unwrap_or_default();
            elements(list, "member").map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        (list("ClientIDList"), list("ThumbprintList"))
    };
    let of = |ids: &[&str], prints: &[&str]| {
        let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        (own(ids), own(prints))
    };
    assert_eq!(lists().await, of(&["one"], &[PRINT]));
    for id in ["two", "one"] {
        let add = [named, ("ClientID", id)];
        must(bench, admin, "AddClientIDToOpenIDConnectProvider", &add).await;
    }
    for id in ["one", "none"] {
        let remove = [named, ("ClientID", id)];
        must(bench, admin, "RemoveClientIDFromOpenIDConnectProvider", &remove).await;
    }
    let other = PRINT.to_ascii_uppercase();
    let update = [named, ("ThumbprintList.member.1", &other)];
    must(bench, admin, "UpdateOpenIDConnectProviderThumbprint", &update).await;
    assert_eq!(lists().await, of(&["two"], &[&other]));
    let many: Vec<(String, &str)> =
        (1..=6).map(|n| (format!("ThumbprintList.member.{n}"), PRINT)).collect();
    let many: Vec<(&str, &str)> =
        many.iter().map(|(n, v)| (n.as_str(), *v)).chain([named]).collect();
    let result = bench.call(admin, "UpdateOpenIDConnectProviderThumbprint", &many).await;
    refused(result, FaultCode::InvalidInput);
    let listed = must(bench, admin, "ListOpenIDConnectProviders", &[]).await;
    assert_eq!(element(&listed, "Arn"), arn);
    must(bench, admin, "DeleteOpenIDConnectProvider", &[named]).await;
    let result = bench.call(admin, "GetOpenIDConnectProvider", &[named]).await;
    let message = refused(result, FaultCode::NoSuchEntity);
    assert_eq!(message, format!("OpenIDConnect Provider not found for arn {arn}"));
}

#[tokio::test]
async fn a_provider_has_a_hundred_audiences_at_most() {
    let mut bench = Bench::new().await;
    bench.services.quotas.client_ids_per_oidc_provider = 1;
    let create = [("Url", "https://issuer.example"), ("ClientIDList.member.1", "one")];
    let made = must(&bench, &bench.a, "CreateOpenIDConnectProvider", &create).await;
    let arn = ("OpenIDConnectProviderArn", element(&made, "OpenIDConnectProviderArn"));
    let add = [arn, ("ClientID", "two")];
    let result = bench.call(&bench.a, "AddClientIDToOpenIDConnectProvider", &add).await;
    let message = refused(result, FaultCode::LimitExceeded);
    assert_eq!(message, "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 1");
}

#[tokio::test]
async fn a_saml_provider_is_made_changed_and_deleted() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let create = [("Name", "Corp"), ("SAMLMetadataDocument", METADATA)];
    let made = must(bench, admin, "CreateSAMLProvider", &create).await;
    let arn = format!("arn:aws:iam::{A}:saml-provider/Corp");
    assert_eq!(element(&made, "SAMLProviderArn"), arn);
    let again = [("Name", "CORP"), create[1]];
    let result = bench.call(admin, "CreateSAMLProvider", &again).await;
    refused(result, FaultCode::EntityAlreadyExists);
    let named = ("SAMLProviderArn", arn.as_str());
    let shown = must(bench, admin, "GetSAMLProvider", &[named]).await;
    assert_eq!(element(&shown, "ValidUntil"), "2031-01-01T00:00:00Z");
    assert_eq!(element(&shown, "SAMLProviderUUID").len(), 32);
    let later = METADATA.replace("2031", "2032");
    let update = [named, ("SAMLMetadataDocument", later.as_str())];
    must(bench, admin, "UpdateSAMLProvider", &update).await;
    let listed = must(bench, admin, "ListSAMLProviders", &[]).await;
    assert_eq!(element(&listed, "ValidUntil"), "2032-01-01T00:00:00Z");
    // What makes no sense leaves it as it was.
    for wrong in [
        METADATA.replace("IDPSSODescriptor", "SPSSODescriptor"),
        METADATA.replace("entityID", "entity"),
        METADATA.replace("X509Certificate", "Certificate"),
        METADATA.replace("SAML:2.0:metadata", "SAML:1.1:metadata"),
        METADATA.replace("2031-01-01", "tomorrow"),
        METADATA.replace("<md:Ent", "<!DOCTYPE x><md:Ent"),
        format!("not XML {METADATA}"),
    ] {
        let update = [named, ("SAMLMetadataDocument", wrong.as_str())];
        let result = bench.call(admin, "UpdateSAMLProvider", &update).await;
        refused(result, FaultCode::InvalidInput);
    }
    let encrypted = [named, ("AssertionEncryptionMode", "Required")];
    refused(bench.call(admin, "UpdateSAMLProvider", &encrypted).await, FaultCode::InvalidInput);
    let listed = must(bench, admin, "ListSAMLProviders", &[]).await;
    assert_eq!(element(&listed, "ValidUntil"), "2032-01-01T00:00:00Z");
    must(bench, admin, "DeleteSAMLProvider", &[named]).await;
    refused(bench.call(admin, "GetSAMLProvider", &[named]).await, FaultCode::NoSuchEntity);
}
