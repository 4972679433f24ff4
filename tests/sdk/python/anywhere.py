"""IAM Roles Anywhere, managed by boto3: anchors, profiles, revocation lists, mappings, tags.

Arguments: the folder with the authorities' and lists' files. Prints a line a step, and at the end a
line of JSON: what certificates need to get a session.
"""

import json
import pathlib
import sys

from steps import Steps, client

folder = pathlib.Path(sys.argv[1])
steps = Steps()
iam, ra = client("iam"), client("rolesanywhere")
account = client("sts").get_caller_identity()["Account"]
bundle = {"sourceType": "CERTIFICATE_BUNDLE",
          "sourceData": {"x509CertificateData": (folder / "root.pem").read_text()}}

anchor = ra.create_trust_anchor(name="corp", source=bundle, enabled=True,
                                tags=[{"key": "team", "value": "blue"}])["trustAnchor"]
steps.holds("an anchor is made", anchor["enabled"] and anchor["createdAt"].year > 2000, anchor)
steps.equal("it has the bundle", anchor["source"], bundle)
which = {"trustAnchorId": anchor["trustAnchorId"]}
steps.equal("it is found", ra.get_trust_anchor(**which)["trustAnchor"], anchor)
steps.equal("its tags", ra.list_tags_for_resource(resourceArn=anchor["trustAnchorArn"])["tags"],
            [{"key": "team", "value": "blue"}])
ra.tag_resource(resourceArn=anchor["trustAnchorArn"], tags=[{"key": "Team", "value": "red"}])
ra.untag_resource(resourceArn=anchor["trustAnchorArn"], tagKeys=["Team"])
steps.equal("no tags", ra.list_tags_for_resource(resourceArn=anchor["trustAnchorArn"])["tags"], [])
steps.equal("renamed", ra.update_trust_anchor(**which, name="corp 2")["trustAnchor"]["name"], "corp 2")
steps.equal("disabled", ra.disable_trust_anchor(**which)["trustAnchor"]["enabled"], False)
steps.equal("enabled", ra.enable_trust_anchor(**which)["trustAnchor"]["enabled"], True)
other = ra.create_trust_anchor(name="other", source=bundle)["trustAnchor"]["trustAnchorId"]
first = ra.list_trust_anchors(pageSize=1)
second = ra.list_trust_anchors(pageSize=1, nextToken=first["nextToken"])
steps.equal("listed by pages", sorted(it["name"] for page in (first, second)
                                      for it in page["trustAnchors"]), ["corp 2", "other"])
ra.delete_trust_anchor(trustAnchorId=other)
pages = ra.get_paginator("list_trust_anchors").paginate()
steps.equal("listed", [it["name"] for page in pages for it in page["trustAnchors"]], ["corp 2"])
for what, source in (
    ("a private authority of AWS", {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": "x"}}),
    ("no bundle", {"sourceType": "CERTIFICATE_BUNDLE"}),
    ("a certificate of nobody's authority",
     {"sourceType": "CERTIFICATE_BUNDLE",
      "sourceData": {"x509CertificateData": (folder / "ec.pem").read_text()}}),
):
    steps.refused(what, "ValidationException", ra.create_trust_anchor, name="x", source=source)
steps.refused("no such anchor", "ResourceNotFoundException", ra.get_trust_anchor,
              trustAnchorId="00000000-0000-4000-8000-000000000000")
steps.refused("no ID", "ValidationException", ra.get_trust_anchor, trustAnchorId="x")
steps.refused("notifications", "ValidationException", ra.put_notification_settings, **which,
              notificationSettings=[{"enabled": True, "event": "CA_CERTIFICATE_EXPIRY"}])

trust = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "rolesanywhere.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    "Condition": {"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "orders"},
                  "ArnEquals": {"aws:SourceArn": anchor["trustAnchorArn"]}},
}]}
role = iam.create_role(RoleName="orders", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
iam.put_role_policy(RoleName="orders", PolicyName="own", PolicyDocument=json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["iam:ListUsers", "iam:ListRoles"], "Resource": "*"}]}))
profile = ra.create_profile(name="apps", roleArns=[role], durationSeconds=900)["profile"]
steps.equal("a profile is made, disabled", profile["enabled"], False)
steps.equal("it has AWS's mappings",
            {it["certificateField"]: [rule["specifier"] for rule in it["mappingRules"]]
             for it in profile["attributeMappings"]},
            {"x509Issuer": ["*"], "x509SAN": ["DNS", "URI", "Name/*"], "x509Subject": ["*"]})
of = {"profileId": profile["profileId"]}
policy = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}]})
changed = ra.update_profile(**of, sessionPolicy=policy, acceptRoleSessionName=False)["profile"]
steps.equal("its policy", changed["sessionPolicy"], policy)
put = ra.put_attribute_mapping(**of, certificateField="x509Subject",
                               mappingRules=[{"specifier": "CN"}, {"specifier": "O"}])["profile"]
subject = [it for it in put["attributeMappings"] if it["certificateField"] == "x509Subject"]
steps.equal("rules are put", subject[0]["mappingRules"], [{"specifier": "CN"}, {"specifier": "O"}])
left = ra.delete_attribute_mapping(**of, certificateField="x509Subject", specifiers=["O"])["profile"]
subject = [it for it in left["attributeMappings"] if it["certificateField"] == "x509Subject"]
steps.equal("and deleted", subject[0]["mappingRules"], [{"specifier": "CN"}])
steps.refused("what no rule is", "ValidationException", ra.put_attribute_mapping, **of,
              certificateField="x509SAN", mappingRules=[{"specifier": "CN"}])
steps.refused("a role of nobody", "ValidationException", ra.create_profile, name="x",
              roleArns=[f"arn:aws:iam::{account}:role/gone"])
steps.equal("enabled", ra.enable_profile(**of)["profile"]["enabled"], True)

listed = ra.import_crl(name="revoked", crlData=(folder / "crl.pem").read_bytes(),
                       trustAnchorArn=anchor["trustAnchorArn"], enabled=True)["crl"]
steps.equal("a list is imported", (listed["enabled"], listed["crlData"]),
            (True, (folder / "crl.pem").read_bytes()))
of_list = {"crlId": listed["crlId"]}
steps.equal("it is found", ra.get_crl(**of_list)["crl"], listed)
steps.equal("renamed", ra.update_crl(**of_list, name="gone")["crl"]["name"], "gone")
ra.disable_crl(**of_list)
steps.equal("enabled", ra.enable_crl(**of_list)["crl"]["enabled"], True)
steps.equal("listed", [it["crlId"] for it in ra.list_crls()["crls"]], [listed["crlId"]])
steps.refused("a list of another authority", "ValidationException", ra.import_crl, name="x",
              crlData=(folder / "other-crl.pem").read_bytes(),
              trustAnchorArn=anchor["trustAnchorArn"])
steps.equal("nobody came yet", ra.list_subjects()["subjects"], [])

print(json.dumps({"anchor": anchor["trustAnchorArn"], "profile": profile["profileArn"], "role": role}))
