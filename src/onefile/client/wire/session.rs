//! What `Authentication` answers.

use secrecy::SecretString;

use super::list::Unreadable;

/// Longer than any session seen (350 characters); a page of HTML is longer still, or has spaces.
const LONGEST: usize = 8192;

/// Reads a session: the body as it is, or a JSON string of it.
///
/// # Errors
/// It is no session.
pub fn session(body: &[u8]) -> Result<SecretString, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable("the session is not text"))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let token = if text.starts_with('"') {
        serde_json::from_str(text).map_err(|_| Unreadable("the session is not a JSON string"))?
    } else {
        text.to_owned()
    };
    let token = token.trim();
    if token.is_empty() {
        return Err(Unreadable("there is no session in it"));
    }
    // It goes into a header.
    if token.len() > LONGEST
        || token.starts_with(['<', '{', '['])
        || !token.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(Unreadable("what it holds is no session"));
    }
    Ok(SecretString::from(token.to_owned()))
}
