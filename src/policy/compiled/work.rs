//! How much matching does, counted in steps: tests hold it to a bound, without a clock.
//!
//! A step is a character that may have been compared, or a word of a mask. Outside tests nothing is
//! counted.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
    static BOUND: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Notes that something takes this many steps.
#[cfg(not(test))]
#[inline]
pub(super) const fn takes(_: usize) {}

/// Notes that something takes this many steps.
///
/// # Panics
/// They are more than the bound: what blows up does not keep a test waiting.
#[cfg(test)]
pub(super) fn takes(steps: usize) {
    let all = STEPS.get() + steps;
    STEPS.set(all);
    assert!(all <= BOUND.get(), "more than {} steps", BOUND.get());
}

/// Does something that takes so many steps at most, in this thread; tells how many it took.
#[cfg(test)]
pub(super) fn within<T>(bound: usize, work: impl FnOnce() -> T) -> (T, usize) {
    STEPS.set(0);
    BOUND.set(bound);
    let result = work();
    BOUND.set(usize::MAX);
    (result, STEPS.get())
}
