//! Standard output and standard error.

use std::io::{self, Write as _};

/// Writes a line to standard output.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// An error and its causes, each told once: many an error's text tells its cause already.
pub(super) fn chain(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.ends_with(&cause) {
            told.push_str(": ");
            told.push_str(&cause);
        }
    }
    told
}

/// Writes a line to standard error. If that fails, there is nobody to tell.
pub(super) fn error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::chain;

    #[test]
    fn a_cause_is_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("keyring: {source}")]
        struct Outer {
            source: std::io::Error,
        }
        let cause = || std::io::Error::other("no such file");
        let error = anyhow::Error::from(Outer { source: cause() });
        assert_eq!(chain(&error), "keyring: no such file");
        assert_eq!(chain(&error.context("cannot start")), "cannot start: keyring: no such file");
        assert_eq!(chain(&anyhow::Error::from(cause()).context("a")), "a: no such file");
    }
}
