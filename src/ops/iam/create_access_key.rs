//! CreateAccessKey: a long-term key. This is the one answer that holds its secret.
//!
//! Source: AWS IAM API reference, CreateAccessKey.

use serde_json::{Value, json};

use super::access;
use super::quotas::Quota;
use crate::directory::{AccessKey, Entity, KeyStatus};
use crate::id::{AccessKeyId, AccessKeyKind};
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::seal::stored;
use crate::secret::SecretAccessKey;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct CreateAccessKey;

/// Whose.
pub struct Request {
    user: Option<String>,
}

/// A key with its secret.
pub struct Response {
    user: String,
    key: AccessKey,
    secret: SecretAccessKey,
}

impl Operation for CreateAccessKey {
    const NAME: &'static str = "CreateAccessKey";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Mint;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            user: v.optional("UserName", &rules::NAME).map(ToOwned::to_owned),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "userName": request.user })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let services = context.services;
        let random = &*services.random;
        context
            .change(|tx| {
                let name = request.user.as_deref();
                let user = access::user_or_caller::<Self>(context, tx.state(), name)?;
                let limit = services.quotas.access_keys_per_user;
                let per_user = Quota { name: "AccessKeysPerUser", limit };
                per_user.check(tx.state().access_keys_of(user.id).count() + 1)?;
                let id = AccessKeyId::generate(AccessKeyKind::LongTerm, user.account, random)
                    .map_err(Fault::internal)?;
                if tx.state().access_key(&id).is_some() {
                    return Err(Fault::unavailable("the access key ID that was drawn is taken"));
                }
                let secret = SecretAccessKey::generate(random).map_err(Fault::internal)?;
                let sealed = stored::seal(&services.keyring, &user.id, &id, &secret, random)
                    .map_err(Fault::internal)?;
                let key = AccessKey {
                    id,
                    user: user.id,
                    sealed,
                    status: KeyStatus::Active,
                    created_at: context.facts.now.floor_secs(),
                    revoked: None,
                    unconfirmed: false,
                    put_away: false,
                };
                tx.put(Entity::AccessKey(key.clone()));
                Ok(Response { user: user.name.clone(), key, secret })
            })
            .await
    }

    fn outcome(response: &Response) -> Value {
        json!({
            "accessKey": {
                "userName": response.user,
                "accessKeyId": response.key.id.as_str(),
                "status": response.key.status.as_str(),
                "createDate": response.key.created_at.to_rfc3339(),
            },
        })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.element("AccessKey", |xml| {
            xml.text("UserName", &response.user);
            xml.text("AccessKeyId", response.key.id.as_str());
            xml.text("Status", response.key.status.as_str());
            xml.text("SecretAccessKey", response.secret.expose());
            xml.time("CreateDate", response.key.created_at);
        });
    }
}
