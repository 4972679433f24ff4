//! Virtual MFA devices and whose they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{must, refused};
use crate::mfa::{Seed, step_at};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, Credentials, element, elements, find};
use crate::time::Clock as _;

fn serial(name: &str) -> String {
    format!("arn:aws:iam::{A}:mfa{name}")
}

/// The seed in an answer of CreateVirtualMFADevice.
fn seed(answer: &str) -> Seed {
    let text = STANDARD.decode(element(answer, "Base32StringSeed")).unwrap();
    assert_eq!(text.len(), 64);
    Seed::from_bytes(Zeroizing::new(data_encoding::BASE32_NOPAD.decode(&text).unwrap()))
}

fn code(bench: &Bench, seed: &Seed, steps: i64) -> String {
    seed.code(step_at(bench.clock.now()) + steps).text()
}

/// Shows two codes, the first of them so many steps from now.
async fn show(
    bench: &Bench,
    caller: &Credentials,
    action: &str,
    device: (&str, &str),
    steps: i64,
) -> Result<String, crate::ops::fault::Fault> {
    let (user, serial) = device;
    let (first, second) = (bench.totp(steps), bench.totp(steps + 1));
    let ask = [
        ("UserName", user),
        ("SerialNumber", serial),
        ("AuthenticationCode1", &*first),
        ("AuthenticationCode2", &*second),
    ];
    bench.call(caller, action, &ask).await
}

