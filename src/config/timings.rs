//! The durations of the machinery, all in one setting.

use std::time::Duration;

use super::reader::{Reader, listed};

const SETTING: &str = "PICSBRIDGE_TIMINGS";

/// Durations of the machinery. The defaults are for service; tests set seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timings {
    /// How long one upstream call may take in all.
    pub call: Duration,
    /// How long an intent's sender may hold it; longer than a call.
    pub lease: Duration,
    /// How long a slice of a run works before it saves and gives way.
    pub slice: Duration,
    /// When River gives a job up.
    pub job: Duration,
    /// When River takes a job for dead and runs it again; longer than `job`.
    pub rescue: Duration,
    /// How often overdue things are looked for.
    pub tick: Duration,
    /// The least time after a call's deadline before a record that was not found is taken for absent.
    pub absence: Duration,
    /// How long a run waits before it asks an upstream again that could not be reached.
    pub retry: Duration,
    /// How often revoked tokens are read.
    pub revocations: Duration,
    /// How often what is due to webhooks is looked for.
    pub deliver: Duration,
    /// How long a stop may take before what still runs is left behind.
    pub shutdown: Duration,
}

/// The names of the timings.
const NAMES: &str = "call, lease, slice, job, rescue, tick, absence, retry, revocations, deliver, shutdown";

impl Timings {
    fn named(&mut self, name: &str) -> Option<&mut Duration> {
        Some(match name {
            "call" => &mut self.call,
            "lease" => &mut self.lease,
            "slice" => &mut self.slice,
            "job" => &mut self.job,
            "rescue" => &mut self.rescue,
            "tick" => &mut self.tick,
            "absence" => &mut self.absence,
            "retry" => &mut self.retry,
            "revocations" => &mut self.revocations,
            "deliver" => &mut self.deliver,
            "shutdown" => &mut self.shutdown,
            _ => return None,
        })
    }
}

impl Timings {
    /// Reads `call=5s,lease=8s`; what is not named keeps its default.
    pub(super) fn read(raw: Option<&str>, reader: &mut Reader) -> Self {
        let mut timings = Self::default();
        for item in listed(raw) {
            let (name, value) =
                item.split_once('=').map_or((item, ""), |(name, value)| (name.trim(), value.trim()));
            let Some(own) = timings.named(name) else {
                reader.fault(SETTING, format!("`{name}` is not known: use some of {NAMES}"));
                continue;
            };
            match parse_duration(value) {
                Some(duration) => *own = duration,
                None => reader.fault(
                    SETTING,
                    format!("`{item}`: write `{name}=` and a duration in ms, s, m or h, such as `{name}=500ms`, `{name}=30s` or `{name}=10m`; the names are {NAMES}"),
                ),
            }
        }
        if timings.lease <= timings.call {
            reader.fault(SETTING, "`lease` must be longer than `call`, or a sender could lose its lease while it waits for the answer");
        }
        if timings.job <= timings.slice + timings.call {
            reader.fault(SETTING, "`job` must be longer than `slice` and `call` together, or a slice could be cut off at its last call");
        }
        if timings.rescue <= timings.job {
            reader
                .fault(SETTING, "`rescue` must be longer than `job`, or a live job could be taken for dead");
        }
        timings
    }
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(15),
            lease: Duration::from_secs(30),
            slice: Duration::from_secs(20),
            job: Duration::from_mins(1),
            rescue: Duration::from_secs(75),
            tick: Duration::from_mins(1),
            absence: Duration::from_mins(10),
            retry: Duration::from_mins(1),
            revocations: Duration::from_secs(1),
            deliver: Duration::from_secs(1),
            shutdown: Duration::from_secs(25),
        }
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text.get(..digits)?.parse().ok()?;
    match text.get(digits..)? {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("2h"), Some(Duration::from_hours(2)));
        for wrong in ["", "5", "s", "5 s", "-1s", "99999999999999999999s"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
