//! Proposes which officers are which assessors, which organisations are which placements, and which
//! learners are which users, with a score and reasons. Pure; it links nothing. A link needs an id
//! that proves it (the id that PICSWeb holds, or the MIS value) or a person's decision. Equally
//! good matches are listed and not proposed.
//!
//! The strongest reasons choose first, so that a similar name never takes a record that an id
//! assigns to another. Live records come before archived ones. With several centres OneFile's
//! records are matched by the MIS value alone, as PICSWeb does. Similar records are shown there but
//! never proposed.

mod hits;
mod index;
mod input;
mod matcher;
mod messages;
mod normal;
mod report;
mod rounds;
mod similar;
mod tier;

#[cfg(test)]
mod tests;

pub use input::{Existing, Local, Remote, SuggestInput, whole_name};
use matcher::Matcher;
pub use report::{
    Ambiguous, AmbiguousBecause, LinkKind, Reason, ReasonCode, Suggestion, SuggestionCounts, Suggestions,
    Unmatched,
};

/// Proposes links. CPU time and memory grow linearly with the number of records.
pub fn suggest(input: &SuggestInput<'_>) -> Suggestions {
    Matcher::new(input).run()
}
