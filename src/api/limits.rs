//! The request limit of each token: a count per minute in each process. Every response to a token
//! reports it (draft-ietf-httpapi-ratelimit-headers).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use quick_cache::sync::Cache;
use uuid::Uuid;

use super::problem::{Code, Problem};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const WINDOW: u64 = 60;
/// Tokens that are counted at a time; those that were quiet longest start again.
const TOKENS: usize = 10_000;

/// Counts the requests of each token. All workers of a process share it.
#[derive(Clone, Debug)]
pub struct Limits {
    per_minute: Option<u32>,
    began: Instant,
    /// The minute in the upper 32 bits, its requests in the lower 32.
    counts: Arc<Cache<Uuid, Arc<AtomicU64>>>,
}

/// The count of a token after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    quota: u32,
    left: u32,
    resets_in: u64,
}

impl Limits {
    /// The limit per minute; `None`: no limit.
    pub fn new(per_minute: Option<u32>) -> Self {
        Self { per_minute, began: Instant::now(), counts: Arc::new(Cache::new(TOKENS)) }
    }

    /// Counts a request. `Err`: the limit is exceeded. `None`: there is no limit.
    pub fn count(&self, token: Uuid) -> Result<Option<Standing>, Standing> {
        let Some(quota) = self.per_minute else { return Ok(None) };
        let seconds = self.began.elapsed().as_secs();
        let (minute, resets_in) = (seconds / WINDOW, WINDOW - seconds % WINDOW);
        let Ok(count) =
            self.counts.get_or_insert_with(&token, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let counted = count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |value| Some(counted(value, minute)))
            .map_or(0, |before| counted(before, minute) & u64::from(u32::MAX));
        let used = u32::try_from(counted).unwrap_or(u32::MAX);
        let standing = Standing { quota, left: quota.saturating_sub(used), resets_in };
        if used > quota { Err(standing) } else { Ok(Some(standing)) }
    }
}

/// Adds one request to the count of this minute.
fn counted(value: u64, minute: u64) -> u64 {
    let minute = minute & u64::from(u32::MAX);
    if value >> 32 == minute { value.saturating_add(1) } else { (minute << 32) + 1 }
}

impl Standing {
    /// Adds the rate-limit headers to a response.
    pub fn tell(self, headers: &mut HeaderMap) {
        let policy = format!("\"token\";q={};w={WINDOW}", self.quota);
        let limit = format!("\"token\";r={};t={}", self.left, self.resets_in);
        for (name, text) in [(POLICY, policy), (LIMIT, limit)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }

    pub fn problem(self) -> Problem {
        Problem::new(Code::RateLimited, Code::RateLimited.about())
            .with_retry_after(Duration::from_secs(self.resets_in))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_pass_and_no_more_and_each_token_has_its_own() {
        let limits = Limits::new(Some(3));
        let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
        let left: Vec<_> = (0..3).map(|_| limits.count(one).unwrap().unwrap().left).collect();
        assert_eq!(left, [2, 1, 0]);
        assert!(limits.count(one).is_err() && limits.count(one).is_err());
        assert_eq!(limits.count(two).unwrap().unwrap().left, 2);
        assert_eq!(Limits::new(None).count(one), Ok(None));
    }

    #[test]
    fn a_new_minute_begins_anew() {
        let full = counted(counted(0, 7), 7);
        assert_eq!((full >> 32, full & 0xffff_ffff), (7, 2));
        assert_eq!(counted(full, 8) & 0xffff_ffff, 1);
        // The first minute of a process.
        assert_eq!(counted(0, 0) & 0xffff_ffff, 1);
    }
}
