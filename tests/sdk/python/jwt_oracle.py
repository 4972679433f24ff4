"""What PyJWT, a JWT library that knows nothing of ours, says of tokens.

Reads a JSON list of cases (token, key as a JWK, the algorithms that are accepted, issuer, audience)
from standard input, and prints a JSON list: null where the token is taken, else why not.
"""

import json
import sys

import jwt

REQUIRED = ["exp", "iat", "iss", "sub", "aud"]


def verdict(case):
    try:
        jwt.decode(
            case["token"],
            key=jwt.PyJWK(case["key"]).key,
            algorithms=case["algorithms"],
            audience=case["audience"],
            issuer=case["issuer"],
            options={"require": REQUIRED},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


json.dump([verdict(case) for case in json.load(sys.stdin)], sys.stdout)
