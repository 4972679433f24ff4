"""What botocore's service models say of the operations named in COUNTERSIGN_OPERATIONS, as JSON.

For each: whether it has an output shape, the errors it may end with, and requests made at the
bounds of each parameter (a length or number one too small, one too large, a character that the
pattern does not have, a word that is not of the enum, nothing where something must be), each with
what the model says of it.
"""

import json
import os
import re

from botocore.session import get_session

from saml_metadata import metadata

# Texts that an operation looks into when it reads them: a valid one of a given length.
SPECIAL = {
    "Url": lambda n: "https://" + "a" * (n - 8),
    "SAMLMetadataDocument": metadata,
}
# The shortest text that makes sense to them.
SHORTEST = {"Url": 9, "SAMLMetadataDocument": 1000}
# Longer texts are not made: the edge bounds a request before its parameters are looked at.
LONGEST = 200_000
# Longer lists neither: their elements are numbered up to 1,000.
MOST = 300

CANDIDATES = [
    lambda n: "a" * n,
    lambda n: "1" * n,
    lambda n: "A" * n,
    lambda n: "/" + "a" * (n - 1),
    lambda n: "/" if n == 1 else "/" + "a" * (n - 2) + "/",
    lambda n: "v1" + "0" * (n - 2),
]
WRONG = ["!", " ", "\u0100", "\u007f", "\u0001", "a//", "-", "\u00e9", ":"]


def pattern_of(shape):
    pattern = shape.metadata.get("pattern")
    if pattern is None:
        return None
    # Python knows no classes of Unicode's properties.
    return re.compile(pattern.replace(r"\p{L}\p{Z}\p{N}_", r"\w "), re.UNICODE)


def text(name, shape, length):
    """A text of that length that the model accepts; None if there is none."""
    if name in SPECIAL:
        return SPECIAL[name](length) if length >= SHORTEST[name] else None
    pattern = pattern_of(shape)
    for candidate in CANDIDATES:
        made = candidate(length)
        if len(made) == length and (pattern is None or pattern.fullmatch(made)):
            return made
    return None


def shortest(name, shape):
    # A pattern may want more than the model's `min` says.
    for length in range(max(shape.metadata.get("min", 0), SHORTEST.get(name, 1)), 2000):
        made = text(name, shape, length)
        if made is not None:
            return made
    raise ValueError(f"no text for {name}")


def valid(name, shape):
    """The smallest valid value, as (suffix of the name, value) pairs."""
    kind = shape.type_name
    if kind == "string":
        enum = shape.metadata.get("enum")
        return [("", enum[0] if enum else shortest(name, shape))]
    if kind in ("integer", "long"):
        return [("", str(shape.metadata.get("min", 1)))]
    if kind == "boolean":
        return [("", "true")]
    if kind == "timestamp":
        return [("", "2026-01-01T00:00:00Z")]
    if kind == "list":
        return listed(name, shape, max(shape.metadata.get("min", 1), 1))
    if kind == "structure":
        # One of which nothing is required has its first member: it must be there at all.
        members = list(shape.members.items())
        required = [it for it in members if it[0] in shape.required_members] or members[:1]
        return [
            (f".{wire(member, inner)}{suffix}", value)
            for member, inner in required
            for suffix, value in valid(member, inner)
        ]
    raise ValueError(f"{name}: {kind}")


def wire(member, shape):
    return shape.serialization.get("name", member)


def listed(name, shape, count):
    member = shape.member.serialization.get("name", "member")
    pairs = []
    for at in range(1, count + 1):
        pairs += [(f".{member}.{at}{s}", v) for s, v in valid(name, shape.member)]
        if shape.member.type_name == "structure" and "Key" in shape.member.members:
            # The keys of tags must differ.
            pairs = [
                (s, f"key{at}" if s == f".{member}.{at}.Key" else v) for s, v in pairs
            ]
    return pairs


