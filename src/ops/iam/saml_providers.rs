//! SAML 2.0 identity providers: their metadata, kept and told.
//!
//! Metadata is read by the same code that assertions are verified with: what it does not take is
//! refused when it is written.
//!
//! Source: AWS IAM API reference, CreateSAMLProvider and its kin. Encrypted assertions are not
//! supported: their parameters are refused, not ignored.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{self, New};
use super::kind::{Made as _, constants};
use super::{tags, xml};
use crate::directory::{Entity, EntityKey, SamlProvider, Tag};
use crate::federation::saml::Metadata;
use crate::id::ProviderId;
use crate::ops::fault::Fault;
use crate::ops::params::{self, Validator, rules};
use crate::ops::{Context, Operation};
use crate::time::Timestamp;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// TagSAMLProvider: sets tags.
pub type TagSAMLProvider = tags::Tag<SamlProvider>;
/// UntagSAMLProvider: removes tags.
pub type UntagSAMLProvider = tags::Untag<SamlProvider>;
/// ListSAMLProviderTags: all of them.
pub type ListSAMLProviderTags = tags::List<SamlProvider>;

/// Refuses metadata that no assertion could be verified with, and reads when it ends.
fn check(metadata: &str) -> Result<Option<Timestamp>, Fault> {
    Metadata::parse(metadata)
        .map(|metadata| metadata.valid_until())
        .map_err(|why| Fault::invalid_input(format!("Could not parse metadata: {why}.")))
}

/// Refuses metadata that has ended: nobody could sign in by it.
fn check_end(valid_until: Option<Timestamp>, now: Timestamp) -> Result<(), Fault> {
    match valid_until {
        Some(end) if end <= now => Err(Fault::invalid_input("The metadata has expired.")),
        _ => Ok(()),
    }
}

/// Refuses the parameters of encrypted assertions.
fn refuse_encryption(v: &mut Validator<'_, '_>, names: &[&'static str]) -> Option<&'static str> {
    let mode = v.choice("AssertionEncryptionMode", &[("Required", ()), ("Allowed", ())]);
    let given = names.iter().copied().find(|name| {
        let rule =
            if *name == "AddPrivateKey" { rules::PRIVATE_KEY } else { rules::PRIVATE_KEY_ID };
        v.optional(name, &rule).is_some()
    });
    given.or(mode.map(|()| "AssertionEncryptionMode"))
}

fn unsupported(parameter: Option<&str>) -> Result<(), Fault> {
    parameter.map_or(Ok(()), |name| {
        let message = format!("{name} is not supported: assertions are not encrypted here.");
        Err(Fault::invalid_input(message))
    })
}

/// The operation CreateSAMLProvider.
pub struct CreateSAMLProvider;

/// The provider that is wanted.
pub struct CreateRequest {
    name: String,
    metadata: String,
    valid_until: Option<Timestamp>,
    tags: Vec<Tag>,
}

impl Operation for CreateSAMLProvider {
    constants!(Write "CreateSAMLProvider");
    type Request = CreateRequest;
    type Response = SamlProvider;

    fn read(params: &Params) -> Result<CreateRequest, Fault> {
        let (name, metadata, tags, encryption) = params::read(params, |v| {
            (
                v.required("Name", &rules::SAML_PROVIDER_NAME).to_owned(),
                v.required("SAMLMetadataDocument", &rules::SAML_METADATA).to_owned(),
                tags::owned(&v.tags("Tags")),
                refuse_encryption(v, &["AddPrivateKey"]),
            )
        })?;
        unsupported(encryption)?;
        tags::check(&tags)?;
        let valid_until = check(&metadata)?;
        Ok(CreateRequest { name, metadata, valid_until, tags })
    }

    fn describe(request: &CreateRequest) -> Value {
        json!({
            "name": request.name,
            "metadataLength": request.metadata.len(),
            "tags": xml::told_tags(&request.tags),
        })
    }

    async fn execute(context: &Context<'_>, request: CreateRequest) -> Result<SamlProvider, Fault> {
        let id = ProviderId::generate(&*context.services.random).map_err(Fault::internal)?;
        check_end(request.valid_until, context.facts.now)?;
        context
            .change(|tx| {
                let CreateRequest { name, metadata, valid_until, tags } = request;
                let new = New { path: "/", name: &name, tags: &tags, boundary: None };
                let account = access::to_create::<Self, SamlProvider>(context, tx.state(), &new)?;
                let created_at = context.facts.now.floor_secs();
                let provider = SamlProvider {
                    id,
                    account,
                    name,
                    metadata,
                    valid_until,
                    tags,
                    created_at,
                    revoked: None,
                };
                tx.put(Entity::SamlProvider(provider.clone()));
                Ok(provider)
            })
            .await
    }

    fn outcome(response: &SamlProvider) -> Value {
        json!({ "sAMLProviderArn": response.arn() })
    }

    fn write(response: &SamlProvider, xml: &mut Xml) {
        xml.text("SAMLProviderArn", response.arn());
        xml::some_tags(xml, &response.tags);
    }
}

/// Which provider.
pub struct Request {
    arn: String,
}

impl Request {
    fn of(v: &mut Validator<'_, '_>) -> Self {
        Self { arn: v.required("SAMLProviderArn", &rules::ARN).to_owned() }
    }

    fn describe(&self) -> Value {
        json!({ "sAMLProviderArn": self.arn })
    }
}

/// The operation GetSAMLProvider.
pub struct GetSAMLProvider;

impl Operation for GetSAMLProvider {
    constants!(Read "GetSAMLProvider");
    type Request = Request;
    type Response = Arc<SamlProvider>;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, Request::of)
    }

    fn describe(request: &Request) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Arc<SamlProvider>, Fault> {
        let state = context.services.directory.snapshot();
        access::existing::<Self, _>(context, &state, &request.arn, |_, _| ())
    }

    fn write(response: &Arc<SamlProvider>, xml: &mut Xml) {
        xml.text("SAMLProviderUUID", response.id.to_string().to_ascii_uppercase());
        xml.text("SAMLMetadataDocument", &response.metadata);
        xml.time("CreateDate", response.created_at);
        if let Some(valid_until) = response.valid_until {
            xml.time("ValidUntil", valid_until);
        }
        xml::some_tags(xml, &response.tags);
    }
}

