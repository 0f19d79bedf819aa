//! The exchange of a learner with OneFile: who holds the learner, and the result, which is stored
//! in one transaction.

use std::time::Duration;

use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::domain::{Change, LinkState, OneFileEnvironment, Subject};
use crate::store::clock::interval;
use crate::store::lease::leased;
use crate::store::onefile::portfolios::portfolio_row;
use crate::store::{IntentProblem, Portfolio, PortfolioRow, RecordKind, Store, StoreResult, Time, Tx};

/// A linked learner with its stored portfolio.
#[derive(Clone)]
pub struct LearnerThere<T> {
    pub learner_id: String,
    pub centre_id: String,
    pub user_id: String,
    /// The state of the user at the last read.
    pub state: LinkState,
    pub record: T,
    /// Counts the writes of the record.
    pub version: i64,
    pub kept: PortfolioRow,
    /// The learner was enrolled here, not only linked.
    pub enrolled: bool,
    /// An enrolment is running, or its outcome is unknown.
    pub enrolling: bool,
}

pub struct Exchanged<'a> {
    pub provider: Uuid,
    pub environment: OneFileEnvironment,
    pub learner: &'a str,
    /// The worker that holds the learner.
    pub worker: Uuid,
    /// The version of the record that the exchange used.
    pub version: i64,
    /// The changed record with its blind index of name and birth date, if it changes.
    pub record: Option<(&'a [u8], Option<Vec<u8>>)>,
    pub portfolio: &'a Portfolio,
    /// Whether everything was read.
    pub swept: bool,
    pub problem: Option<&'a IntentProblem>,
    /// Events for the feed.
    pub changes: &'a [(Subject, Change)],
    /// The state of the user.
    pub state: LinkState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    Kept,
    /// The record has changed since the exchange read it.
    Outdated,
    /// The learner is erased or unlinked, or another worker holds it.
    Lost,
}

/// A row of a learner, with what is sealed.
pub(crate) struct ThereRow {
    pub learner_id: String,
    pub centre_id: String,
    pub user_id: String,
    pub state: String,
    pub sealed: Vec<u8>,
    pub version: i64,
    pub portfolio: Option<Vec<u8>>,
    pub exchanged_at: Option<Time>,
    pub swept_at: Option<Time>,
    pub sealed_problem: Option<Vec<u8>>,
    pub enrolled: bool,
    pub enrolling: bool,
}

