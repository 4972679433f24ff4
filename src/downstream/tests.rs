//! Services as they are registered, and every way to register one badly.

use super::*;
use crate::id::AccountId;

const A: &str = "111111111111";
const B: &str = "222222222222";

fn service() -> ServiceSettings {
    ServiceSettings {
        name: "orders".into(),
        hosts: vec!["orders.example".into(), "10.0.0.1:8443".into()],
        account: A.into(),
        ..ServiceSettings::default()
    }
}

fn route(method: &str, path: &str) -> RouteSettings {
    RouteSettings {
        method: method.into(),
        path: path.into(),
        action: "orders:Do".into(),
        resource: "arn:aws:orders:::all".into(),
        body: None,
    }
}

fn refused(
    settings: &ServiceSettings,
    routes: &[RouteSettings],
) -> Vec<(Option<usize>, &'static str)> {
    let invalid = Service::new(settings, routes).err().unwrap_or_default();
    invalid.into_iter().map(|what| (what.route, what.field)).collect()
}

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

#[test]
fn what_is_not_said_is_closed() {
    let service = Service::new(&service(), &[]).unwrap();
    assert!(service.answers_to("ORDERS.example") && service.answers_to("10.0.0.1:8443"));
    assert!(!service.answers_to("orders.example:443") && !service.answers_to("10.0.0.1"));
    assert!(!service.answers_to("a.orders.example") && !service.answers_to(""));
    assert!(service.serves(account(A)) && !service.serves(account(B)));
    assert_eq!(service.body_rule(None), BodyRule::Verified);
    assert!(!service.gives_signing_keys() && !service.proxy_passes_body() && !service.is_mapped());
    assert_eq!(service.askers(), [Asker::Local]);
    assert!(service.asker_policy().is_none());
}

#[test]
fn accounts_are_those_that_are_listed() {
    let with = |accounts: &[&str]| {
        let accounts = Some(accounts.iter().map(|account| (*account).to_owned()).collect());
        Service::new(&ServiceSettings { accounts, ..service() }, &[])
    };
    let listed = with(&[B]).unwrap();
    assert!(listed.serves(account(B)) && !listed.serves(account(A)));
    assert!(with(&["*"]).unwrap().serves(account(B)));
    for bad in [&[][..], &["*", A], &["1"], &["11111111111*"]] {
        assert!(with(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn every_mistake_is_told_with_its_field() {
    let bad = ServiceSettings {
        name: "a/b".into(),
        hosts: vec!["*.orders.example".into()],
        region: Some("eu west".into()),
        account: "1".into(),
        askers: Some(vec!["anyone".into()]),
        proxy: Proxy::Nginx,
        proxy_passes_body: true,
        signing_keys: true,
        ..ServiceSettings::default()
    };
    let mut fields: Vec<_> = refused(&bad, &[]).into_iter().map(|(_, field)| field).collect();
    fields.sort_unstable();
    let all = [
        "account",
        "askers",
        "hosts",
        "name",
        "proxy",
        "proxy_passes_body",
        "region",
        "signing_keys",
    ];
    assert_eq!(fields, all);

    let routes = [
        RouteSettings { method: "get".into(), ..route("", "/a") },
        RouteSettings { action: "orders:*".into(), ..route("GET", "/b") },
        RouteSettings { resource: "x".into(), ..route("GET", "/c") },
        RouteSettings { action: "iam:CreateUser".into(), ..route("GET", "/d") },
        route("GET", "no"),
        RouteSettings::default(),
    ];
    let told = refused(&service(), &routes);
    for expected in [
        (Some(0), "method"),
        (Some(1), "action"),
        (Some(2), "resource"),
        (Some(3), "action"),
        (Some(4), "path"),
        (Some(5), "path"),
    ] {
        assert!(told.contains(&expected), "{expected:?} {told:?}");
    }
}

#[test]
fn routes_that_overlap_are_told_both() {
    let routes =
        [route("GET", "/orders/{id}"), route("POST", "/orders/{id}"), route("GET", "/orders/new")];
    let invalid = Service::new(&service(), &routes).unwrap_err();
    assert_eq!((invalid.len(), invalid[0].route, invalid[0].other), (1, Some(2), Some(0)));
}

#[test]
fn the_brokers_own_services_are_never_registered() {
    for name in ["sts", "iam", "STS", "organizations", "countersign", "rolesanywhere"] {
        let told = refused(&ServiceSettings { name: name.into(), ..service() }, &[]);
        assert_eq!(told, [(None, "name")], "{name}");
    }
}

#[test]
fn hosts_below_hosts_do_not_overlap() {
    let with = |hosts: [&str; 2]| {
        let settings = ServiceSettings {
            name: "s3".into(),
            hosts: hosts.map(str::to_owned).to_vec(),
            mapping: Some(BuiltIn::S3),
            ..service()
        };
        refused(&settings, &[])
    };
    for hosts in [
        ["*.s3.example", "*.example"],
        ["*.example", "*.s3.EXAMPLE"],
        ["*.s3.example", "*.S3.example"],
    ] {
        assert_eq!(with(hosts), [(None, "hosts")], "{hosts:?}");
    }
    for hosts in [["*.s3.example", "s3.example"], ["*.s3.example", "*.as3.example"]] {
        assert_eq!(with(hosts), [], "{hosts:?}");
    }
}

#[test]
fn two_services_have_two_names() {
    let of = |name: &str| {
        Service::new(&ServiceSettings { name: name.into(), ..service() }, &[]).unwrap()
    };
    let clash = Registry::new(vec![of("a"), of("b"), of("A")]).unwrap_err();
    assert_eq!((clash.service, clash.other), (2, 0));
    let registry = Registry::new(vec![of("a"), of("b")]).unwrap();
    assert!(registry.get("b").is_some() && registry.get("B").is_none());
}

#[test]
fn askers_are_known_by_what_they_list() {
    let names = CertificateNames {
        subject: "CN=orders,O=Example".into(),
        dns: vec!["Orders.Internal".into()],
        uris: vec!["spiffe://example/orders".into()],
        emails: vec!["orders@example.com".into()],
    };
    let with = |asker: &str| {
        let askers = Some(vec![asker.to_owned()]);
        Service::new(&ServiceSettings { askers, ..service() }, &[])
    };
    let near = Shown { local: true, certificate: None };
    let far = Shown { local: false, certificate: Some(&names) };
    for (asker, at_home, by_certificate) in [
        ("local", Some(Admission::Local), None),
        ("subject:CN=orders,O=Example", None, Some(Admission::Registered)),
        ("dns:orders.internal", None, Some(Admission::Registered)),
        ("uri:spiffe://example/orders", None, Some(Admission::Registered)),
        ("email:orders@example.com", None, Some(Admission::Registered)),
        ("subject:CN=orders", None, None),
        ("dns:internal", None, None),
        ("uri:orders.internal", None, None),
        ("arn:aws:iam::111111111111:role/orders", None, None),
    ] {
        let service = with(asker).unwrap();
        assert_eq!(service.admits(&near), at_home, "{asker}");
        assert_eq!(service.admits(&far), by_certificate, "{asker}");
        assert_eq!(service.askers()[0].to_string(), asker);
        assert_eq!(service.asker_policy().is_some(), asker.starts_with("arn:"));
    }
    for bad in [
        "",
        "Local",
        "dns:",
        "dns:*.internal",
        "cn:orders",
        "orders",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::111111111111:role/*",
        "arn:aws:sts::111111111111:assumed-role/orders/a",
        "*",
    ] {
        assert!(with(bad).is_err(), "{bad}");
    }
}
