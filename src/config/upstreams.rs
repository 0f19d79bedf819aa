//! The addresses and rate limits of the upstreams.

use super::raw::RawConfig;
use super::reader::{Reader, given};

/// The base addresses and rate limits of the upstreams.
#[derive(Clone, Debug)]
pub struct Upstreams {
    pub ace360_live: String,
    pub onefile_live: String,
    pub onefile_practice: String,
    pub onefile_beta: String,
    /// Calls per minute for each ACE360 token.
    pub ace360_calls_per_minute: u32,
    /// Calls per minute for each OneFile customer token.
    pub onefile_calls_per_minute: u32,
    /// The base address of the sandbox, if one is known.
    pub sandbox: Option<String>,
}

impl Upstreams {
    pub(super) fn read(raw: &RawConfig, reader: &mut Reader) -> Self {
        Self {
            ace360_live: reader.base_url(
                "PICSBRIDGE_ACE360_LIVE_URL",
                raw.ace360_live_url.as_deref(),
                "https://api.ace360connect.org/connect-api/beta",
            ),
            onefile_live: reader.base_url(
                "PICSBRIDGE_ONEFILE_LIVE_URL",
                raw.onefile_live_url.as_deref(),
                "https://wsapi.onefile.co.uk/api/v2.1",
            ),
            onefile_practice: reader.base_url(
                "PICSBRIDGE_ONEFILE_PRACTICE_URL",
                raw.onefile_practice_url.as_deref(),
                "https://wsapi2.onefile.co.uk/api/v2.1",
            ),
            onefile_beta: reader.base_url(
                "PICSBRIDGE_ONEFILE_BETA_URL",
                raw.onefile_beta_url.as_deref(),
                "https://wsapibeta.onefile.co.uk/api/v2.1",
            ),
            ace360_calls_per_minute: reader.number(
                "PICSBRIDGE_ACE360_CALLS_PER_MINUTE",
                raw.ace360_calls_per_minute.as_deref(),
                120,
            ),
            onefile_calls_per_minute: reader.number(
                "PICSBRIDGE_ONEFILE_CALLS_PER_MINUTE",
                raw.onefile_calls_per_minute.as_deref(),
                285,
            ),
            sandbox: given(raw.sandbox_url.as_deref())
                .map(|url| reader.base_url("PICSBRIDGE_SANDBOX_URL", Some(url), "")),
        }
    }
}
