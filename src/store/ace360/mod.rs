//! The tables of ACE360.

pub mod history;
pub mod links;
pub mod matching;
pub mod mirror;
pub mod reading;
pub mod settings;
pub mod status;
pub mod upload;
