//! What both upstreams share: the pace of calls, what an answer means, and the intents that make sure that
//! nothing is created twice. Knows neither ACE360 nor OneFile.

pub mod call;
pub mod creation;
pub mod failure;
pub mod message;
pub mod outcome;
pub mod pace;
pub mod read;
pub mod run;
