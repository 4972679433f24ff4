//! What a service's model says of the members of an input.

/// A member of an input, or of a structure in it.
#[derive(Clone, Copy)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it may be.
    pub kind: &'static Kind,
}

/// What a value may be.
pub enum Kind {
    /// A text.
    Text(Text),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// Yes or no.
    Boolean,
    /// An object whose members are texts, whatever their names.
    Texts {
        /// At most this many.
        most: usize,
        /// At most this many characters of a name; at least one.
        key: usize,
        /// At most this many characters of a text.
        value: usize,
    },
    /// A list of such values.
    List(&'static Kind),
    /// An object with these members.
    Structure(&'static [Member]),
}

/// What a text may be.
pub struct Text {
    /// At least this many characters.
    pub min: usize,
    /// At most this many, if the model says so.
    pub max: Option<usize>,
    /// The model's pattern, for people and tests.
    pub pattern: &'static str,
    /// Whether a whole value matches the pattern.
    pub accepts: fn(&str) -> bool,
}

impl Member {
    /// One that must be there.
    pub const fn required(name: &'static str, kind: &'static Kind) -> Self {
        Self { name, required: true, kind }
    }

    /// One that may be there.
    pub const fn optional(name: &'static str, kind: &'static Kind) -> Self {
        Self { name, required: false, kind }
    }
}
