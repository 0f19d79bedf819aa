//! What it takes to create an apprentice in ACE360: the payload, the search for duplicates, and what the engine for
//! creations needs.

pub mod advice;
pub mod bulk;
pub mod creation;
pub mod duplicates;
pub mod plan;
pub mod upload;
