"""A SAML identity provider made of two independent implementations of XML signatures: xmlsec
(libxmlsec1, in C) and signxml (Python on lxml).

As a program it writes the golden files of the unit tests:

    saml_idp.py DIRECTORY
"""

import base64
import datetime
import itertools
import pathlib
import sys
from xml.sax.saxutils import escape, quoteattr

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import SignatureConstructionMethod, XMLSigner

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
AWS = "https://aws.amazon.com/SAML/Attributes/"
SIGN_IN = "https://signin.aws.amazon.com/saml"

# Name: curve or None for RSA, algorithm, digest.
ALGORITHMS = {
    "rsa-sha256": (None, "sha256"),
    "rsa-sha384": (None, "sha384"),
    "rsa-sha512": (None, "sha512"),
    "ecdsa-sha256": (ec.SECP256R1, "sha256"),
    "ecdsa-sha384": (ec.SECP384R1, "sha384"),
}
FORMS = {"assertion": ("Assertion",), "response": ("Response",), "both": ("Assertion", "Response")}
MAKERS = ("xmlsec", "signxml")
# Three ways in which providers write the same: prefixes, default namespaces, types with inclusive
# namespaces.
STYLES = ("prefixes", "defaults", "typed")

_counter = itertools.count(1)


def stamp(seconds):
    time = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


class Key:
    """A private key and its certificate."""

    def __init__(self, curve=None):
        if curve is None:
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            self.key = ec.generate_private_key(curve())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
        day = datetime.timedelta(days=1)
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + 365 * day)
            .sign(self.key, hashes.SHA256())
        )
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM)
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.pem = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def metadata(entity, keys, valid_until=None):
    """The metadata of a provider that signs with these keys."""
    until = f" validUntil={quoteattr(valid_until)}" if valid_until else ""
    described = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data>'
        f"<ds:X509Certificate>\n{base64.encodebytes(key.der).decode()}</ds:X509Certificate>"
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for key in keys
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f"entityID={quoteattr(entity)}{until}>\n"
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{SAMLP}">{described}\n'
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        'Location="https://idp.example/sso"/>\n'
        "</md:IDPSSODescriptor>\n</md:EntityDescriptor>\n"
    )


class Response:
    """What a response says. Each member can be set before it is written."""

    def __init__(self, entity, now, pairs, session_name="alice@example.com"):
        self.entity = entity
        self.now = now
        self.id = f"_r{next(_counter):06x}"
        self.assertion_id = f"_a{next(_counter):06x}"
        self.subject = "alice"
        self.format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
        self.recipient = SIGN_IN
        self.audience = SIGN_IN
        self.issued = now - 5
        self.not_before = now - 10
        self.not_on_or_after = now + 240
        self.session_not_on_or_after = now + 7200
        self.attributes = [(AWS + "Role", list(pairs)), (AWS + "RoleSessionName", [session_name])]

    def write(self, style="prefixes"):
        """The XML, with placeholders where signatures may go."""
        typed = ' xsi:type="xs:string"' if style == "typed" else ""
        spaces = (
            ' xmlns:xs="http://www.w3.org/2001/XMLSchema"'
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            if style == "typed"
            else ""
        )
        if style == "defaults":
            p, a = "", ""
            response, assertion, issuer = f' xmlns="{SAMLP}"', f' xmlns="{SAML}"', f' xmlns="{SAML}"'
        else:
            p, a = "samlp:", "saml:"
            response, assertion, issuer = f' xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}"', "", ""
            assertion = spaces
        line = "" if style == "defaults" else "\n  "
        values = "".join(
            f'{line}<{a}Attribute Name={quoteattr(name)} NameFormat="urn:oasis:names:tc:SAML:2.0:'
            'attrname-format:uri">'
            + "".join(f"<{a}AttributeValue{typed}>{escape(value)}</{a}AttributeValue>" for value in given)
            + f"</{a}Attribute>"
            for name, given in self.attributes
        )
        return (
            f"<{p}Response{response} ID={quoteattr(self.id)} Version=\"2.0\" "
            f'IssueInstant="{stamp(self.issued)}" Destination={quoteattr(self.recipient)}>'
            f"<{a}Issuer{issuer}>{escape(self.entity)}</{a}Issuer>{line}"
            f'<{p}Status><{p}StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'
            f"</{p}Status>{line}"
            f"<{a}Assertion{assertion} ID={quoteattr(self.assertion_id)} Version=\"2.0\" "
            f'IssueInstant="{stamp(self.issued)}"><{a}Issuer>{escape(self.entity)}</{a}Issuer>{line}'
            f"<{a}Subject><{a}NameID Format={quoteattr(self.format)}>{escape(self.subject)}</{a}NameID>"
            f'<{a}SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
            f"<{a}SubjectConfirmationData Recipient={quoteattr(self.recipient)} "
            f'NotOnOrAfter="{stamp(self.not_on_or_after)}"/></{a}SubjectConfirmation></{a}Subject>{line}'
            f'<{a}Conditions NotBefore="{stamp(self.not_before)}" '
            f'NotOnOrAfter="{stamp(self.not_on_or_after)}"><{a}AudienceRestriction>'
            f"<{a}Audience>{escape(self.audience)}</{a}Audience></{a}AudienceRestriction></{a}Conditions>{line}"
            f'<{a}AuthnStatement AuthnInstant="{stamp(self.issued)}" '
            f'SessionNotOnOrAfter="{stamp(self.session_not_on_or_after)}"><{a}AuthnContext>'
            f"<{a}AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
            f"</{a}AuthnContextClassRef></{a}AuthnContext></{a}AuthnStatement>{line}"
            f"<{a}AttributeStatement>{values}</{a}AttributeStatement></{a}Assertion></{p}Response>"
        )


