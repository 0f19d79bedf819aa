//! Writes what ACE360 says of linked records.

use uuid::Uuid;

use super::decide::decide;
use crate::domain::{Ace360LinkState, Subject};
use crate::store::{Reading, Store, StoreResult, Tx};

/// What applying readings came to, as learner ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Something was other than before.
    pub changed: Vec<String>,
    pub unchanged: Vec<String>,
    /// Something was other than before, and the run had come to it already.
    pub changed_again: Vec<String>,
}

/// Applies what ACE360 says of linked records: links, history and changes, in the caller's transaction. Answers the
/// learners that had something changed; of the others only the time of reading moves.
pub async fn apply_readings(
    store: &Store,
    tx: &mut Tx,
    provider: Uuid,
    environment: &str,
    readings: &[Reading],
    run: Option<Uuid>,
) -> StoreResult<Applied> {
    let ids: Vec<i64> = readings.iter().map(|reading| reading.record_id).collect();
    let links = store.lock_ace360_links(tx, provider, environment, &ids).await?;
    let mut applied = Applied::default();
    let mut same = Vec::new();
    for link in links {
        // Of a record that stands on a page twice the last reading counts.
        let Some(reading) = readings.iter().rev().find(|reading| reading.record_id == link.record_id) else {
            continue;
        };
        // A record that moved to a later page while the run read is counted once.
        let counted = run.is_some() && link.seen_by == run;
        let decision = decide(&link, reading);
        let is_quiet = decision.changes.is_empty();
        let is_known = link.state == Ace360LinkState::Uploaded && link.problem_code.is_none();
        if is_quiet && is_known && reading.detail.is_none() && !decision.wants_single {
            same.push(link.record_id);
        } else {
            let wanted = !is_quiet || decision.wants_single;
            store.write_link_status(tx, provider, &link, &decision.now, wanted, run).await?;
            if decision.status_changed() {
                store.add_ace360_history(tx, provider, &link, &decision.now).await?;
            }
            let changes =
                decision.changes.into_iter().map(|change| (Subject::learner(&link.learner_id), change));
            store.log_changes(tx, provider, &changes.collect::<Vec<_>>()).await?;
        }
        match (is_quiet, counted) {
            (true, true) => {}
            (true, false) => applied.unchanged.push(link.learner_id),
            (false, true) => applied.changed_again.push(link.learner_id),
            (false, false) => applied.changed.push(link.learner_id),
        }
    }
    // One statement for the many that did not change.
    store.note_links_read(tx, provider, environment, &same, run).await?;
    Ok(applied)
}
