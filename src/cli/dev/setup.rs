//! The stage: a broker on free ports, two accounts, a user, two roles. Made as an administrator
//! would make them, through the admin socket and the IAM API.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, bail};
use hyper::Method;
use hyper::header::HeaderMap;
use zeroize::Zeroizing;

use super::xml;
use crate::api::{CreateAccount, CreatedAccount, VerifyRequest, VerifyResponse};
use crate::app::bootstrap::{self, Bootstrap, Outcome};
use crate::app::{self, DataDir, Serving, World};
use crate::cli::client::{AdminClient, Credentials, SignedClient};
use crate::federation::oidc::{Algorithm, PublicJwk, SigningKey};
use crate::http::client::Client;
use crate::keysets::{IssuerSettings, Issuers};
use crate::secret::SecretAccessKey;
use crate::settings::{Inputs, Settings};

pub(super) const EXTERNAL_ID: &str = "partner-7";
/// The identity provider that the story plays, and the subject that a role trusts.
pub(super) const ISSUER: &str = "https://idp.dev.example";
pub(super) const WORKLOAD: &str = "system:serviceaccount:shop:orders";
/// The audience that AWS's clients ask for by convention.
pub(super) const AUDIENCE: &str = "sts.amazonaws.com";

/// Everything that the story needs.
pub(super) struct Stage {
    pub(super) serving: Serving,
    pub(super) data: DataDir,
    pub(super) api: String,
    pub(super) verify: String,
    verifier: Client,
    pub(super) home: String,
    pub(super) partner: String,
    admin: SignedClient,
    pub(super) partner_admin: SignedClient,
    pub(super) alice: SignedClient,
    /// The identity provider's key.
    pub(super) idp: SigningKey,
}

/// A Query request that was answered.
pub(super) enum Answered {
    /// With a result.
    Done(String),
    /// With an error: code and message.
    Refused { code: String, message: String },
}

pub(super) async fn stage(folder: &Path) -> anyhow::Result<Stage> {
    let world = World::default();
    let data = DataDir::new(folder.join("data"));
    let bootstrap = || Ok(Bootstrap::generate(None, &*world.random)?);
    let Outcome::Made(first) = bootstrap::init(&data, &world, bootstrap)? else {
        bail!("{} is not empty", data.path().display());
    };
    // Free ports, and no settings but these: not the reader's own.
    let free: SocketAddr = ([127, 0, 0, 1], 0).into();
    let mut settings = Settings::load(&Inputs::default())?;
    settings.store.data_dir = data.path().to_owned();
    settings.http.listen = free;
    settings.http.verify_listen = free;
    settings.http.ops_listen = free;
    let (idp, issuers) = provider(folder)?;
    settings.issuers = issuers;
    let serving = app::start(&settings, &world).await?;
    let api = format!("http://{}", serving.api);
    let verify = format!("http://{}", serving.verify);

    let admin = SignedClient::new(
        &api,
        Credentials {
            access_key_id: first.access_key_id.to_string(),
            secret: first.secret,
            session_token: None,
        },
    )?;
    let home = first.account.to_string();
    let made: CreatedAccount = AdminClient::new(&data.admin_socket())
        .json(
            Method::POST,
            "/countersign/v1/accounts",
            Some(&CreateAccount { name: "partner".to_owned(), id: None, role_name: None }),
        )
        .await?;
    let partner = made.account.id;
    let alice = alice(&api, &admin, &partner).await?;
    let partner_admin =
        assume(&api, &admin, &[("RoleArn", made.role_arn.as_str()), ("RoleSessionName", "setup")])
            .await?;
    roles(&partner_admin, &home, &partner).await?;
    workload(&admin, &home).await?;
    let verifier = Client::url(&verify, None, false)?;
    Ok(Stage {
        serving,
        data,
        api,
        verify,
        verifier,
        home,
        partner,
        admin,
        partner_admin,
        alice,
        idp,
    })
}

