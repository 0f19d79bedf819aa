//! Reads the status of learners from ACE360.

pub mod run;
pub mod status;
