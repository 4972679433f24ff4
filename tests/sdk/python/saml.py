"""AssumeRoleWithSAML by boto3: responses signed by two other implementations in every form and
algorithm, and the hostile ones of the museum.

With an argument: signs a response for ROLE and writes it, in base64, to that file.
"""

import base64
import copy
import json
import os
import sys
import time
import zlib

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from lxml import etree

import saml_idp as idp
from saml_idp import ALGORITHMS, AWS, DS, FORMS, MAKERS, SAML, SAMLP, STYLES
from steps import Steps, allow, client

ENTITY = "https://idp.example/metadata"
steps = Steps()
equal, holds = steps.equal, steps.holds

iam = client("iam")
sts = boto3.client(
    "sts",
    config=Config(
        signature_version=UNSIGNED, parameter_validation=False, retries={"total_max_attempts": 1}
    ),
)
HOME = client("sts").get_caller_identity()["Account"]
PROVIDER = f"arn:aws:iam::{HOME}:saml-provider/Corp"
ROLE = f"arn:aws:iam::{HOME}:role/Admin"
KEYS = {curve: idp.Key(curve) for curve, _ in ALGORITHMS.values()}


def setup():
    document = idp.metadata(ENTITY, KEYS.values())
    iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=document)
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
            "Condition": {"StringEquals": {"saml:aud": idp.SIGN_IN, "saml:sub": "alice"}},
        },
    }
    iam.create_role(RoleName="Admin", AssumeRolePolicyDocument=json.dumps(trust))


def response():
    return idp.Response(ENTITY, int(time.time()), [f"{PROVIDER},{ROLE}"])


def signed(form="assertion", algorithm="rsa-sha256", maker="xmlsec", style="prefixes", change=None):
    made = response()
    if change:
        change(made)
    key = KEYS[ALGORITHMS[algorithm][0]]
    prefixes = ["xs", "#default"] if style == "typed" and maker == "xmlsec" else None
    return idp.sign(made.write(style), form, algorithm, key, maker, prefixes)


def show(text, **more):
    return sts.assume_role_with_saml(
        RoleArn=ROLE, PrincipalArn=PROVIDER, SAMLAssertion=idp.encode(text), **more
    )


def refused(what, text, code="InvalidIdentityToken"):
    encoded = text if isinstance(text, bytes) else text.encode()
    message = steps.refused(
        what,
        code,
        sts.assume_role_with_saml,
        RoleArn=ROLE,
        PrincipalArn=PROVIDER,
        SAMLAssertion=base64.b64encode(encoded).decode(),
    )
    holds(f"{what}: for a reason", message)


def exchanged():
    """Every form, algorithm, style and implementation."""
    for maker in MAKERS:
        for form in FORMS:
            for number, algorithm in enumerate(ALGORITHMS):
                style = STYLES[(number + len(form)) % len(STYLES)]
                what = f"{maker} {form} {algorithm} {style}"
                answer = show(signed(form, algorithm, maker, style))
                session = boto3.client(
                    "sts",
                    aws_access_key_id=answer["Credentials"]["AccessKeyId"],
                    aws_secret_access_key=answer["Credentials"]["SecretAccessKey"],
                    aws_session_token=answer["Credentials"]["SessionToken"],
                )
                arn = f"arn:aws:sts::{HOME}:assumed-role/Admin/alice@example.com"
                equal(what, session.get_caller_identity()["Arn"], arn)
    told = [answer[name] for name in ("Subject", "SubjectType", "Issuer", "Audience")]
    equal("what is told", told, ["alice", "persistent", ENTITY, idp.SIGN_IN])


def wrapped(number, text, form, own_id):
    """XSW1 to XSW8, around a good response."""
    good = etree.fromstring(text.encode())
    forged = copy.deepcopy(good)
    signed_element = forged if form != "assertion" else forged.find(f"{{{SAML}}}Assertion")
    signature = signed_element.find(f"{{{DS}}}Signature")
    assertion = forged.find(f"{{{SAML}}}Assertion")
    original = copy.deepcopy(good if form != "assertion" else good.find(f"{{{SAML}}}Assertion"))
    bare = copy.deepcopy(good.find(f"{{{SAML}}}Assertion"))
    for one in bare.findall(f"{{{DS}}}Signature"):
        bare.remove(one)
    unsigned = copy.deepcopy(original)
    unsigned.remove(unsigned.find(f"{{{DS}}}Signature"))

    def spoil(element):
        for name in element.iter(f"{{{SAML}}}NameID"):
            name.text = "mallory"
        if own_id:
            for each in [element, *element.iter(f"{{{SAML}}}Assertion")]:
                each.set("ID", each.get("ID") + "e")
        return element

    def evil():
        return spoil(copy.deepcopy(bare))

    if number == 1:
        spoil(forged)
        signature.append(unsigned)
    elif number == 2:
        spoil(forged)
        signature.addprevious(unsigned)
    elif number == 3:
        assertion.addprevious(evil())
    elif number == 4:
        outer = evil()
        assertion.getparent().replace(assertion, outer)
        outer.append(assertion)
    elif number == 5:
        spoil(assertion)
        forged.append(bare)
    elif number == 6:
        spoil(assertion)
        signature.append(bare)
    elif number == 7:
        extensions = etree.Element(f"{{{SAMLP}}}Extensions")
        extensions.append(evil())
        assertion.addprevious(extensions)
    else:
        spoil(assertion)
        thing = etree.SubElement(signature, f"{{{DS}}}Object")
        thing.append(bare)
    return etree.tostring(forged, encoding="unicode")