/// An identity provider without a network: the broker reads its key set from a file.
fn provider(folder: &Path) -> anyhow::Result<(SigningKey, Issuers)> {
    let pkcs8 = SigningKey::generate(Algorithm::Es256)?;
    let key = SigningKey::from_pkcs8(Algorithm::Es256, &pkcs8)?;
    let file = folder.join("idp-keys.json");
    std::fs::write(&file, PublicJwk::set([key.public()]).to_string())?;
    let settings =
        IssuerSettings { url: ISSUER.to_owned(), jwks: Some(file), ..IssuerSettings::default() };
    let issuers = Issuers::new(vec![settings])
        .map_err(|problems| anyhow::anyhow!("the issuer's settings: {problems:?}"))?;
    Ok((key, issuers))
}

/// Registers the identity provider, and makes the role `orders` for one of its workloads.
async fn workload(admin: &SignedClient, home: &str) -> anyhow::Result<()> {
    let create = [("Url", ISSUER), ("ClientIDList.member.1", AUDIENCE)];
    done(iam(admin, "CreateOpenIDConnectProvider", &create).await?)?;
    let url = ISSUER.trim_start_matches("https://");
    let trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": format!("arn:aws:iam::{home}:oidc-provider/{url}") },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": {
                format!("{url}:aud"): AUDIENCE, format!("{url}:sub"): WORKLOAD,
            } },
        }],
    })
    .to_string();
    let create = [("RoleName", "orders"), ("AssumeRolePolicyDocument", trust.as_str())];
    done(iam(admin, "CreateRole", &create).await?)?;
    Ok(())
}

async fn alice(api: &str, admin: &SignedClient, partner: &str) -> anyhow::Result<SignedClient> {
    done(iam(admin, "CreateUser", &[("UserName", "alice")]).await?)?;
    let may = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": format!("arn:aws:iam::{partner}:role/deploy"),
        }],
    })
    .to_string();
    let put =
        [("UserName", "alice"), ("PolicyName", "deploy-for-partner"), ("PolicyDocument", &may)];
    done(iam(admin, "PutUserPolicy", &put).await?)?;
    let key = done(iam(admin, "CreateAccessKey", &[("UserName", "alice")]).await?)?;
    SignedClient::new(api, credentials(&key)?)
}

async fn roles(admin: &SignedClient, home: &str, partner: &str) -> anyhow::Result<()> {
    let deploy_trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{home}:user/alice") },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": EXTERNAL_ID } },
        }],
    });
    let audit_trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{partner}:role/deploy") },
            "Action": "sts:AssumeRole",
        }],
    });
    let read = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "ReadOrders",
            "Effect": "Allow",
            "Action": "orders:GetOrder",
            "Resource": format!("arn:aws:orders::{partner}:order/*"),
        }],
    })
    .to_string();
    for (role, trust) in [("deploy", deploy_trust), ("audit", audit_trust)] {
        let trust = trust.to_string();
        let create = [("RoleName", role), ("AssumeRolePolicyDocument", trust.as_str())];
        done(iam(admin, "CreateRole", &create).await?)?;
        let put = [("RoleName", role), ("PolicyName", "read-orders"), ("PolicyDocument", &read)];
        done(iam(admin, "PutRolePolicy", &put).await?)?;
    }
    Ok(())
}

impl Stage {
    /// Asks for a role, and answers with a client of the session if it was granted.
    pub(super) async fn assume(
        &self,
        who: &SignedClient,
        role: &str,
        more: &[(&str, &str)],
    ) -> anyhow::Result<Result<SignedClient, (String, String)>> {
        let arn = format!("arn:aws:iam::{}:role/{role}", self.partner);
        let mut parameters = vec![("RoleArn", arn.as_str()), ("RoleSessionName", "monday")];
        parameters.extend_from_slice(more);
        match query(who, "sts", "2011-06-15", "AssumeRole", &parameters).await? {
            Answered::Done(xml) => Ok(Ok(SignedClient::new(&self.api, credentials(&xml)?)?)),
            Answered::Refused { code, message } => Ok(Err((code, message))),
        }
    }

