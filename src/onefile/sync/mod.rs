//! The daily exchange of linked learners with OneFile, and the comparison that says beforehand what it would do.

pub mod apply;
pub mod begin;
pub mod compare;
pub mod context;
pub mod convert;
pub mod creation;
pub mod decide;
pub mod diff;
pub mod exchange;
pub mod exchange_learner;
pub mod exchange_queue;
pub mod outcome;
pub mod pages;
pub mod parties;
pub mod push;
pub mod read;
pub mod release_window;
pub mod review_events;
pub mod run;
