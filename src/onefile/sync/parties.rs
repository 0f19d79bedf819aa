//! Officers' and organisations' details, once a run, by their modes: those that are due, each read singly. Which fields, and how
//! they are compared: `fields.rs`.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::run::{ExchangeCursor, Phase, Work};
use crate::domain::change_onefile::DetailsChangedData;
use crate::domain::parse::parse_value;
use crate::domain::time::day_of;
use crate::domain::{
    Change, DemographicsMode, LinkState, Officer, Organisation, RecordCode, Subject, counted,
};
use crate::onefile::client::Client;
use crate::onefile::fields::{Difference, OFFICER, ORGANISATION, differences, values};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{DueParties, OutcomeKind, Party, Progress, RecordKind, RecordOutcome, StoreError, Told};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::run::{Halt, Step};

/// Compared before the run's row is written again.
const BATCH: i64 = 20;

/// What came of one.
struct Compared {
    state: LinkState,
    /// The record, where it changes, with what the feed is told.
    record: Option<Value>,
    changes: Vec<(Subject, Change)>,
    outcome: Option<RecordOutcome>,
}

impl OneFile {
    pub(crate) async fn parties_step(
        &self,
        work: &mut Work<'_>,
        mut cursor: ExchangeCursor,
    ) -> Result<Step, Halt> {
        let choices = &work.settings.choices;
        let (kind, mode, next) = match cursor.phase {
            Phase::Officers => (RecordKind::Officer, choices.officer_demographics, Phase::Organisations),
            _ => (RecordKind::Organisation, choices.organisation_demographics, Phase::Decide),
        };
        let provider = work.run.row.provider_id;
        let before = if work.params.full { cursor.began } else { cursor.swept_before(work.settings) };
        let due = DueParties { after: cursor.party, before, size: BATCH };
        let parties = match mode {
            DemographicsMode::Ignored => Vec::new(),
            DemographicsMode::Pushed | DemographicsMode::Pulled => {
                self.store.due_parties(provider, cursor.environment, kind, due).await?
            }
        };
        let mut outcomes = Vec::new();
        let Some(last) = parties.last().map(|party| party.link_id) else {
            (cursor.phase, cursor.party) = (next, None);
            let tx = self.store.begin().await?;
            return self.save_step(tx, work, &cursor, Progress::default()).await;
        };
        let mut compared = Vec::with_capacity(parties.len());
        for party in parties {
            let came = compare(work.client, &party, mode, cursor.began).await?;
            compared.push((party, came));
        }
        let mut tx = self.store.begin().await?;
        let mut unchanged = 0;
        for (party, came) in compared {
            let kept = self
                .store
                .keep_party(&mut tx, provider, &party, came.state, came.record.as_ref(), &came.changes)
                .await?;
            match came.outcome.filter(|_| kept) {
                Some(outcome) => outcomes.push(outcome),
                // One that was written meanwhile is due again the next time.
                None => unchanged += 1,
            }
        }
        cursor.party = Some(last);
        let total =
            work.run.row.total.unwrap_or_default() + unchanged + i32::try_from(outcomes.len()).unwrap_or(0);
        let progress = Progress { total: Some(total), unchanged, outcomes, ..Progress::default() };
        self.save_step(tx, work, &cursor, progress).await
    }
}

async fn compare(
    client: &Client,
    party: &Party,
    mode: DemographicsMode,
    now: DateTime<Utc>,
) -> Result<Compared, OneFileError> {
    let differing = match differing(client, party, mode).await? {
        Ok(differing) => differing,
        Err(failure) if failure.kind.is_general() => return Err(failure.into()),
        Err(failure) => return Ok(failed(party, &failure)),
    };
    match mode {
        DemographicsMode::Ignored => Ok(Compared::quiet()),
        DemographicsMode::Pushed => push(client, party, &differing).await,
        DemographicsMode::Pulled => Ok(pull(party, differing, now)),
    }
}

impl Compared {
    fn quiet() -> Self {
        Self { state: LinkState::Linked, record: None, changes: Vec::new(), outcome: None }
    }
}

