"""Holds the operations of IAM Roles Anywhere that the broker describes (JSON on standard input) against
botocore's model of the service: members, which are required, types, limits, patterns, enums and errors.
Prints a line for each mismatch, then the counts.
"""

import json
import sys

import botocore.session

model = botocore.session.get_session().get_service_model("rolesanywhere")
wrong = []
checked = 0

# Base64 on the wire, four characters for three bytes; integers without bounds; texts without any.
KINDS = {"blob": "text", "string": "text"}

# What newer models have and this version does not: members that are refused as unknown ones, an ARN or
# alias where an ID is wanted, and longer bundles.
NEWER_MEMBERS = {"aliasName", "crlDpRevocationEnabled"}
NARROWER = {"trustAnchorId", "profileId", "crlId", "subjectId", "trustAnchorArn", "x509CertificateData"}


def compare(where, ours, shape):
    global checked
    checked += 1
    kind = shape.type_name
    facts = shape.metadata
    if kind == "string" and facts.get("enum"):
        if ours.get("enum") != facts["enum"]:
            wrong.append(f"{where}: enum {ours}")
        return
    if ours["kind"] != KINDS.get(kind, kind):
        wrong.append(f"{where}: {ours['kind']}, not {kind}")
        return
    if where.rpartition(".")[2] in NARROWER:
        return
    if kind == "string":
        if facts.get("pattern", "") != ours["pattern"]:
            wrong.append(f"{where}: pattern {ours['pattern']}")
        if "max" in facts and (facts.get("min", 0), facts["max"]) != (ours["min"], ours["max"]):
            wrong.append(f"{where}: {ours['min']} to {ours['max']}, not {facts}")
    elif kind == "integer" and "max" in facts:
        if (facts["min"], facts["max"]) != (ours["min"], ours["max"]):
            wrong.append(f"{where}: {ours}")
    elif kind == "list":
        compare(f"{where}[]", ours["of"], shape.member)
    elif kind == "structure":
        members(where, ours["members"], shape)


def members(where, ours, shape):
    theirs = shape.members if shape else {}
    required = shape.required_members if shape else []
    found = {member["name"]: member for member in ours}
    for name in sorted((found.keys() ^ theirs.keys()) - NEWER_MEMBERS):
        wrong.append(f"{where}.{name}: only {'ours' if name in found else 'in the model'}")
    for name in found.keys() & theirs.keys():
        if found[name]["required"] != (name in required):
            wrong.append(f"{where}.{name}: required is {found[name]['required']}")
        compare(f"{where}.{name}", found[name]["kind"], theirs[name])


described = json.load(sys.stdin)
names = {operation["name"] for operation in described}
for name in sorted(names ^ set(model.operation_names)):
    wrong.append(f"{name}: only {'ours' if name in names else 'in the model'}")
for operation in described:
    if operation["name"] not in model.operation_names:
        continue
    theirs = model.operation_model(operation["name"])
    members(operation["name"], operation["input"], theirs.input_shape)
    errors = {shape.name for shape in theirs.error_shapes}
    for code in sorted(set(operation["faults"]) - errors):
        # Several of the model's operations are silent about errors that they have.
        if code != "TooManyTagsException":
            wrong.append(f"{operation['name']}: {code} is not an error of the model")

for line in wrong:
    print(line)
print(f"rolesanywhere: operations {len(described)} of {len(model.operation_names)}")
print(f"members {checked}, mismatches {len(wrong)}")
