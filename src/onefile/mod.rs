//! All that knows OneFile.

pub mod codes;
pub mod coverage;
pub mod readiness;
pub mod suggest;
pub mod takeover;
