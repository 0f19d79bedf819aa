//! The state of enrolments in OneFile: their holders, and the result of each step. What a step
//! sends is an intent.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::change_onefile::OneFileUserData;
use crate::domain::{Change, EnrolmentState, OneFileEnvironment, StepState, Subject, redacted};
use crate::store::clock::interval;
use crate::store::lease::{Lease, leased};
use crate::store::{By, IntentProblem, Store, StoreResult, Time, Tx};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnrolmentOrder {
    /// The id of OneFile's standard for a VQ reference that has several.
    pub pathways: BTreeMap<String, String>,
    /// Enrol even if OneFile probably has the learner, or one of its officers or organisations.
    pub allow_duplicate: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentStep {
    /// For example `user`, `aim:196AS` or `visit:R-1`.
    pub name: String,
    pub state: StepState,
    /// OneFile's id of the created record.
    #[serde(default)]
    pub remote_id: Option<String>,
    /// Why the step is not done.
    #[serde(default)]
    pub problem: Option<IntentProblem>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Enrolment {
    pub learner_id: String,
    pub centre_id: String,
    pub state: EnrolmentState,
    pub order: EnrolmentOrder,
    /// In the order in which they run.
    pub steps: Vec<EnrolmentStep>,
    pub requested_by: String,
    /// The run that requests it.
    pub run_id: Option<Uuid>,
    pub started_at: Time,
    /// When every step was done.
    pub enrolled_at: Option<Time>,
    /// Whether a process works on it.
    pub at_work: bool,
}

redacted!(Enrolment);

/// An enrolment to begin or to continue.
#[derive(Clone, Debug)]
pub struct NewEnrolment {
    pub provider: Uuid,
    pub environment: OneFileEnvironment,
    pub learner: String,
    pub centre_id: String,
    pub order: EnrolmentOrder,
    /// The run that requests it.
    pub run_id: Option<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BegunEnrolment {
    /// The caller holds the enrolment.
    Ours(Uuid),
    /// Another process works on it.
    InFlight,
    NoRecord,
}

/// An enrolment that waits to be continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingEnrolment {
    pub provider_id: Uuid,
    pub environment: OneFileEnvironment,
    pub learner_id: String,
}

struct Row {
    learner_id: String,
    centre_id: String,
    state: String,
    sealed_order: Vec<u8>,
    sealed_steps: Vec<u8>,
    requested_by: String,
    run_id: Option<Uuid>,
    started_at: Time,
    enrolled_at: Option<Time>,
    at_work: bool,
}

impl Store {
    /// Begins an enrolment, or continues an existing one: its steps are kept, and its options are
    /// replaced. The caller must hold its lease afterwards.
    pub async fn begin_enrolment(
        &self,
        new: &NewEnrolment,
        term: Duration,
        by: &By,
    ) -> StoreResult<BegunEnrolment> {
        let row = enrolment_row(new.provider, new.environment, &new.learner);
        let order = self.seal_json(&order_of(&row), &new.order)?;
        let steps = self.seal_json(&steps_of(&row), &Vec::<EnrolmentStep>::new())?;
        let lease = Lease::of(term);
        let mut tx = self.begin().await?;
        if !self.lock_record(&mut tx, new.provider, "learner", &new.learner).await? {
            return Ok(BegunEnrolment::NoRecord);
        }
        let taken = leased!(query:
            r#"insert into onefile_enrolments as old (provider_id, environment, learner_id, centre_id, state, sealed_order, sealed_steps,
                                                      worker, worker_until, requested_by, run_id, started_at)
               values ($1, $2, $3, $4, 'enrolling', $5, $6, $7, app_now() + $8::interval, $9, $10, app_now())
               on conflict (provider_id, environment, learner_id) do update
               set centre_id = excluded.centre_id, state = 'enrolling', sealed_order = excluded.sealed_order, worker = excluded.worker,
                   worker_until = excluded.worker_until, requested_by = excluded.requested_by, run_id = excluded.run_id, resume_at = null
               where "# + free("old.worker_until");
            new.provider,
            new.environment.as_str(),
            new.learner,
            new.centre_id,
            order,
            steps,
            lease.token,
            lease.term,
            by.actor,
            new.run_id,
        )
        .execute(&mut *tx)
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(BegunEnrolment::InFlight);
        }
        self.audit(&mut tx, new.provider, by, "onefile.enrol", "learner", &new.learner).await?;
        tx.commit().await?;
        Ok(BegunEnrolment::Ours(lease.token))
    }

    /// Takes a waiting enrolment to continue it. `None`: another process has it, or it no longer
    /// waits.
    pub async fn take_enrolment(
        &self,
        waiting: &WaitingEnrolment,
        term: Duration,
    ) -> StoreResult<Option<Uuid>> {
        let lease = Lease::of(term);
        let taken = leased!(query:
            "update onefile_enrolments set " + take("worker" = "$4", "worker_until" + "$5") + ", resume_at = null, state = 'enrolling'
             where provider_id = $1 and environment = $2 and learner_id = $3
               and (resume_at <= app_now() or worker is not null) and " + free("worker_until");
            waiting.provider_id,
            waiting.environment.as_str(),
            waiting.learner_id,
            lease.token,
            lease.term,
        )
        .execute(&self.pool)
        .await?;
        Ok((taken.rows_affected() == 1).then_some(lease.token))
    }

    /// Enrolments to continue: their time has come, or their holder's lease has expired.
    pub async fn waiting_enrolments(&self, most: i64) -> StoreResult<Vec<WaitingEnrolment>> {
        let rows = leased!(query:
            r#"select provider_id as "provider_id!", environment as "environment!", learner_id as "learner_id!" from (
                   select provider_id, environment, learner_id from onefile_enrolments where resume_at <= app_now() and worker is null
                   union all
                   select provider_id, environment, learner_id from onefile_enrolments where worker is not null and "# + free("worker_until") + "
               ) as waiting limit $1";
            most
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                Some(WaitingEnrolment {
                    provider_id: row.provider_id,
                    environment: OneFileEnvironment::parse(&row.environment)?,
                    learner_id: row.learner_id,
                })
            })
            .collect())
    }

    /// Wakes the enrolments that wait for an outcome that is now known: the learner's own
    /// enrolment, or, for a record that learners share, all waiting enrolments.
    pub async fn wake_enrolments(
        &self,
        provider: Uuid,
        environment: &str,
        learner: Option<&str>,
    ) -> StoreResult<()> {
        sqlx::query!(
            r#"update onefile_enrolments set resume_at = app_now()
               where provider_id = $1 and environment = $2 and ($3::text is null or learner_id = $3)
                 and (state = 'unknown' or state = 'incomplete' and $3 is not null)"#,
            provider,
            environment,
            learner,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Extends the lease, and stores the current steps. `false`: another process has the enrolment.
    pub async fn save_enrolment(
        &self,
        new: &NewEnrolment,
        worker: Uuid,
        steps: &[EnrolmentStep],
        lease: Duration,
    ) -> StoreResult<bool> {
        let row = enrolment_row(new.provider, new.environment, &new.learner);
        let sealed = self.seal_json(&steps_of(&row), steps)?;
        let saved = leased!(query:
            "update onefile_enrolments set sealed_steps = $2, " + renew("worker_until" + "$3") + " where " + ours("worker" = "$1");
            worker,
            sealed,
            interval(lease),
        )
        .execute(&self.pool)
        .await?;
        Ok(saved.rows_affected() == 1)
    }

    /// Releases an enrolment in its current state. `resume_in`: when it continues automatically.
    /// The first time it is complete, an event goes to the feed. `false`: another process has it.
    pub async fn leave_enrolment(
        &self,
        new: &NewEnrolment,
        worker: Uuid,
        state: EnrolmentState,
        steps: &[EnrolmentStep],
        resume_in: Option<Duration>,
    ) -> StoreResult<bool> {
        let row = enrolment_row(new.provider, new.environment, &new.learner);
        let sealed = self.seal_json(&steps_of(&row), steps)?;
        let whole = state == EnrolmentState::Enrolled;
        let mut tx = self.begin().await?;
        let left = leased!(query:
            "with old as (select enrolled_at from onefile_enrolments where " + ours("worker" = "$1") + ")
             update onefile_enrolments set state = $2, sealed_steps = $3, " + release("worker", "worker_until") + ",
                    resume_at = app_now() + $4::interval, enrolled_at = case when $5 then coalesce(enrolled_at, app_now()) else enrolled_at end
             where " + ours("worker" = "$1") + r#" returning (select enrolled_at from old) is null as "first!", centre_id"#;
            worker,
            state.as_str(),
            sealed,
            resume_in.map(interval),
            whole,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(left) = left else { return Ok(false) };
        if whole && left.first {
            let user = steps.iter().find(|step| step.name == "user").and_then(|step| step.remote_id.clone());
            let data = OneFileUserData { user_id: user, centre_id: left.centre_id };
            self.log_change(&mut tx, new.provider, Subject::learner(&new.learner), Change::Enrolled(data))
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    pub async fn enrolment(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        learner: &str,
    ) -> StoreResult<Option<Enrolment>> {
        let row = leased!(query_as(Row):
            "select learner_id, centre_id, state, sealed_order, sealed_steps, requested_by, run_id, started_at, enrolled_at, "
                + held("worker_until") + r#" as "at_work!"
               from onefile_enrolments where provider_id = $1 and environment = $2 and learner_id = $3"#;
            provider,
            environment.as_str(),
            learner,
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let name = enrolment_row(provider, environment, learner);
        Ok(Some(Enrolment {
            order: self.unseal_json(&order_of(&name), &row.sealed_order)?,
            steps: self.unseal_json(&steps_of(&name), &row.sealed_steps)?,
            learner_id: row.learner_id,
            centre_id: row.centre_id,
            // The table allows no other words than these.
            state: EnrolmentState::parse(&row.state).unwrap_or(EnrolmentState::Incomplete),
            requested_by: row.requested_by,
            run_id: row.run_id,
            started_at: row.started_at,
            enrolled_at: row.enrolled_at,
            at_work: row.at_work,
        }))
    }

    /// A learner who is unlinked, or erased, is enrolled no longer: nothing of the enrolment stays.
    pub(crate) async fn forget_enrolment(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: Option<OneFileEnvironment>,
        learner: &str,
    ) -> StoreResult<()> {
        let environment = environment.map(OneFileEnvironment::as_str);
        sqlx::query!(
            "delete from onefile_enrolments where provider_id = $1 and ($2::text is null or environment = $2) and learner_id = $3",
            provider,
            environment,
            learner
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            r#"delete from onefile_exchange_work w using runs r
               where r.id = w.run_id and r.provider_id = $1 and w.learner_id = $2"#,
            provider,
            learner
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "delete from onefile_portfolios where provider_id = $1 and ($2::text is null or environment = $2) and learner_id = $3",
            provider,
            environment,
            learner
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

fn enrolment_row(provider: Uuid, environment: OneFileEnvironment, learner: &str) -> String {
    format!("onefile_enrolments/{provider}/{}/{learner}", environment.as_str())
}

fn order_of(row: &str) -> String {
    format!("{row}/order")
}

fn steps_of(row: &str) -> String {
    format!("{row}/steps")
}