def mutations(name, shape):
    """Yields (what, pairs, whether the model accepts it) of one parameter."""
    kind, facts = shape.type_name, shape.metadata
    low, high = facts.get("min"), facts.get("max")
    if kind == "string":
        yield from texts(name, shape, low, high)
    elif kind in ("integer", "long"):
        yield "no number", [("", "1x")], False
        if low is not None:
            yield f"{low}", [("", str(low))], True
            yield f"{low - 1}", [("", str(low - 1))], False
        if high is not None:
            yield f"{high}", [("", str(high))], True
            yield f"{high + 1}", [("", str(high + 1))], False
    elif kind == "boolean":
        yield "neither true nor false", [("", "maybe")], False
        yield "false", [("", "false")], True
    elif kind == "list":
        member = shape.member.serialization.get("name", "member")
        if low:
            yield "an empty list", [("", "")], False
        if high is not None and high <= MOST:
            yield f"{high} elements", listed(name, shape, high), True
            yield f"{high + 1} elements", listed(name, shape, high + 1), False
        for what, pairs, good in mutations(name, shape.member):
            yield f"an element: {what}", [(f".{member}.1{s}", v) for s, v in pairs], good
    elif kind == "structure":
        for inner_name, inner in shape.members.items():
            others = [
                (f".{wire(other, it)}{s}", v)
                for other, it in shape.members.items()
                if other in shape.required_members and other != inner_name
                for s, v in valid(other, it)
            ]
            if inner_name in shape.required_members and others:
                yield f"no {inner_name}", others, False
            for what, pairs, good in mutations(inner_name, inner):
                at = f".{wire(inner_name, inner)}"
                yield f"{inner_name}: {what}", others + [(at + s, v) for s, v in pairs], good


def texts(name, shape, low, high):
    enum = shape.metadata.get("enum")
    if enum:
        for word in enum:
            yield word, [("", word)], True
        yield "no word of the enum", [("", "Nonesuch")], False
        return
    pattern = pattern_of(shape)
    if low:
        made = text(name, shape, low)
        if made is not None:
            yield f"{low} characters", [("", made)], True
        below = text(name, shape, low - 1) if low > 1 else ""
        yield f"{low - 1} characters", [("", below or "a" * (low - 1))], False
    if high is not None and high <= LONGEST:
        made = text(name, shape, high)
        if made is not None:
            yield f"{high} characters", [("", made)], True
        above = text(name, shape, high + 1) or "a" * (high + 1)
        yield f"{high + 1} characters", [("", above)], False
    if pattern is not None:
        length = max(low or 1, 4)
        for wrong in WRONG:
            made = "a" * (length - len(wrong)) + wrong
            if not pattern.fullmatch(made):
                yield f"a wrong character, {wrong!r}", [("", made)], False
                break


def requests(shape):
    """Every request to be made of an operation's input."""
    if shape is None:
        return [{"what": "nothing", "parameters": {}, "good": True}]
    base = {
        wire(member, inner) + suffix: value
        for member, inner in shape.members.items()
        if member in shape.required_members
        for suffix, value in valid(member, inner)
    }
    made = [{"what": "what is required", "parameters": base, "good": True}]
    for member, inner in shape.members.items():
        named = wire(member, inner)
        without = {k: v for k, v in base.items() if k != named and not k.startswith(f"{named}.")}
        if member in shape.required_members:
            made.append({"what": f"no {member}", "parameters": without, "good": False})
        for what, pairs, good in mutations(member, inner):
            parameters = without | {named + suffix: value for suffix, value in pairs}
            made.append({
                "member": member,
                "what": f"{member}: {what}",
                "parameters": parameters,
                "good": good,
            })
    return made


def error(shape):
    facts = shape.metadata.get("error", {})
    return {"code": facts.get("code", shape.name), "status": facts.get("httpStatusCode")}


told = {}
wanted = [name.split(":") for name in os.environ["COUNTERSIGN_OPERATIONS"].split(",")]
for service in ("iam", "sts"):
    model = get_session().get_service_model(service)
    operations = {}
    for name in (name for owner, name in wanted if owner == service):
        if name not in model.operation_names:
            operations[name] = None
            continue
        operation = model.operation_model(name)
        operations[name] = {
            "has_result": operation.output_shape is not None,
            "errors": [error(shape) for shape in operation.error_shapes],
            "requests": requests(operation.input_shape),
        }
    told[service] = {"total": len(model.operation_names), "operations": operations}
print(json.dumps(told))
