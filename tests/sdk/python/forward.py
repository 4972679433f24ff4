"""Requests that botocore signed, to a service behind a proxy that asks the broker.

PROXY is where the proxy listens, SERVICE_HOST the host that the service answers to.
"""

import http.client
import json
import os

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session

HOST = os.environ["SERVICE_HOST"]
credentials = Session().get_credentials().get_frozen_credentials()


class HashedAuth(SigV4Auth):
    """Signs the hash of the body in a header, as S3's signer does."""

    def _modify_request_before_signing(self, request):
        super()._modify_request_before_signing(request)
        request.headers["X-Amz-Content-SHA256"] = self.payload(request)


def send(method, path, body=b"", auth=SigV4Auth, spoil=None, **headers):
    request = AWSRequest(method, f"http://{HOST}{path}", data=body, headers=headers)
    request.headers["Host"] = HOST
    auth(credentials, "orders", "eu-west-1").add_auth(request)
    prepared = request.prepare()
    target = prepared.url.split(HOST, 1)[1]
    sent = dict(prepared.headers.items())
    if spoil:
        target, sent = spoil(target, sent)
    connection = http.client.HTTPConnection(os.environ["PROXY"], timeout=20)
    connection.request(method, target, body=body or None, headers=sent)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b"null")


def expect(found, status, what):
    assert found[0] == status, (what, found)
    return found[1]


reached = expect(send("GET", "/orders/42?b=2&a=1%2F"), 200, "GET")
assert reached["headers"]["x-countersign-session"] == "test", reached
expect(send("PUT", "/orders/42", b"data", HashedAuth), 200, "PUT with a signed hash")
why = expect(send("PUT", "/orders/42", b"data"), 401, "PUT without")
assert why["reason"] == "BodyUnverified", why
why = expect(send("GET", "/orders/52"), 403, "another order")
assert why["reason"] == "ImplicitDeny", why
why = expect(send("GET", "/orders/42", spoil=lambda t, h: ("/orders/43", h)), 401, "tampered")
assert why["reason"] == "SignatureDoesNotMatch", why
spoof = {"X-Countersign-Account": "1"}
why = expect(send("GET", "/orders/42", spoil=lambda t, h: (t, {**h, **spoof})), 403, "spoofed")
assert why["reason"] == "SpoofedHeader", why
print("boto3 ok")
