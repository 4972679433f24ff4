//! Scripts: what Redis does in one step, with nothing in between.

use std::sync::LazyLock;

use ::redis::Cmd;

/// A script in Lua. It is called by its hash; Redis is told its text when it does not know it.
pub(super) struct Script {
    text: &'static str,
    hash: LazyLock<String>,
}

/// A call of a script.
pub(super) struct Call {
    script: &'static Script,
    keys: usize,
    arguments: Vec<Vec<u8>>,
}

impl Script {
    pub(super) const fn new(text: &'static str, hash: fn() -> String) -> Self {
        Self { text, hash: LazyLock::new(hash) }
    }

    /// A call with these keys; arguments follow.
    pub(super) fn call<const N: usize>(&'static self, keys: [String; N]) -> Call {
        let arguments = keys.into_iter().map(String::into_bytes).collect();
        Call { script: self, keys: N, arguments }
    }
}

/// The name that Redis has for a text: its SHA-1. Nothing is proved by it.
pub(super) fn hash(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    data_encoding::HEXLOWER.encode(digest.as_ref())
}

impl Call {
    pub(super) fn arg(mut self, argument: impl Into<Vec<u8>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) fn number(self, argument: i64) -> Self {
        self.arg(argument.to_string())
    }

    /// By its hash.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// By its text: Redis knows it from then on.
    pub(super) fn by_text(&self) -> Cmd {
        self.command("EVAL", self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = ::redis::cmd(name);
        command.arg(script).arg(self.keys);
        for argument in &self.arguments {
            command.arg(argument.as_slice());
        }
        command
    }
}

/// Declares a script.
macro_rules! script {
    ($name:ident, $text:literal) => {
        static $name: crate::sessions::redis::script::Script =
            crate::sessions::redis::script::Script::new($text, || {
                crate::sessions::redis::script::hash($text)
            });
    };
}
pub(super) use script;
