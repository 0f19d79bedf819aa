//! Which of ACE360's records belong to which learners.

pub mod matching;
pub mod readings;
