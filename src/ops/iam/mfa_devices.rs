//! Virtual MFA devices: made, listed, deleted. Whose they are is `user_mfa`'s matter.
//!
//! A device's seed is told once, by CreateVirtualMFADevice, as text and as a picture. It is a
//! credential: without the record of its making it is withheld.
//!
//! Source: AWS IAM API reference, CreateVirtualMFADevice, DeleteVirtualMFADevice,
//! ListVirtualMFADevices.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::access::{self, New};
use super::kind::{Made as _, constants};
use super::page::{Page, Paging};
use super::tags;
use super::xml::{self, Detail};
use crate::directory::{Entity, EntityKey, MfaDevice, Tag, User};
use crate::id::DeviceId;
use crate::mfa::{Failures, Label, Seed, png};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation};
use crate::seal::stored;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// TagMFADevice: sets tags.
pub type TagMFADevice = tags::Tag<MfaDevice>;
/// UntagMFADevice: removes tags.
pub type UntagMFADevice = tags::Untag<MfaDevice>;
/// ListMFADeviceTags: all of them.
pub type ListMFADeviceTags = tags::List<MfaDevice>;

/// The longest serial number that requests can name, in characters.
const MAX_SERIAL: usize = 256;
/// The name that AWS gives a root user's device. Who looks for it must not find a user's.
const OF_ROOT: &str = "root-account-mfa-device";

/// The operation CreateVirtualMFADevice.
pub struct CreateVirtualMFADevice;

/// The device that is wanted.
pub struct CreateRequest {
    name: String,
    path: String,
    tags: Vec<Tag>,
}

/// The device and, this once, its seed.
pub struct Created {
    device: MfaDevice,
    /// Base32.
    seed: Zeroizing<String>,
    picture: Zeroizing<Vec<u8>>,
}

impl Operation for CreateVirtualMFADevice {
    constants!(Mint "CreateVirtualMFADevice");
    type Request = CreateRequest;
    type Response = Created;

    fn read(params: &Params) -> Result<CreateRequest, Fault> {
        let request = params::read(params, |v| CreateRequest {
            name: v.required("VirtualMFADeviceName", &rules::MFA_DEVICE_NAME).to_owned(),
            path: v.optional("Path", &rules::PATH).unwrap_or("/").to_owned(),
            tags: tags::owned(&v.tags("Tags")),
        })?;
        tags::check(&request.tags)?;
        Ok(request)
    }

    fn describe(request: &CreateRequest) -> Value {
        json!({
            "virtualMFADeviceName": request.name,
            "path": request.path,
            "tags": xml::told_tags(&request.tags),
        })
    }

    async fn execute(context: &Context<'_>, request: CreateRequest) -> Result<Created, Fault> {
        let services = context.services;
        let random = &*services.random;
        let id = DeviceId::generate(random).map_err(Fault::internal)?;
        let seed = Seed::generate(random).map_err(Fault::internal)?;
        let (device, shown) = context
            .change(|tx| {
                let CreateRequest { name, path, tags } = request;
                let new = New { path: &path, name: &name, tags: &tags, boundary: None };
                let account = access::to_create::<Self, MfaDevice>(context, tx.state(), &new)?;
                if name.eq_ignore_ascii_case(OF_ROOT) {
                    let message = format!("The name {OF_ROOT} is that of the root user's device.");
                    return Err(Fault::invalid_input(message));
                }
                let sealed = stored::seal_seed(&services.keyring, account, &id, &seed, random)
                    .map_err(Fault::internal)?;
                let device = MfaDevice {
                    id,
                    account,
                    name,
                    path,
                    created_at: context.facts.now.floor_secs(),
                    tags,
                    sealed,
                    user: None,
                    enabled_at: None,
                    drift: 0,
                    used: 0,
                    failures: Failures::default(),
                    tried_by: None,
                };
                if device.arn().len() > MAX_SERIAL {
                    return Err(Fault::invalid_input(format!(
                        "A serial number has at most {MAX_SERIAL} characters: path and name are \
                         too long."
                    )));
                }
                tx.put(Entity::MfaDevice(device.clone()));
                let alias = tx.state().account(account).and_then(|it| it.alias.clone());
                Ok((device, alias.unwrap_or_else(|| account.to_string())))
            })
            .await?;
        let uri = Label { device: &device.name, account: &shown }.uri(&seed);
        let picture = png(&uri).ok_or_else(|| Fault::internal("the QR code has no room"))?;
        Ok(Created { device, seed: seed.base32(), picture })
    }

