//! OpenID Connect providers: whose tokens the account's roles may trust.
//!
//! Thumbprints are kept and told. Certificates are judged by the certificate authorities that the
//! broker trusts, as AWS does for providers whose keys lie behind a public one.
//!
//! Source: AWS IAM API reference, CreateOpenIDConnectProvider and its kin; OpenID Connect Core 1.0
//! section 2 (an issuer is an https URL without query or fragment). A port may be given, unlike
//! with AWS: issuers inside a cluster have one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{self, New};
use super::kind::{Made as _, constants};
use super::quotas::Quota;
use super::{tags, xml};
use crate::directory::{Entity, EntityKey, OidcProvider, Tag};
use crate::id::ProviderId;
use crate::ops::fault::Fault;
use crate::ops::issuer;
use crate::ops::params::{self, Validator, rules};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// TagOpenIDConnectProvider: sets tags.
pub type TagOpenIDConnectProvider = tags::Tag<OidcProvider>;
/// UntagOpenIDConnectProvider: removes tags.
pub type UntagOpenIDConnectProvider = tags::Untag<OidcProvider>;
/// ListOpenIDConnectProviderTags: all of them.
pub type ListOpenIDConnectProviderTags = tags::List<OidcProvider>;

/// How many thumbprints a provider may have.
const MAX_THUMBPRINTS: usize = 5;
/// How many elements of a list are looked at; what there may be is less.
const MAX_LIST: usize = 1000;

/// The issuer's URL without its scheme, its host in lower case: as it stands in the ARN.
fn issuer(url: &str) -> Result<String, Fault> {
    let invalid = || Fault::invalid_input("Invalid Open ID Connect Provider URL");
    // The scheme's case does not count.
    let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').map_or((authority, None), |(h, p)| (h, Some(p)));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let port_fits = port.is_none_or(|port| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./%~+=,@:".contains(&b);
    let fits = scheme.eq_ignore_ascii_case("https")
        && host.split('.').all(label)
        && port_fits
        && path.bytes().all(plain)
        && !path.split('/').any(|part| part == "." || part == "..");
    if !fits {
        return Err(invalid());
    }
    Ok(format!("{}{}", authority.to_ascii_lowercase(), path.trim_end_matches('/')))
}

fn thumbprints(texts: &[&str]) -> Result<Vec<String>, Fault> {
    if texts.len() > MAX_THUMBPRINTS {
        let message = format!("Thumbprint list must contain fewer than {MAX_THUMBPRINTS} entries.");
        return Err(Fault::invalid_input(message));
    }
    let hex = |text: &&str| text.bytes().all(|b| b.is_ascii_hexdigit());
    if !texts.iter().all(hex) {
        return Err(Fault::invalid_input("A thumbprint must be 40 hexadecimal digits."));
    }
    Ok(texts.iter().map(|&text| text.to_owned()).collect())
}

fn check_client_ids(context: &Context<'_>, count: usize) -> Result<(), Fault> {
    let limit = context.services.quotas.client_ids_per_oidc_provider;
    Quota { name: "ClientIdsPerOpenIdConnectProvider", limit }.check(count)
}

/// The operation CreateOpenIDConnectProvider.
pub struct CreateOpenIDConnectProvider;

/// The provider that is wanted.
pub struct CreateRequest {
    url: String,
    client_ids: Vec<String>,
    thumbprints: Vec<String>,
    tags: Vec<Tag>,
}

impl Operation for CreateOpenIDConnectProvider {
    constants!(Write "CreateOpenIDConnectProvider");
    type Request = CreateRequest;
    type Response = OidcProvider;

    fn read(params: &Params) -> Result<CreateRequest, Fault> {
        let (url, ids, prints, tags) = params::read(params, |v| {
            (
                v.required("Url", &rules::URL),
                v.texts("ClientIDList", 0..=MAX_LIST, &rules::URL).unwrap_or_default(),
                v.texts("ThumbprintList", 0..=MAX_LIST, &rules::THUMBPRINT).unwrap_or_default(),
                tags::owned(&v.tags("Tags")),
            )
        })?;
        tags::check(&tags)?;
        let mut client_ids: Vec<String> = Vec::new();
        for id in ids {
            if !client_ids.iter().any(|known| known == id) {
                client_ids.push(id.to_owned());
            }
        }
        Ok(CreateRequest {
            url: issuer(url)?,
            client_ids,
            thumbprints: thumbprints(&prints)?,
            tags,
        })
    }

