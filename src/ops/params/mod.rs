//! Reading an operation's parameters, checked against the service models, in AWS's words.
//!
//! Model: [`read`] runs over the parameters once, collects everything that is wrong and yields the
//! request only when nothing was. What a reader returns for a wrong value is a placeholder, and
//! the structure that was built of placeholders is dropped unseen. Source: the constraints in the
//! models of STS 2011-06-15 and IAM 2010-05-08 and the `ValidationError` texts of both services.
//!
//! A parameter whose name comes in another case (`policy` for `Policy`) is refused rather than
//! ignored: ignoring it would give more than was asked for.

pub mod chars;
pub mod rules;
mod tags;

#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::ops::RangeInclusive;

pub use self::rules::Text;
pub use self::tags::{Tag, TagFault, check_tag_keys};

use crate::ops::fault::Fault;
use crate::wire::printable;
use crate::wire::query::{Params, QueryError, View};

/// At most this many errors are told at once.
const MAX_TOLD: usize = 10;
/// At most this much of a wrong value is told back, in characters.
const MAX_QUOTED: usize = 128;

/// Reads a request.
///
/// ```
/// # use countersign::ops::params::{self, rules};
/// # use countersign::wire::query::Params;
/// # let params = Params::parse(Some("RoleArn=arn:aws:iam::123456789012:role/a&RoleSessionName=me"), None)?;
/// struct AssumeRole<'a> {
///     role_arn: &'a str,
///     session_name: &'a str,
///     duration: Option<i64>,
/// }
/// let request = params::read(&params, |v| AssumeRole {
///     role_arn: v.required("RoleArn", &rules::ARN),
///     session_name: v.required("RoleSessionName", &rules::SESSION_NAME),
///     duration: v.integer("DurationSeconds", 900..=43_200),
/// })?;
/// assert_eq!(request.session_name, "me");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn read<'p, T>(
    params: &'p Params,
    build: impl FnOnce(&mut Validator<'_, 'p>) -> T,
) -> Result<T, Fault> {
    let mut wrong = Wrong::default();
    let built = build(&mut Validator { view: params.root(), at: String::new(), wrong: &mut wrong });
    match wrong.into_fault() {
        None => Ok(built),
        Some(fault) => Err(fault),
    }
}

/// Checks one text that does not come from Query parameters. `name` is its place, for the error.
pub fn check(name: &str, text: &str, rule: &Text) -> Result<(), Fault> {
    let mut wrong = Wrong::default();
    for constraint in broken(text, rule) {
        wrong.tell(&quote(text, rule.secret), name, constraint);
    }
    wrong.into_fault().map_or(Ok(()), Err)
}

/// What was wrong so far.
#[derive(Default)]
struct Wrong {
    malformed: Option<QueryError>,
    told: Vec<String>,
    count: usize,
}

impl Wrong {
    /// `quoted` begins with a space, or is empty for a value that is not told.
    fn tell(&mut self, quoted: &str, member: &str, constraint: impl Display) {
        self.count += 1;
        if self.told.len() < MAX_TOLD {
            self.told.push(format!(
                "Value{quoted} at '{member}' failed to satisfy constraint: {constraint}"
            ));
        }
    }

    fn into_fault(self) -> Option<Fault> {
        if let Some(error) = self.malformed {
            return Some(error.into());
        }
        let plural = match self.count {
            0 => return None,
            1 => "error",
            _ => "errors",
        };
        let told = self.told.join("; ");
        Some(Fault::validation(format!("{} validation {plural} detected: {told}", self.count)))
    }
}

/// Reads the members of one structure: see [`read`].
pub struct Validator<'w, 'p> {
    view: View<'p>,
    /// Its place, as in errors: empty, or `tags.1.member.`.
    at: String,
    wrong: &'w mut Wrong,
}

