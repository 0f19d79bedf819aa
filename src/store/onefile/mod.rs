//! The tables of OneFile.

pub mod directory;
pub mod enabling;
pub mod enrolments;
pub mod exchange;
pub mod exchange_queue;
pub mod intents;
pub mod learners;
pub mod linking;
pub mod links;
pub mod parties;
pub mod portfolios;
pub mod sessions;
pub mod settings;
pub mod standards;
