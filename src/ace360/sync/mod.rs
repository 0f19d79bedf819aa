//! Reads the status of learners from ACE360.

mod apply;
mod decide;
pub mod run;
pub mod status;