#[tokio::test]
async fn the_life_of_a_device() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    must(bench, admin, "CreateUser", &[("UserName", "alice")]).await;
    let create = [
        ("VirtualMFADeviceName", "Phone"),
        ("Path", "/team/"),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    let made = must(bench, admin, "CreateVirtualMFADevice", &create).await;
    let serial = serial("/team/Phone");
    assert_eq!(element(&made, "SerialNumber"), serial);
    assert_eq!(find(&made, "Key"), Some("k"));
    let picture = STANDARD.decode(element(&made, "QRCodePNG")).unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    let seed = seed(&made);
    for again in ["Phone", "phone"] {
        let again = [("VirtualMFADeviceName", again)];
        let result = bench.call(admin, "CreateVirtualMFADevice", &again).await;
        let message = refused(result, FaultCode::EntityAlreadyExists);
        assert_eq!(message, "MFADevice entity at the same path and name already exists.");
    }
    let list = |status| async move {
        let ask = [("AssignmentStatus", status)];
        must(bench, admin, "ListVirtualMFADevices", &ask).await
    };
    for (status, there) in [("Unassigned", true), ("Assigned", false), ("Any", true)] {
        assert_eq!(find(&list(status).await, "SerialNumber").is_some(), there, "{status}");
    }
    let (first, second) = (code(bench, &seed, -1), code(bench, &seed, 0));
    let enable = [
        ("UserName", "alice"),
        ("SerialNumber", serial.as_str()),
        ("AuthenticationCode1", first.as_str()),
        ("AuthenticationCode2", second.as_str()),
    ];
    must(bench, admin, "EnableMFADevice", &enable).await;
    let told = list("Assigned").await;
    assert_eq!(element(&told, "UserName"), "alice");
    assert_eq!(element(&told, "EnableDate"), bench.clock_text());
    assert_eq!(find(&told, "Base32StringSeed"), None, "it is told once");
    assert_eq!(find(&list("Unassigned").await, "SerialNumber"), None);
    let user = [("UserName", "alice")];
    let own = [("UserName", "alice"), ("SerialNumber", serial.as_str())];
    for (action, ask) in [("ListMFADevices", &user[..]), ("GetMFADevice", &own)] {
        let told = must(bench, admin, action, ask).await;
        assert_eq!(element(&told, "UserName"), "alice", "{action}");
        assert_eq!(element(&told, "SerialNumber"), serial, "{action}");
        assert_eq!(element(&told, "EnableDate"), bench.clock_text(), "{action}");
    }
    let summary = must(bench, admin, "GetAccountSummary", &[]).await;
    for name in ["MFADevices", "MFADevicesInUse"] {
        assert!(summary.contains(&format!("<key>{name}</key><value>1</value>")), "{summary}");
    }
    let named = [("SerialNumber", serial.as_str())];
    let message = refused(bench.call(admin, "DeleteUser", &user).await, FaultCode::DeleteConflict);
    assert_eq!(message, "Cannot delete entity, must delete MFA device first.");
    let result = bench.call(admin, "DeleteVirtualMFADevice", &named).await;
    let message = refused(result, FaultCode::DeleteConflict);
    assert_eq!(message, "MFA VirtualDevice in use. Must deactivate first.");
    must(bench, admin, "DeactivateMFADevice", &own).await;
    refused(bench.call(admin, "GetMFADevice", &own).await, FaultCode::NoSuchEntity);
    refused(bench.call(admin, "DeactivateMFADevice", &own).await, FaultCode::NoSuchEntity);
    must(bench, admin, "DeleteUser", &user).await;
    must(bench, admin, "DeleteVirtualMFADevice", &named).await;
    let result = bench.call(admin, "DeleteVirtualMFADevice", &named).await;
    let message = refused(result, FaultCode::NoSuchEntity);
    assert_eq!(message, format!("VirtualMFADevice with serial number {serial} doesn't exist."));
    // INVARIANT (secrets stay secret): neither seed nor code is on record.
    let records = serde_json::to_string(&bench.records()).unwrap();
    assert!(records.contains("CreateVirtualMFADevice") && records.contains(&serial));
    for secret in [&*seed.base32(), &first, &second, element(&made, "QRCodePNG")] {
        assert!(!records.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn two_codes_in_a_row_make_a_device_a_users_and_are_used_then() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    for user in ["alice", "bob"] {
        must(bench, admin, "CreateUser", &[("UserName", user)]).await;
    }
    let phone = bench.mfa_device("phone", None).await;
    let device = ("alice", phone.as_str());
    let invalid = |result| refused(result, FaultCode::InvalidAuthenticationCode);
    // In the wrong order, and from too long ago.
    let swapped = [
        ("UserName", "alice"),
        ("SerialNumber", phone.as_str()),
        ("AuthenticationCode1", &*bench.totp(0)),
        ("AuthenticationCode2", &*bench.totp(-1)),
    ];
    let message = invalid(bench.call(admin, "EnableMFADevice", &swapped).await);
    assert_eq!(message, "Authentication code for device is not valid.");
    invalid(show(bench, admin, "EnableMFADevice", device, -12).await);
    show(bench, admin, "EnableMFADevice", device, -1).await.unwrap();
    for user in ["alice", "bob"] {
        let result = show(bench, admin, "EnableMFADevice", (user, &phone), 1).await;
        let message = refused(result, FaultCode::EntityAlreadyExists);
        assert_eq!(message, "MFA Device is already in use.");
    }
    // Another user gets it: not by the codes that were used.
    let own = [("UserName", "alice"), ("SerialNumber", phone.as_str())];
    must(bench, admin, "DeactivateMFADevice", &own).await;
    for steps in [-2, -1, 0] {
        invalid(show(bench, admin, "EnableMFADevice", ("bob", &phone), steps).await);
    }
    show(bench, admin, "EnableMFADevice", ("bob", &phone), 1).await.unwrap();
    let other = [("UserName", "alice"), ("SerialNumber", phone.as_str())];
    refused(bench.call(admin, "GetMFADevice", &other).await, FaultCode::NoSuchEntity);
    // What is no device, or no ARN at all, is not there.
    for missing in [&*serial("/none"), "GAHT12345678", "arn:aws:iam::222222222222:mfa/phone"] {
        let result = show(bench, admin, "EnableMFADevice", ("alice", missing), 3).await;
        refused(result, FaultCode::NoSuchEntity);
    }
    // Of another account neither the device nor its user is known.
    let result = show(bench, &bench.b, "ResyncMFADevice", ("bob", &phone), 3).await;
    refused(result, FaultCode::NoSuchEntity);
}

/// Museum M56, M57: neither blanks nor other digits make another code, and the case of a name makes no
/// other device.
#[tokio::test]
async fn museum_m56_m57_codes_and_devices_have_one_spelling() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    must(bench, admin, "CreateUser", &[("UserName", "alice")]).await;
    let phone = bench.mfa_device("phone", None).await;
    let (first, second) = (bench.totp(-1), bench.totp(0));
    for wrong in [format!(" {second}"), format!("{second} "), "１２３４５６".to_owned()] {
        let ask = [
            ("UserName", "alice"),
            ("SerialNumber", phone.as_str()),
            ("AuthenticationCode1", first.as_str()),
            ("AuthenticationCode2", wrong.as_str()),
        ];
        let result = bench.call(admin, "EnableMFADevice", &ask).await;
        let message = refused(result, FaultCode::ValidationError);
        assert!(!message.contains(wrong.trim()), "a code is not told back: {message}");
    }
    for spelled in [phone.to_uppercase(), phone.replace("phone", "Phone"), format!(" {phone}")] {
        let result = show(bench, admin, "EnableMFADevice", ("alice", &spelled), -1).await;
        assert!(
            [FaultCode::NoSuchEntity, FaultCode::ValidationError]
                .contains(&result.unwrap_err().code())
        );
    }
    show(bench, admin, "EnableMFADevice", ("ALICE", &phone), -1).await.unwrap();
}

#[tokio::test]
async fn wrong_codes_are_counted_and_make_the_device_wait() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    must(bench, admin, "CreateUser", &[("UserName", "alice")]).await;
    let phone = bench.mfa_device("phone", Some("alice")).await;
    let device = ("alice", phone.as_str());
    let resync = |steps| show(bench, admin, "ResyncMFADevice", device, steps);
    let invalid = |result| refused(result, FaultCode::InvalidAuthenticationCode);
    for _ in 0..5 {
        invalid(resync(-40).await);
    }
    let version = bench.services.directory.snapshot().version();
    let message = invalid(resync(-1).await);
    assert_eq!(message, "There were too many wrong codes. Try again in 30 seconds.");
    assert_eq!(bench.services.directory.snapshot().version(), version, "nothing is noted");
    bench.advance(29);
    invalid(resync(-1).await);
    bench.advance(1);
    resync(-1).await.unwrap();
    // A good code begins the count anew.
    for _ in 0..5 {
        invalid(resync(-40).await);
    }
    bench.advance(30);
    invalid(resync(-40).await);
    let message = invalid(resync(0).await);
    assert_eq!(message, "There were too many wrong codes. Try again in 60 seconds.");
}