    fn describe(request: &CreateRequest) -> Value {
        json!({
            "url": request.url,
            "clientIDList": request.client_ids,
            "thumbprintList": request.thumbprints,
            "tags": xml::told_tags(&request.tags),
        })
    }

    async fn execute(context: &Context<'_>, request: CreateRequest) -> Result<OidcProvider, Fault> {
        let id = ProviderId::generate(&*context.services.random).map_err(Fault::internal)?;
        context
            .change(|tx| {
                let CreateRequest { url, client_ids, thumbprints, tags } = request;
                if issuer::is_own(context.services, &format!("https://{url}")) {
                    return Err(Fault::invalid_input(
                        "The issuer is one of this deployment. Its tokens are for others: within \
                         the deployment a principal assumes a role with AssumeRole.",
                    ));
                }
                let new = New { path: "/", name: &url, tags: &tags, boundary: None };
                let account = access::to_create::<Self, OidcProvider>(context, tx.state(), &new)?;
                check_client_ids(context, client_ids.len())?;
                let created_at = context.facts.now.floor_secs();
                let provider = OidcProvider {
                    id,
                    account,
                    url,
                    client_ids,
                    thumbprints,
                    tags,
                    created_at,
                    revoked: None,
                };
                tx.put(Entity::OidcProvider(provider.clone()));
                Ok(provider)
            })
            .await
    }

    fn outcome(response: &OidcProvider) -> Value {
        json!({ "openIDConnectProviderArn": response.arn() })
    }

    fn write(response: &OidcProvider, xml: &mut Xml) {
        xml.text("OpenIDConnectProviderArn", response.arn());
        xml::some_tags(xml, &response.tags);
    }
}

/// Which provider.
pub struct Request {
    arn: String,
}

impl Request {
    fn of(v: &mut Validator<'_, '_>) -> Self {
        Self { arn: v.required("OpenIDConnectProviderArn", &rules::ARN).to_owned() }
    }

    fn describe(&self) -> Value {
        json!({ "openIDConnectProviderArn": self.arn })
    }
}

/// The operation GetOpenIDConnectProvider.
pub struct GetOpenIDConnectProvider;

impl Operation for GetOpenIDConnectProvider {
    constants!(Read "GetOpenIDConnectProvider");
    type Request = Request;
    type Response = Arc<OidcProvider>;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, Request::of)
    }

    fn describe(request: &Request) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Arc<OidcProvider>, Fault> {
        let state = context.services.directory.snapshot();
        access::existing::<Self, _>(context, &state, &request.arn, |_, _| ())
    }

    fn write(response: &Arc<OidcProvider>, xml: &mut Xml) {
        xml.text("Url", &response.url);
        xml.texts("ClientIDList", &response.client_ids);
        xml.texts("ThumbprintList", &response.thumbprints);
        xml.time("CreateDate", response.created_at);
        xml::some_tags(xml, &response.tags);
    }
}

/// The operation ListOpenIDConnectProviders.
pub struct ListOpenIDConnectProviders;

impl Operation for ListOpenIDConnectProviders {
    constants!(Read "ListOpenIDConnectProviders");
    type Request = ();
    /// ARNs.
    type Response = Vec<String>;

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Vec<String>, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::in_account::<Self>(context, &state)?;
        Ok(OidcProvider::all(&state, account).map(|provider| provider.arn()).collect())
    }

    fn write(response: &Vec<String>, xml: &mut Xml) {
        xml.list("OpenIDConnectProviderList", response, |xml, arn| xml.text("Arn", arn));
    }
}

/// The operation DeleteOpenIDConnectProvider.
pub struct DeleteOpenIDConnectProvider;

impl Operation for DeleteOpenIDConnectProvider {
    constants!(Write "DeleteOpenIDConnectProvider", no result);
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
                let found: Arc<OidcProvider> =
                    access::existing::<Self, _>(context, tx.state(), &request.arn, |_, _| ())?;
                tx.delete(EntityKey::OidcProvider(found.id));
                Ok(())
            })
            .await
    }
}

/// One audience of a provider.
pub struct ClientRequest {
    provider: Request,
    client_id: String,
}

impl ClientRequest {
    fn read(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            provider: Request::of(v),
            client_id: v.required("ClientID", &rules::URL).to_owned(),
        })
    }

    fn describe(&self) -> Value {
        json!({ "openIDConnectProviderArn": self.provider.arn, "clientID": self.client_id })
    }
}

