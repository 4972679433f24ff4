"""Requests to a service behind the broker that botocore signed, and questions about them.

COUNTERSIGN_VERIFY_URL says where to ask.
"""

import base64
import json
import os
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from steps import client

HOST = "orders.example"
REGION = "eu-west-1"
HOME = client("sts").get_caller_identity()["Account"]


def signed(key, path="/orders/42", method="GET", body=b"", headers=(), auth=SigV4Auth, **more):
    """The question about a request of this key: who is it?"""
    request = AWSRequest(method, f"https://{HOST}{path}", data=body, headers=dict(headers))
    request.headers["Host"] = HOST
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key.get("SessionToken"))
    auth(credentials, more.pop("service", "orders"), more.pop("region", REGION), **more).add_auth(
        request
    )
    return {
        "method": method,
        "uri": request.prepare().url.split(HOST, 1)[1],
        "headers": [[name, value] for name, value in request.headers.items()],
        "body": base64.b64encode(body).decode(),
        "service": "orders",
        "hosts": [HOST],
        "region": REGION,
    }


def about(question, action="GetOrder", owner=None, **more):
    """May it do this to an order?"""
    owner = owner or HOME
    return {
        **question,
        "action": action if ":" in action else f"orders:{action}",
        "resource": f"arn:aws:orders::{owner}:order/42",
        "resource_account": owner,
        **more,
    }


def ask(question):
    body = json.dumps(question).encode()
    url = os.environ["COUNTERSIGN_VERIFY_URL"] + "/v1/verify"
    with urllib.request.urlopen(urllib.request.Request(url, data=body)) as answer:
        return json.load(answer)