    fn outcome(response: &Created) -> Value {
        json!({ "virtualMFADevice": { "serialNumber": response.device.arn() } })
    }

    fn write(response: &Created, xml: &mut Xml) {
        xml.element("VirtualMFADevice", |xml| {
            xml.text("SerialNumber", response.device.arn());
            // Both are binary values, the text too.
            let seed = Zeroizing::new(STANDARD.encode(response.seed.as_bytes()));
            xml.text("Base32StringSeed", seed.as_str());
            let picture = Zeroizing::new(STANDARD.encode(response.picture.as_slice()));
            xml.text("QRCodePNG", picture.as_str());
            xml::some_tags(xml, &response.device.tags);
        });
    }
}

/// The operation DeleteVirtualMFADevice: of one that is nobody's.
pub struct DeleteVirtualMFADevice;

/// Which.
pub struct DeleteRequest {
    serial: String,
}

impl Operation for DeleteVirtualMFADevice {
    constants!(Write "DeleteVirtualMFADevice", no result);
    type Request = DeleteRequest;
    type Response = ();

    fn read(params: &Params) -> Result<DeleteRequest, Fault> {
        params::read(params, |v| DeleteRequest {
            serial: v.required("SerialNumber", &rules::SERIAL_NUMBER).to_owned(),
        })
    }

    fn describe(request: &DeleteRequest) -> Value {
        json!({ "serialNumber": request.serial })
    }

    async fn execute(context: &Context<'_>, request: DeleteRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let serial = &request.serial;
                let found: Arc<MfaDevice> =
                    access::existing::<Self, _>(context, tx.state(), serial, |_, _| ())?;
                if found.user.is_some() {
                    return Err(Fault::new(
                        FaultCode::DeleteConflict,
                        "MFA VirtualDevice in use. Must deactivate first.",
                    ));
                }
                tx.delete(EntityKey::MfaDevice(found.id));
                Ok(())
            })
            .await
    }
}

/// Which devices are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Assigned {
    Yes,
    No,
    Any,
}

/// The operation ListVirtualMFADevices: those of the account.
pub struct ListVirtualMFADevices;

/// Which.
pub struct ListRequest {
    assigned: Assigned,
    paging: Paging,
}

/// A device and whose it is.
pub struct Told {
    device: Arc<MfaDevice>,
    user: Option<Arc<User>>,
}

impl Operation for ListVirtualMFADevices {
    constants!(Read "ListVirtualMFADevices");
    type Request = ListRequest;
    type Response = Page<Told>;

    fn read(params: &Params) -> Result<ListRequest, Fault> {
        let states =
            [("Assigned", Assigned::Yes), ("Unassigned", Assigned::No), ("Any", Assigned::Any)];
        params::read(params, |v| ListRequest {
            assigned: v.choice("AssignmentStatus", &states).unwrap_or(Assigned::Any),
            paging: Paging::read(v),
        })
    }

    fn describe(_: &ListRequest) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, request: ListRequest) -> Result<Page<Told>, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::to_list::<Self, MfaDevice>(context, &state, "/")?;
        let mut devices: Vec<_> = MfaDevice::all(&state, account)
            .filter(|device| match request.assigned {
                Assigned::Yes => device.user.is_some(),
                Assigned::No => device.user.is_none(),
                Assigned::Any => true,
            })
            .map(|device| (page_key(device), Arc::clone(device)))
            .collect();
        devices.sort_by(|(a, _), (b, _)| a.cmp(b));
        let page = request.paging.page::<Self, _>(context, "", devices)?;
        Ok(page.map(|device| {
            let user = device.user.and_then(|id| state.user(&id).cloned());
            Told { device, user }
        }))
    }

    fn write(response: &Page<Told>, xml: &mut Xml) {
        xml.list("VirtualMFADevices", &response.items, |xml, told| {
            xml.text("SerialNumber", told.device.arn());
            if let Some(user) = &told.user {
                xml.element("User", |xml| xml::user(xml, user, Detail::Listed));
            }
            if let Some(enabled_at) = told.device.enabled_at {
                xml.time("EnableDate", enabled_at);
            }
        });
        response.write_end(xml);
    }
}

/// What a device is listed by. Markers hold 128 bytes at most and names may be longer: those that
/// begin alike are told apart by the devices' IDs.
fn page_key(device: &MfaDevice) -> String {
    format!("{:.90} {}", device.name.to_ascii_lowercase(), device.id)
}
