//! Reads one setting after another, and collects every fault.

use std::fmt;
use std::net::SocketAddr;

use url::Url;

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    pub setting: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.message)
    }
}

#[derive(Default)]
pub(super) struct Reader {
    pub(super) faults: Vec<ConfigFault>,
}

/// A setting that has a value. A compose file leaves an empty variable behind for one that is not set.
pub(super) fn given(raw: Option<&str>) -> Option<&str> {
    raw.map(str::trim).filter(|value| !value.is_empty())
}

/// The items of a setting that lists several.
pub(super) fn listed(raw: Option<&str>) -> impl Iterator<Item = &str> {
    raw.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
}

impl Reader {
    pub(super) fn fault(&mut self, setting: &'static str, message: impl Into<String>) {
        self.faults.push(ConfigFault { setting, message: message.into() });
    }

    pub(super) fn address(&mut self, setting: &'static str, raw: Option<&str>, default: &str) -> SocketAddr {
        let text = given(raw).unwrap_or(default);
        text.parse().unwrap_or_else(|_| {
            self.fault(setting, format!("`{text}` is not an address: write one such as `{default}`"));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    /// A web address without its trailing slash.
    pub(super) fn base_url(&mut self, setting: &'static str, raw: Option<&str>, default: &str) -> String {
        let text = given(raw).unwrap_or(default);
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                text.trim_end_matches('/').to_owned()
            }
            _ => {
                self.fault(
                    setting,
                    format!("`{text}` is not a web address: write one that starts with http:// or https://"),
                );
                String::new()
            }
        }
    }

    pub(super) fn number(&mut self, setting: &'static str, raw: Option<&str>, default: u32) -> u32 {
        let Some(text) = given(raw) else { return default };
        match text.parse() {
            Ok(number) if number >= 1 => number,
            _ => {
                self.fault(setting, format!("`{text}` is not a whole number of 1 or more"));
                default
            }
        }
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        setting: &'static str,
        raw: Option<&str>,
        usual: T,
        known: [(&str, T); 2],
    ) -> T {
        let Some(text) = given(raw) else { return usual };
        if let Some((_, value)) = known.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let [(first, _), (second, _)] = known;
        self.fault(setting, format!("`{text}` is not known: write `{first}` or `{second}`"));
        usual
    }
}
