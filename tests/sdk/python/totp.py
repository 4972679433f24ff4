"""The codes of a virtual MFA device (RFC 6238), as an authenticator app makes them."""

import base64
import hashlib
import hmac
import struct
import time


def code(seed, steps=0, now=None):
    """The code that a device with this base32 seed shows, so many steps from now."""
    key = base64.b32decode(seed)
    step = int(time.time() if now is None else now) // 30 + steps
    digest = hmac.new(key, struct.pack(">q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def two_codes(seed, steps):
    """Two that follow one another, as EnableMFADevice takes them."""
    now = time.time()
    return {
        "AuthenticationCode1": code(seed, steps, now),
        "AuthenticationCode2": code(seed, steps + 1, now),
    }