def _place(element, signature):
    """Puts a signature where the schema has it: after the issuer."""
    element.insert(1, signature)


def _xmlsec(element, algorithm, key, prefixes):
    curve, digest = ALGORITHMS[algorithm]
    transform = xmlsec.constants
    method = getattr(transform, "Transform" + algorithm.replace("-", " ").title().replace(" ", ""))
    hashed = getattr(transform, "Transform" + digest.title())
    signature = xmlsec.template.create(element, transform.TransformExclC14N, method, ns="ds")
    _place(element, signature)
    reference = xmlsec.template.add_reference(signature, hashed, uri="#" + element.get("ID"))
    xmlsec.template.add_transform(reference, transform.TransformEnveloped)
    canonical = xmlsec.template.add_transform(reference, transform.TransformExclC14N)
    if prefixes:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(canonical, prefixes)
    info = xmlsec.template.ensure_key_info(signature)
    xmlsec.template.add_x509_data(info)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key.pem, transform.KeyDataFormatPem)
    context.key.load_cert_from_memory(key.certificate, transform.KeyDataFormatPem)
    context.register_id(element, "ID")
    context.sign(signature)
    return element


def _signxml(element, algorithm, key):
    placeholder = etree.Element(f"{{{DS}}}Signature", nsmap={"ds": DS})
    placeholder.set("Id", "placeholder")
    _place(element, placeholder)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=algorithm,
        digest_algorithm=ALGORITHMS[algorithm][1],
        c14n_algorithm=EXCLUSIVE,
    )
    return signer.sign(
        element,
        key=key.pem,
        cert=key.certificate.decode(),
        reference_uri="#" + element.get("ID"),
    )


def sign(text, form, algorithm, key, maker="xmlsec", prefixes=None):
    """Signs what the form says, the innermost first."""
    tree = etree.fromstring(text.encode())
    for name in FORMS[form]:
        if name == "Assertion":
            element = tree.find(f"{{{SAML}}}Assertion")
        else:
            element = tree
        if maker == "xmlsec":
            _xmlsec(element, algorithm, key, prefixes)
        else:
            signed = _signxml(element, algorithm, key)
            if element is tree:
                tree = signed
            else:
                tree.replace(element, signed)
    return etree.tostring(tree, encoding="unicode")


def encode(text):
    return base64.b64encode(text.encode()).decode()


def golden(folder):
    """Responses of a fixed time, and the metadata of their provider."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    entity, now = "https://idp.example/metadata", 1_790_000_000
    keys = {}
    for curve in (None, ec.SECP256R1, ec.SECP384R1):
        keys[curve] = Key(curve)
    (folder / "metadata.xml").write_text(metadata(entity, keys.values(), "2031-01-01T00:00:00Z"))
    pair = "arn:aws:iam::123456789012:role/Admin,arn:aws:iam::123456789012:saml-provider/Corp"
    cases = [
        ("xmlsec", "assertion", "rsa-sha256", "prefixes"),
        ("xmlsec", "response", "rsa-sha256", "typed"),
        ("xmlsec", "both", "rsa-sha256", "defaults"),
        ("xmlsec", "assertion", "rsa-sha384", "defaults"),
        ("xmlsec", "assertion", "ecdsa-sha384", "typed"),
        ("signxml", "assertion", "rsa-sha512", "typed"),
        ("signxml", "response", "ecdsa-sha256", "defaults"),
        ("signxml", "both", "rsa-sha256", "prefixes"),
    ]
    for maker, form, algorithm, style in cases:
        response = Response(entity, now, [pair])
        response.attributes += [
            (AWS + "PrincipalTag:Team", ["r&d <core>"]),
            (AWS + "TransitiveTagKeys", ["Team"]),
            (AWS + "SourceIdentity", ["alice"]),
            (AWS + "SessionDuration", ["1800"]),
            ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", ["staff", "member"]),
            ("urn:oid:2.5.4.3", ["Alice Ä \u00a0 A."]),
        ]
        # signxml digests with the prefixes of a list that its transform does not name.
        typed = style == "typed" and maker == "xmlsec"
        prefixes = ["xs", "#default"] if typed else None
        key = keys[ALGORITHMS[algorithm][0]]
        signed = sign(response.write(style), form, algorithm, key, maker, prefixes)
        (folder / f"{maker}-{form}-{algorithm}.xml").write_text(signed)


if __name__ == "__main__":
    golden(sys.argv[1])