async fn differing(
    client: &Client,
    party: &Party,
    mode: DemographicsMode,
) -> Result<Result<Vec<Difference>, Failure>, OneFileError> {
    let id = &party.remote_id;
    Ok(match party.kind {
        RecordKind::Organisation => {
            let own = Organisation::deserialize(&party.record).map_err(StoreError::from)?;
            client
                .placement(id)
                .await?
                .map(|there| differences(ORGANISATION, &own, &values(ORGANISATION, &there), mode))
        }
        RecordKind::Learner | RecordKind::Officer => {
            let own = Officer::deserialize(&party.record).map_err(StoreError::from)?;
            client.user(id).await?.map(|there| differences(OFFICER, &own, &values(OFFICER, &there), mode))
        }
    })
}

async fn push(client: &Client, party: &Party, differing: &[Difference]) -> Result<Compared, OneFileError> {
    let body: Map<String, Value> = differing.iter().map(|own| own.field.property(&own.after)).collect();
    if body.is_empty() {
        return Ok(Compared::quiet());
    }
    let count = body.len();
    let (operation, noun) = match party.kind {
        RecordKind::Organisation => ("updatePlacement", "Placement"),
        RecordKind::Learner | RecordKind::Officer => ("updateUser", "User"),
    };
    match client.change(operation, format!("{noun}/{}", party.remote_id), &Value::Object(body)).await? {
        Ok(()) => {
            let words = format!("{}.", counted(count, "value went up", "values went up"));
            Ok(Compared {
                outcome: Some(outcome(party, OutcomeKind::Succeeded, RecordCode::Changed, words)),
                ..Compared::quiet()
            })
        }
        Err(failure) if failure.kind.is_general() => Err(failure.into()),
        Err(failure) => Ok(failed(party, &failure)),
    }
}

fn pull(party: &Party, differing: Vec<Difference>, now: DateTime<Utc>) -> Compared {
    let (mut record, mut changes, mut refused) = (party.record.clone(), Vec::new(), Vec::new());
    for Difference { field, before, after, .. } in differing {
        let name = field.here;
        let mut tried = record.clone();
        tried[name] = field.record_value(&after);
        let today = day_of(now);
        let fits = match party.kind {
            RecordKind::Organisation => parse_value::<Organisation>(&tried, today).is_ok(),
            RecordKind::Learner | RecordKind::Officer => parse_value::<Officer>(&tried, today).is_ok(),
        };
        if fits {
            record = tried;
            let data = DetailsChangedData {
                user_id: None,
                one_file_id: Some(party.remote_id.clone()),
                field: name.to_owned(),
                before,
                after,
                why: None,
                found_by: None,
            };
            changes.push((Subject::record(party.kind, &party.local_id), Change::DetailsChanged(data)));
        } else {
            refused.push(format!(
                "OneFile's value of {name} cannot be taken: a record of PICSWeb's does not hold such a one."
            ));
        }
    }
    if changes.is_empty() && refused.is_empty() {
        return Compared::quiet();
    }
    let mut words = vec![format!("{}.", counted(changes.len(), "value came down", "values came down"))];
    words.extend(refused);
    Compared {
        record: (!changes.is_empty()).then_some(record),
        changes,
        outcome: Some(outcome(party, OutcomeKind::Succeeded, RecordCode::Changed, words.join(" "))),
        ..Compared::quiet()
    }
}

fn failed(party: &Party, failure: &Failure) -> Compared {
    let gone = failure.kind == FailureKind::Missing;
    let state = if gone { LinkState::Gone } else { LinkState::Linked };
    let told = outcome(party, OutcomeKind::Failed, failure.kind.record_code(), failure.text());
    Compared { state, outcome: Some(told), ..Compared::quiet() }
}

fn outcome(party: &Party, outcome: OutcomeKind, code: RecordCode, words: String) -> RecordOutcome {
    RecordOutcome {
        kind: party.kind.into(),
        id: party.local_id.clone(),
        outcome,
        code,
        record_id: None,
        told: Some(Told::words(words)),
    }
}
