//! The remaining work of an exchange run: one row for each learner. OneFile's searches mark the
//! row, a decision fills it, and it is deleted when the learner's outcome is reported.

use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::domain::OneFileEnvironment;
use crate::store::lease::leased;
use crate::store::onefile::exchange::ThereRow;
use crate::store::{LearnerThere, Store, StoreResult, Tx};

/// A learner without a decision, with the results of the searches.
pub struct Undecided<T> {
    pub learner: LearnerThere<T>,
    /// Whether the list contained the user.
    pub seen: bool,
    pub archived: bool,
    /// Whether it changed since the last exchange.
    pub changed: bool,
    /// Learning aims that changed.
    pub aims: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Decided {
    pub learner_id: String,
    /// Why the learner is exchanged.
    pub reason: &'static str,
    /// The priority: low numbers come first.
    pub turn: i16,
    /// The estimated number of calls.
    pub calls: i32,
}

/// A learner that is next in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub learner_id: String,
    pub reason: String,
    /// The estimated number of calls.
    pub calls: i32,
    /// Whether the list contained the user.
    pub seen: bool,
    pub archived: bool,
    /// Whether the search for changes named the learner.
    pub changed: bool,
    /// Learning aims that changed.
    pub aims: Vec<String>,
}

impl Store {
    /// Begins a run's work with all linked learners, or with the named ones. Returns their number
    /// and their centres.
    pub async fn begin_exchange(
        &self,
        tx: &mut Tx,
        run: Uuid,
        provider: Uuid,
        environment: OneFileEnvironment,
        named: bool,
    ) -> StoreResult<(i32, Vec<String>)> {
        let row = sqlx::query!(
            r#"with made as (
                   insert into onefile_exchange_work (run_id, learner_id, user_id, centre_id)
                   select $1, local_id, remote_id, centre_id from onefile_links
                   where provider_id = $2 and environment = $3 and kind = 'learner'
                   and (not $4 or local_id in (select learner_id from run_learners where run_id = $1))
                   on conflict do nothing returning centre_id
               )
               select count(*)::int as "count!", coalesce(array_agg(distinct centre_id) filter (where centre_id is not null), '{}') as "centres!"
               from made"#,
            run,
            provider,
            environment.as_str(),
            named,
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok((row.count, row.centres))
    }

