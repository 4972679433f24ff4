//! Tokens that the broker signs about its own callers: the AWS CLI asks for one, anybody verifies it
//! with the issuer's public documents, and another broker takes it for a session.

use std::sync::Arc;

use countersign::federation::oidc::{Algorithm, Expected, KeySet, Unverified};
use countersign::time::{Clock, SystemClock};
use hyper::Method;
use serde_json::{Value, json};

use crate::broker::{Broker, Home};
use crate::caller::{Prepared, allow, form};
use crate::python::{aws, done, refused};
use crate::web_identity::trust;

const URL: &str = "https://tokens.example";
const AUDIENCE: &str = "sts.amazonaws.com";

/// A public document: what is below the issuer's URL.
async fn document(broker: &Broker, url: &str) -> Value {
    let target = url.strip_prefix(URL).unwrap().to_owned();
    let headers = vec![("host".to_owned(), broker.api.to_string())];
    let request = Prepared { method: Method::GET, target, headers, body: String::new() };
    let answer = broker.admin().send(request).await.ok();
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn a_token_of_the_broker_is_verified_by_its_published_keys() {
    let home = Arc::new(Home::init());
    let settings = format!("[issuer]\nurl = \"{URL}\"\n");
    std::fs::write(home.data().join("countersign.toml"), settings).unwrap();
    let mut broker = Broker::serve(&home, &[]);
    let key = home.first.clone();
    let cli = |broker: &Broker, words: &str| aws(&broker.url(), Some(&key), words, &[]);
    let ask = format!(
        "sts get-web-identity-token --audience {AUDIENCE} --signing-algorithm ES384 --output text \
         --query WebIdentityToken"
    );
    refused(cli(&broker, &ask), "OutboundWebIdentityFederationDisabledException");
    let enable =
        "iam enable-outbound-web-identity-federation --query IssuerIdentifier --output text";
    let issuer = done(cli(&broker, enable));
    assert!(issuer.starts_with(&format!("{URL}/issuers/{}/", home.account)), "{issuer}");
    let token = done(cli(&broker, &ask));
    refused(cli(&broker, &ask.replace("ES384", "RS256")), "ValidationError");

    let discovery = document(&broker, &format!("{issuer}/.well-known/openid-configuration")).await;
    assert_eq!(discovery["issuer"], json!(issuer));
    let keys = document(&broker, discovery["jwks_uri"].as_str().unwrap()).await;
    let set = KeySet::parse(keys.to_string().as_bytes()).unwrap();
    let expected = Expected {
        issuer: &issuer,
        client_ids: &[AUDIENCE.to_owned()],
        algorithms: &[Algorithm::Es384],
        now: SystemClock::new().now(),
    };
    let assertion = Unverified::read(&token).unwrap().check(&expected).unwrap().verify(&set);
    let subject = format!("arn:aws:iam::{}:user/admin", home.account);
    assert_eq!(assertion.unwrap().claims().subject(), subject);

    // The deployment itself takes no such token: sessions do not step out of their ancestry.
    let create = [("Url", issuer.as_str()), ("ClientIDList.member.1", AUDIENCE)];
    let own = broker.admin().iam("CreateOpenIDConnectProvider", &create).await;
    assert_eq!(own.code(), "InvalidInput");

    // Somebody who trusts that issuer takes it: here another broker, with the keys in a file.
    let relying = Arc::new(Home::init());
    let file = relying.folder().join("issuer-keys.json");
    std::fs::write(&file, keys.to_string()).unwrap();
    let table = format!("[[oidc.issuer]]\nurl = \"{issuer}\"\njwks = \"{}\"\n", file.display());
    std::fs::write(relying.data().join("countersign.toml"), table).unwrap();
    let relying = Broker::serve(&relying, &[]);
    let admin = relying.admin();
    let made = admin.iam("CreateOpenIDConnectProvider", &create).await.ok();
    let provider = made.text("OpenIDConnectProviderArn").unwrap();
    let url = issuer.strip_prefix("https://").unwrap();
    let role = admin.make_role("relying", &trust(&provider, url, &subject), &allow("*", "*")).await;
    let parameters =
        [("RoleArn", role.as_str()), ("RoleSessionName", "web"), ("WebIdentityToken", &token)];
    let body = form("sts", "AssumeRoleWithWebIdentity", &parameters);
    let headers = vec![
        ("host".to_owned(), relying.api.to_string()),
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
    let request = Prepared { method: Method::POST, target: "/".to_owned(), headers, body };
    let session = relying.caller(&admin.send(request).await.ok().credentials());
    let arn = format!("arn:aws:sts::{}:assumed-role/relying/web", relying.home.account);
    assert_eq!(session.whoami().await.ok().text("Arn").unwrap(), arn);
    // After a restart it is still the same issuer, with the same keys.
    broker.restart();
    let again = document(&broker, &format!("{issuer}/.well-known/jwks.json")).await;
    assert_eq!(again, keys);
}
