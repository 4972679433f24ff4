//! MFA devices of users: enabled with two codes, synchronised with two more, deactivated, told.
//!
//! Source: AWS IAM API reference, EnableMFADevice, ResyncMFADevice, DeactivateMFADevice, GetMFADevice,
//! ListMFADevices. As the Service Authorization Reference has it, all of them are about the user; who
//! may make and delete devices is another matter.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use super::kind::{Kind as _, constants};
use super::page::{Page, Paging};
use super::quotas::Quota;
use crate::directory::{Entity, MfaDevice, Snapshot, Transaction, User};
use crate::id::UniqueId;
use crate::mfa::Code;
use crate::ops::fault::{self, Fault, FaultCode};
use crate::ops::params::{self, Text, Validator, rules};
use crate::ops::second_factor::{Attempt, Typed, attempt};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// A device, and two codes that it showed one after the other.
pub struct CodesRequest {
    user: String,
    serial: String,
    /// Both there, or the request was refused.
    codes: Option<(Code, Code)>,
}

impl CodesRequest {
    fn read(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| {
            let user = v.required("UserName", &rules::NAME).to_owned();
            let serial = v.required("SerialNumber", &rules::SERIAL_NUMBER).to_owned();
            let mut code = |name| Code::parse(v.required(name, &rules::TOKEN_CODE));
            let codes = code("AuthenticationCode1").zip(code("AuthenticationCode2"));
            Self { user, serial, codes }
        })
    }

    fn describe(&self) -> Value {
        json!({ "userName": self.user, "serialNumber": self.serial })
    }

    /// Holds the codes against a device. What is wrong is noted and answered when the write is over.
    ///
    /// # Errors
    /// Within: `InvalidAuthenticationCode`.
    fn attempt(
        &self,
        context: &Context<'_>,
        tx: &mut Transaction,
        device: &MfaDevice,
    ) -> Result<Result<MfaDevice, Fault>, Fault> {
        let invalid = |message: &str| Fault::new(FaultCode::InvalidAuthenticationCode, message);
        let wrong = || invalid("Authentication code for device is not valid.");
        let Some((first, second)) = &self.codes else { return Ok(Err(wrong())) };
        Ok(match attempt(context, tx, device, &Typed::Two(first, second))? {
            Attempt::Good(device) => Ok(*device),
            Attempt::Wrong => Err(wrong()),
            Attempt::TooMany(secs) => Err(invalid(&format!(
                "There were too many wrong codes. Try again in {secs} seconds."
            ))),
        })
    }
}

/// The operation EnableMFADevice: makes a device a user's.
pub struct EnableMFADevice;

impl Operation for EnableMFADevice {
    constants!(Write "EnableMFADevice", no result);
    type Request = CodesRequest;
    type Response = ();

    fn read(params: &Params) -> Result<CodesRequest, Fault> {
        CodesRequest::read(params)
    }

    fn describe(request: &CodesRequest) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: CodesRequest) -> Result<(), Fault> {
        let limit = context.services.quotas.mfa_devices_per_user;
        let per_user = Quota { name: "MFADevicesPerUser", limit };
        context
            .change(|tx| {
                let state = tx.state();
                let user: Arc<User> =
                    access::existing::<Self, _>(context, state, &request.user, |_, _| ())?;
                let device = MfaDevice::named(state, user.account, &request.serial)
                    .ok_or_else(|| MfaDevice::missing(&request.serial))?;
                if device.user.is_some() {
                    return Err(Fault::new(
                        FaultCode::EntityAlreadyExists,
                        "MFA Device is already in use.",
                    ));
                }
                per_user.check(state.mfa_devices_of_user(user.id).count() + 1)?;
                let device = match request.attempt(context, tx, &device)? {
                    Ok(device) => device,
                    Err(fault) => return Ok(Err(fault)),
                };
                let (user, enabled_at) = (Some(user.id), Some(context.facts.now.floor_secs()));
                tx.put(Entity::MfaDevice(MfaDevice { user, enabled_at, ..device }));
                Ok(Ok(()))
            })
            .await?
    }
}

/// The operation ResyncMFADevice: learns how far a device's clock is from ours now.
pub struct ResyncMFADevice;

impl Operation for ResyncMFADevice {
    constants!(Write "ResyncMFADevice", no result);
    type Request = CodesRequest;
    type Response = ();

    fn read(params: &Params) -> Result<CodesRequest, Fault> {
        CodesRequest::read(params)
    }

    fn describe(request: &CodesRequest) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: CodesRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let state = tx.state();
                let user: Arc<User> =
                    access::existing::<Self, _>(context, state, &request.user, |_, _| ())?;
                let device = of_user(state, user.id, &request.serial)?;
                let device = match request.attempt(context, tx, &device)? {
                    Ok(device) => device,
                    Err(fault) => return Ok(Err(fault)),
                };
                tx.put(Entity::MfaDevice(device));
                Ok(Ok(()))
            })
            .await?
    }
}