impl<'p> Validator<'_, 'p> {
    /// A text that must be there.
    pub fn required(&mut self, name: &str, rule: &Text) -> &'p str {
        if let Some(text) = self.optional(name, rule) {
            return text;
        }
        self.missing(name);
        ""
    }

    /// A text that may be there. An empty value is there, and checked.
    pub fn optional(&mut self, name: &str, rule: &Text) -> Option<&'p str> {
        let text = self.get(name)?;
        let broken = broken(text, rule);
        for constraint in broken {
            self.refuse(name, &quote(text, rule.secret), constraint);
        }
        Some(text)
    }

    /// A whole number: an optional minus and decimal digits, nothing else.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let text = self.get(name)?;
        let digits = text.strip_prefix('-').unwrap_or(text);
        let strict = digits == "0"
            || (!digits.is_empty()
                && !digits.starts_with('0')
                && digits.bytes().all(|b| b.is_ascii_digit()));
        let number = strict.then(|| text.parse::<i64>().ok()).flatten();
        let constraint = match number {
            None => "Member must be a valid integer".to_owned(),
            Some(n) if n < *range.start() => {
                format!("Member must have value greater than or equal to {}", range.start())
            }
            Some(n) if n > *range.end() => {
                format!("Member must have value less than or equal to {}", range.end())
            }
            Some(_) => return number,
        };
        self.refuse(name, &quote(text, false), constraint);
        None
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let text = self.get(name)?;
        match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.refuse(name, &quote(text, false), "Member must be true or false");
                None
            }
        }
    }

    /// One of these words: the value that stands beside it.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.get(name)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let constraint = format!("Member must satisfy enum value set: [{}]", words.join(", "));
            self.refuse(name, &quote(text, false), constraint);
        }
        found
    }

    /// As [`choice`](Self::choice), and it must be there. `None` only when it was wrong: then
    /// the whole request is refused.
    pub fn required_choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        if self.get(name).is_none() {
            self.missing(name);
        }
        self.choice(name, choices)
    }

    /// A list of structures. `None` when the request does not speak of it.
    pub fn list<T>(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        mut each: impl FnMut(&mut Validator<'_, 'p>) -> T,
    ) -> Option<Vec<T>> {
        let elements = self.elements(name, count)?;
        let member = self.member(name);
        let items = elements.into_iter().zip(1..).map(|(view, n): (_, usize)| {
            let at = format!("{member}.{n}.member.");
            each(&mut Validator { view, at, wrong: &mut *self.wrong })
        });
        Some(items.collect())
    }

    /// A list of texts. `None` when the request does not speak of it.
    pub fn texts(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        rule: &Text,
    ) -> Option<Vec<&'p str>> {
        let elements = self.elements(name, count)?;
        // An element without a value of its own is a structure where a text belongs.
        let Some(texts) = elements.iter().map(View::value).collect::<Option<Vec<&'p str>>>() else {
            let message = "Member must be a list of texts";
            self.refuse(name, "", message);
            return None;
        };
        if texts.iter().any(|text| !broken(text, rule).is_empty()) {
            let shown: Vec<&str> = texts.iter().copied().take(MAX_QUOTED).collect();
            let constraint =
                format!("Member must satisfy constraint: [{}]", describe(rule).join(", "));
            self.refuse(name, &quote(&format!("[{}]", shown.join(", ")), rule.secret), constraint);
        }
        Some(texts)
    }

    /// A list of words, each one of these: the values that stand beside them. `None` when the
    /// request does not speak of it.
    pub fn choices<T: Copy>(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        choices: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let texts = self.texts(name, count, &Text::any(0, MAX_QUOTED))?;
        let find = |text: &&str| choices.iter().find(|(word, _)| word == text);
        let found: Option<Vec<T>> = texts.iter().map(|text| Some(find(text)?.1)).collect();
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let constraint = format!(
                "Member must satisfy constraint: [Member must satisfy enum value set: [{}]]",
                words.join(", ")
            );
            self.refuse(name, &quote(&format!("[{}]", texts.join(", ")), false), constraint);
        }
        found
    }

    /// As [`texts`](Self::texts), and the request must speak of it.
    pub fn required_texts(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        rule: &Text,
    ) -> Vec<&'p str> {
        self.require_list(name);
        self.texts(name, count, rule).unwrap_or_default()
    }

    /// Refuses a request that does not speak of a list.
    pub fn require_list(&mut self, name: &str) {
        if matches!(self.view.list(name), Ok(None)) {
            self.missing(name);
        }
    }

    /// Refuses a value for a reason of the operation's own: `constraint` is the end of the
    /// sentence "Value '…' at '…' failed to satisfy constraint: …". The value is told back.
    pub fn refuse_value(&mut self, name: &str, value: &str, constraint: impl Display) {
        self.refuse(name, &quote(value, false), constraint);
    }

    fn get(&mut self, name: &str) -> Option<&'p str> {
        let text = self.view.text(name);
        if text.is_none()
            && let Some(given) = self.view.variant(name)
        {
            self.malformed(QueryError::Case { given, expected: name.to_owned() });
        }
        text
    }

    fn elements(&mut self, name: &str, count: RangeInclusive<usize>) -> Option<Vec<View<'p>>> {
        let elements = match self.view.list(name) {
            Ok(elements) => elements?,
            Err(error) => {
                self.malformed(error);
                return None;
            }
        };
        if elements.len() < *count.start() {
            let least = count.start();
            let constraint = format!("Member must have length greater than or equal to {least}");
            self.refuse(name, "", constraint);
        } else if elements.len() > *count.end() {
            let most = count.end();
            let constraint = format!("Member must have length less than or equal to {most}");
            self.refuse(name, "", constraint);
            // What is too much is not looked at.
            return None;
        }
        Some(elements)
    }

    fn missing(&mut self, name: &str) {
        self.refuse(name, " null", "Member must not be null");
    }

    fn refuse(&mut self, name: &str, quoted: &str, constraint: impl Display) {
        let member = self.member(name);
        self.wrong.tell(quoted, &member, constraint);
    }

    fn malformed(&mut self, error: QueryError) {
        self.wrong.malformed.get_or_insert(error);
    }

    /// Where a member is, the way AWS writes it: `RoleArn` is at `roleArn`.
    fn member(&self, name: &str) -> String {
        let mut chars = name.chars();
        let first = chars.next().map(|c| c.to_ascii_lowercase());
        self.at.chars().chain(first).chain(chars).collect()
    }
}

/// Which of a rule's constraints a text breaks, in AWS's order.
fn broken(text: &str, rule: &Text) -> Vec<String> {
    let length = text.chars().count();
    let mut out = Vec::new();
    if let Some(chars) = rule.chars.filter(|chars| !(chars.accepts)(text)) {
        out.push(pattern(chars.pattern));
    }
    if length < rule.min {
        out.push(at_least(rule.min));
    }
    if length > rule.max {
        out.push(at_most(rule.max));
    }
    out
}

/// All of a rule's constraints.
fn describe(rule: &Text) -> Vec<String> {
    let mut out = vec![at_most(rule.max), at_least(rule.min)];
    out.extend(rule.chars.map(|chars| pattern(chars.pattern)));
    out
}

fn pattern(pattern: &str) -> String {
    format!("Member must satisfy regular expression pattern: {pattern}")
}

fn at_least(min: usize) -> String {
    format!("Member must have length greater than or equal to {min}")
}

fn at_most(max: usize) -> String {
    format!("Member must have length less than or equal to {max}")
}

fn quote(value: &str, secret: bool) -> String {
    if secret { String::new() } else { format!(" '{}'", printable(value, MAX_QUOTED)) }
}
