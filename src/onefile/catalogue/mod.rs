//! What is read from OneFile in full and stored: the directory, learning aims, and their codes.

pub mod codes;
pub mod codes_cache;
pub mod directory;
pub mod qualifications;
