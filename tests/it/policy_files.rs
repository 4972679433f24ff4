//! `countersign policy lint` and `countersign policy simulate`, on files.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::broker::{countersign, stderr, stdout};

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs a command of `policy` there: its exit code and what it printed.
    fn policy(&self, words: &str) -> (i32, String, String) {
        let words: Vec<&str> = words.split_whitespace().collect();
        let output =
            countersign(["policy"]).args(words).current_dir(self.0.path()).output().unwrap();
        (output.status.code().unwrap(), stdout(&output), stderr(&output))
    }
}

/// An OIDC trust of GitHub without a subject, a MFA guard that long-term keys pass, a condition of
/// the wrong type, a needless action, and iam:PassRole on everything.
const FAULTY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Deploy",
      "Effect": "Allow",
      "Action": ["s3:Get*", "s3:GetObject"],
      "Resource": "arn:aws:s3:::releases/*",
      "Condition": {
        "BoolIfExists": { "aws:MultiFactorAuthPresent": "true" },
        "NumericLessThan": { "aws:SourceIp": "10" }
      }
    },
    { "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*" },
    { "Effect": "Permit", "Action": "s3:ListBucket", "Resource": "*" }
  ]
}
"#;

#[test]
fn five_planted_faults_are_told_with_line_and_reason() {
    let files = Files::new();
    files.put("faulty.json", FAULTY);
    let (code, told, _) = files.policy("lint faulty.json");
    assert_eq!(code, 3, "{told}");
    let lines: Vec<&str> = told.lines().collect();
    for (line, begin) in lines.iter().zip([
        "faulty.json:7:29: SUGGESTION REDUNDANT_ACTION at Statement[0].Action[1]: s3:Get* covers",
        "faulty.json:10:27: SECURITY_WARNING MFA_IF_EXISTS_IN_ALLOW at \
         Statement[0].Condition.BoolIfExists[\"aws:MultiFactorAuthPresent\"]: long-term keys",
        "faulty.json:11:30: ERROR TYPE_MISMATCH at \
         Statement[0].Condition.NumericLessThan[\"aws:SourceIp\"]: aws:SourceIp holds addresses",
        "faulty.json:14:36: SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE at \
         Statement[1].Action: iam:PassRole on every role",
        "faulty.json:15:17: ERROR INVALID_EFFECT at Statement[2].Effect: the effect is neither",
    ]) {
        assert!(line.starts_with(begin), "{line}\n{begin}");
    }
    assert_eq!(lines.len(), 5, "{told}");
}

#[test]
fn exit_codes_say_what_was_found() {
    let files = Files::new();
    files.put(
        "good.json",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#,
    );
    files.put(
        "wordy.json",
        r#"{"Version":"2012-10-17","Statement":{"Sid":"","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#,
    );
    let (code, told, note) = files.policy("lint good.json");
    assert_eq!((code, told.as_str()), (0, ""));
    assert_eq!(
        note,
        "good.json: read as an identity policy; if it is another, say so with --kind\n"
    );
    // Who says what it is need not be told.
    assert_eq!(files.policy("lint --kind identity good.json"), (0, String::new(), String::new()));
    // Suggestions alone are no reason to stop.
    let (code, told, _) = files.policy("lint good.json wordy.json");
    assert_eq!((code, told.lines().count()), (0, 1), "{told}");
    assert!(told.contains("SUGGESTION EMPTY_SID_VALUE"), "{told}");
    // As a trust policy it is none.
    assert_eq!(files.policy("lint --kind trust good.json").0, 3);
    let (code, _, complaint) = files.policy("lint good.json missing.json");
    assert_eq!(code, 1);
    assert!(complaint.contains("cannot read missing.json"), "{complaint}");
    assert_eq!(files.policy("lint").0, 2);
}

#[test]
fn findings_as_json_and_sarif() {
    let files = Files::new();
    files.put("a policy.json", FAULTY);
    let run = |format: &str| {
        let output = countersign(["policy", "lint", "--format", format, "a policy.json"])
            .current_dir(files.0.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3));
        serde_json::from_str::<Value>(&stdout(&output)).unwrap()
    };
    let findings = run("json");
    assert_eq!(findings.as_array().unwrap().len(), 5);
    assert_eq!(findings[3]["code"], "PASS_ROLE_WITH_STAR_IN_RESOURCE");
    assert_eq!((&findings[3]["line"], &findings[3]["column"]), (&14.into(), &36.into()));

    let log = run("sarif");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 5);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20policy.json");
        let region = &place["region"];
        for member in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(region[member].as_u64().unwrap() >= 1, "{member}");
        }
    }
    for rule in rules {
        assert!(rule["shortDescription"]["text"].is_string());
    }
}

