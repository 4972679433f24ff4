"""An account's root user by boto3, a line a step.

The environment's key is the administrator's; COUNTERSIGN_ROOT_KEY is the root user's, its ID and its
secret with a colon between.
"""

import os
import time

from steps import Steps, allow, client, role, trust

steps = Steps()
refused, equal, holds = steps.refused, steps.equal, steps.holds

HOME = client("sts").get_caller_identity()["Account"]
key_id, secret = os.environ["COUNTERSIGN_ROOT_KEY"].split(":")
root = {"AccessKeyId": key_id, "SecretAccessKey": secret}
iam, sts = client("iam", root), client("sts", root)
ROOT = f"arn:aws:iam::{HOME}:root"

told = sts.get_caller_identity()
equal("it is", (told["UserId"], told["Account"], told["Arn"]), (HOME, HOME, ROOT))
iam.create_user(UserName="by-root")
equal("it may do anything", iam.get_user(UserName="by-root")["User"]["UserName"], "by-root")
deploy = role(iam, "deploy", trust(ROOT), allow("*"))
message = refused(
    "but no role", "AccessDenied", sts.assume_role, RoleArn=deploy, RoleSessionName="me"
)
equal("in AWS's words", message, "Roles may not be assumed by root accounts.")
shown = iam.get_user()["User"]
equal("it reads about itself", (shown["UserId"], shown["Arn"]), (HOME, ROOT))
keys = iam.list_access_keys()["AccessKeyMetadata"]
equal("and its keys", [key["AccessKeyId"] for key in keys], [key_id])
refused("it gets no key here", "AccessDenied", iam.create_access_key)
session = sts.get_session_token(DurationSeconds=129600)["Credentials"]
left = session["Expiration"].timestamp() - time.time()
holds("its session lasts an hour", 3500 < left <= 3600, left)
equal("its session is it", client("sts", session).get_caller_identity()["Arn"], ROOT)
refused("which assumes none", "AccessDenied", client("sts", session).assume_role,
        RoleArn=deploy, RoleSessionName="me")
equal("a summary", iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"], 1)
print(f"{steps.count} steps")
