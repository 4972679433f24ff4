//! Requests that are signed by the key of a certificate: OpenSSL's signatures over one request.

use data_encoding::HEXLOWER;

use super::*;

/// A key in the form that it is given in, and its signature over [`request`].
struct Vector {
    algorithm: &'static str,
    key: CertificateKey,
    signature: &'static str,
}

fn vectors() -> [Vector; 3] {
    let bytes = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
    let vector = |algorithm, key, signature| Vector { algorithm, key, signature };
    [
        vector("AWS4-X509-ECDSA-SHA256", CertificateKey::p256(&bytes(P256.0)), P256.1),
        vector("AWS4-X509-ECDSA-SHA256", CertificateKey::p384(&bytes(P384.0)), P384.1),
        vector("AWS4-X509-RSA-SHA256", CertificateKey::rsa(&bytes(RSA.0)), RSA.1),
    ]
}

fn request(algorithm: &str, signature: &str) -> Request {
    let mut request = Request::new(
        "POST",
        "/sessions",
        &[
            ("Host", "countersign.test"),
            ("Content-Type", "application/json"),
            ("X-Amz-Date", "20150830T123600Z"),
            ("X-Amz-X509", "Y2VydGlmaWNhdGU="),
        ],
        r#"{"durationSeconds":900}"#,
    );
    let scope = "20150830/eu-west-1/rolesanywhere/aws4_request";
    let signed = "content-type;host;x-amz-date;x-amz-x509";
    let authorization = format!(
        "{algorithm} Credential=1193046/{scope}, SignedHeaders={signed}, Signature={signature}"
    );
    request.add("Authorization", &authorization);
    request
}

fn check(request: &Request, key: &CertificateKey) -> Result<Verified, SigError> {
    request.with(|head| {
        let presented = parse_x509(head)?.expect("credentials");
        verify_x509(&presented, key, Body::Bytes(&request.body), &standard())
    })
}

#[test]
fn a_signature_holds_for_its_own_key_and_algorithm_alone() {
    for (own, vector) in vectors().iter().enumerate() {
        for (other, of) in vectors().iter().enumerate() {
            for algorithm in ["AWS4-X509-ECDSA-SHA256", "AWS4-X509-RSA-SHA256"] {
                let result = check(&request(algorithm, vector.signature), &of.key);
                let good = own == other && algorithm == vector.algorithm;
                assert_eq!(result.is_ok(), good, "{own} {other} {algorithm}");
            }
        }
    }
}

#[test]
fn what_is_changed_after_it_was_signed_is_refused() {
    for vector in vectors() {
        let good = request(vector.algorithm, vector.signature);
        let mut body = good.clone();
        body.body.push(b' ');
        let mut target = good.clone();
        target.target.push('/');
        let mut method = good.clone();
        method.method = "PUT".to_owned();
        let mut header = good.clone();
        header.set("x-amz-x509", "b3RoZXI=");
        for changed in [body, target, method, header] {
            let error = check(&changed, &vector.key).unwrap_err();
            assert!(matches!(error, SigError::SignatureDoesNotMatch { .. }), "{error}");
        }
    }
}

#[test]
fn each_rule_of_its_form_is_kept() {
    let [vector, ..] = vectors();
    let good = request(vector.algorithm, vector.signature);
    let refusal = |change: &dyn Fn(&mut Request)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed.with(|head| parse_x509(head).map(|_| ())).unwrap_err()
    };
    for method in ["", "PO ST", "POST\u{e9}"] {
        let error = refusal(&|it| it.method = method.to_owned());
        assert_eq!(error, SigError::MalformedMethod, "{method}");
    }
    let unsigned = |name: &'static str| {
        refusal(&|it| {
            let authorization = it.get("authorization");
            it.set("authorization", &authorization.replace(&format!("{name};"), ""));
        })
    };
    let not_signed = SigError::HeaderNotSigned { name: "content-type".to_owned() };
    assert_eq!(unsigned("content-type"), not_signed);
    assert!(matches!(unsigned("x-amz-date"), SigError::HeaderNotSigned { .. }));
    let error = refusal(&|it| {
        it.remove("x-amz-x509");
        let authorization = it.get("authorization");
        it.set("authorization", &authorization.replace(";x-amz-x509", ""));
    });
    let missing = Missing { credential: true, ..Missing::default() };
    assert_eq!(error, SigError::Incomplete { form: Form::Header, missing });
    let error = refusal(&|it| it.target.push_str("?X-Amz-Signature=00"));
    assert_eq!(error, SigError::ConflictingCredentials);
    let error = refusal(&|it| {
        let authorization =
            it.get("authorization").replace(";x-amz-x509", ";x-amz-security-token;x-amz-x509");
        it.add("x-amz-security-token", "token");
        it.set("authorization", &authorization);
    });
    assert_eq!(error, SigError::ConflictingCredentials);
    let error = refusal(&|it| {
        let authorization = it.get("authorization");
        it.set("authorization", &authorization.replace("AWS4-X509-ECDSA", "AWS4-HMAC"));
    });
    assert_eq!(error, SigError::UnsupportedAlgorithm);
    let mut anonymous = good.clone();
    anonymous.remove("authorization");
    assert!(anonymous.with(|head| parse_x509(head).unwrap().is_none()));
}

