// The AWS SDK for JavaScript as a client of the broker, configured by the environment alone.
//
// usage: client.mjs STEP...
//
// A line for each step that went as it should, then how many calls were refused, as they had to be.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

import * as iam from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";

const account = process.env.COUNTERSIGN_ACCOUNT;
const partner = `arn:aws:iam::${account}:role/partner`;
const trust = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "sts:AssumeRole" },
  ],
};
let refusals = 0;

// Sends to STS, or to IAM, what the environment or `more` says.
const ask = (command, more = {}) => new sts.STSClient(more).send(command);
const manage = (command, more = {}) => new iam.IAMClient(more).send(command);
const whoami = async (more) => (await ask(new sts.GetCallerIdentityCommand({}), more)).Arn;
const assume = (more) =>
  new sts.AssumeRoleCommand({ RoleArn: partner, RoleSessionName: "monday", ...more });

// The answer must be an error of this code and status, of this class, and not asked for again.
async function refused(code, status, kind, answer) {
  const error = await answer.then(
    () => assert.fail(`no ${code}`),
    (error) => error,
  );
  assert.ok(error instanceof kind, error);
  assert.equal(error.Code ?? error.name, code);
  assert.ok(error.message, "no message");
  assert.equal(error.$fault, "client");
  const { attempts, httpStatusCode, requestId } = error.$metadata;
  assert.deepEqual([attempts, httpStatusCode], [1, status], error.message);
  assert.ok(requestId, "no request ID");
  refusals += 1;
}

