//! The ACE360 Connect simulator. It follows `openapi/upstream/ace360-connect.yaml`. Most of that is
//! assumed, because ACE360's own specification is not public.

mod account;
pub mod alterations;
pub mod books;
pub mod catalogue;
pub mod create;
pub mod entry;
pub mod gate;
pub mod invented;
pub mod lifecycle;
pub mod page;
pub mod record;
pub mod routes;
pub mod rules;
pub mod sectors;

/// The path of the simulator. The real one is `https://api.ace360connect.org/connect-api/beta`.
pub const BASE: &str = "/ace360/connect-api/beta";

/// The names of the operations, as the fault switch and the counts use them.
pub const OPERATIONS: [&str; 5] =
    ["listApprentices", "getApprentice", "createApprentice", "listStandards", "getStandard"];