/// The operation AddClientIDToOpenIDConnectProvider. One that is there already stays.
pub struct AddClientID;

impl Operation for AddClientID {
    constants!(Write "AddClientIDToOpenIDConnectProvider", no result);
    type Request = ClientRequest;
    type Response = ();

    fn read(params: &Params) -> Result<ClientRequest, Fault> {
        ClientRequest::read(params)
    }

    fn describe(request: &ClientRequest) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: ClientRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let arn = &request.provider.arn;
                let found: Arc<OidcProvider> =
                    access::existing::<Self, _>(context, tx.state(), arn, |_, _| ())?;
                if !found.client_ids.contains(&request.client_id) {
                    let mut provider = OidcProvider::clone(&found);
                    provider.client_ids.push(request.client_id);
                    check_client_ids(context, provider.client_ids.len())?;
                    tx.put(Entity::OidcProvider(provider));
                }
                Ok(())
            })
            .await
    }
}

/// The operation RemoveClientIDFromOpenIDConnectProvider. One that is not there is no error.
pub struct RemoveClientID;

impl Operation for RemoveClientID {
    constants!(Write "RemoveClientIDFromOpenIDConnectProvider", no result);
    type Request = ClientRequest;
    type Response = ();

    fn read(params: &Params) -> Result<ClientRequest, Fault> {
        ClientRequest::read(params)
    }

    fn describe(request: &ClientRequest) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: ClientRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let arn = &request.provider.arn;
                let found: Arc<OidcProvider> =
                    access::existing::<Self, _>(context, tx.state(), arn, |_, _| ())?;
                let mut provider = OidcProvider::clone(&found);
                provider.client_ids.retain(|id| *id != request.client_id);
                if provider != *found {
                    tx.put(Entity::OidcProvider(provider));
                }
                Ok(())
            })
            .await
    }
}

/// The operation UpdateOpenIDConnectProviderThumbprint: the whole list is replaced.
pub struct UpdateThumbprint;

/// Whose, and the new list.
pub struct ThumbprintRequest {
    provider: Request,
    thumbprints: Vec<String>,
}

impl Operation for UpdateThumbprint {
    constants!(Write "UpdateOpenIDConnectProviderThumbprint", no result);
    type Request = ThumbprintRequest;
    type Response = ();

    fn read(params: &Params) -> Result<ThumbprintRequest, Fault> {
        let (provider, prints) = params::read(params, |v| {
            let prints = v.required_texts("ThumbprintList", 0..=MAX_LIST, &rules::THUMBPRINT);
            (Request::of(v), prints)
        })?;
        Ok(ThumbprintRequest { provider, thumbprints: thumbprints(&prints)? })
    }

    fn describe(request: &ThumbprintRequest) -> Value {
        json!({
            "openIDConnectProviderArn": request.provider.arn,
            "thumbprintList": request.thumbprints,
        })
    }

    async fn execute(context: &Context<'_>, request: ThumbprintRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let arn = &request.provider.arn;
                let found: Arc<OidcProvider> =
                    access::existing::<Self, _>(context, tx.state(), arn, |_, _| ())?;
                let provider = OidcProvider::clone(&found);
                let thumbprints = request.thumbprints;
                tx.put(Entity::OidcProvider(OidcProvider { thumbprints, ..provider }));
                Ok(())
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_https_urls_of_a_host_and_a_path() {
        for (url, expected) in [
            ("https://issuer.example", "issuer.example"),
            ("https://Issuer.Example/Path/x/", "issuer.example/Path/x"),
            ("HTTPS://kubernetes.default.svc:8443", "kubernetes.default.svc:8443"),
        ] {
            assert_eq!(issuer(url).unwrap(), expected);
        }
        for url in [
            "http://issuer.example",
            "issuer.example",
            "https://",
            "https:///path",
            "https://user@issuer.example",
            "https://issuer.example?x",
            "https://issuer.example/#x",
            "https://issuer..example",
            "https://issuer.example:0",
            "https://issuer.example:+1",
            "https://issuer.example:99999",
            "https://issuer.example/a b",
            "https://issuer.example/../x",
            "https://[::1]",
        ] {
            assert_eq!(
                issuer(url).unwrap_err().code(),
                crate::ops::fault::FaultCode::InvalidInput,
                "{url}"
            );
        }
    }
}
