//! Validates a JSON body as Laravel does: every error by field, in Laravel's words. It is assumed
//! that ACE360 does this, because its makers' public tools are PHP.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

/// A body under validation. It returns values and collects errors.
pub struct Checked<'a> {
    body: &'a Map<String, Value>,
    faults: Vec<(String, Vec<String>)>,
}

impl<'a> Checked<'a> {
    /// Refuses keys that are not in `known`.
    pub fn new(body: &'a Map<String, Value>, known: &[&str]) -> Self {
        let mut checked = Self { body, faults: Vec::new() };
        for key in body.keys().filter(|key| !known.contains(&key.as_str())) {
            let message = format!("The {} field is prohibited.", spoken(key));
            checked.fault(key, message);
        }
        checked
    }

    pub fn fault(&mut self, key: &str, message: impl Into<String>) {
        let message = message.into();
        match self.faults.iter_mut().find(|(name, _)| name == key) {
            Some((_, messages)) => messages.push(message),
            None => self.faults.push((key.to_owned(), vec![message])),
        }
    }

    /// Null and blank text count as absent, as in Laravel.
    fn value(&self, key: &str) -> Option<&'a Value> {
        self.body.get(key).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        })
    }

    pub fn require(&mut self, keys: &[&str]) {
        for key in keys {
            if self.value(key).is_none() {
                self.fault(key, format!("The {} field is required.", spoken(key)));
            }
        }
    }

    /// A text of at most 255 characters.
    pub fn text(&mut self, key: &str) -> Option<&'a str> {
        let value = self.value(key)?;
        match value.as_str() {
            Some(text) if text.chars().count() <= 255 => Some(text.trim()),
            Some(_) => {
                self.fault(
                    key,
                    format!("The {} field must not be greater than 255 characters.", spoken(key)),
                );
                None
            }
            None => {
                self.fault(key, format!("The {} field must be a string.", spoken(key)));
                None
            }
        }
    }

    pub fn owned(&mut self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    /// A text that `valid` accepts.
    pub fn shaped(&mut self, key: &str, valid: impl FnOnce(&str) -> bool) -> Option<String> {
        let text = self.text(key)?;
        if !valid(text) {
            self.fault(key, format!("The {} field format is invalid.", spoken(key)));
        }
        Some(text.to_owned())
    }

    pub fn one_of(&mut self, key: &str, values: &[&str]) -> Option<String> {
        let text = self.text(key)?;
        if !values.contains(&text) {
            self.fault(key, format!("The selected {} is invalid.", spoken(key)));
        }
        Some(text.to_owned())
    }

    /// A day as `YYYY-MM-DD`.
    pub fn date(&mut self, key: &str) -> Option<NaiveDate> {
        let text = self.text(key)?;
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
        if date.is_none() {
            self.fault(key, format!("The {} field must match the format Y-m-d.", spoken(key)));
        }
        date
    }

    pub fn flag(&mut self, key: &str) -> Option<bool> {
        let flag = self.value(key)?.as_bool();
        if flag.is_none() {
            self.fault(key, format!("The {} field must be true or false.", spoken(key)));
        }
        flag
    }

    pub fn whole(&mut self, key: &str) -> Option<u64> {
        let number = self.value(key)?.as_u64();
        if number.is_none() {
            self.fault(key, format!("The {} field must be an integer.", spoken(key)));
        }
        number
    }

    /// The body of a 422. `None`: there is no error.
    pub fn verdict(self) -> Option<Value> {
        let mut messages = self.faults.iter().flat_map(|(_, messages)| messages);
        let first = messages.next()?;
        let message = match messages.count() {
            0 => first.clone(),
            1 => format!("{first} (and 1 more error)"),
            more => format!("{first} (and {more} more errors)"),
        };
        let errors: Map<String, Value> =
            self.faults.into_iter().map(|(key, list)| (key, list.into())).collect();
        Some(json!({ "message": message, "errors": errors }))
    }
}

/// Laravel's spelling of a key: `firstName` becomes "first name".
fn spoken(key: &str) -> String {
    key.chars().fold(String::new(), |mut text, letter| {
        if letter.is_uppercase() {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
        text
    })
}