    /// The named learners without work in this run, in the order of the request, each with whether
    /// its record exists.
    pub async fn not_in_exchange(
        &self,
        tx: &mut Tx,
        run: Uuid,
        provider: Uuid,
    ) -> StoreResult<Vec<(String, bool)>> {
        let found = sqlx::query!(
            r#"select n.learner_id as id,
                      exists (select from records r
                              where r.provider_id = $2 and r.kind = 'learner' and r.record_id = n.learner_id) as "there!"
               from run_learners n
               where n.run_id = $1
               and not exists (select from onefile_exchange_work w where w.run_id = $1 and w.learner_id = n.learner_id)
               order by n.place"#,
            run,
            provider,
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(found.into_iter().map(|row| (row.id, row.there)).collect())
    }

    /// Stores what a page of users says: each id, whether it is archived, and whether it changed.
    pub async fn note_users(
        &self,
        tx: &mut Tx,
        run: Uuid,
        users: &[(String, bool, bool)],
    ) -> StoreResult<()> {
        let ids: Vec<_> = users.iter().map(|(id, ..)| id.clone()).collect();
        let archived: Vec<_> = users.iter().map(|(_, archived, _)| *archived).collect();
        let changed: Vec<_> = users.iter().map(|(.., changed)| *changed).collect();
        sqlx::query!(
            r#"update onefile_exchange_work w
               set seen = true, archived = w.archived or said.archived, changed = w.changed or said.changed
               from unnest($2::text[], $3::bool[], $4::bool[]) as said (id, archived, changed)
               where w.run_id = $1 and w.user_id = said.id"#,
            run,
            &ids,
            &archived,
            &changed,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Whether the complete lists of users showed none of the users that were there last time, and
    /// they are too many to be a coincidence.
    pub async fn nobody_was_seen(
        &self,
        run: Uuid,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> StoreResult<bool> {
        Ok(sqlx::query_scalar!(
            r#"select count(*) filter (where l.state <> 'gone') >= 5 and not bool_or(w.seen) as "nobody!"
               from onefile_exchange_work w
               left join onefile_links l on l.provider_id = $2 and l.environment = $3 and l.kind = 'learner' and l.local_id = w.learner_id
               where w.run_id = $1"#,
            run,
            provider,
            environment.as_str()
        )
        .fetch_one(&self.pool)
        .await?)
    }

    /// Stores which learning aims a page names as changed: the user and the id of each.
    pub async fn note_aims_changed(
        &self,
        tx: &mut Tx,
        run: Uuid,
        aims: &[(String, String)],
    ) -> StoreResult<()> {
        let users: Vec<_> = aims.iter().map(|(user, _)| user.clone()).collect();
        let ids: Vec<_> = aims.iter().map(|(_, aim)| aim.clone()).collect();
        sqlx::query!(
            r#"update onefile_exchange_work w set aims = w.aims || said.aims
               from (select user_id, array_agg(aim) as aims from unnest($2::text[], $3::text[]) as g (user_id, aim) group by user_id) as said
               where w.run_id = $1 and w.user_id = said.user_id"#,
            run,
            &users,
            &ids,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Learners without a decision, in ascending order of their ids.
    pub async fn undecided<T: DeserializeOwned>(
        &self,
        run: Uuid,
        provider: Uuid,
        environment: OneFileEnvironment,
        size: i64,
    ) -> StoreResult<Vec<Undecided<T>>> {
        // Looks up the rows of each learner. A join would scan the full tables while PostgreSQL has
        // no statistics.
        let rows = leased!(query:
            r#"select w.learner_id, w.centre_id, w.user_id, w.seen, w.archived, w.changed, w.aims, l.state, r.sealed, r.version,
                      p.sealed as "portfolio?", p.exchanged_at as "exchanged_at?", p.swept_at as "swept_at?",
                      p.sealed_problem as "sealed_problem?", e.learner_id is not null as "enrolled!",
                      coalesce(e.state in ('enrolling', 'unknown'), false) or "# + held("e.worker_until") + r#" as "enrolling!"
               from onefile_exchange_work w
               cross join lateral (select state from onefile_links
                   where provider_id = $2 and environment = $3 and kind = 'learner' and local_id = w.learner_id limit 1) l
               cross join lateral (select sealed, version from records
                   where provider_id = $2 and kind = 'learner' and record_id = w.learner_id limit 1) r
               left join lateral (select * from onefile_portfolios
                   where provider_id = $2 and environment = $3 and learner_id = w.learner_id limit 1) p on true
               left join lateral (select * from onefile_enrolments
                   where provider_id = $2 and environment = $3 and learner_id = w.learner_id limit 1) e on true
               where w.run_id = $1 and w.reason is null order by w.learner_id limit $4"#;
            run,
            provider,
            environment.as_str(),
            size,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let there = ThereRow {
                    learner_id: row.learner_id,
                    centre_id: row.centre_id,
                    user_id: row.user_id,
                    state: row.state,
                    sealed: row.sealed,
                    version: row.version,
                    portfolio: row.portfolio,
                    exchanged_at: row.exchanged_at,
                    swept_at: row.swept_at,
                    sealed_problem: row.sealed_problem,
                    enrolled: row.enrolled,
                    enrolling: row.enrolling,
                };
                Ok(Undecided {
                    learner: self.read_there(provider, environment, there)?,
                    seen: row.seen,
                    archived: row.archived,
                    changed: row.changed,
                    aims: row.aims,
                })
            })
            .collect()
    }

    pub async fn decide(&self, tx: &mut Tx, run: Uuid, decided: &[Decided]) -> StoreResult<()> {
        let ids: Vec<_> = decided.iter().map(|own| own.learner_id.clone()).collect();
        let reasons: Vec<_> = decided.iter().map(|own| own.reason.to_owned()).collect();
        let turns: Vec<_> = decided.iter().map(|own| own.turn).collect();
        let calls: Vec<_> = decided.iter().map(|own| own.calls).collect();
        sqlx::query!(
            r#"update onefile_exchange_work w set reason = said.reason, turn = said.turn, calls = said.calls
               from unnest($2::text[], $3::text[], $4::smallint[], $5::int[]) as said (id, reason, turn, calls)
               where w.run_id = $1 and w.learner_id = said.id"#,
            run,
            &ids,
            &reasons,
            &turns,
            &calls,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Removes learners from a run's work after their outcomes are reported.
    pub async fn drop_work(&self, tx: &mut Tx, run: Uuid, learners: &[String]) -> StoreResult<()> {
        sqlx::query!(
            "delete from onefile_exchange_work where run_id = $1 and learner_id = any($2)",
            run,
            learners
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Sets the time of the last exchange for learners without any work to now.
    pub async fn touch_exchanged(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
        learners: &[String],
    ) -> StoreResult<()> {
        sqlx::query!(
            r#"update onefile_portfolios set exchanged_at = app_now()
               where provider_id = $1 and environment = $2 and learner_id = any($3)"#,
            provider,
            environment.as_str(),
            learners,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The next learners of a run, low priority numbers first.
    pub async fn next_turns(&self, run: Uuid, size: i64) -> StoreResult<Vec<Turn>> {
        Ok(sqlx::query_as!(
            Turn,
            r#"select learner_id, reason as "reason!", calls, seen, archived, changed, aims
               from onefile_exchange_work where run_id = $1 and reason is not null order by turn, learner_id limit $2"#,
            run,
            size,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Moves learners that another worker holds to the end.
    pub async fn postpone_turns(&self, tx: &mut Tx, run: Uuid, learners: &[String]) -> StoreResult<()> {
        sqlx::query!(
            "update onefile_exchange_work set turn = 100 where run_id = $1 and learner_id = any($2)",
            run,
            learners
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
