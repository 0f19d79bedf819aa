//! What goes over the wire to ACE360 and comes back. Sending it is `client.rs`; what it means to us is
//! decided in `create/plan` and by those who sync.
//!
//! Requests are exact. Responses are not trusted: only an id is required. Everything else that is
//! missing or malformed is noted and left out, so that one bad record never stops a sync of
//! thousands.

mod apprentice;
mod create;
mod page;
mod reader;
mod standard;

pub use apprentice::{Apprentice, ApprenticePage, Status};
pub use create::CreateApprentice;
pub use page::{ListPosition, Page, RowFault, Unreadable, page, record};
pub use reader::{Note, Row};
pub use standard::{Sector, Standard, StandardPage};

#[cfg(test)]
mod tests;
