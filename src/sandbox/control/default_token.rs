//! The organisation or customer that a request means when it names none.

pub fn default_token() -> String {
    "sandbox".to_owned()
}
