//! The tables of ACE360.

pub mod links;
pub mod matching;
pub mod mirror;
pub mod settings;
pub mod upload;
