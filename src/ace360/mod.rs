//! x
pub mod client;
pub mod ethnicity;
pub mod standards;
pub mod upload;
pub mod wire;
