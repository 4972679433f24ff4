//! Lists of what does not exist here: passwords, certificates, SSH keys, and the passwords of single
//! services. Nobody can make one, so that the truthful answer is an empty list
//! or 'no such entity'; tools that delete a user ask for all of them.
//!
//! Source: AWS IAM API reference, ListSSHPublicKeys and its kin, GetLoginProfile, DeleteLoginProfile.

use serde_json::{Value, json};

use super::access;
use super::kind::constants;
use super::page::Paging;
use crate::ops::fault::{self, Fault};
use crate::ops::params::{self, Text, Validator, rules};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// A listing of what a user, or the account, has none of.
pub struct Request {
    user: Option<String>,
}

impl Request {
    /// `user` is the rule for `UserName`, if the operation has one; without the parameter it is the
    /// caller.
    fn read(
        params: &Params,
        user: Option<&Text>,
        more: impl FnOnce(&mut Validator<'_, '_>),
    ) -> Result<Self, Fault> {
        params::read(params, |v| {
            // There is one page, and no marker of a second.
            let _ = Paging::read(v);
            more(v);
            Self { user: user.and_then(|rule| v.optional("UserName", rule)).map(ToOwned::to_owned) }
        })
    }
}

/// Listings of what users have none of.
macro_rules! of_user {
    ($($(#[$doc:meta])* $name:ident $list:literal, $rule:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Operation for $name {
            constants!(Read stringify!($name));
            type Request = Request;
            type Response = ();

            fn read(params: &Params) -> Result<Request, Fault> {
                Request::read(params, Some(&$rule), |_| ())
            }

            fn describe(request: &Request) -> Value {
                json!({ "userName": request.user })
            }

            async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
                let state = context.services.directory.snapshot();
                access::person_or_caller::<Self>(context, &state, request.user.as_deref())?;
                Ok(())
            }

            fn write((): &(), xml: &mut Xml) {
                write_none($list, xml);
            }
        }
    )*};
}

of_user! {
    /// The operation ListSSHPublicKeys.
    ListSSHPublicKeys "SSHPublicKeys", rules::USER_OR_ROLE_NAME;
    /// The operation ListSigningCertificates.
    ListSigningCertificates "Certificates", rules::NAME;
}

fn write_none(list: &'static str, xml: &mut Xml) {
    xml.texts(list, [""; 0]);
    xml.value("IsTruncated", false);
}

/// The operation ListServerCertificates.
pub struct ListServerCertificates;

impl Operation for ListServerCertificates {
    constants!(Read "ListServerCertificates");
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        Request::read(params, None, |v| {
            v.optional("PathPrefix", &rules::PATH_PREFIX);
        })
    }

    fn describe(_: &Request) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, _: Request) -> Result<(), Fault> {
        let state = context.services.directory.snapshot();
        access::in_account::<Self>(context, &state)?;
        Ok(())
    }

    fn write((): &(), xml: &mut Xml) {
        write_none("ServerCertificateMetadataList", xml);
    }
}

/// The operation ListServiceSpecificCredentials: of a user, or of all.
pub struct ListServiceSpecificCredentials;

/// Whose.
pub struct CredentialsRequest {
    user: Option<String>,
    all: bool,
}

impl Operation for ListServiceSpecificCredentials {
    constants!(Read "ListServiceSpecificCredentials");
    type Request = CredentialsRequest;
    type Response = ();

    fn read(params: &Params) -> Result<CredentialsRequest, Fault> {
        let mut all = false;
        let request = Request::read(params, Some(&rules::USER_OR_ROLE_NAME), |v| {
            v.optional("ServiceName", &Text::any(0, 1000));
            all = v.boolean("AllUsers").unwrap_or(false);
        })?;
        if all && request.user.is_some() {
            return Err(Fault::invalid_combination("UserName and AllUsers exclude each other."));
        }
        Ok(CredentialsRequest { user: request.user, all })
    }

    fn describe(request: &CredentialsRequest) -> Value {
        json!({ "userName": request.user, "allUsers": request.all })
    }

    async fn execute(context: &Context<'_>, request: CredentialsRequest) -> Result<(), Fault> {
        let state = context.services.directory.snapshot();
        if request.all {
            access::in_account::<Self>(context, &state)?;
        } else {
            access::user_or_caller::<Self>(context, &state, request.user.as_deref())?;
        }
        Ok(())
    }

    fn write((): &(), xml: &mut Xml) {
        write_none("ServiceSpecificCredentials", xml);
    }
}

/// Whose password.
pub struct ProfileRequest {
    user: Option<String>,
}

impl ProfileRequest {
    fn read(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            user: v.optional("UserName", &rules::USER_OR_ROLE_NAME).map(ToOwned::to_owned),
        })
    }

    /// For a caller who may do `O` to the user: he has none.
    fn none<O: Operation>(&self, context: &Context<'_>) -> Fault {
        let state = context.services.directory.snapshot();
        match access::person_or_caller::<O>(context, &state, self.user.as_deref()) {
            Ok(owner) => {
                let name = owner.name().unwrap_or("root");
                Fault::no_such_entity(fault::Entity::LoginProfile, name)
            }
            Err(fault) => fault,
        }
    }
}

/// The operation GetLoginProfile: nobody has a password.
pub struct GetLoginProfile;

impl Operation for GetLoginProfile {
    constants!(Read "GetLoginProfile");
    type Request = ProfileRequest;
    type Response = ();

    fn read(params: &Params) -> Result<ProfileRequest, Fault> {
        ProfileRequest::read(params)
    }

    fn describe(request: &ProfileRequest) -> Value {
        json!({ "userName": request.user })
    }

    async fn execute(context: &Context<'_>, request: ProfileRequest) -> Result<(), Fault> {
        Err(request.none::<Self>(context))
    }
}

/// The operation DeleteLoginProfile: there is none to delete.
pub struct DeleteLoginProfile;

impl Operation for DeleteLoginProfile {
    constants!(Write "DeleteLoginProfile", no result);
    type Request = ProfileRequest;
    type Response = ();

    fn read(params: &Params) -> Result<ProfileRequest, Fault> {
        ProfileRequest::read(params)
    }

    fn describe(request: &ProfileRequest) -> Value {
        json!({ "userName": request.user })
    }

    async fn execute(context: &Context<'_>, request: ProfileRequest) -> Result<(), Fault> {
        Err(request.none::<Self>(context))
    }
}