/// A device of a user: without a name, of the caller.
pub struct DeviceRequest {
    user: Option<String>,
    serial: String,
}

impl DeviceRequest {
    fn read(params: &Params, name: &Text) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            user: owner(v, name),
            serial: v.required("SerialNumber", &rules::SERIAL_NUMBER).to_owned(),
        })
    }

    fn describe(&self) -> Value {
        json!({ "userName": self.user, "serialNumber": self.serial })
    }
}

fn owner(v: &mut Validator<'_, '_>, name: &Text) -> Option<String> {
    v.optional("UserName", name).map(ToOwned::to_owned)
}

/// The operation DeactivateMFADevice: the device is nobody's any more. The codes that it showed stay
/// used.
pub struct DeactivateMFADevice;

impl Operation for DeactivateMFADevice {
    constants!(Write "DeactivateMFADevice", no result);
    type Request = DeviceRequest;
    type Response = ();

    fn read(params: &Params) -> Result<DeviceRequest, Fault> {
        DeviceRequest::read(params, &rules::NAME)
    }

    fn describe(request: &DeviceRequest) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: DeviceRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let name = request.user.as_deref();
                let user = access::user_or_caller::<Self>(context, tx.state(), name)?;
                let device = of_user(tx.state(), user.id, &request.serial)?;
                let device = MfaDevice::clone(&device);
                tx.put(Entity::MfaDevice(MfaDevice { user: None, enabled_at: None, ..device }));
                Ok(())
            })
            .await
    }
}

/// A device and the name of its user.
pub struct Told {
    user: String,
    device: Arc<MfaDevice>,
}

impl Told {
    fn write(&self, xml: &mut Xml) {
        xml.text("UserName", &self.user);
        xml.text("SerialNumber", self.device.arn());
        if let Some(enabled_at) = self.device.enabled_at {
            xml.time("EnableDate", enabled_at);
        }
    }
}

/// The operation GetMFADevice.
pub struct GetMFADevice;

impl Operation for GetMFADevice {
    constants!(Read "GetMFADevice");
    type Request = DeviceRequest;
    type Response = Told;

    fn read(params: &Params) -> Result<DeviceRequest, Fault> {
        DeviceRequest::read(params, &rules::USER_OR_ROLE_NAME)
    }

    fn describe(request: &DeviceRequest) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: DeviceRequest) -> Result<Told, Fault> {
        let state = context.services.directory.snapshot();
        let user = access::user_or_caller::<Self>(context, &state, request.user.as_deref())?;
        let device = of_user(&state, user.id, &request.serial)?;
        Ok(Told { user: user.name.clone(), device })
    }

    fn write(response: &Told, xml: &mut Xml) {
        response.write(xml);
    }
}

/// The operation ListMFADevices: those of a user.
pub struct ListMFADevices;

/// Whose.
pub struct ListRequest {
    user: Option<String>,
    paging: Paging,
}

impl Operation for ListMFADevices {
    constants!(Read "ListMFADevices");
    type Request = ListRequest;
    type Response = Page<Told>;

    fn read(params: &Params) -> Result<ListRequest, Fault> {
        params::read(params, |v| ListRequest {
            user: owner(v, &rules::NAME),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &ListRequest) -> Value {
        json!({ "userName": request.user })
    }

    async fn execute(context: &Context<'_>, request: ListRequest) -> Result<Page<Told>, Fault> {
        let state = context.services.directory.snapshot();
        // A root user has no device here: none is listed.
        let user = access::person_or_caller::<Self>(context, &state, request.user.as_deref())?;
        let id = user.id();
        let devices = state.mfa_devices_of_user(id).map(|it| (it.key(), Arc::clone(it)));
        let page = request.paging.page::<Self, _>(context, id.as_str(), devices)?;
        let name = user.name().unwrap_or_default();
        Ok(page.map(|device| Told { user: name.to_owned(), device }))
    }

    fn write(response: &Page<Told>, xml: &mut Xml) {
        xml.list("MFADevices", &response.items, |xml, told| told.write(xml));
        response.write_end(xml);
    }
}

/// The user's device of that serial number.
fn of_user(state: &Snapshot, user: UniqueId, serial: &str) -> Result<Arc<MfaDevice>, Fault> {
    let mut devices = state.mfa_devices_of_user(user);
    devices
        .find(|device| device.arn() == serial)
        .cloned()
        .ok_or_else(|| Fault::no_such_entity(fault::Entity::MfaDevice, serial))
}