/// The operation ListSAMLProviders.
pub struct ListSAMLProviders;

impl Operation for ListSAMLProviders {
    constants!(Read "ListSAMLProviders");
    type Request = ();
    type Response = Vec<Arc<SamlProvider>>;

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Vec<Arc<SamlProvider>>, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::in_account::<Self>(context, &state)?;
        Ok(SamlProvider::all(&state, account).cloned().collect())
    }

    fn write(response: &Vec<Arc<SamlProvider>>, xml: &mut Xml) {
        xml.list("SAMLProviderList", response, |xml, provider| {
            xml.text("Arn", provider.arn());
            if let Some(valid_until) = provider.valid_until {
                xml.time("ValidUntil", valid_until);
            }
            xml.time("CreateDate", provider.created_at);
        });
    }
}

/// The operation UpdateSAMLProvider: other metadata.
pub struct UpdateSAMLProvider;

/// Whose, and what takes the place of what is there.
pub struct UpdateRequest {
    provider: Request,
    metadata: Option<(String, Option<Timestamp>)>,
}

impl Operation for UpdateSAMLProvider {
    constants!(Write "UpdateSAMLProvider");
    type Request = UpdateRequest;
    /// The ARN.
    type Response = String;

    fn read(params: &Params) -> Result<UpdateRequest, Fault> {
        let (provider, metadata, encryption) = params::read(params, |v| {
            (
                Request::of(v),
                v.optional("SAMLMetadataDocument", &rules::SAML_METADATA),
                refuse_encryption(v, &["AddPrivateKey", "RemovePrivateKey"]),
            )
        })?;
        unsupported(encryption)?;
        let metadata = match metadata {
            Some(text) => Some((text.to_owned(), check(text)?)),
            None => None,
        };
        Ok(UpdateRequest { provider, metadata })
    }

    fn describe(request: &UpdateRequest) -> Value {
        json!({
            "sAMLProviderArn": request.provider.arn,
            "metadataLength": request.metadata.as_ref().map(|(text, _)| text.len()),
        })
    }

    async fn execute(context: &Context<'_>, request: UpdateRequest) -> Result<String, Fault> {
        let ends = request.metadata.as_ref().and_then(|(_, valid_until)| *valid_until);
        check_end(ends, context.facts.now)?;
        context
            .change(|tx| {
                let arn = &request.provider.arn;
                let found: Arc<SamlProvider> =
                    access::existing::<Self, _>(context, tx.state(), arn, |_, _| ())?;
                if let Some((metadata, valid_until)) = request.metadata {
                    let provider = SamlProvider::clone(&found);
                    tx.put(Entity::SamlProvider(SamlProvider {
                        metadata,
                        valid_until,
                        ..provider
                    }));
                }
                Ok(found.arn())
            })
            .await
    }

    fn write(response: &String, xml: &mut Xml) {
        xml.text("SAMLProviderArn", response);
    }
}

/// The operation DeleteSAMLProvider.
pub struct DeleteSAMLProvider;

impl Operation for DeleteSAMLProvider {
    constants!(Write "DeleteSAMLProvider", no result);
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, Request::of)
    }

    fn describe(request: &Request) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let found: Arc<SamlProvider> =
                    access::existing::<Self, _>(context, tx.state(), &request.arn, |_, _| ())?;
                tx.delete(EntityKey::SamlProvider(found.id));
                Ok(())
            })
            .await
    }
}
