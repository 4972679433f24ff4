//! Reading values into a section's fields: a serde deserializer that also reads typed values from
//! the text of variables and flags, and durations from text such as `60s`.

use std::fmt;
use std::time::Duration;

use serde::de::value::{MapAccessDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess,
    Unexpected, Visitor,
};

/// A value as its source gives it.
#[derive(Clone)]
pub(super) enum Value {
    /// From a variable or a flag: text that stands for any type.
    Typed(String),
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Value>),
}

/// A field whose value cannot be read.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) field: Option<&'static str>,
    pub(super) message: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failed {}

impl Failed {
    fn takes(expected: impl fmt::Display) -> Self {
        let expected = match expected.to_string().as_str() {
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 up".to_owned(),
            "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
            "a boolean" => "true or false".to_owned(),
            other => other.to_owned(),
        };
        Self { field: None, message: format!("takes {expected}") }
    }
}

/// What was expected is told, what was found is not: it may be a secret.
impl de::Error for Failed {
    fn custom<T: fmt::Display>(message: T) -> Self {
        match message.to_string().as_str() {
            "invalid socket address syntax" => {
                Self::takes("an IP address and a port such as 127.0.0.1:8350")
            }
            other => Self { field: None, message: format!("cannot be used: {other}") },
        }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::takes(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::takes(expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::takes(format_args!("one of {}", expected.join(", ")))
    }
}

/// Reads a section from the values of its fields.
pub(super) fn read<T: DeserializeOwned>(entries: Vec<(&'static str, Value)>) -> Result<T, Failed> {
    T::deserialize(MapAccessDeserializer::new(Entries {
        entries: entries.into_iter(),
        current: None,
    }))
}

struct Entries {
    entries: std::vec::IntoIter<(&'static str, Value)>,
    current: Option<(&'static str, Value)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Failed;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failed> {
        self.current = self.entries.next();
        match &self.current {
            Some((field, _)) => seed.deserialize((*field).into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failed> {
        let (field, value) =
            self.current.take().ok_or_else(|| de::Error::custom("has no value"))?;
        seed.deserialize(value).map_err(|failed: Failed| Failed { field: Some(field), ..failed })
    }
}

impl IntoDeserializer<'_, Failed> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Numbers: as they stand, or parsed from the text of a variable or flag.
macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
            match &self {
                Value::Typed(text) => match text.trim().parse::<$number>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(de::Error::invalid_type(Unexpected::Str(""), &visitor)),
                },
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Value {
    type Error = Failed;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        match self {
            Self::Typed(text) | Self::Text(text) => visitor.visit_string(text),
            Self::Integer(number) => visitor.visit_i64(number),
            Self::Float(number) => visitor.visit_f64(number),
            Self::Bool(yes) => visitor.visit_bool(yes),
            Self::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
        }
    }

    numbers! {
        deserialize_i8 visit_i64 i64,
        deserialize_i16 visit_i64 i64,
        deserialize_i32 visit_i64 i64,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u64 u64,
        deserialize_u16 visit_u64 u64,
        deserialize_u32 visit_u64 u64,
        deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f64 f64,
        deserialize_f64 visit_f64 f64,
        deserialize_bool visit_bool bool,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failed> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failed> {
        match self {
            Self::Typed(text) | Self::Text(text) => {
                visitor.visit_enum(StringDeserializer::new(text))
            }
            _ => Err(de::Error::unknown_variant("", variants)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
        match self {
            Self::Typed(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                let items: Vec<_> = items.map(|item| Self::Typed(item.to_owned())).collect();
                visitor.visit_seq(SeqDeserializer::new(items.into_iter()))
            }
            other => other.deserialize_any(visitor),
        }
    }

    /// A `std::time::Duration` asks for its seconds and nanoseconds: they are read from text.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failed> {
        let duration = match &self {
            Self::Typed(text) | Self::Text(text) if name == "Duration" => duration(text),
            _ => None,
        };
        let duration =
            duration.ok_or_else(|| Failed::takes("a duration such as \"60s\" or \"5m\""))?;
        let parts = [duration.as_secs(), u64::from(duration.subsec_nanos())];
        visitor.visit_seq(SeqDeserializer::new(parts.into_iter()))
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map identifier
        ignored_any
    }
}

/// Reads `500ms`, `60s`, `5m`, `1h`, `7d`; `0` alone is zero.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let count: u64 = digits.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(count)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    count.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("60s", Some(60_000)),
            (" 5m ", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("7d", Some(604_800_000)),
            ("60", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("1 s", None),
            ("1S", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
            ("", None),
        ] {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
    }
}
