//! Searches: which records match, and which of them are on a page. The order by id is assumed.

use serde_json::{Map, Value};

use super::books::Books;
use super::kind::Kind;
use super::record::Record;
use super::settings::Settings;

/// The rows. The caller turns an empty result into a 204.
pub fn rows(
    books: &Books,
    settings: &Settings,
    kind: Kind,
    filters: &Map<String, Value>,
    page: Option<(usize, usize)>,
) -> Vec<Value> {
    let owner = Record::owner_field(kind).and_then(|name| filters.get(name)).and_then(Value::as_u64);
    let candidates: Box<dyn Iterator<Item = &Record>> = match owner {
        Some(owner) => Box::new(books.owned(owner, kind)),
        None => Box::new(books.of_kind(kind)),
    };
    let found = candidates.filter(|record| fits(books, record, filters));
    let Some((number, size)) = page else { return found.map(Record::row).collect() };
    // A page that is requested too large becomes smaller as a whole: the next one begins where it
    // ended.
    let size = settings.page_cap.map_or(size, |cap| size.min(cap));
    let page = found.skip((number - 1).saturating_mul(size)).take(size);
    if settings.detailed_pages {
        return page.map(|record| record.detail(settings)).collect();
    }
    page.map(Record::row).collect()
}

fn fits(books: &Books, record: &Record, filters: &Map<String, Value>) -> bool {
    filters.iter().filter(|(_, wanted)| !wanted.is_null()).all(|(name, wanted)| match name.as_str() {
        "CustomerID" => wanted.as_u64() == Some(books.id),
        "OrganisationID" => wanted.as_u64() == Some(record.centre),
        "LastModified" => wanted.as_str().is_some_and(|since| record.modified.as_str() >= since),
        "LearningAimCompletionStatus" => record.whole("Status") == wanted.as_u64(),
        "DateFrom" => dated(record, filters).zip(wanted.as_str()).is_some_and(|(date, from)| date >= from),
        "DateTo" => dated(record, filters).zip(wanted.as_str()).is_some_and(|(date, to)| date <= to),
        // It is assumed that a part of a name matches, so a caller has to check its results.
        "FirstName" | "LastName" | "Name" | "Title" => {
            record.text(name).zip(wanted.as_str()).is_some_and(|(text, part)| contains(text, part))
        }
        _ => match (record.fields.get(name), wanted) {
            (Some(Value::String(text)), Value::String(wanted)) => {
                text.to_lowercase() == wanted.to_lowercase()
            }
            (value, wanted) => value == Some(wanted),
        },
    })
}

/// The date that `DateFrom` and `DateTo` apply to (assumed). For a review: its planned time. For an
/// aim: its achievement if achieved aims are requested, or else its last change.
fn dated<'a>(record: &'a Record, filters: &Map<String, Value>) -> Option<&'a str> {
    match record.kind {
        Kind::Review => record.text("ScheduledFor"),
        _ if filters.get("LearningAimCompletionStatus").is_some_and(|status| *status == 1) => {
            record.text("AchievedDate")
        }
        _ => Some(&record.modified),
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}
