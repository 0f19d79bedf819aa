//! The OneFile records that can be linked, as of the last read. Names, e-mail addresses and MIS
//! values are sealed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{DirectoryKind, OneFileEnvironment, redacted};
use crate::store::clock::interval;
use crate::store::{RecordKind, Store, StoreResult, Time, Tx};

/// The rows that one statement writes.
const BATCH: usize = 1000;

/// A centre, classroom, assessor or placement in OneFile.
#[derive(Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// OneFile's id of the centre. For a centre: its own id.
    pub centre_id: String,
    pub remote_id: String,
    /// Set for assessors only: 4 trainee assessor, 5 assessor.
    pub role: Option<i32>,
    pub archived: bool,
    pub labels: DirectoryLabels,
    pub refreshed_at: Time,
}

/// The values by which a person recognises an entry.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DirectoryLabels {
    /// The name; for a person first and last name.
    pub name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    /// The MIS value: PICSWeb's Ident, if it was entered.
    pub mis_id: Option<String>,
}

redacted!(DirectoryEntry DirectoryLabels);

/// When a part of the directory was last read in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refreshed {
    pub at: Time,
    pub unreadable: i32,
}

#[derive(Clone, Copy, Debug)]
pub struct DirectoryFilter<'a> {
    pub kind: DirectoryKind,
    pub centre_id: Option<&'a str>,
    /// Whether to return archived or live entries. `None`: both.
    pub archived: Option<bool>,
}