impl Store {
    /// Claims a linked learner for a while, so that no other worker exchanges it. `None`: it is not
    /// linked, or another worker has it.
    pub async fn hold_learner<T: DeserializeOwned>(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        learner: &str,
        worker: Uuid,
        lease: Duration,
    ) -> StoreResult<Option<LearnerThere<T>>> {
        // Each table is queried by the id itself, so that PostgreSQL uses the index even without
        // statistics.
        let row = leased!(query_as(ThereRow):
            "with held as (
                   update onefile_links set " + take("exchanging" = "$4", "exchanging_until" + "$5") + "
                   where provider_id = $1 and environment = $2 and kind = 'learner' and local_id = $3 and " + free("exchanging_until") + r#"
                   returning local_id, centre_id, remote_id, state
               )
               select h.local_id as "learner_id!", h.centre_id as "centre_id!", h.remote_id as "user_id!", h.state as "state!",
                      r.sealed as "sealed!", r.version as "version!", p.sealed as "portfolio?", p.exchanged_at as "exchanged_at?",
                      p.swept_at as "swept_at?", p.sealed_problem as "sealed_problem?", e.learner_id is not null as "enrolled!",
                      coalesce(e.state in ('enrolling', 'unknown'), false) or "# + held("e.worker_until") + r#" as "enrolling!"
               from held h
               join records r on r.provider_id = $1 and r.kind = 'learner' and r.record_id = $3
               left join onefile_portfolios p on p.provider_id = $1 and p.environment = $2 and p.learner_id = $3
               left join onefile_enrolments e on e.provider_id = $1 and e.environment = $2 and e.learner_id = $3"#;
            provider,
            environment.as_str(),
            learner,
            worker,
            interval(lease),
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| self.read_there(provider, environment, row)).transpose()
    }

    /// Releases a learner if this worker still holds it.
    pub async fn release_learner(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        learner: &str,
        worker: Uuid,
    ) -> StoreResult<()> {
        leased!(query:
            "update onefile_links set " + release("exchanging", "exchanging_until") + "
             where provider_id = $1 and environment = $2 and kind = 'learner' and local_id = $3 and " + ours("exchanging" = "$4");
            provider,
            environment.as_str(),
            learner,
            worker,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Stores the result of an exchange in one transaction: the record, the portfolio, the link's
    /// state and the events. Then it releases the learner.
    pub async fn keep_exchange(&self, tx: &mut Tx, kept: &Exchanged<'_>) -> StoreResult<Keeping> {
        let (provider, environment, learner) = (kept.provider, kept.environment.as_str(), kept.learner);
        let version = sqlx::query_scalar!(
            "select version from records where provider_id = $1 and kind = 'learner' and record_id = $2 for update",
            provider,
            learner,
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(version) = version else { return Ok(Keeping::Lost) };
        if version != kept.version {
            return Ok(Keeping::Outdated);
        }
        let held = leased!(query:
            "update onefile_links set " + release("exchanging", "exchanging_until") + ", state = $5
             where provider_id = $1 and environment = $2 and kind = 'learner' and local_id = $3 and " + ours("exchanging" = "$4");
            provider,
            environment,
            learner,
            kept.worker,
            kept.state.as_str(),
        )
        .execute(&mut **tx)
        .await?;
        if held.rows_affected() == 0 {
            return Ok(Keeping::Lost);
        }
        if let Some((json, person_index)) = &kept.record {
            let sealed = self.seal_record(provider, RecordKind::Learner, learner, json)?;
            sqlx::query!(
                r#"update records set sealed = $3, person_index = $4, version = version + 1, updated_at = app_now()
                   where provider_id = $1 and kind = 'learner' and record_id = $2"#,
                provider,
                learner,
                sealed,
                person_index.as_deref(),
            )
            .execute(&mut **tx)
            .await?;
        }
        let name = portfolio_row(provider, kept.environment, learner);
        let sealed = self.seal_json(&name, kept.portfolio)?;
        let problem =
            kept.problem.map(|problem| self.seal_json(&format!("{name}/problem"), problem)).transpose()?;
        sqlx::query!(
            r#"insert into onefile_portfolios as old (provider_id, environment, learner_id, sealed, exchanged_at, swept_at, sealed_problem)
               values ($1, $2, $3, $4, app_now(), case when $5 then app_now() end, $6)
               on conflict (provider_id, environment, learner_id) do update
               set sealed = excluded.sealed, exchanged_at = excluded.exchanged_at, swept_at = coalesce(excluded.swept_at, old.swept_at),
                   sealed_problem = excluded.sealed_problem"#,
            provider,
            environment,
            learner,
            sealed,
            kept.swept,
            problem,
        )
        .execute(&mut **tx)
        .await?;
        self.log_changes(tx, provider, kept.changes).await?;
        Ok(Keeping::Kept)
    }

    pub(crate) fn read_there<T: DeserializeOwned>(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        row: ThereRow,
    ) -> StoreResult<LearnerThere<T>> {
        let name = portfolio_row(provider, environment, &row.learner_id);
        let sealed_problem = row.sealed_problem.as_deref();
        let kept = PortfolioRow {
            portfolio: match &row.portfolio {
                Some(sealed) => self.unseal_json(&name, sealed)?,
                None => Portfolio::default(),
            },
            exchanged_at: row.exchanged_at,
            swept_at: row.swept_at,
            problem: sealed_problem
                .map(|sealed| self.unseal_json(&format!("{name}/problem"), sealed))
                .transpose()?,
        };
        Ok(LearnerThere {
            record: self.unseal_record(provider, RecordKind::Learner, &row.learner_id, &row.sealed)?,
            learner_id: row.learner_id,
            centre_id: row.centre_id,
            user_id: row.user_id,
            // The table allows no other words than these.
            state: LinkState::parse(&row.state).unwrap_or(LinkState::Gone),
            version: row.version,
            kept,
            enrolled: row.enrolled,
            enrolling: row.enrolling,
        })
    }

    /// The start of the last completed exchange over all learners of this OneFile.
    pub async fn exchange_began(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> StoreResult<Option<Time>> {
        Ok(sqlx::query_scalar!(
            "select exchange_began from onefile_settings where provider_id = $1 and exchange_environment = $2",
            provider,
            environment.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?
        .flatten())
    }

    /// Ends an exchange over all learners. Learners without a decision are removed from its work.
    pub async fn end_exchange(
        &self,
        tx: &mut Tx,
        run: Uuid,
        provider: Uuid,
        all: Option<(OneFileEnvironment, Time)>,
    ) -> StoreResult<()> {
        sqlx::query!("delete from onefile_exchange_work where run_id = $1", run).execute(&mut **tx).await?;
        if let Some((environment, began)) = all {
            sqlx::query!(
                r#"update onefile_settings set last_synced_at = app_now(), exchange_began = $3, exchange_environment = $2
                   where provider_id = $1 and environment = $2"#,
                provider,
                environment.as_str(),
                began,
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }
}
