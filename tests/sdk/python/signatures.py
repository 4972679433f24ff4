"""botocore against our signer, both ways, on generated requests: JSON lines in and out.

A line that comes in is a request: method, target, headers, body (base64), token, region, service, and
a form: header, query, s3, s3-unsigned or s3-query. The line that goes out is the same request as
botocore signs it: the target, and the headers with those that it added.
"""

import base64
import datetime
import json
import sys

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

FORMS = {
    "header": auth.SigV4Auth,
    "query": auth.SigV4QueryAuth,
    "s3": auth.S3SigV4Auth,
    "s3-unsigned": auth.S3SigV4Auth,
    "s3-query": auth.S3SigV4QueryAuth,
}


def sign(given):
    credentials = Credentials(given["id"], given["secret"], given["token"])
    request = AWSRequest(
        method=given["method"],
        url=given["scheme"] + "://" + given["host"] + given["target"],
        headers=dict(given["headers"]),
        data=base64.b64decode(given["body"]),
    )
    form = given["form"]
    signed = {"payload_signing_enabled": form != "s3-unsigned"}
    request.context["client_config"] = Config(s3=signed)
    signer = FORMS[form](credentials, given["service"], given["region"])
    signer.add_auth(request)
    prepared = request.prepare()
    return {
        "target": prepared.url.split(given["host"], 1)[1],
        "headers": [
            [name, value.decode() if isinstance(value, bytes) else value]
            for name, value in prepared.headers.items()
            if name.lower() not in ("content-length", "transfer-encoding")
        ],
    }



moment = datetime.datetime(2015, 8, 30, 12, 36, 0)
auth.get_current_datetime = lambda *_, **__: moment

for line in sys.stdin:
    print(json.dumps(sign(json.loads(line))), flush=False)
