//! Officers' and organisations' details, once a run, by their modes: those that are due, each read singly. A blank never replaces a
//! value. Which fields PICSWeb keeps the same is not public: assumed are name, e-mail address and telephone, and an organisation's address.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::apply::{address_of, address_text};
use super::run::{Cursor, Phase, Work};
use crate::domain::change_onefile::DetailsChangedData;
use crate::domain::parse::parse_value;
use crate::domain::{
    Change, DemographicsMode, LinkState, Officer, Organisation, RecordCode, Subject, counted,
};
use crate::onefile::client::Client;
use crate::onefile::wire::{Placement, User, day_of};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{DueParties, OutcomeKind, Party, Progress, RecordKind, RecordOutcome, Told};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::step::Step;

/// Compared before the run's row is written again.
const BATCH: i64 = 20;

/// A field: PICSWeb's name, OneFile's name, the value here, the value there.
pub(in crate::onefile) type Field = (&'static str, &'static str, Option<String>, Option<String>);

/// What came of one.
struct Compared {
    state: LinkState,
    /// The record, where it changes, with what the feed is told.
    record: Option<Value>,
    changes: Vec<(Subject, Change)>,
    outcome: Option<RecordOutcome>,
}

impl OneFile {
    pub(super) async fn parties_step(
        &self,
        work: &mut Work<'_>,
        mut cursor: Cursor,
    ) -> Result<Step, OneFileError> {
        let choices = &work.settings.choices;
        let (kind, mode, next) = match cursor.phase {
            Phase::Officers => (RecordKind::Officer, choices.officer_demographics, Phase::Organisations),
            _ => (RecordKind::Organisation, choices.organisation_demographics, Phase::Decide),
        };
        let provider = work.run.provider_id;
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
            work.run.total.unwrap_or_default() + unchanged + i32::try_from(outcomes.len()).unwrap_or(0);
        work.run.total = Some(total);
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
    let fields = match fields_of(client, party).await? {
        Ok(fields) => fields,
        Err(failure) if failure.kind.is_general() => return Err(failure.into()),
        Err(failure) => return Ok(failed(party, &failure)),
    };
    let differing: Vec<Field> = fields
        .into_iter()
        .filter(|(_, _, here, there)| !is_same(here.as_deref(), there.as_deref()))
        .collect();
    match mode {
        DemographicsMode::Ignored => Ok(Compared::quiet()),
        DemographicsMode::Pushed => push(client, party, differing).await,
        DemographicsMode::Pulled => Ok(pull(party, differing, now)),
    }
}

impl Compared {
    fn quiet() -> Self {
        Self { state: LinkState::Linked, record: None, changes: Vec::new(), outcome: None }
    }
}

async fn fields_of(client: &Client, party: &Party) -> Result<Result<Vec<Field>, Failure>, OneFileError> {
    Ok(match party.kind {
        RecordKind::Organisation => {
            client.placement(&party.remote_id).await?.map(|there| of_organisation(&party.record, there))
        }
        RecordKind::Learner | RecordKind::Officer => {
            client.user(&party.remote_id).await?.map(|there| of_officer(&party.record, there))
        }
    })
}

/// An officer's, beside a user's.
pub(in crate::onefile) fn of_officer(record: &Value, there: User) -> Vec<Field> {
    vec![
        ("firstName", "FirstName", own(record, "firstName"), there.first_name),
        ("lastName", "LastName", own(record, "lastName"), there.last_name),
        ("email", "Email", own(record, "email"), there.email),
        ("telephone", "Telephone", own(record, "telephone"), there.telephone),
    ]
}

/// An organisation's, beside a placement's.
pub(in crate::onefile) fn of_organisation(record: &Value, there: Placement) -> Vec<Field> {
    vec![
        ("name", "Name", own(record, "name"), there.name),
        ("address", "Address", address_text(&record["address"]), there.address),
        ("email", "Email", own(record, "email"), there.email),
        ("telephone", "Telephone", own(record, "telephone"), there.telephone),
    ]
}

fn own(record: &Value, name: &str) -> Option<String> {
    record[name].as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Case, spaces and how lines are parted make no difference.
fn is_same(here: Option<&str>, there: Option<&str>) -> bool {
    let plain = |text: Option<&str>| {
        text.map(|text| {
            let signs = text.chars().filter(|sign| sign.is_alphanumeric() || *sign == '@');
            signs.flat_map(char::to_lowercase).collect::<String>()
        })
    };
    plain(here) == plain(there)
}

async fn push(client: &Client, party: &Party, differing: Vec<Field>) -> Result<Compared, OneFileError> {
    let body: Map<String, Value> = differing
        .into_iter()
        .filter_map(|(_, name, here, _)| Some((name.to_owned(), json!(here?))))
        .collect();
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

fn pull(party: &Party, differing: Vec<Field>, now: DateTime<Utc>) -> Compared {
    let (mut record, mut changes, mut refused) = (party.record.clone(), Vec::new(), Vec::new());
    for (field, _, here, there) in differing {
        let Some(after) = there else { continue };
        let mut tried = record.clone();
        tried[field] = if field == "address" { address_of(&after) } else { json!(after) };
        let today = day_of(now);
        let fits = match party.kind {
            RecordKind::Organisation => parse_value::<Organisation>(tried.clone(), "", today).is_ok(),
            RecordKind::Learner | RecordKind::Officer => {
                parse_value::<Officer>(tried.clone(), "", today).is_ok()
            }
        };
        if fits {
            record = tried;
            let data = DetailsChangedData {
                user_id: None,
                one_file_id: Some(party.remote_id.clone()),
                field: field.to_owned(),
                before: here,
                after,
                why: None,
                found_by: None,
            };
            changes.push((Subject::record(party.kind, &party.local_id), Change::DetailsChanged(data)));
        } else {
            refused.push(format!(
                "OneFile's value of {field} cannot be taken: a record of PICSWeb's does not hold such a one."
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