    /// Shows a token for the role `orders`; nothing is signed.
    pub(super) async fn show(&self, token: &str) -> anyhow::Result<Answered> {
        let role = format!("arn:aws:iam::{}:role/orders", self.home);
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", "AssumeRoleWithWebIdentity")
            .append_pair("Version", "2011-06-15")
            .append_pair("RoleArn", &role)
            .append_pair("RoleSessionName", "pod-1")
            .append_pair("WebIdentityToken", token)
            .finish();
        let mut headers = HeaderMap::new();
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        headers.insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static(form));
        let client = Client::url(&self.api, None, false)?;
        read(&client.request(Method::POST, "/", headers, body.into_bytes()).await?)
    }

    /// Puts a question to the verifier.
    pub(super) async fn ask(&self, question: &VerifyRequest) -> anyhow::Result<VerifyResponse> {
        let mut headers = HeaderMap::new();
        headers.insert(
            hyper::header::CONTENT_TYPE,
            hyper::header::HeaderValue::from_static("application/json"),
        );
        let body = serde_json::to_vec(question)?;
        let response = self.verifier.request(Method::POST, "/v1/verify", headers, body).await?;
        serde_json::from_slice(&response.body)
            .with_context(|| format!("the verifier answered {}", response.status))
    }

    /// What an AWS client needs to try this broker.
    pub(super) fn exports(&self) -> String {
        let admin = self.admin.credentials();
        format!(
            "Try it with any AWS client, as the administrator of account {}:\n\n\
             export AWS_ENDPOINT_URL={}\n\
             export AWS_ACCESS_KEY_ID={}\n\
             export AWS_SECRET_ACCESS_KEY={}\n\
             export AWS_DEFAULT_REGION=us-east-1\n\
             export AWS_REGION=us-east-1\n\n\
             aws sts get-caller-identity\n",
            self.home,
            self.api,
            admin.access_key_id,
            admin.secret.expose()
        )
    }
}

async fn assume(
    api: &str,
    who: &SignedClient,
    parameters: &[(&str, &str)],
) -> anyhow::Result<SignedClient> {
    let xml = done(query(who, "sts", "2011-06-15", "AssumeRole", parameters).await?)?;
    SignedClient::new(api, credentials(&xml)?)
}

async fn iam(
    who: &SignedClient,
    action: &str,
    parameters: &[(&str, &str)],
) -> anyhow::Result<Answered> {
    query(who, "iam", "2010-05-08", action, parameters).await
}

async fn query(
    who: &SignedClient,
    service: &str,
    version: &str,
    action: &str,
    parameters: &[(&str, &str)],
) -> anyhow::Result<Answered> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", action)
        .append_pair("Version", version)
        .extend_pairs(parameters)
        .finish();
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let response = who.send(service, Method::POST, "/", form, body.into_bytes()).await?;
    read(&response)
}

fn read(response: &crate::http::client::Response) -> anyhow::Result<Answered> {
    let text = String::from_utf8(response.body.to_vec())?;
    if response.status.is_success() {
        return Ok(Answered::Done(text));
    }
    Ok(Answered::Refused {
        code: xml::prose(&text, "Code").unwrap_or_else(|| response.status.to_string()),
        message: xml::prose(&text, "Message").unwrap_or_default(),
    })
}

fn done(answered: Answered) -> anyhow::Result<String> {
    match answered {
        Answered::Done(xml) => Ok(xml),
        Answered::Refused { code, message } => bail!("{code}: {message}"),
    }
}

fn credentials(answer: &str) -> anyhow::Result<Credentials> {
    let text = |name: &str| xml::text(answer, name).with_context(|| format!("no {name}"));
    Ok(Credentials {
        access_key_id: text("AccessKeyId")?.to_owned(),
        secret: SecretAccessKey::parse(Zeroizing::new(text("SecretAccessKey")?.to_owned()))?,
        session_token: xml::text(answer, "SessionToken").map(ToOwned::to_owned),
    })
}
