//! OneFile's JSON formats. `client.rs` sends and receives them; other modules interpret them.
//!
//! Responses are not trusted. Property names are matched without regard to case, and only an id is
//! required. Everything else that is missing or malformed is noted and left out, so that one bad
//! row never stops the reading of thousands.

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
