//! What a caller of the service sees.

// Clippy allows these in test functions alone; the helpers beside them fail the same way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod embedded_postgres;
