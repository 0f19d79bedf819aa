//! All that knows OneFile.

pub mod suggest;