def museum():
    for form in FORMS:
        for maker in MAKERS:
            for number in range(1, 9):
                for own_id in (True, False):
                    text = wrapped(number, signed(form, maker=maker), form, own_id)
                    refused(f"M44 XSW{number} {form} {maker} {own_id}", text)
    text = signed()
    refused("M45 a DTD", '<!DOCTYPE r [<!ENTITY a "b">]>' + text)
    refused("M45 an attribute by a DTD", "<!DOCTYPE r [<!ATTLIST r ID ID #IMPLIED>]>" + text)
    refused("M45 a comment in a name", text.replace(">alice<", "><!---->alice<"))
    refused("M45 a comment after it", text.replace(">alice<", ">alice<!-- --><"))
    refused("M45 a section", text.replace(">alice<", "><![CDATA[alice]]><"))
    refused("M45 an instruction", text.replace("<saml:Subject>", "<?a b?><saml:Subject>"))
    refused("M45 another namespace", text.replace(f'xmlns:saml="{SAML}"', 'xmlns:saml="urn:x"'))
    refused("M45 UTF-16", text.encode("utf-16"))
    relative = text.replace("<saml:Assertion ", '<saml:Assertion xmlns:q="relative" q:a="" ')
    refused("M46 no canonical form", relative)
    refused("M46 nothing is signed", text.replace("<saml:Assertion ", "<saml:Other ", 1))
    again = text.index("<ds:SignedInfo>"), text.index("<ds:SignatureValue>")
    refused("M47 two SignedInfo", text[: again[1]] + text[again[0] : again[1]] + text[again[1] :])
    digest = text.replace("<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->")
    refused("M47 a comment in a digest", digest)
    tree = etree.fromstring(text.encode())
    signature = tree.find(f".//{{{DS}}}Signature")
    tree.insert(1, signature)
    refused("M48 a signature elsewhere", etree.tostring(tree, encoding="unicode"))
    head, tail = text.split("<ds:Reference ", 1)
    reference, tail = tail.split("</ds:Reference>", 1)
    reference = f"<ds:Reference {reference}</ds:Reference>"
    refused("M49 two references", head + reference + reference + tail)
    start, end = text.index("<saml:Assertion "), text.index("</samlp:Response>")
    refused("M49 two assertions", text[:end] + text[start:end].replace("_a", "_b") + text[end:])
    end = "</ds:Signature>"
    refused("M50 an object", text.replace(end, "<ds:Object/>" + end))
    xpath = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/>'
    refused("M50 XPath", text.replace("</ds:Transforms>", xpath + "</ds:Transforms>"))
    refused("M50 XPointer", text.replace('URI="#', 'URI="#xpointer(/)'))
    refused("M50 the whole document", text.replace(reference, reference.replace('URI="#', 'URI="" x="')))

    def change(name, value):
        def apply(made):
            setattr(made, name, value)

        return signed(change=apply)

    now = int(time.time())
    refused("M51 over", change("not_on_or_after", now), "ExpiredTokenException")
    refused("M51 not yet", change("not_before", now + 120), "IDPRejectedClaim")
    refused("M51 long ago", change("issued", now - 301), "ExpiredTokenException")
    refused("M51 in the future", change("issued", now + 120), "IDPRejectedClaim")
    refused("M51 no session", change("session_not_on_or_after", now), "ExpiredTokenException")
    refused("M51 audience", change("audience", "https://other.example/saml"))
    refused("M51 recipient", change("recipient", "https://other.example/saml"))
    refused("M51 issuer", change("entity", "https://other.example/"))
    made = response().write().replace("<saml:SubjectConfirmationData ", '<saml:SubjectConfirmationData InResponseTo="_q" ')
    refused("M51 an answer", idp.sign(made, "assertion", "rsa-sha256", KEYS[None]))
    bomb = zlib.compress(b" " * 1_000_000_000 if os.environ.get("BIG") else b" " * 50_000_000)
    refused("M52 a bomb", bomb[:70_000])
    refused("another subject", change("subject", "mallory"), "AccessDenied")
    refused("M23 a session name", change("attributes", [
        (AWS + "Role", [f"{PROVIDER},{ROLE}"]), (AWS + "RoleSessionName", ["a</Arn>"])]))
    stranger = idp.sign(response().write(), "assertion", "rsa-sha256", idp.Key())
    refused("a stranger's key", stranger)
    text = signed("both")
    show(text)
    refused("used once", text)


setup()
if len(sys.argv) > 1:
    with open(sys.argv[1], "w") as file:
        file.write(idp.encode(signed("response", "ecdsa-sha256")))
    print(f"{ROLE} {PROVIDER}")
else:
    exchanged()
    museum()
    print(f"{steps.count} steps")
