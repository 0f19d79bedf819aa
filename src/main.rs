//! The one binary; its subcommand picks the role.
fn main() {}
