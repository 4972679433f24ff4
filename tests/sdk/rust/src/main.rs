//! The AWS SDK for Rust as a client of the broker, configured by the environment alone. The
//! arguments are steps.
//!
//! A line for each step that went as it should, then how many calls were refused, as they had to be.

#![allow(clippy::disallowed_methods, reason = "a program of its own, by its own clock")]

use std::collections::HashSet;
use std::env;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::Tag;
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls};
use serde_json::{Value, json};

/// Whoever the tests are run by.
struct Client {
    config: SdkConfig,
    account: String,
    refusals: usize,
}

impl Client {
    async fn new() -> Result<Self> {
        // What the SDK does by default, but with ring in the place of aws-lc.
        let http =
            Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
        let version = BehaviorVersion::v2026_01_12();
        let config = aws_config::defaults(version).http_client(http).load().await;
        Ok(Self { config, account: env::var("COUNTERSIGN_ACCOUNT")?, refusals: 0 })
    }

    fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config)
    }

    fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }

    /// The same with another key.
    fn by(&self, id: &str, secret: &str, token: Option<&str>) -> Self {
        let key = Credentials::new(id, secret, token.map(Into::into), None, "test");
        let provider = aws_sdk_sts::config::SharedCredentialsProvider::new(key);
        let config = self.config.to_builder().credentials_provider(provider).build();
        Self { config, account: self.account.clone(), refusals: 0 }
    }

    async fn whoami(&self) -> Result<String> {
        let answer = self.sts().get_caller_identity().send().await?;
        Ok(answer.arn().unwrap_or_default().into())
    }

    fn role(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.account)
    }

    fn session(&self, role: &str, name: &str) -> String {
        format!("arn:aws:sts::{}:assumed-role/{role}/{name}", self.account)
    }

    fn user(&self) -> String {
        format!("arn:aws:iam::{}:user/sdk", self.account)
    }

    fn trust(&self) -> Value {
        let root = format!("arn:aws:iam::{}:root", self.account);
        json!({
            "Version": "2012-10-17",
            "Statement": [
                { "Effect": "Allow", "Principal": { "AWS": root }, "Action": "sts:AssumeRole" }
            ],
        })
    }

    fn assume(&self) -> aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder {
        self.sts().assume_role().role_arn(self.role("partner")).role_session_name("monday")
    }

    /// The answer must be an error of this code and status. Returns it as the SDK types it.
    fn refused<T, E>(
        &mut self,
        code: &str,
        status: u16,
        answer: Result<T, SdkError<E>>,
    ) -> Result<E>
    where
        E: ProvideErrorMetadata + RequestId + std::error::Error + Send + Sync + 'static,
    {
        let context = match answer {
            Ok(_) => bail!("no {code}"),
            Err(SdkError::ServiceError(context)) => context,
            Err(error) => return Err(error.into()),
        };
        let found = context.raw().status().as_u16();
        let error = context.into_err();
        equal(error.code(), Some(code))?;
        equal(found, status)?;
        ensure!(error.message().is_some_and(|message| !message.is_empty()), "no message");
        ensure!(error.request_id().is_some(), "no request ID");
        self.refusals += 1;
        Ok(error)
    }

    async fn keys(&self) -> Result<()> {
        equal(self.whoami().await?, self.user())
    }

    /// The profile that the environment names: a role by a role by a user.
    async fn chain(&self) -> Result<()> {
        equal(self.whoami().await?, self.session("second", "two"))
    }

    async fn sessions(&mut self) -> Result<()> {
        let tag = |key: &str, value: &str| {
            aws_sdk_sts::types::Tag::builder().key(key).value(value).build()
        };
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*" }],
        });
        let granted = self
            .assume()
            .external_id("x:7")
            .duration_seconds(900)
            .policy(policy.to_string())
            .tags(tag("team", "blue + green")?)
            .tags(tag("größe", "")?)
            .transitive_tag_keys("team")
            .send()
            .await?;
        let user = granted.assumed_role_user().context("nobody")?;
        equal(user.arn(), self.session("partner", "monday").as_str())?;
        ensure!(user.assumed_role_id().ends_with(":monday"), "{user:?}");
        ensure!(granted.session_token_utilization() > Some(0), "no utilization");
        let key = granted.credentials().context("no credentials")?;
        equal(granted.session_token_size(), Some(key.session_token().len().try_into()?))?;
        let end = SystemTime::try_from(*key.expiration())?;
        let left = end.duration_since(SystemTime::now())?.as_secs();
        ensure!((840..960).contains(&left), "{left} seconds");
        let session =
            self.by(key.access_key_id(), key.secret_access_key(), Some(key.session_token()));
        equal(session.whoami().await?, self.session("partner", "monday"))?;
        session.iam().list_roles().send().await?;
        // The role may, the session policy says no.
        let denied = session.iam().get_role().role_name("partner").send().await;
        self.refused("AccessDenied", 403, denied)?;
        Ok(())
    }

    async fn errors(&mut self) -> Result<()> {
        let denied = self.assume().send().await;
        self.refused("AccessDenied", 403, denied)?;
        let invalid = self.assume().role_session_name("x").send().await;
        self.refused("ValidationError", 400, invalid)?;
        let malformed = self.assume().external_id("x:7").policy("{}").send().await;
        let error = self.refused("MalformedPolicyDocument", 400, malformed)?;
        ensure!(matches!(error, AssumeRoleError::MalformedPolicyDocumentException(_)), "{error:?}");

        let (id, secret) = (env::var("AWS_ACCESS_KEY_ID")?, env::var("AWS_SECRET_ACCESS_KEY")?);
        let wrong = "x".repeat(40);
        for (code, id, secret, token) in [
            ("SignatureDoesNotMatch", id.as_str(), wrong.as_str(), None),
            ("InvalidClientTokenId", "AKIABBBBBBBBBBBBBBBB", &secret, None),
            ("InvalidClientTokenId", "ASIABBBBBBBBBBBBBBBB", &secret, Some("garbage")),
        ] {
            let answer = self.by(id, secret, token).sts().get_caller_identity().send().await;
            self.refused(code, 403, answer)?;
        }

        let unheard = self.iam().get_server_certificate().server_certificate_name("x").send().await;
        self.refused("InvalidAction", 400, unheard)?;
        let create = |name: &str, document: String| {
            self.iam().create_role().role_name(name).assume_role_policy_document(document).send()
        };
        let again = create("partner", self.trust().to_string()).await;
        let bad = create("bad", "{".into()).await;
        let error = self.refused("EntityAlreadyExists", 409, again)?;
        ensure!(error.is_entity_already_exists_exception(), "{error:?}");
        let error = self.refused("MalformedPolicyDocument", 400, bad)?;
        ensure!(error.is_malformed_policy_document_exception(), "{error:?}");
        Ok(())
    }

    async fn roles(&mut self) -> Result<()> {
        let iam = self.iam();
        let (name, description) = ("made", "naïve <b>&amp;</b>");
        let team = Tag::builder().key("team").value("blue + green = @:/").build()?;
        let made = iam
            .create_role()
            .role_name(name)
            .path("/sdk/")
            .description(description)
            .assume_role_policy_document(self.trust().to_string())
            .tags(team.clone())
            .send()
            .await?;
        let found = iam.get_role().role_name(name).send().await?;
        let role = found.role().context("no role")?;
        equal(role.arn(), self.role("sdk/made").as_str())?;
        equal(Some(role.role_id()), made.role().map(|role| role.role_id()))?;
        equal(role.description(), Some(description))?;
        equal(role.max_session_duration(), Some(3600))?;
        equal(role.tags(), [team].as_slice())?;
        let created = SystemTime::try_from(*role.create_date())?;
        let age = created.elapsed().unwrap_or_else(|early| early.duration());
        ensure!(age < Duration::from_secs(60), "{age:?}");
        let document = urlencoding::decode(role.assume_role_policy_document().unwrap_or_default())?;
        equal(serde_json::from_str::<Value>(&document)?, self.trust())?;

        let mut names = HashSet::new();
        let mut pages = iam.list_roles().into_paginator().page_size(1).items().send();
        while let Some(role) = pages.next().await {
            ensure!(names.insert(role?.role_name().to_owned()), "{names:?}");
        }
        ensure!(names.len() >= 4 && names.contains(name), "{names:?}");

        iam.delete_role().role_name(name).send().await?;
        let gone = iam.get_role().role_name(name).send().await;
        let error = self.refused("NoSuchEntity", 404, gone)?;
        ensure!(error.is_no_such_entity_exception(), "{error:?}");
        Ok(())
    }

    /// The first two requests of this session name come to nothing; the caller counts them.
    async fn retries(&self) -> Result<()> {
        self.assume().external_id("x:7").role_session_name("unavailable").send().await?;
        Ok(())
    }

    /// The broker's clock is far from this one.
    async fn skew(&self) -> Result<()> {
        match self.sts().get_caller_identity().send().await {
            Ok(answer) => {
                equal(answer.arn(), Some(self.user().as_str()))?;
                println!("clock corrected");
            }
            Err(error) => {
                let error = error.into_service_error();
                let (code, message) = (error.code(), error.message());
                let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
                println!("clock refused {code}: {message}");
            }
        }
        Ok(())
    }
}

fn equal<T: PartialEq + Debug>(found: T, expected: T) -> Result<()> {
    ensure!(found == expected, "{found:?}, not {expected:?}");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut client = Client::new().await?;
    println!("version {}", aws_sdk_sts::meta::PKG_VERSION);
    for step in env::args().skip(1) {
        match step.as_str() {
            "keys" => client.keys().await,
            "chain" => client.chain().await,
            "sessions" => client.sessions().await,
            "errors" => client.errors().await,
            "iam" => client.roles().await,
            "retries" => client.retries().await,
            "skew" => client.skew().await,
            _ => bail!("no step {step}"),
        }
        .with_context(|| step.clone())?;
        println!("ok {step}");
    }
    println!("refusals {}", client.refusals);
    Ok(())
}