/// Key and signature.
const P256: (&str, &str) = (
    "04e3c41b952a40e5ecf3d6943c80027223551b63d96d313a4882c88eaaacdfb7e51ca04cd827873cce174ecfaa\
     f5a62b9da04ad91157e5a007905cd5513337828e",
    "30440220161d14f5454db3ea03d3d0d42be70bb02378fa086667628d41b2a94aac7d3d070220315947150056f4\
     6d9a1d45e3058bb01e9583076d3cff281d092f680a9c79a750",
);
/// Key and signature.
const P384: (&str, &str) = (
    "0410ae948af5ee4888646a5ea37f8630f4acbb1f62c9714cde83d15836d4230d264f27799a56816f9a0d4ff617\
     6fd72a5c56be3793d2902e13d0420d7697e8baf353a92f022eb69c4e8cf59cf7e83b73ff1fd8047652d73e149b\
     e24a4b7c7eeb41",
    "3066023100f256934b9a107dce291a0ff474a1f7bc497d5a1085f923f9d2ebb68dca9e84f555ff445986246cf3\
     62d6f73b923112bf0231009f59603702a659e3fa154833eca1e4ec3c13bb503e57be50d35666c60ecb20c622c7\
     0331b439d1570f099501dc2c9364",
);
/// Key and signature.
const RSA: (&str, &str) = (
    "3082010a02820101009afefc5eeb2ea64a49eaa37532102771a3921be862ce0e97004931ff71791a79c09088e6\
     548d59584b9f1c307a99e602ae86527ac61ae591b436ae5b9f65df7252fa72f0001a48a36bcfdc2457dde389ee\
     3389ecb33479bd251a9088b7da705e0e8712c6a948a629707f550f4ac75d27d20c6613c15f3c707bee78f899d5\
     b509b637b508d3c65efe7ef317bf1d8df55a9a28f554478c5207e23a3b3a152b8871a3092ebde2c40610559d99\
     4ce7a6daae2463fccb28af57d67ce15593c711d5bc8ff8c689b89eb19f8e8b46ac3c7b9b33e8e6362f8a5e545c\
     2f901933ab76273d43868539424d0f9a07fdc9f35ba0226cc5661dd22372e4f02e658fd5be6d9efd0203010001",
    "13e5494815f346de5daf5801bad0ab18ba3bfec485f1136d80fd20726c9c45cff14e044762213062cdd50fd983\
     dce085e1154ea53aa5a82e1c8a63062f2873c2bd10f206cbb6dcf79e26ef46b902999e663d60e8ad8c846b99ff\
     a0223d9be5199a2a1e34a3a2428d61be75898fc3fdd660187f6a7ac3c39ea5d926d9abd50e7af902708cc019bd\
     f2138f97f3cae1895b4da79a7a2803d37a73dddf42321f2b740702be0cf70805e177a902ed4a825030f1e6d51b\
     2e0d39f7f82d4ca9131f2c3cbe4a791476bbad9cbd11ce8fbd9e854019aa443c1404c03f7c772ff0a78bf357fb\
     c7ea7f6950ca5e4335494974ed3f872d2b9529f7be62ed649ca82990522cb7",
);
