"""Certificates of IAM Roles Anywhere shown in the handshake, with OpenSSL as the client: a line a step.

Arguments: the folder with certificates and keys, the body of a request for a session, and the names of
the certificates that get none, separated by commas.
"""

import http.client
import json
import os
import pathlib
import ssl
import sys
import urllib.parse

from steps import Steps, client

folder, body, bad = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3].split(",")
steps = Steps()
place = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
ra = client("rolesanywhere")
JSON = {"Content-Type": "application/json"}
# SSL_OP_NO_EXTENDED_MASTER_SECRET, which the module has no name for.
NO_BINDING = 1


def context(version, name=None):
    made = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    made.minimum_version = made.maximum_version = version
    if name:
        made.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return made


def connect(by, session=None):
    """A connection that stays open."""
    connection = http.client.HTTPSConnection(place.hostname, place.port, context=by)
    if session:
        wrap = by.wrap_socket
        by = type("Again", (), {"wrap_socket": lambda _, sock, **more: wrap(sock, session=session, **more)})
        connection._context = by()
    connection.connect()
    return connection


def ask(connection, headers=JSON, data=body, method="POST", path="/sessions"):
    """Status, error's type, and answer."""
    connection.request(method, path, body=data, headers=headers)
    answer = connection.getresponse()
    told = answer.read()
    try:
        told = json.loads(told)
    except ValueError:
        told = told.decode()
    return answer.status, answer.headers.get("x-amzn-errortype"), told, answer.headers


def refused(what, code, answer, text=""):
    status, kind, told, _ = answer
    steps.holds(f"{what}: {code}", status >= 400 and kind == code and text in told["message"], answer[:3])


for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    for name, serial in (("ec", "5a01"), ("p384", "5a02"), ("rsa", "5a03"), ("deep", "5a04")):
        connection = connect(context(version, name))
        status, _, told, _ = ask(connection)
        arn = told["credentialSet"][0]["assumedRoleUser"]["arn"]
        steps.holds(f"{name} by {connection.sock.version()}", status == 201 and arn.endswith(f"/{serial}"), told)
    keys = told["credentialSet"][0]["credentials"]
    session = {"AccessKeyId": keys["accessKeyId"], "SecretAccessKey": keys["secretAccessKey"],
               "SessionToken": keys["sessionToken"]}
    steps.equal("the session is used", client("sts", key=session).get_caller_identity()["Arn"], arn)

    for name in bad:
        text = "Unable to assume role" if name == "other" else "Untrusted certificate"
        try:
            refused(name, "AccessDeniedException", ask(connect(context(version, name))), text)
        except (ssl.SSLError, OSError, http.client.HTTPException):
            # What no reader of certificates takes ends the handshake.
            steps.holds(f"{name}: no connection", name in ("critical",), name)

    # Without a certificate everything but this is as ever.
    bare = connect(context(version))
    refused("no certificate", "MissingAuthenticationTokenException", ask(bare))
    told = {**JSON, "X-Forwarded-Client-Cert": "Subject=\"CN=orders\"",
            "X-Amz-X509": "AAAA", "Client-Cert": ":AAAA:"}
    refused("a header tells of one", "MissingAuthenticationTokenException", ask(bare, headers=told))

    # Many requests by one connection; what pages can make a browser send; what a proxy tells.
    open_ = connect(context(version, "ec"))
    for _ in range(3):
        steps.equal("one connection", ask(open_)[0], 201)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                 "text/plain; application/json", None):
        headers = {"Content-Type": kind} if kind else {}
        refused(f"of type {kind}", "ValidationException", ask(open_, headers=headers))
    for name, value in (("Origin", "https://evil.example"), ("Origin", "null"),
                        ("Sec-Fetch-Site", "same-origin"),
                        ("X-Forwarded-Client-Cert", "Subject=\"CN=orders\"")):
        refused(name, "AccessDeniedException", ask(open_, headers={**JSON, name: value}))
    for name, value in (("X-Amz-X509", "AAAA"), ("X-Amz-X509-Chain", "AAAA"), ("X-Amz-Date", "x")):
        refused(name, "MissingAuthenticationTokenException", ask(open_, headers={**JSON, name: value}))
    plain = {**JSON, "X-Amz-Date": "20260101T000000Z",
             "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAAAAAAAAAAAAAAAAA/20260101/us-east-1/"
                              "rolesanywhere/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"}
    status, kind, _, _ = ask(open_, headers=plain)
    steps.equal("another signature", (status, kind), (403, "IncompleteSignatureException"))
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "content-type"}
    status, _, _, headers = ask(open_, headers=asked, data=None, method="OPTIONS")
    granted = [name for name in headers if name.lower().startswith("access-control-")]
    steps.holds("a page that asks first is told nothing", status >= 400 and not granted, (status, granted))

    # A list that is enabled counts for the connection that stands, and for one that is made again.
    list_ = {"crlId": ra.list_crls()["crls"][0]["crlId"]}
    ra.disable_crl(**list_)
    by = context(version, "revoked")
    open_ = connect(by)
    steps.equal("not revoked yet", ask(open_)[0], 201)
    ra.enable_crl(**list_)
    refused("revoked", "AccessDeniedException", ask(open_), "Untrusted certificate")
    again = connect(by, session=open_.sock.session)
    steps.equal("its session is not resumed", again.sock.session_reused, False)
    refused("revoked, again", "AccessDeniedException", ask(again), "Untrusted certificate")

    # In TLS 1.2 the connection's keys are bound to what the client signed.
    loose = context(version, "ec")
    loose.options |= NO_BINDING
    try:
        status = ask(connect(loose))[0]
    except (ssl.SSLError, OSError):
        status = None
    steps.equal("keys that are not bound", status, None if version == ssl.TLSVersion.TLSv1_2 else 201)

print(f"{steps.count} steps")
