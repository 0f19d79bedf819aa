//! OneFile's answer to a creation: the new record, or its id alone.

use serde_json::Value;

use super::reader::id;
use crate::http::json;

/// The id of the created record: a number, a text that is one, or an object's `ID` (in any case).
pub fn new_id(body: &[u8]) -> Option<i64> {
    let value: Value = json(body)?;
    let own = match &value {
        Value::Object(fields) => {
            fields.iter().find_map(|(name, value)| name.eq_ignore_ascii_case("id").then_some(value))?
        }
        other => other,
    };
    id(own)?.parse().ok().filter(|id| *id > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_id_is_read_however_it_comes_and_never_guessed() {
        for (body, id) in [
            ("70211", Some(70_211)),
            (" \"70211\" ", Some(70_211)),
            (r#"{"ID": 5, "Username": "user5"}"#, Some(5)),
            (r#"{"id": "5"}"#, Some(5)),
            (r#"{"Username": "user5"}"#, None),
            ("0", None),
            ("-3", None),
            ("null", None),
            ("true", None),
            ("[7]", None),
            ("", None),
            ("<html>7</html>", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(new_id(body.as_bytes()), id, "{body}");
        }
    }
}