const READ: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    { "Sid": "Own", "Effect": "Allow", "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::home/${aws:username}/*" },
    { "Sid": "Team", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::team/*",
      "Condition": { "StringEquals": { "aws:PrincipalTag/team": "red" } } }
  ]
}"#;

const ALICE: &str = "--principal arn:aws:iam::111122223333:user/alice";

#[test]
fn a_denial_is_explained_in_words_one_can_act_on() {
    let files = Files::new();
    files.put("read.json", READ);
    let ask = format!("simulate --identity read.json {ALICE} --action s3:GetObject");
    let (code, told, _) = files.policy(&format!("{ask} --resource arn:aws:s3:::home/alice/a"));
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("by identity-based policy read.json, statement 0 (Own) at line 4, column 5"),
        "{told}"
    );

    let team = format!("{ask} --resource arn:aws:s3:::team/a");
    let (code, told, _) = files.policy(&format!("{team} --context aws:PrincipalTag/team=blue"));
    assert_eq!(code, 3, "{told}");
    for part in [
        "denied: s3:GetObject on arn:aws:s3:::team/a",
        "because no identity-based policy allows the s3:GetObject action",
        "nearest: statement 1 (Team) of identity-based policy read.json wants StringEquals \
         aws:PrincipalTag/team red (the request has blue)",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let (code, told, _) = files.policy(&format!("{team} --context aws:PrincipalTag/team=red"));
    assert_eq!(code, 0, "{told}");
    let (_, told, _) = files.policy(&team);
    assert!(told.contains("not given: aws:PrincipalTag/team"), "{told}");
    let (_, told, _) = files.policy(&format!("{team} --trace"));
    assert!(told.contains("statement 0 (Own): Allow does not apply"), "{told}");
    // One denial among several is enough.
    let both =
        format!("{ask} --resource arn:aws:s3:::home/alice/a arn:aws:s3:::other/a --format json");
    let (code, told, _) = files.policy(&both);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(code, 3);
    assert_eq!(
        (&told[0]["decision"], &told[1]["decision"]),
        (&"allowed".into(), &"implicitDeny".into())
    );
    assert_eq!(told[0]["matched"][0]["start"]["line"], 4);
}

/// The README's example, run as it stands there: what it shows is what is printed.
#[test]
fn the_readme_shows_what_is_printed() {
    let readme = include_str!("../../README.md");
    let (_, example) = readme.split_once("cat > role.json <<'EOF'\n").unwrap();
    let (policy, commands) = example.split_once("\nEOF\n").unwrap();
    let (commands, _) = commands.split_once("\n```").unwrap();
    let files = Files::new();
    files.put("role.json", policy);
    let mut codes = Vec::new();
    for command in commands.split("countersign policy ").skip(1) {
        let (words, shown) = command.split_once("\n# ").unwrap();
        let (code, told, note) = files.policy(&words.replace("\\\n", " "));
        let shown = shown.replace("\n# ", "\n");
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(plain(&(told + &note)), plain(&shown));
        codes.push(code);
    }
    assert_eq!(codes, [0, 3]);
}

/// `| head` is no failure, and hides none.
#[test]
fn whoever_stops_reading_gets_the_exit_code_all_the_same() {
    use std::process::Stdio;

    let files = Files::new();
    files.put("faulty.json", FAULTY);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = countersign(["policy", "lint", "--kind", "identity", "faulty.json"])
        .current_dir(files.0.path())
        .stdout(Stdio::from(writer))
        .output()
        .unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(3), ""));
}

#[test]
fn layers_and_trust_policies_take_part() {
    let files = Files::new();
    files.put("read.json", READ);
    let any =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    files.put("any.json", any);
    files.put("none.json", &any.replace("\"Action\":\"*\"", "\"Action\":\"sqs:*\""));
    let ask = format!(
        "simulate --identity read.json {ALICE} --action s3:GetObject --resource arn:aws:s3:::home/alice/a"
    );
    for (flag, layer) in [
        ("--boundary", "permissions boundary"),
        ("--session", "session policy"),
        ("--scp", "service control policy"),
    ] {
        assert_eq!(files.policy(&format!("{ask} {flag} any.json")).0, 0, "{flag}");
        let (code, told, _) = files.policy(&format!("{ask} {flag} none.json"));
        assert_eq!(code, 3, "{flag}");
        assert!(told.contains(&format!("no {layer} allows the s3:GetObject action")), "{told}");
    }
    assert_eq!(files.policy(&format!("{ask} --scp any.json --scp any.json,none.json")).0, 0);
    assert_eq!(files.policy(&format!("{ask} --scp any.json --scp none.json")).0, 3);
    // Another account's bucket has to agree.
    let (code, told, _) = files.policy(&format!("{ask} --resource-account 444455556666"));
    assert_eq!(code, 3);
    assert!(told.contains("no resource-based policy allows"), "{told}");

    files.put(
        "trust.json",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},
            "Condition":{"StringEquals":{"sts:ExternalId":"partner-7"}}}}"#,
    );
    let assume =
        format!("simulate --trust trust.json {ALICE} --resource arn:aws:iam::111122223333:role/r");
    let (code, told, _) = files.policy(&format!("{assume} --context sts:ExternalId=other"));
    assert_eq!(code, 3);
    assert!(
        told.contains("wants StringEquals sts:ExternalId partner-7 (the request has other)"),
        "{told}"
    );
    assert_eq!(files.policy(&format!("{assume} --context sts:ExternalId=partner-7")).0, 0);
}

#[test]
fn what_makes_no_sense_is_told_by_its_exit_code() {
    let files = Files::new();
    files.put("read.json", READ);
    files.put("broken.json", "{}");
    for (words, code) in [
        ("simulate --identity read.json --principal bob --action s3:GetObject", 2),
        ("simulate --identity read.json --action s3:GetObject", 2),
        ("simulate --identity read.json --principal 111122223333", 2),
        (
            "simulate --identity read.json --principal 111122223333 --action s3:GetObject --context x",
            2,
        ),
        ("simulate --identity read.json --principal ec2.amazonaws.com --action s3:GetObject", 2),
        ("simulate --identity read.json --principal 111122223333 --action GetObject", 2),
        (
            "simulate --identity read.json --principal 111122223333 --action s3:GetObject \
             --resource team/report",
            2,
        ),
        ("simulate --identity missing.json --principal 111122223333 --action s3:GetObject", 1),
        ("simulate --identity broken.json --principal 111122223333 --action s3:GetObject", 1),
    ] {
        let (found, told, complaint) = files.policy(words);
        assert_eq!((found, told.as_str()), (code, ""), "{words}: {complaint}");
        assert!(!complaint.is_empty(), "{words}");
    }
}
