//! Rules that need more than one value: the trait, and what its implementations share. Rules of one
//! value are in that value's newtype. Lengths and ranges are `validator` attributes on the records,
//! and this module turns their results into faults.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use super::fault::{Fault, join};
use super::folding::is_invisible;

/// A type that can be parsed from a request. serde and the schema check each value; this trait
/// checks the rest.
pub trait Check: DeserializeOwned + ToSchema + 'static {
    /// Every rule that the value breaks; empty when it is valid. `today` is London's date.
    fn check(&self, today: NaiveDate) -> Vec<Fault>;
}

/// The faults that the `validator` attributes found, sorted by pointer.
pub(super) fn attributes(result: Result<(), ValidationErrors>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Err(errors) = result {
        collect("", &errors, &mut faults);
    }
    faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    faults
}

fn collect(pointer: &str, errors: &ValidationErrors, faults: &mut Vec<Fault>) {
    for (field, kind) in errors.errors() {
        let pointer = join(pointer, &wire_name(field));
        match kind {
            ValidationErrorsKind::Struct(inner) => collect(&pointer, inner, faults),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    collect(&format!("{pointer}/{index}"), inner, faults);
                }
            }
            ValidationErrorsKind::Field(broken) => {
                faults.extend(broken.iter().map(|error| to_fault(&pointer, error)));
            }
        }
    }
}

fn to_fault(pointer: &str, error: &ValidationError) -> Fault {
    let number = |name: &str| error.params.get(name).map(ToString::to_string);
    let (code, message): (Cow<'static, str>, String) = match (&*error.code, &error.message) {
        (_, Some(message)) => (error.code.clone(), message.to_string()),
        ("length", None) => match number("max") {
            Some(max) => ("tooLong".into(), format!("Shorten this to at most {max} characters.")),
            None => ("tooShort".into(), "Lengthen this.".into()),
        },
        ("range", None) => {
            let (min, max) = (number("min").unwrap_or_default(), number("max").unwrap_or_default());
            ("outOfRange".into(), format!("Send a whole number from {min} to {max}."))
        }
        (code, None) => (code.to_owned().into(), "Correct this value.".into()),
    };
    Fault::at(pointer, code, message)
}

/// Converts a Rust field name to its JSON name: snake_case to camelCase, and `kind` to `type`,
/// which is a Rust keyword.
pub(super) fn wire_name(field: &str) -> String {
    if field == "kind" {
        return "type".to_owned();
    }
    let mut name = String::with_capacity(field.len());
    let mut upper = false;
    for c in field.chars() {
        if c == '_' {
            upper = true;
        } else {
            name.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    name
}

/// Rejects a blank name.
pub(super) fn not_blank(text: &str) -> Result<(), ValidationError> {
    printable(text)?;
    if text.chars().any(char::is_alphabetic) {
        return Ok(());
    }
    Err(ValidationError::new("required").with_message("Send a name: it must have a letter.".into()))
}

/// One line of text: control characters break the upstreams' pages and forms, and invisible ones make two names of one.
pub(super) fn printable(text: &str) -> Result<(), ValidationError> {
    if text.chars().any(char::is_control) {
        let message = "Remove line breaks, tabs and other control characters.";
        return Err(ValidationError::new("controlCharacter").with_message(message.into()));
    }
    if let Some(sign) = text.chars().find(|sign| is_invisible(*sign)) {
        let message = format!("Remove the invisible character U+{:04X}.", u32::from(sign));
        return Err(ValidationError::new("invisibleCharacter").with_message(message.into()));
    }
    Ok(())
}

/// A fault at `pointer` when `end` is before `start`.
pub(super) fn in_order(
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
    pointer: &str,
    message: &str,
) -> Option<Fault> {
    (end? < start?).then(|| Fault::at(pointer, "endBeforeStart", message))
}

/// A fault for each entry whose id an earlier entry already has.
pub(super) fn unique<'a>(ids: impl Iterator<Item = Option<&'a str>>, list: &str, field: &str) -> Vec<Fault> {
    let mut seen = HashMap::new();
    let mut faults = Vec::new();
    for (index, id) in ids.enumerate() {
        let Some(id) = id else { continue };
        if let Some(first) = seen.insert(id, index) {
            seen.insert(id, first);
            let message =
                format!("Entry {first} has this id already: keep one of the two, or correct its id.");
            faults.push(Fault::at(format!("/{list}/{index}/{field}"), "duplicateId", message));
        }
    }
    faults
}
