//! Makes cargo see a migration that was added: `sqlx::migrate!` reads the folder, which cargo does not know of.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
