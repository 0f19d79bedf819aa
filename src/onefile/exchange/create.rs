//! Making something of a learner's in OneFile, once ever: what an earlier exchange or the enrolment has made is taken, and what was
//! sent and never answered is not sent again.

use std::time::{Duration, Instant};

use super::ground::{Ground, Trouble};
use crate::onefile::lost::Settled;
use crate::onefile::making::{Find, Making};
use crate::store::{NewIntent, Opened, StoreError};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::intent::Lease;

/// How long a creation waits for its permit before its learner is put off.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of it.
pub(super) enum Made {
    /// It is there; its id, and whether it was made just now.
    There(String, bool),
    /// Its outcome is open.
    Open,
    /// OneFile refused it.
    Refused(Failure),
}

impl Ground {
    /// Makes it. `step`: the intent's, of this learner.
    pub(super) async fn make(&self, learner: &str, step: String, making: Making) -> Result<Made, Trouble> {
        let store = &self.onefile.store;
        let latest = store.latest_intent(self.provider, "onefile", "learner", learner, &step).await?;
        // Whatever is done from here on was done since we looked: this intent is none that is.
        if let Some(intent) = latest.filter(|own| own.environment == self.environment.as_str()) {
            match (intent.state.as_str(), intent.remote_id) {
                ("done", Some(id)) => return Ok(Made::There(id.to_string(), false)),
                ("sending" | "unknown", _) => return Ok(Made::Open),
                _ => {}
            }
        }
        let looked = matches!(making.find, Find::Aim { .. });
        if looked {
            match self.client.find(&making.find).await? {
                Ok(hits) => {
                    if let Some(hit) = hits.iter().find(|hit| hit.same) {
                        return Ok(Made::There(hit.id.to_string(), false));
                    }
                }
                Err(failure) if failure.kind.is_general() => return Err(Trouble::General(failure)),
                Err(failure) => return Ok(Made::Refused(failure)),
            }
        }
        let intent = NewIntent {
            provider: self.provider,
            upstream: "onefile",
            environment: self.environment.as_str().to_owned(),
            subject_kind: "learner",
            subject_id: learner.to_owned(),
            step: step.into(),
            payload: serde_json::to_vec(&making).map_err(StoreError::from)?,
            candidates: Vec::new(),
            run_id: self.run.map(|(run, _)| run),
        };
        let patience_ends = Instant::now() + PATIENCE;
        loop {
            // The permit before the intent: its lease must not run out in the queue.
            if let Err(failure) = self.client.ready().await? {
                self.wait_or_end(failure, patience_ends).await?;
                continue;
            }
            let lease = Lease::begin(self.onefile.timings.lease);
            match store.open_onefile_intent(&intent, None, None, lease.lasts(), &self.by).await? {
                Opened::Ours(intent) => {
                    let sent = self.onefile.send_intent(&self.client, &intent, &making, lease, &self.by);
                    match sent.await? {
                        Settled::Done(id) => return Ok(Made::There(id.to_string(), true)),
                        Settled::Rejected(failure) if failure.kind.is_general() => {
                            return Err(Trouble::General(failure));
                        }
                        Settled::Rejected(failure) => return Ok(Made::Refused(failure)),
                        Settled::NotSent(failure) => self.wait_or_end(failure, patience_ends).await?,
                        Settled::Unknown(_) => return Ok(Made::Open),
                    }
                }
                Opened::InFlight => return Ok(Made::Open),
                Opened::AlreadyLinked | Opened::NoRecord => {
                    let seen = "PICSWeb's learner is gone";
                    return Ok(Made::Refused(Failure::new(FailureKind::Missing, None, seen)));
                }
            }
        }
    }

    /// Nothing was sent: a short wait for the pace is waited for.
    async fn wait_or_end(&self, failure: Failure, patience_ends: Instant) -> Result<(), Trouble> {
        let wait = failure.wait.unwrap_or(self.onefile.timings.retry);
        if failure.kind == FailureKind::Limited && Instant::now() + wait < patience_ends {
            tokio::time::sleep(wait).await;
            return Ok(());
        }
        Err(Trouble::General(failure))
    }
}
