//! OneFile.

mod assign;
mod authentication;
mod control;
mod create;
mod exchange;
mod faults;
mod limits;
mod restart;
mod search;
mod seeds;
mod users;
