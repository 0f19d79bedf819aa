//! What one step of a run came to: each upstream's steps say it, and the run engine acts on it.

use std::time::Duration;

use super::failure::Failure;

/// What one step of a run came to.
#[derive(Debug)]
pub enum Step {
    /// There is more.
    More,
    /// All is done.
    Done,
    /// The upstream does not let us go on.
    Blocked(Failure),
    /// There is more, but not now; why.
    Waiting(Duration, String),
    /// Another worker has the run: what this one did was dropped.
    Replaced,
}