const steps = {
  async keys() {
    assert.equal(await whoami(), `arn:aws:iam::${account}:user/sdk`);
  },

  // The profile that the environment names: a role by a role by a user.
  async chain() {
    assert.equal(await whoami(), `arn:aws:sts::${account}:assumed-role/second/two`);
  },

  // With nothing but a token of an identity provider.
  async web() {
    const arn = await whoami();
    assert.ok(arn.startsWith(`arn:aws:sts::${account}:assumed-role/app/`), arn);
  },

  async sessions() {
    const policy = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "iam:ListRoles", Resource: "*" }],
    };
    const granted = await ask(
      assume({
        ExternalId: "x:7",
        DurationSeconds: 900,
        Policy: JSON.stringify(policy),
        Tags: [
          { Key: "team", Value: "blue + green" },
          { Key: "größe", Value: "" },
        ],
        TransitiveTagKeys: ["team"],
      }),
    );
    const arn = `arn:aws:sts::${account}:assumed-role/partner/monday`;
    assert.equal(granted.AssumedRoleUser.Arn, arn);
    assert.ok(granted.AssumedRoleUser.AssumedRoleId.endsWith(":monday"));
    assert.ok(granted.PackedPolicySize > 0);
    assert.equal(granted.SessionTokenSize, granted.Credentials.SessionToken.length);
    const seconds = (granted.Credentials.Expiration - Date.now()) / 1000;
    assert.ok(Math.abs(seconds - 900) < 60, `${seconds} seconds`);
    const credentials = {
      accessKeyId: granted.Credentials.AccessKeyId,
      secretAccessKey: granted.Credentials.SecretAccessKey,
      sessionToken: granted.Credentials.SessionToken,
    };
    assert.equal(await whoami({ credentials }), arn);
    await manage(new iam.ListRolesCommand({}), { credentials });
    // The role may, the session policy says no.
    const get = new iam.GetRoleCommand({ RoleName: "partner" });
    await refused("AccessDenied", 403, iam.IAMServiceException, manage(get, { credentials }));
  },

  async errors() {
    const any = sts.STSServiceException;
    const accessKeyId = process.env.AWS_ACCESS_KEY_ID;
    const secretAccessKey = process.env.AWS_SECRET_ACCESS_KEY;
    const by = (credentials) => whoami({ credentials });
    await refused("AccessDenied", 403, any, ask(assume({})));
    await refused("ValidationError", 400, any, ask(assume({ RoleSessionName: "x" })));
    const malformed = assume({ ExternalId: "x:7", Policy: "{}" });
    const document = "MalformedPolicyDocument";
    await refused(document, 400, sts.MalformedPolicyDocumentException, ask(malformed));
    const wrong = { accessKeyId, secretAccessKey: "x".repeat(40) };
    await refused("SignatureDoesNotMatch", 403, any, by(wrong));
    const unknown = { accessKeyId: "AKIABBBBBBBBBBBBBBBB", secretAccessKey };
    await refused("InvalidClientTokenId", 403, any, by(unknown));
    const garbage = { ...unknown, accessKeyId: "ASIABBBBBBBBBBBBBBBB", sessionToken: "garbage" };
    await refused("InvalidClientTokenId", 403, any, by(garbage));
    const unheard = manage(new iam.GetServerCertificateCommand({ ServerCertificateName: "x" }));
    await refused("InvalidAction", 400, iam.IAMServiceException, unheard);
    const again = { RoleName: "partner", AssumeRolePolicyDocument: JSON.stringify(trust) };
    const exists = iam.EntityAlreadyExistsException;
    await refused("EntityAlreadyExists", 409, exists, manage(new iam.CreateRoleCommand(again)));
    const bad = { RoleName: "bad", AssumeRolePolicyDocument: "{" };
    const kind = iam.MalformedPolicyDocumentException;
    await refused(document, 400, kind, manage(new iam.CreateRoleCommand(bad)));
  },

  async iam() {
    const RoleName = "made";
    const description = "naïve <b>&amp;</b>";
    const made = await manage(
      new iam.CreateRoleCommand({
        RoleName,
        Path: "/sdk/",
        Description: description,
        AssumeRolePolicyDocument: JSON.stringify(trust),
        Tags: [{ Key: "team", Value: "blue + green = @:/" }],
      }),
    );
    const { Role: role } = await manage(new iam.GetRoleCommand({ RoleName }));
    assert.equal(role.Arn, `arn:aws:iam::${account}:role/sdk/made`);
    assert.equal(role.RoleId, made.Role.RoleId);
    assert.equal(role.Description, description);
    assert.equal(role.MaxSessionDuration, 3600);
    assert.deepEqual(role.Tags, [{ Key: "team", Value: "blue + green = @:/" }]);
    assert.ok(Math.abs(role.CreateDate - Date.now()) < 60_000, `${role.CreateDate}`);
    assert.deepEqual(JSON.parse(decodeURIComponent(role.AssumeRolePolicyDocument)), trust);

    const names = [];
    const pages = iam.paginateListRoles({ client: new iam.IAMClient({}), pageSize: 1 }, {});
    for await (const page of pages) names.push(...page.Roles.map((role) => role.RoleName));
    assert.ok(names.length >= 4 && new Set(names).size === names.length, `${names}`);
    assert.ok(names.includes(RoleName), `${names}`);

    await manage(new iam.DeleteRoleCommand({ RoleName }));
    const gone = manage(new iam.GetRoleCommand({ RoleName }));
    await refused("NoSuchEntity", 404, iam.NoSuchEntityException, gone);
  },

  // The first two requests of this session name come to nothing.
  async retries() {
    const granted = await ask(assume({ ExternalId: "x:7", RoleSessionName: "unavailable" }));
    assert.equal(granted.$metadata.attempts, 3);
  },

  // The broker's clock is far from this one.
  async skew() {
    const found = await whoami().then(
      (arn) => (assert.ok(arn.endsWith(":user/sdk")), "corrected"),
      (error) => `refused ${error.name}: ${error.message}`,
    );
    console.log("clock", found);
  },
};

const { version } = createRequire(import.meta.url)("@aws-sdk/client-sts/package.json");
console.log("version", version);
for (const step of process.argv.slice(2)) {
  await steps[step]();
  console.log("ok", step);
}
console.log("refusals", refusals);
