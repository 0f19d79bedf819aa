//! The default organisation or customer of a request.

pub fn default_token() -> String {
    "sandbox".to_owned()
}