/// A device that is nobody's is tried by everybody who may enable one for itself: what somebody
/// else gets wrong does not keep its maker from it.
#[tokio::test]
async fn wrong_codes_of_another_do_not_lock_a_device_that_is_nobody_s() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let own = serde_json::json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:EnableMFADevice",
        "Resource": "arn:aws:iam::*:user/${aws:username}",
    }]});
    let alice = bench.user(admin, "alice", &own.to_string()).await;
    let mallory = bench.user(admin, "mallory", &own.to_string()).await;
    let phone = bench.mfa_device("phone", None).await;
    let invalid = |result| refused(result, FaultCode::InvalidAuthenticationCode);
    let guess = || show(bench, &mallory, "EnableMFADevice", ("mallory", &phone), -40);
    for _ in 0..5 {
        invalid(guess().await);
    }
    // Guessing stays slow for who guesses, even if it comes upon the codes.
    let message = invalid(show(bench, &mallory, "EnableMFADevice", ("mallory", &phone), -1).await);
    assert_eq!(message, "There were too many wrong codes. Try again in 30 seconds.");
    // A slip of the maker's is not the sixth.
    invalid(show(bench, &alice, "EnableMFADevice", ("alice", &phone), -40).await);
    show(bench, &alice, "EnableMFADevice", ("alice", &phone), -1).await.unwrap();
}

