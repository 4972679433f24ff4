"""Holds the operations of Organizations that the broker describes (JSON on standard input) against
botocore's model of the service: parameters, which are required, types, limits, patterns, enums,
outputs and errors. Prints a line for each mismatch, then the counts.
"""

import json
import re
import sys

import botocore.session

# What every operation of an AWS JSON service may answer with, and no model says.
COMMON = {"SerializationException"}

model = botocore.session.get_session().get_service_model("organizations")
wrong = []


def compare(where, ours, shape):
    kind = shape.type_name
    if kind == "string" and shape.metadata.get("enum"):
        if ours.get("enum") != shape.metadata["enum"]:
            wrong.append(f"{where}: enum {ours}")
    elif kind == "string":
        found = (ours.get("min"), ours.get("max"), ours.get("pattern"))
        facts = shape.metadata
        expected = (facts.get("min", 0), facts.get("max"), facts.get("pattern"))
        if ours["kind"] != "text" or found != expected:
            wrong.append(f"{where}: {found}, not {expected}")
        else:
            samples(where, ours, facts)
    elif kind == "integer":
        if (ours.get("min"), ours.get("max")) != (shape.metadata.get("min"), shape.metadata.get("max")):
            wrong.append(f"{where}: {ours}")
    elif kind == "list":
        compare(f"{where}[]", ours["of"], shape.member)
    elif kind == "structure":
        members(where, ours["members"], shape)
    else:
        wrong.append(f"{where}: {kind}")


def samples(where, ours, facts):
    """What our own reader said of texts, against the model's pattern."""
    pattern = facts.get("pattern", "")
    # A word is ASCII, but where the pattern names classes of Unicode: Python has none of these.
    flags = re.UNICODE if r"\p{" in pattern else re.ASCII
    pattern = pattern.replace(r"\p{L}\p{Z}\p{N}_", r"\w ")
    for text, accepted in ours["samples"]:
        # An alternative of the model's patterns is anchored at one end only: services match whole.
        fits = any(re.fullmatch(f"(?:{part})", text, flags) for part in alternatives(pattern))
        if fits != accepted:
            wrong.append(f"{where}: {text!r} is {'' if accepted else 'not '}accepted")


def alternatives(pattern):
    parts = [part.strip("^$") for part in re.split(r"\|(?=[(^])", pattern)]
    return parts if len(parts) > 1 else [pattern]


def members(where, ours, shape):
    theirs = shape.members if shape else {}
    required = shape.required_members if shape else []
    found = {member["name"]: member for member in ours}
    for name in sorted(found.keys() ^ theirs.keys()):
        wrong.append(f"{where}.{name}: only {'ours' if name in found else 'in the model'}")
    for name in found.keys() & theirs.keys():
        if found[name]["required"] != (name in required):
            wrong.append(f"{where}.{name}: required is {found[name]['required']}")
        compare(f"{where}.{name}", found[name]["kind"], theirs[name])


described = json.load(sys.stdin)
for operation in described:
    name = operation["name"]
    if name not in model.operation_names:
        wrong.append(f"{name}: not in the model")
        continue
    theirs = model.operation_model(name)
    members(name, operation["input"], theirs.input_shape)
    if operation["has_output"] != (theirs.output_shape is not None):
        wrong.append(f"{name}: output is {operation['has_output']}")
    errors = {shape.name for shape in theirs.error_shapes}
    for code in sorted(set(operation["faults"]) - errors - COMMON):
        wrong.append(f"{name}: {code} is not an error of the model")

for line in wrong:
    print(line)
print(f"organizations: operations {len(described)} of {len(model.operation_names)}")
print(f"mismatches {len(wrong)}")
