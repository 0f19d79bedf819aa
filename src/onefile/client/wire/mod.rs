//! What comes over the wire from OneFile. Sending and asking is `client.rs`; what it means to us is decided by those who use it.
//!
//! What we read is not trusted: property names count without regard to case, only an id is needed, and everything else that
//! is missing or odd is noted and left out, so that one odd row never stops the reading of thousands.

mod list;
mod made;
mod portfolio;
mod reader;
mod rows;
mod session;
mod time;

pub use list::{Page, RowFault, Unreadable, page, record};
pub use made::new_id;
pub use portfolio::{LearningAim, Review};
pub use reader::{Note, Reader, Row};
pub use rows::{Centre, Classroom, Customer, Placement, Standard, User};
pub use session::session;
pub use time::{day_out, instant_out, time_out};

#[cfg(test)]
mod tests;