#[tokio::test]
async fn quotas_and_names_of_devices() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    must(bench, admin, "CreateUser", &[("UserName", "alice")]).await;
    for number in 1..=8 {
        bench.mfa_device(&format!("d{number}"), Some("alice")).await;
    }
    let ninth = bench.mfa_device("d9", None).await;
    let result = show(bench, admin, "EnableMFADevice", ("alice", &ninth), -1).await;
    let message = refused(result, FaultCode::LimitExceeded);
    assert_eq!(message, "Cannot exceed quota for MFADevicesPerUser: 8");
    let report = |answer: &str| elements(answer, "SerialNumber").count();
    let listed = must(bench, admin, "ListMFADevices", &[("UserName", "alice")]).await;
    assert_eq!(report(&listed), 8);
    let page = must(bench, admin, "ListVirtualMFADevices", &[("MaxItems", "5")]).await;
    let rest = [("Marker", element(&page, "Marker")), ("MaxItems", "5")];
    let rest = must(bench, admin, "ListVirtualMFADevices", &rest).await;
    let mut all: Vec<_> =
        [&page, &rest].iter().flat_map(|it| elements(it, "SerialNumber")).collect();
    let sorted = all.clone();
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), &all), (9, &sorted));
    for name in ["root-account-mfa-device", "Root-Account-MFA-Device"] {
        let ask = [("VirtualMFADeviceName", name)];
        let result = bench.call(admin, "CreateVirtualMFADevice", &ask).await;
        refused(result, FaultCode::InvalidInput);
    }
    let long = format!("/{}/", "x".repeat(400));
    let ask = [("VirtualMFADeviceName", "x"), ("Path", long.as_str())];
    let result = bench.call(admin, "CreateVirtualMFADevice", &ask).await;
    refused(result, FaultCode::InvalidInput);
    let longest = "x".repeat(226);
    let ask = [("VirtualMFADeviceName", longest.as_str())];
    let made = must(bench, admin, "CreateVirtualMFADevice", &ask).await;
    assert_eq!(element(&made, "SerialNumber").len(), 256);
}

/// As AWS's example for users who manage their own devices: devices have no owner, users do.
#[tokio::test]
async fn a_user_may_manage_its_own_devices() {
    let bench = Bench::new().await;
    let bench = &bench;
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow",
            "Action": ["iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"],
            "Resource": "arn:aws:iam::*:mfa/*",
        },
        {
            "Effect": "Allow",
            "Action": [
                "iam:EnableMFADevice", "iam:ResyncMFADevice", "iam:ListMFADevices",
                "iam:DeactivateMFADevice", "iam:GetMFADevice",
            ],
            "Resource": "arn:aws:iam::*:user/${aws:username}",
        },
    ]});
    let alice = bench.user(&bench.a, "alice", &policy.to_string()).await;
    must(bench, &bench.a, "CreateUser", &[("UserName", "bob")]).await;
    let new = [("VirtualMFADeviceName", "any")];
    must(bench, &alice, "CreateVirtualMFADevice", &new).await;
    let phone = bench.mfa_device("phone", None).await;
    let result = show(bench, &alice, "EnableMFADevice", ("bob", &phone), -1).await;
    refused(result, FaultCode::AccessDenied);
    show(bench, &alice, "EnableMFADevice", ("alice", &phone), -1).await.unwrap();
    // No name means the caller.
    let own = [("SerialNumber", phone.as_str())];
    let told = must(bench, &alice, "ListMFADevices", &[]).await;
    assert_eq!(element(&told, "SerialNumber"), phone);
    must(bench, &alice, "GetMFADevice", &own).await;
    must(bench, &alice, "DeactivateMFADevice", &own).await;
    must(bench, &alice, "DeleteVirtualMFADevice", &own).await;
    // Tags need their own action.
    let tagged = [new[0], ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let tagged = [&[("VirtualMFADeviceName", "other")], &tagged[1..]].concat();
    let result = bench.call(&alice, "CreateVirtualMFADevice", &tagged).await;
    assert!(refused(result, FaultCode::AccessDenied).contains("iam:TagMFADevice"));
}
