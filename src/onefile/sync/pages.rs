//! Goes through OneFile's searches, a page a step: who is there, who was changed since the last exchange, which learning aims were.
//! What they do not tell is found by sweeps; a search that OneFile does not take is done without.

use chrono::{DateTime, TimeDelta, Utc};

use super::run::{ExchangeCursor, Phase, Work};
use crate::onefile::client::pagination::{Next, Pagination};
use crate::onefile::client::portfolio::{AimFilter, Window};
use crate::onefile::client::wire::{LearningAim, Row, User};
use crate::onefile::client::{Client, Search};
use crate::onefile::links::LEARNER_ROLE;
use crate::onefile::{OneFile, OneFileError};
use crate::store::Progress;
use crate::upstream::failure::FailureKind;
use crate::upstream::run::{Halt, Step};

/// Each would be gone, and the run would ask for them one by one.
const STRANGERS: &str = "OneFile shows none of the linked learners: the customer token is probably another customer's, or the centres are. Nothing was changed. Put the right customer token, or remove the links.";
const NO_SEARCH: &str = "OneFile does not take the search for a centre's learners.";
/// So far OneFile's clock may be behind ours.
const MARGIN: TimeDelta = TimeDelta::minutes(15);

impl OneFile {
    pub(crate) async fn page_step(
        &self,
        work: &mut Work<'_>,
        mut cursor: ExchangeCursor,
    ) -> Result<Step, Halt> {
        let Some(centre) = cursor.centres.get(cursor.at).cloned() else {
            return self.next_phase(work, cursor).await;
        };
        let since = cursor.since.map(|since| since - MARGIN);
        let run = work.run.row.id;
        match cursor.phase {
            Phase::Aims => {
                let Some(since) = since else { return self.next_phase(work, cursor).await };
                if cursor.pagination.page() == 1 && !is_windowed(work.client, &centre, cursor.began).await? {
                    return self.next_centre(work, cursor).await;
                }
                let search = aims_changed(&centre, since, cursor.began + MARGIN);
                let Some(rows) = take::<LearningAim>(work.client, &search, &mut cursor).await? else {
                    return self.next_centre(work, cursor).await;
                };
                let aims: Vec<_> = rows.into_iter().filter_map(|row| Some((row.user_id?, row.id))).collect();
                let mut tx = self.store.begin().await?;
                self.store.note_aims_changed(&mut tx, run, &aims).await?;
                self.save_step(tx, work, &cursor, Progress::default()).await
            }
            phase => {
                let search = match (phase, since) {
                    (Phase::Changed, Some(since)) => Search::users_changed(&centre, LEARNER_ROLE, since),
                    _ => Search::users(&centre, LEARNER_ROLE),
                };
                let Some(rows) = take::<User>(work.client, &search, &mut cursor).await? else {
                    if phase == Phase::Changed {
                        return self.next_centre(work, cursor).await;
                    }
                    return Err(Halt::Never(NO_SEARCH.to_owned()));
                };
                let learners = rows
                    .into_iter()
                    .filter(|row| row.role.is_none_or(|role| role == i64::from(LEARNER_ROLE)));
                let mut users = Vec::new();
                for row in learners {
                    cursor.dated &= row.last_modified.is_some();
                    let changed = phase == Phase::Changed
                        || since.is_some_and(|since| row.last_modified.is_some_and(|at| at >= since));
                    users.push((row.id, row.archived.unwrap_or(false), changed));
                }
                let mut tx = self.store.begin().await?;
                self.store.note_users(&mut tx, run, &users).await?;
                self.save_step(tx, work, &cursor, Progress::default()).await
            }
        }
    }

    async fn next_centre(&self, work: &mut Work<'_>, mut cursor: ExchangeCursor) -> Result<Step, Halt> {
        cursor.at += 1;
        cursor.pagination = Pagination::default();
        let tx = self.store.begin().await?;
        self.save_step(tx, work, &cursor, Progress::default()).await
    }

    async fn next_phase(&self, work: &mut Work<'_>, mut cursor: ExchangeCursor) -> Result<Step, Halt> {
        if cursor.phase == Phase::Users {
            let (run, provider) = (work.run.row.id, work.run.row.provider_id);
            if self.store.nobody_was_seen(run, provider, cursor.environment).await? {
                return Err(Halt::Never(STRANGERS.to_owned()));
            }
        }
        cursor.phase = match (cursor.phase, cursor.since) {
            // The first time all are read, whatever changed.
            (_, None) | (Phase::Aims, _) => Phase::Officers,
            (Phase::Users, _) if !cursor.dated => Phase::Changed,
            _ => Phase::Aims,
        };
        cursor.at = 0;
        cursor.pagination = Pagination::default();
        let tx = self.store.begin().await?;
        self.save_step(tx, work, &cursor, Progress::default()).await
    }
}

/// Reads the next page, and moves on; `None`: OneFile does not take this search.
async fn take<T: Row>(
    client: &Client,
    search: &Search,
    cursor: &mut ExchangeCursor,
) -> Result<Option<Vec<T>>, OneFileError> {
    let page = match client.search_page::<T>(search, cursor.pagination.page()).await? {
        Ok(page) => page,
        Err(failure) if matches!(failure.kind, FailureKind::Refused | FailureKind::Missing) => {
            return Ok(None);
        }
        Err(failure) => return Err(failure.into()),
    };
    let (rows, next) = cursor.pagination.take(page);
    // A search without end is left off: whom it has not shown is asked for singly.
    if matches!(next, Next::End | Next::Endless) {
        cursor.at += 1;
        cursor.pagination = Pagination::default();
    }
    Ok(Some(rows))
}

fn aims_changed(centre: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Search {
    let window = Window { from: Some(from), to: Some(to) };
    Search::learning_aims(&AimFilter { centre_id: Some(centre), window, ..AimFilter::default() })
}

/// Whether OneFile looks at the window (assumed): of a span that has not begun it must find nothing.
async fn is_windowed(client: &Client, centre: &str, now: DateTime<Utc>) -> Result<bool, OneFileError> {
    let search = aims_changed(centre, now + TimeDelta::days(400), now + TimeDelta::days(401));
    match client.search_page::<LearningAim>(&search, 1).await? {
        Ok(page) => Ok(page.rows.is_empty()),
        Err(failure) if matches!(failure.kind, FailureKind::Refused | FailureKind::Missing) => Ok(false),
        Err(failure) => Err(failure.into()),
    }
}
