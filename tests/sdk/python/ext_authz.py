"""Questions as Envoy puts them, by gRPC's own client and Envoy's own message definitions.

VERIFY is where the broker's verify listener is, SERVICE_HOST the host of the service `orders`.
"""

import os

import grpc
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session
from envoy.config.core.v3 import base_pb2
from envoy.service.auth.v3 import external_auth_pb2, external_auth_pb2_grpc

HOST = os.environ["SERVICE_HOST"]
credentials = Session().get_credentials().get_frozen_credentials()
channel = grpc.insecure_channel(os.environ["VERIFY"])
stub = external_auth_pb2_grpc.AuthorizationStub(channel)


def question(method, path, body=b"", service="orders", more=(), raw=True):
    request = AWSRequest(method, f"http://{HOST}{path}", data=body, headers={"Host": HOST})
    SigV4Auth(credentials, "orders", "eu-west-1").add_auth(request)
    headers = [(":method", method), (":path", path), (":authority", HOST), (":scheme", "http")]
    headers += [(n.lower(), v) for n, v in request.prepare().headers.items() if n != "Host"]
    if body:
        headers += [("x-envoy-auth-partial-body", "false")]
    check = external_auth_pb2.CheckRequest()
    check.attributes.context_extensions["service"] = service
    check.attributes.source.address.socket_address.address = "203.0.113.7"
    http = check.attributes.request.http
    http.method, http.path, http.host, http.protocol = method, path, HOST, "HTTP/1.1"
    http.scheme, http.raw_body, http.size = "http", body, len(body)
    for name, value in [*headers, *more]:
        if raw:
            one = base_pb2.HeaderValue(key=name, raw_value=value.encode())
            http.header_map.headers.append(one)
        else:
            http.headers[name] = value
    return check


def ask(*arguments, **more):
    return stub.Check(question(*arguments, **more), timeout=20)


def denied(status, code, *arguments, **more):
    answer = ask(*arguments, **more)
    assert answer.status.code == 7, answer
    assert answer.denied_response.status.code == status, answer
    headers = {option.header.key: option.header.value for option in answer.denied_response.headers}
    assert headers["x-countersign-reason"] == code, (code, headers)


for method, body in [("GET", b""), ("PUT", b"data"), ("PUT", b"x" * 1_000_000)]:
    answer = ask(method, "/orders/42", body)
    assert answer.status.code == 0, answer
    headers = {option.header.key: option.header.value for option in answer.ok_response.headers}
    assert headers["x-countersign-account"] == os.environ["ACCOUNT"], headers
    assert headers["x-countersign-principal"].endswith(":user/admin"), headers
denied(401, "SignatureDoesNotMatch", "GET", "/orders/42", more=[("x-amz-acl", "public-read")])
denied(403, "SpoofedHeader", "GET", "/orders/42", more=[("x-countersign-tags", "a=b")])
denied(403, "PartialBody", "GET", "/orders/42", more=[("x-envoy-auth-partial-body", "true")])
denied(403, "DialectHeaderMalformed", "GET", "/orders/42", raw=False)
denied(403, "Unmapped", "GET", "/other")
tampered = question("PUT", "/orders/42", b"data")
tampered.attributes.request.http.raw_body = b"Data"
answer = stub.Check(tampered, timeout=20)
assert answer.denied_response.status.code == 401, answer
try:
    ask("GET", "/orders/42", service="billing")
    raise AssertionError("a service that is not registered")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED, error
print("ext_authz ok")
