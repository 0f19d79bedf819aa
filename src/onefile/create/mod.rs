//! What it takes to enrol a learner in OneFile: the plan, the search for what is there already, and the steps that
//! create the rest.

pub mod bulk;
pub mod context;
pub mod create_steps;
pub mod creation;
pub mod duplicates;
pub mod enrol;
pub mod find;
pub mod payloads;
pub mod people;
pub mod plan;
pub mod report;
pub mod reviews;
pub mod steps;
pub mod wanted;
