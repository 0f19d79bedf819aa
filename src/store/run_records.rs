//! The outcomes of a run's records. Each outcome except `unchanged`, which is only counted, has its
//! row.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::records::page;
use super::{After, RecordPage, Store, StoreResult, Tx};
use crate::domain::{Fault, RecordCode, SubjectKind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordOutcome {
    /// The kind of the record.
    pub kind: SubjectKind,
    pub id: String,
    pub outcome: OutcomeKind,
    /// The stable code of the outcome.
    pub code: RecordCode,
    /// The id of the upstream record. If it is missing, a learner's link has it.
    pub record_id: Option<i64>,
    /// More details for people.
    pub told: Option<Told>,
}

/// What a run reports about a record. It is sealed, because it may contain the upstream's words.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Told {
    pub message: String,
    pub errors: Vec<Fault>,
    /// Upstream records that may be the same.
    pub record_ids: Vec<i64>,
}

impl Told {
    pub fn words(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

impl RecordOutcome {
    pub fn learner(id: impl Into<String>, outcome: OutcomeKind, code: RecordCode) -> Self {
        Self { kind: SubjectKind::Learner, id: id.into(), outcome, code, record_id: None, told: None }
    }

    /// Adds what the run reports about it.
    #[must_use]
    pub fn told(mut self, told: Told) -> Self {
        self.told = Some(told);
        self
    }

    /// Adds the id of the upstream record.
    #[must_use]
    pub fn of_record(mut self, record: i64) -> Self {
        self.record_id = Some(record);
        self
    }
}

/// The outcome of a run for one record.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum OutcomeKind {
    /// The record was processed, and something was done or changed.
    Succeeded,
    Unchanged,
    /// The record could not be processed. The problem says why.
    Failed,
    /// The record was not tried. The problem says why.
    Skipped,
}

impl OutcomeKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Reads the API's word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Succeeded, Self::Unchanged, Self::Failed, Self::Skipped]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl Store {
    /// The outcomes of a run's records, by subject.
    pub async fn run_records(
        &self,
        run: Uuid,
        outcome: Option<OutcomeKind>,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<RecordOutcome>> {
        let rows = sqlx::query!(
            r#"select subject_kind as "subject_kind: SubjectKind", subject_id, outcome, code, record_id, sealed_problem from run_records
               where run_id = $1 and ($2::text is null or outcome = $2) and ($3::text is null or subject_id > $3)
               order by subject_kind, subject_id limit $4"#,
            run,
            outcome.map(OutcomeKind::as_str),
            after,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        let items = rows
            .into_iter()
            .map(|row| {
                let told = row
                    .sealed_problem
                    .map(|sealed| self.unseal_json(&problem_row(run, &row.subject_id), &sealed))
                    .transpose()?
                    .map(told_of)
                    .transpose()?;
                let outcome = OutcomeKind::parse(&row.outcome).unwrap_or(OutcomeKind::Failed);
                Ok(RecordOutcome {
                    code: row.code.as_deref().and_then(RecordCode::parse).unwrap_or(match outcome {
                        OutcomeKind::Succeeded => RecordCode::Changed,
                        _ => RecordCode::Other,
                    }),
                    outcome,
                    kind: row.subject_kind,
                    id: row.subject_id,
                    record_id: row.record_id,
                    told,
                })
            })
            .collect::<StoreResult<Vec<_>>>()?;
        Ok(page(items, size))
    }

    /// The learners that failed in a run, by id.
    pub async fn failed_learners(&self, run: Uuid) -> StoreResult<Vec<String>> {
        Ok(sqlx::query_scalar!(
            "select subject_id from run_records where run_id = $1 and subject_kind = 'learner' and outcome = 'failed' order by subject_id",
            run
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Stores outcomes in the transaction that causes them.
    pub(super) async fn tell_records(
        &self,
        tx: &mut Tx,
        run: Uuid,
        outcomes: &[RecordOutcome],
    ) -> StoreResult<()> {
        let told: Vec<_> = outcomes.iter().filter(|o| o.outcome != OutcomeKind::Unchanged).collect();
        if told.is_empty() {
            return Ok(());
        }
        let mut sealed = Vec::with_capacity(told.len());
        for outcome in &told {
            sealed.push(match &outcome.told {
                Some(told) => Some(self.seal_json(&problem_row(run, &outcome.id), told)?),
                None => None,
            });
        }
        let column = |pick: fn(&RecordOutcome) -> String| told.iter().map(|o| pick(o)).collect::<Vec<_>>();
        let records: Vec<Option<i64>> = told.iter().map(|o| o.record_id).collect();
        sqlx::query!(
            r#"insert into run_records (run_id, subject_kind, subject_id, outcome, code, record_id, sealed_problem)
               select r.id, t.kind, t.id, t.outcome, t.code, coalesce(t.record, l.record_id), t.sealed
               from runs r
               cross join unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bytea[])
                    as t (kind, id, outcome, code, record, sealed)
               left join ace360_settings s on s.provider_id = r.provider_id
               left join ace360_links l on r.upstream = 'ace360' and t.kind = 'learner' and l.provider_id = r.provider_id
                    and l.learner_id = t.id and l.environment = coalesce(s.environment, 'live')
               where r.id = $1
               on conflict (run_id, subject_kind, subject_id) do update
               set outcome = excluded.outcome, code = excluded.code, record_id = excluded.record_id,
                   sealed_problem = excluded.sealed_problem"#,
            run,
            &column(|o| o.kind.as_str().to_owned()),
            &column(|o| o.id.clone()),
            &column(|o| o.outcome.as_str().to_owned()),
            &column(|o| o.code.as_str().to_owned()),
            &records as &[Option<i64>],
            &sealed as &[Option<Vec<u8>>],
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Older values are a plain text, newer ones an object with faults.
fn told_of(value: Value) -> StoreResult<Told> {
    match value {
        Value::String(message) => Ok(Told::words(message)),
        other => Ok(serde_json::from_value(other)?),
    }
}

fn problem_row(run: Uuid, subject: &str) -> String {
    format!("run_records/{run}/{subject}")
}