impl Store {
    /// When the part was last read in full. `None`: never.
    pub async fn onefile_refreshed(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: DirectoryKind,
    ) -> StoreResult<Option<Refreshed>> {
        Ok(sqlx::query_as!(
            Refreshed,
            r#"select refreshed_at as "at!", unreadable from onefile_refreshes
               where provider_id = $1 and environment = $2 and kind = $3 and refreshed_at is not null"#,
            provider,
            environment.as_str(),
            kind.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Claims the reading of a part for `lease`. `None`: another process reads it.
    pub async fn claim_onefile_refresh(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: DirectoryKind,
        lease: Duration,
    ) -> StoreResult<Option<Uuid>> {
        let claim = crate::store::new_id();
        let ours = sqlx::query!(
            r#"insert into onefile_refreshes as old (provider_id, environment, kind, claim, claimed_until)
               values ($1, $2, $3, $4, app_now() + $5::interval)
               on conflict (provider_id, environment, kind) do update
               set claim = excluded.claim, claimed_until = excluded.claimed_until
               where coalesce(old.claimed_until <= app_now(), true)"#,
            provider,
            environment.as_str(),
            kind.as_str(),
            claim,
            interval(lease),
        )
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok((ours == 1).then_some(claim))
    }

    /// Extends a claim. `false`: another process has it.
    pub async fn hold_onefile_refresh(&self, claim: Uuid, lease: Duration) -> StoreResult<bool> {
        let held = sqlx::query!(
            "update onefile_refreshes set claimed_until = app_now() + $2::interval where claim = $1",
            claim,
            interval(lease)
        )
        .execute(&self.pool)
        .await?;
        Ok(held.rows_affected() == 1)
    }

    /// Releases a claim. The part was not read in full.
    pub async fn release_onefile_refresh(&self, claim: Uuid) -> StoreResult<()> {
        sqlx::query!(
            "update onefile_refreshes set claim = null, claimed_until = null where claim = $1",
            claim
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The holder of the claim stores a part that was read in full, and removes what was not seen.
    /// `false`: another process has the claim, and nothing was stored.
    pub async fn keep_onefile_part(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: DirectoryKind,
        claim: Uuid,
        entries: &[DirectoryEntry],
        unreadable: i32,
    ) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let at = sqlx::query_scalar!(
            r#"update onefile_refreshes set refreshed_at = app_now(), unreadable = $2, claim = null, claimed_until = null
               where claim = $1 returning refreshed_at as "at!""#,
            claim,
            unreadable
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(at) = at else { return Ok(false) };
        sqlx::query!(
            "delete from onefile_directory where provider_id = $1 and environment = $2 and kind = $3",
            provider,
            environment.as_str(),
            kind.as_str()
        )
        .execute(&mut *tx)
        .await?;
        for entries in entries.chunks(BATCH) {
            self.write_entries(&mut tx, provider, environment, kind, entries, at).await?;
        }
        let linked = [RecordKind::Officer, RecordKind::Organisation];
        if let Some(linked) = linked.into_iter().find(|own| own.directory() == Some(kind)) {
            let seen: Vec<_> =
                entries.iter().map(|entry| (entry.remote_id.as_str(), entry.archived)).collect();
            self.settle_onefile_links(&mut tx, provider, environment, linked, &seen, claim).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn write_entries(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: DirectoryKind,
        entries: &[DirectoryEntry],
        at: Time,
    ) -> StoreResult<()> {
        let sealed = entries
            .iter()
            .map(|entry| {
                self.seal_json(
                    &entry_row(provider, environment.as_str(), kind.as_str(), &entry.remote_id),
                    &entry.labels,
                )
            })
            .collect::<StoreResult<Vec<_>>>()?;
        let mis: Vec<Option<Vec<u8>>> = entries
            .iter()
            .map(|entry| Some(self.mis_index(provider, entry.labels.mis_id.as_deref()?)))
            .collect();
        let centres: Vec<_> = entries.iter().map(|entry| entry.centre_id.clone()).collect();
        let ids: Vec<_> = entries.iter().map(|entry| entry.remote_id.clone()).collect();
        let roles: Vec<_> = entries.iter().map(|entry| entry.role).collect();
        let archived: Vec<_> = entries.iter().map(|entry| entry.archived).collect();
        sqlx::query!(
            r#"insert into onefile_directory (provider_id, environment, kind, centre_id, remote_id, role, archived, mis_index, sealed, refreshed_at)
               select $1, $2, $3, own.centre_id, own.remote_id, own.role, own.archived, own.mis_index, own.sealed, $10
               from unnest($4::text[], $5::text[], $6::int[], $7::bool[], $8::bytea[], $9::bytea[])
                    as own (centre_id, remote_id, role, archived, mis_index, sealed)
               on conflict do nothing"#,
            provider,
            environment.as_str(),
            kind.as_str(),
            &centres,
            &ids,
            &roles as &[Option<i32>],
            &archived,
            &mis as &[Option<Vec<u8>>],
            &sealed,
            at,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Entries in ascending order of their ids; numbers are ordered by value. `after`: only entries
    /// after this id.
    pub async fn onefile_entries(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        filter: DirectoryFilter<'_>,
        after: Option<&str>,
        most: i64,
    ) -> StoreResult<Vec<DirectoryEntry>> {
        let rows = sqlx::query!(
            r#"select centre_id, remote_id, role, archived, sealed, refreshed_at from onefile_directory
               where provider_id = $1 and environment = $2 and kind = $3
                 and ($4::text is null or centre_id = $4) and ($5::bool is null or archived = $5)
                 and ($6::text is null or (length(remote_id), remote_id) > (length($6), $6 collate "C"))
               order by length(remote_id), remote_id limit $7"#,
            provider,
            environment.as_str(),
            filter.kind.as_str(),
            filter.centre_id,
            filter.archived,
            after,
            most,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let place = entry_row(provider, environment.as_str(), filter.kind.as_str(), &row.remote_id);
                Ok(DirectoryEntry {
                    labels: self.unseal_json(&place, &row.sealed)?,
                    centre_id: row.centre_id,
                    remote_id: row.remote_id,
                    role: row.role,
                    archived: row.archived,
                    refreshed_at: row.refreshed_at,
                })
            })
            .collect()
    }

    /// Entries of these ids, in any order.
    pub async fn onefile_entries_of(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: DirectoryKind,
        ids: &[String],
    ) -> StoreResult<Vec<DirectoryEntry>> {
        let rows = sqlx::query!(
            r#"select centre_id, remote_id, role, archived, sealed, refreshed_at from onefile_directory
               where provider_id = $1 and environment = $2 and kind = $3 and remote_id = any($4)"#,
            provider,
            environment.as_str(),
            kind.as_str(),
            ids,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(DirectoryEntry {
                    labels: self
                        .unseal_json(&labels_of(provider, environment, kind, &row.remote_id), &row.sealed)?,
                    centre_id: row.centre_id,
                    remote_id: row.remote_id,
                    role: row.role,
                    archived: row.archived,
                    refreshed_at: row.refreshed_at,
                })
            })
            .collect()
    }

    /// Forgets what was read of an environment.
    pub(crate) async fn forget_onefile_directory(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> StoreResult<()> {
        sqlx::query!(
            "delete from onefile_directory where provider_id = $1 and environment = $2",
            provider,
            environment.as_str()
        )
        .execute(&mut **tx)
        .await?;
        // A process that still reads with the old token loses its claim with the row.
        sqlx::query!(
            "delete from onefile_refreshes where provider_id = $1 and environment = $2",
            provider,
            environment.as_str()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The blind index of an MIS value. Case and surrounding spaces do not matter.
    pub fn mis_index(&self, provider: Uuid, mis_id: &str) -> Vec<u8> {
        self.vault.index.of("mis", &[provider.as_bytes(), mis_id.trim().to_lowercase().as_bytes()])
    }
}

/// The row of an entry's labels.
pub(crate) fn labels_of(
    provider: Uuid,
    environment: OneFileEnvironment,
    kind: DirectoryKind,
    remote_id: &str,
) -> String {
    entry_row(provider, environment.as_str(), kind.as_str(), remote_id)
}

fn entry_row(provider: Uuid, environment: &str, kind: &str, remote_id: &str) -> String {
    format!("onefile_directory/{provider}/{environment}/{kind}/{remote_id}")
}
