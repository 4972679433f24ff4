//! Strict JSON: what two readers could understand differently is refused.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

/// A document is not the JSON that was expected: where and why, with the names of fields.
///
/// INVARIANT (secrets stay secret): values are not told back, one of them may be a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StrictError(String);

/// Reads a document in which no object has a key twice, with nothing after it.
///
/// serde refuses repeated fields of a struct by itself, but not repeated keys of a map; this reads
/// the whole text once more to refuse both.
///
/// # Errors
/// What is wrong, with line and column.
pub fn strict<T: DeserializeOwned>(text: &[u8]) -> Result<T, StrictError> {
    let read = || {
        let mut reader = serde_json::Deserializer::from_slice(text);
        NoDuplicates.deserialize(&mut reader)?;
        reader.end()?;
        serde_json::from_slice(text)
    };
    read().map_err(|error: serde_json::Error| StrictError(without_value(&error.to_string())))
}

/// serde's sentence without the value that it quotes: `invalid type: string "…", expected a map`
/// becomes `invalid type: string, expected a map`.
fn without_value(sentence: &str) -> String {
    const EXPECTED: &str = ", expected ";
    const LONGEST: usize = 256;
    let kept = ["invalid type: ", "invalid value: ", "invalid length: "]
        .into_iter()
        .find_map(|start| Some((start, sentence.strip_prefix(start)?)));
    let told = match kept {
        Some((start, rest)) => {
            let kind: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
            // The last one: a value may hold these words, what follows it is serde's own.
            let expected = rest.rsplit_once(EXPECTED).map_or("", |(_, expected)| expected);
            format!("{start}{kind}{EXPECTED}{expected}")
        }
        None => sentence.to_owned(),
    };
    // Names of fields are told back, and these may be of any length.
    told.chars().take(LONGEST).collect()
}

struct NoDuplicates;

impl<'de> DeserializeSeed<'de> for NoDuplicates {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NoDuplicates {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(NoDuplicates)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(NoDuplicates)?;
            if let Some(key) = seen.replace(key) {
                return Err(A::Error::custom(format_args!("the key `{key}` is there twice")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::strict;
    use std::collections::HashMap;

    #[test]
    fn errors_tell_where_and_why_but_no_value() {
        type Lists = HashMap<String, Vec<u8>>;
        for (text, told) in [
            (r#"{"a":"s3cret"}"#, "invalid type: string, expected a sequence at line 1 column 13"),
            (
                r#"{"a":["s3cret, expected x"]}"#,
                "invalid type: string, expected u8 at line 1 column 26",
            ),
            (r#"{"a":[4711]}"#, "invalid value: integer, expected u8 at line 1 column 10"),
            (r#"{"a":[47.11]}"#, "invalid type: floating, expected u8 at line 1 column 11"),
            (r#""s3cret""#, "invalid type: string, expected a map at line 1 column 8"),
            (r#"{"a":s3cret}"#, "expected value at line 1 column 6"),
            (r#"{"a":[],"a":[]}"#, "the key `a` is there twice at line 1 column 15"),
        ] {
            let error = strict::<Lists>(text.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, told, "{text}");
        }
        let long = format!("{{\"{0}\":[],\"{0}\":[]}}", "k".repeat(10_000));
        assert_eq!(strict::<Lists>(long.as_bytes()).unwrap_err().to_string().len(), 256);
    }

    #[test]
    fn repeated_keys_and_trailing_text_are_refused_at_any_depth() {
        type Map = HashMap<String, serde_json::Value>;
        assert!(strict::<Map>(br#"{"a":1,"b":[{"c":1}]}"#).is_ok());
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"b":[{"c":1,"c":1}]}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":1} x"#,
            r#"{"a":1}{"#,
        ] {
            assert!(strict::<Map>(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = "[".repeat(100_000);
        assert!(strict::<serde_json::Value>(deep.as_bytes()).is_err());
    }
}
