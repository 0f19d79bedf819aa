//! Which of our officers are which assessors, which organisations which placements, which learners which users: proposals
//! with a score and reasons. Pure; nothing is linked here. An id says it (the one that PICSWeb holds, or the MIS value) or
//! a person must; what fits equally well is listed and not proposed.
//!
//! The strongest reasons choose first, so that nobody gets by a likeness what is another's by an id. Live records go before
//! archived ones. With several centres OneFile's side is matched by the MIS value alone, as PICSWeb does: a likeness is
//! shown there, never proposed.

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

/// Proposes links. CPU time grows with the sum of both sides, and so does memory.
pub fn suggest(input: &SuggestInput<'_>) -> Suggestions {
    Matcher::new(input).run()
}
