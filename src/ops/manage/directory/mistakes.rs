//! What is wrong with files: all of it, up to a bound.

use crate::ops::fault::Fault;

/// The most mistakes that are told at once.
pub(super) const MOST: usize = 20;

/// Mistakes, each told once.
#[derive(Default)]
pub(super) struct Mistakes(Vec<Fault>);

impl Mistakes {
    pub(super) fn of(faults: impl IntoIterator<Item = Fault>) -> Self {
        let mut mistakes = Self::default();
        faults.into_iter().for_each(|fault| mistakes.note(Err(fault)));
        mistakes
    }

    /// Notes what is wrong, if anything is.
    pub(super) fn note(&mut self, result: Result<(), Fault>) {
        if let Err(fault) = result
            && self.0.len() < MOST
            && !self.0.iter().any(|it| it.message() == fault.message())
        {
            self.0.push(fault);
        }
    }

    /// # Errors
    /// What is wrong: a line for each mistake, the code is that of the first.
    pub(super) fn settle(self) -> Result<(), Fault> {
        let mut faults = self.0.into_iter();
        let Some(first) = faults.next() else { return Ok(()) };
        let more: Vec<Fault> = faults.collect();
        if more.is_empty() {
            return Err(first);
        }
        let all = || std::iter::once(&first).chain(&more);
        let messages: Vec<&str> = all().map(Fault::message).collect();
        let notes: Vec<&str> = all().filter_map(Fault::note).collect();
        let fault = Fault::new(first.code(), messages.join("\n"));
        Err(if notes.is_empty() { fault } else { fault.with_note(notes.join("; ")) })
    }
}
