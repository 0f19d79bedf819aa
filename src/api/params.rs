//! Query and header parameters: read one by one, all faults at once, and a parameter that is not known is a fault.

use std::time::Duration;

use actix_web::HttpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use uuid::Uuid;

use super::problem::Problem;
use super::request_context::state;
use crate::domain::Fault;
use crate::store::{Store, Time};

const DEFAULT_PAGE: i64 = 50;
const LARGEST_PAGE: i64 = 500;
const LONGEST_WAIT: u64 = 60;
/// Bytes of the tag of a page token.
const TAG: usize = 16;

/// The query of one request.
#[derive(Debug)]
pub struct Params {
    left: Vec<(String, String)>,
    faults: Vec<Fault>,
    /// Path and filters: what a page token is good for.
    list: String,
    store: Option<Store>,
}

/// Which page of a list.
#[derive(Clone, Debug)]
pub struct Paging {
    pub size: i64,
    /// The last id of the page before.
    pub after: Option<String>,
    list: String,
    store: Option<Store>,
}

/// A page of a list, as it goes out.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The records of this page, at most `pageSize`.
    pub items: Vec<T>,
    /// Send it as `pageToken` for the next page; null: there is none.
    pub next_page_token: Option<String>,
}

impl Params {
    /// Reads the request's query.
    pub fn of(request: &HttpRequest) -> Self {
        let left: Vec<(String, String)> = url::form_urlencoded::parse(request.query_string().as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let mut filters: Vec<_> =
            left.iter().filter(|(name, _)| !["pageSize", "pageToken"].contains(&name.as_str())).collect();
        filters.sort();
        let list = format!("{} {filters:?}", request.path());
        let store = state(request).ok().map(|state| state.store.clone());
        let mut params = Self { left, faults: Vec::new(), list, store };
        params.refuse_control_characters();
        params
    }

    /// No value of ours has them, and the database cannot hold a NUL.
    fn refuse_control_characters(&mut self) {
        let (wrong, left) = std::mem::take(&mut self.left)
            .into_iter()
            .partition(|(_, value)| value.contains(char::is_control));
        self.left = left;
        for (name, _) in wrong as Vec<(String, String)> {
            self.fault(&name, "invalidValue", "Remove the control characters.");
        }
    }

    /// A parameter's text, if it was given.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let at = self.left.iter().position(|(own, _)| own == name)?;
        let (_, value) = self.left.remove(at);
        Some(value)
    }

    /// A parameter that is one of these words.
    pub fn word(&mut self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text(name)?;
        let found = words.iter().copied().find(|word| *word == text);
        if found.is_none() {
            self.fault(name, "invalidValue", format!("Send one of {}.", words.join(", ")));
        }
        found
    }

    /// Some of these words, with commas between; not given: none.
    pub fn words(&mut self, name: &str, words: &[&'static str]) -> Vec<&'static str> {
        let Some(text) = self.text(name) else { return Vec::new() };
        let found: Option<Vec<_>> =
            text.split(',').map(|own| words.iter().copied().find(|word| *word == own.trim())).collect();
        if found.is_none() {
            self.fault(
                name,
                "invalidValue",
                format!("Send one or more of {}, with commas between.", words.join(", ")),
            );
        }
        found.unwrap_or_default()
    }

    pub fn integer<T: std::str::FromStr>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        let number = text.parse().ok();
        if number.is_none() {
            self.fault(name, "wrongType", "Send a whole number.");
        }
        number
    }

    pub fn time(&mut self, name: &str) -> Option<Time> {
        let text = self.text(name)?;
        let time = chrono::DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc());
        if time.is_none() {
            self.fault(name, "wrongType", "Send a time such as 2026-11-22T10:00:00Z.");
        }
        time
    }

    /// `true` or `false`; not given: false.
    pub fn flag(&mut self, name: &str) -> bool {
        self.word(name, &["true", "false"]) == Some("true")
    }

    /// How many records a page has.
    pub fn page_size(&mut self) -> i64 {
        let size = self.integer::<i64>("pageSize").unwrap_or(DEFAULT_PAGE);
        if size < 1 {
            self.fault("pageSize", "outOfRange", "Send a whole number from 1 to 500.");
        }
        size.clamp(1, LARGEST_PAGE)
    }

    /// The page that is asked for. A token of another list, of other filters or of another provider is a fault.
    pub fn paging(&mut self, provider: Uuid) -> Paging {
        let size = self.page_size();
        let list = format!("{provider} {}", self.list);
        let mut paging = Paging { size, after: None, list, store: self.store.clone() };
        if let Some(token) = self.text("pageToken").filter(|token| !token.is_empty()) {
            paging.after = paging.read(&token);
            if paging.after.is_none() {
                self.fault(
                    "pageToken",
                    "invalidPageToken",
                    "Send the `nextPageToken` of the page before, unaltered and with the same filters.",
                );
            }
        }
        paging
    }

    pub fn fault(&mut self, name: &str, code: &'static str, message: impl Into<String>) {
        self.faults.push(Fault::in_parameter(name.to_owned(), code, message));
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All faults, and every parameter that nobody asked for.
    pub fn done(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.left) {
            self.fault(
                &name,
                "unknownParameter",
                "This parameter is not known here, or was given twice: remove it.",
            );
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::parameters(self.faults)) }
    }
}

impl Paging {
    /// A page of this list; `last_id` of its last item, when more follow.
    pub fn page<T>(&self, items: Vec<T>, last_id: Option<&str>) -> Page<T> {
        Page { items, next_page_token: last_id.map(|id| self.token(id)) }
    }

    /// An authentication tag, then the id.
    fn token(&self, last_id: &str) -> String {
        let mut token = self.tag(last_id);
        token.extend_from_slice(last_id.as_bytes());
        URL_SAFE_NO_PAD.encode(token)
    }

    fn read(&self, token: &str) -> Option<String> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, id) = token.split_at_checked(TAG)?;
        let id = std::str::from_utf8(id).ok()?;
        (self.tag(id) == tag).then(|| id.to_owned())
    }

    fn tag(&self, last_id: &str) -> Vec<u8> {
        let mut tag =
            self.store.as_ref().map(|store| store.page_tag(&self.list, last_id)).unwrap_or_default();
        tag.truncate(TAG);
        tag
    }
}

/// `Prefer: wait=20`, 60 seconds at most; not given: `default`.
pub fn prefer_wait(request: &HttpRequest, default: Duration) -> Duration {
    request
        .headers()
        .get_all("prefer")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .find_map(|item| item.trim().strip_prefix("wait=")?.trim_matches('"').parse::<u64>().ok())
        .map_or(default, |seconds| Duration::from_secs(seconds.min(LONGEST_WAIT)))
}
