"""Who gets through TLS, with OpenSSL as the client: a line a step.

CERTIFICATES is a folder with ca.pem, other-ca.pem (of nobody here), client.pem and client.key (of
ca.pem), stranger.pem and stranger.key (of other-ca.pem).
"""

import http.client
import json
import os
import ssl
import urllib.error
import urllib.request

from botocore.exceptions import SSLError

from steps import Steps, allow, client, role, trust

steps = Steps()
folder = os.environ["CERTIFICATES"]


def file(name):
    return os.path.join(folder, name)


def fails(what, errors, call, **parameters):
    try:
        call(**parameters)
    except errors:
        steps.good(what)
    else:
        raise AssertionError(what)


sts = client("sts", verify=file("ca.pem"))
home = sts.get_caller_identity()["Account"]
steps.good("a client that trusts the authority is served")
for bundle in ["other-ca.pem", None]:
    stranger = client("sts", verify=file(bundle) if bundle else True)
    fails(f"one that trusts {bundle or 'the system'} is not", SSLError, stranger.get_caller_identity)
plain = os.environ["AWS_ENDPOINT_URL"].replace("https:", "http:")
broken = (OSError, http.client.HTTPException)
fails("plaintext is not spoken", broken, urllib.request.urlopen, url=plain)

over_tls = {"Bool": {"aws:SecureTransport": "true"}}
iam = client("iam", verify=file("ca.pem"))
arn = role(iam, "tls", trust(f"arn:aws:iam::{home}:root", Condition=over_tls), allow("*"))
sts.assume_role(RoleArn=arn, RoleSessionName="monday")
steps.good("policies see that it is TLS")


def ask(certificate=None):
    context = ssl.create_default_context(cafile=file("ca.pem"))
    if certificate:
        context.load_cert_chain(file(f"{certificate}.pem"), file(f"{certificate}.key"))
    question = {
        "method": "GET",
        "uri": "/",
        "headers": [["Host", "orders.example"]],
        "service": "orders",
        "hosts": ["orders.example"],
    }
    url = os.environ["COUNTERSIGN_VERIFY_URL"] + "/v1/verify"
    request = urllib.request.Request(url, data=json.dumps(question).encode())
    with urllib.request.urlopen(request, context=context) as answer:
        return json.load(answer)


# In TLS 1.3 the refusal may come after the client thinks that the handshake is done.
refusal = (ssl.SSLError, urllib.error.URLError, ConnectionError)
steps.equal("a known client may ask", ask("client")["decision"], "deny")
fails("one without a certificate may not", refusal, ask)
fails("nor one of another authority", refusal, ask, certificate="stranger")
print(f"{steps.count} steps")
