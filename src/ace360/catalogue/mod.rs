//! What is read from ACE360 in full and stored: standards and their sectors.

pub mod cache;
pub mod standards;
