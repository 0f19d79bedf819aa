//! What both upstreams share: the rate limit, the meaning of a response, and the intents that
//! ensure that nothing is created twice. This module knows neither ACE360 nor OneFile.

pub mod call;
pub mod creation;
pub mod failure;
pub mod message;
pub mod outcome;
pub mod pace;
pub mod read;
pub mod run;
