//! What every process does in the background, and how it stops.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use riverqueue::RunHandle;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::database::pool_options;
use super::error::StartError;
use super::parts::Parts;
use crate::api::refusals::Refusals;
use crate::store::{self, Store};

/// Connections for what must go on however busy the others are: without the revocations every request is refused.
const VITAL_POOL: u32 = 1;
/// How often a process says that it lives, and with which keys.
const BEAT: Duration = Duration::from_secs(30);

impl Parts {
    /// Begins what every process does in the background: reading revocations, if `work`, working jobs and delivering to
    /// webhooks, and saying that it lives.
    pub fn start_background(&self, work: bool) -> Result<Running, StartError> {
        let vital =
            self.store.over(pool_options(&self.config, VITAL_POOL).connect_lazy_with(self.connect.clone()));
        let pulse =
            tokio::spawn(self.auth.clone().keep_reading(vital.clone(), self.config.timings.revocations));
        let rereading = tokio::spawn(self.auth.clone().keep_rereading());
        let (jobs, tick) = if work {
            // A stop waits for what is being sent.
            self.tasks.spawn(self.webhooks.clone().keep_delivering());
            (Some(self.runs.start()?), Some(tokio::spawn(self.runs.clone().keep_ticking())))
        } else {
            (None, None)
        };
        let process = store::new_id();
        let beat = tokio::spawn(keep_beating(vital, self.refusals.clone(), process, work));
        Ok(Running { parts: self.clone(), process, beat, pulse, rereading, jobs, tick })
    }
}

/// What runs in the background of a process.
#[derive(Debug)]
pub struct Running {
    parts: Parts,
    process: Uuid,
    beat: JoinHandle<()>,
    pulse: JoinHandle<()>,
    rereading: JoinHandle<()>,
    jobs: Option<RunHandle>,
    tick: Option<JoinHandle<()>>,
}

impl Running {
    /// Stops the process: slices end at their next step, and uploads under way come to their end, all within the shutdown
    /// time. What still runs then is left to its lease.
    pub async fn stop(self, server: Option<ServerHandle>) {
        self.parts.stopping.cancel();
        let serving = async {
            if let Some(server) = server {
                server.stop(true).await;
            }
        };
        // It holds all parts, several times over: more than belongs on a stack.
        tokio::join!(serving, Box::pin(self.end()));
    }

    async fn end(mut self) {
        let limit = self.parts.config.timings.shutdown;
        self.parts.tasks.close();
        let jobs = async {
            if let Some(jobs) = &mut self.jobs
                && let Err(error) = jobs.stop().await
            {
                error!(%error, "the job engine did not stop cleanly");
            }
        };
        let ended = tokio::time::timeout(limit, async { tokio::join!(jobs, self.parts.tasks.wait()) }).await;
        if ended.is_err() {
            warn!("some work did not end in time; another process continues it after its lease");
        }
        self.pulse.abort();
        self.rereading.abort();
        self.beat.abort();
        let _ = tokio::time::timeout(Duration::from_secs(1), self.parts.flush_refusals()).await;
        let goodbye = self.parts.store.leave(self.process);
        // A row that stays is taken for a dead process's after minutes.
        let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
        if let Some(tick) = &self.tick {
            tick.abort();
        }
        // Pools say goodbye to the server; one that hangs must not hold us up.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.parts.store.close()).await;
        info!("stopped");
    }
}

/// Says now and then that this process lives.
async fn keep_beating(store: Store, refusals: Refusals, process: Uuid, works: bool) {
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        if let Err(error) = store.beat(process, works).await {
            warn!(%error, "this process could not say that it lives; it tries again");
        }
        refusals.flush(&store, false).await;
    }
}
