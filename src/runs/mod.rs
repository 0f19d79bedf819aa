//! Background work on River. Jobs only wake the workers; our own rows say what there is to do.
//!
//! - `engine.rs` works River's jobs, and cancels runs.
//! - `slice.rs` works one slice of a run: steps until the time is over, or the run waits or ends.
//! - `batch.rs` is the work of a run over chosen learners.
//! - `kinds.rs` names the work of each kind of run.
//! - `tick.rs` finds overdue work, `schedule.rs` begins daily runs, `retention.rs` deletes old data.

mod batch;
mod engine;
mod kinds;
mod reconcile;
mod retention;
pub mod schedule;
mod slice;
mod tick;

pub use engine::{Runs, cancel};
