//! The README's own commands, run as they stand there.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::broker::{Broker, countersign, isolate, stderr, stdout};
use crate::caller::{Credentials, question};
use crate::python::python;

/// The code blocks of a language in a section.
fn blocks(section: &str, language: &str) -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let section = readme.split("\n## ").find(|text| text.starts_with(section)).unwrap();
    let fence = format!("```{language}\n");
    let blocks = section.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks.map(ToOwned::to_owned).collect()
}

/// A shell in which `aws` and `countersign` are the programs under test.
struct Shell<'b> {
    broker: &'b Broker,
    /// What was said before, and counts on.
    said: String,
}

impl Shell<'_> {
    /// Runs commands after those of before; returns what these print.
    fn run(&mut self, commands: &str) -> String {
        const MARK: &str = "-- now --";
        let home = self.broker.home.folder();
        let script = format!(
            "countersign() {{ \"$COUNTERSIGN\" \"$@\"; }}\naws() {{ \"$PYTHON\" -m awscli \"$@\"; }}\n\
             {}\necho '{MARK}'\n{commands}\n",
            self.said
        );
        let mut shell = Command::new("sh");
        isolate(&mut shell);
        shell
            .args(["-euc", &script])
            .env("COUNTERSIGN", countersign([""; 0]).get_program())
            .env("PYTHON", python())
            .env("HOME", home)
            .env("AWS_PAGER", "")
            .current_dir(home);
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{script}\n{}{}", stdout(&output), stderr(&output));
        stdout(&output).split_once(MARK).unwrap().1.to_owned()
    }
}

/// The shape of a JSON value: names of members, and what stands in the first element of lists.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        Value::Array(elements) => elements.iter().take(1).map(shape).collect(),
        _ => Value::Null,
    }
}

#[tokio::test]
async fn its_commands_do_what_it_says() {
    let broker = Broker::start();
    let first = &broker.home.first;
    let sdk = blocks("Use it with your SDK", "sh");
    let [setup, account, job, revoke] = &sdk[..] else { panic!("{sdk:?}") };
    let aws = broker.home.folder().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    std::fs::write(aws.join("config"), blocks("Use it with your SDK", "ini").concat()).unwrap();

    let setup = setup
        .replace("http://127.0.0.1:8350", &broker.url())
        .replace("AKIA…", &first.id)
        .replace("SECRET_ACCESS_KEY=…", &format!("SECRET_ACCESS_KEY={}", first.secret));
    assert!(!setup.contains('…'), "{setup}");
    let (exports, whoami) = setup.rsplit_once('\n').unwrap();
    let mut shell = Shell { broker: &broker, said: exports.to_owned() };
    assert!(shell.run(whoami).contains("user/admin"));

    // The README shows what it prints as a comment.
    let (_, shown) = account.rsplit_once("\n# ").unwrap();
    let shown: Vec<_> = shown.split_whitespace().collect();
    let printed = shell.run(account);
    assert_eq!(printed.split_whitespace().collect::<Vec<_>>(), shown);

    let printed = shell.run(job);
    let granted: Value = serde_json::from_str(&printed[printed.rfind("\n{").unwrap()..]).unwrap();
    let key = &granted["Credentials"];
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    let session = Credentials {
        id: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        token: Some(text("SessionToken")),
    };
    let session = broker.caller(&session);
    answers_as_shown(&broker, &session).await;

    shell.run(&revoke.replace("ASIA…", &session.credentials.id));
    session.whoami().await.refused("InvalidClientTokenId");
}

/// The question that the README shows, about a real request, is answered in the shape it shows.
async fn answers_as_shown(broker: &Broker, session: &crate::caller::Caller) {
    let asked = blocks("Use it in your service", "sh");
    let asked = asked.iter().find(|block| block.contains("/v1/verify")).unwrap();
    let asked = &asked[asked.find("'{").unwrap() + 1..asked.rfind('\'').unwrap()];
    let mut asked: Value = serde_json::from_str(asked).unwrap();
    asked["headers"] = question(&session.order())["headers"].clone();
    let answer = broker.ask(&asked).await;
    let shown: Value =
        serde_json::from_str(&blocks("Use it in your service", "json").concat()).unwrap();
    assert_eq!(shape(&answer), shape(&shown), "{answer}");
    for part in ["authenticated", "decision", "body", "matched"] {
        assert_eq!(answer[part], shown[part], "{part}");
    }
    assert_eq!(answer["principal"]["arn"], shown["principal"]["arn"]);
}
