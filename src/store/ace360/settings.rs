//! A provider's ACE360 settings and catalogue.

use chrono::{NaiveDate, NaiveTime};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::store::records::page;
use crate::store::{After, By, Expected, RecordPage, Store, StoreResult, Time};

/// The settings. A provider without a row has the defaults.
#[derive(Clone, Debug)]
pub struct Ace360Settings {
    pub enabled: bool,
    pub environment: String,
    pub token: Option<SecretString>,
    /// Whether statuses are read every day.
    pub daily_enabled: bool,
    /// The local time of the daily run.
    pub daily_at: NaiveTime,
    pub standards_refreshed_at: Option<Time>,
    /// When the full list was last read.
    pub mirror_refreshed_at: Option<Time>,
    /// When the last status run ended.
    pub last_synced_at: Option<Time>,
    /// `ok`, or the problem code of the last call.
    pub connection: Option<String>,
    pub connection_at: Option<Time>,
    pub version: i64,
}

/// Settings as their row has them.
pub(crate) struct SettingsRow {
    pub(crate) enabled: bool,
    pub(crate) environment: String,
    pub(crate) sealed_token: Option<Vec<u8>>,
    pub(crate) daily_enabled: bool,
    pub(crate) daily_at: NaiveTime,
    pub(crate) standards_refreshed_at: Option<Time>,
    pub(crate) mirror_refreshed_at: Option<Time>,
    pub(crate) last_synced_at: Option<Time>,
    pub(crate) connection: Option<String>,
    pub(crate) connection_at: Option<Time>,
    pub(crate) version: i64,
}

/// Settings to store. Without a token the stored one stays.
#[derive(Clone, Debug)]
pub struct NewAce360Settings {
    pub enabled: bool,
    pub environment: String,
    pub token: Option<SecretString>,
    /// Whether statuses are read every day.
    pub daily_enabled: bool,
    /// The local time of the daily run.
    pub daily_at: NaiveTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardRow {
    pub standard_id: i64,
    pub st_code: Option<String>,
    /// The standard's number in the LARS catalogue.
    pub lars_code: Option<i32>,
    /// The text as ACE360 wrote it.
    pub version: Option<String>,
    pub option: Option<String>,
    pub name: Option<String>,
    /// The id of the sector in ACE360.
    pub sector_id: Option<i64>,
    pub sector_name: Option<String>,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
    /// Closed for new apprentices.
    pub archived: bool,
}

impl Store {
    /// The provider's settings, or the defaults.
    pub async fn ace360_settings(&self, provider: Uuid) -> StoreResult<Ace360Settings> {
        let row = sqlx::query_as!(
            SettingsRow,
            r#"select enabled, environment, sealed_token, daily_enabled, daily_at, standards_refreshed_at, mirror_refreshed_at,
                      last_synced_at, connection, connection_at, version
               from ace360_settings where provider_id = $1"#,
            provider
        )
        .fetch_optional(&self.pool)
        .await?;
        self.ace360_settings_of(provider, row)
    }

    /// Settings as their row has them; defaults where there is none.
    pub(crate) fn ace360_settings_of(
        &self,
        provider: Uuid,
        row: Option<SettingsRow>,
    ) -> StoreResult<Ace360Settings> {
        let Some(row) = row else {
            return Ok(Ace360Settings {
                enabled: false,
                environment: "live".to_owned(),
                token: None,
                daily_enabled: true,
                daily_at: NaiveTime::from_hms_opt(5, 0, 0).unwrap_or_default(),
                standards_refreshed_at: None,
                mirror_refreshed_at: None,
                last_synced_at: None,
                connection: None,
                connection_at: None,
                version: 0,
            });
        };
        let token = match row.sealed_token {
            Some(sealed) => {
                let bytes = self.vault.sealer.unseal(&token_row(provider), &sealed)?;
                Some(SecretString::from(String::from_utf8_lossy(&bytes).into_owned()))
            }
            None => None,
        };
        Ok(Ace360Settings {
            enabled: row.enabled,
            environment: row.environment,
            token,
            daily_enabled: row.daily_enabled,
            daily_at: row.daily_at,
            standards_refreshed_at: row.standards_refreshed_at,
            mirror_refreshed_at: row.mirror_refreshed_at,
            last_synced_at: row.last_synced_at,
            connection: row.connection,
            connection_at: row.connection_at,
            version: row.version,
        })
    }

    /// Stores settings if the stored version is the expected one. `false`: nothing was stored.
    pub async fn put_ace360_settings(
        &self,
        provider: Uuid,
        new: &NewAce360Settings,
        expected: &Expected,
        by: &By,
    ) -> StoreResult<bool> {
        let counts = expected.listed_counts();
        let sealed = match &new.token {
            Some(token) => {
                Some(self.vault.sealer.seal(&token_row(provider), token.expose_secret().as_bytes())?)
            }
            None => None,
        };
        let before = self.ace360_settings(provider).await?;
        // Another token may belong to another account, so data from the old account is read again.
        let other = match (&before.token, &new.token) {
            (Some(old), Some(new)) => old.expose_secret() != new.expose_secret(),
            _ => false,
        };
        let mut tx = self.begin().await?;
        // Another account has another catalogue, other records and another connection.
        let kept = sqlx::query!(
            r#"insert into ace360_settings (provider_id, enabled, environment, sealed_token, daily_enabled, daily_at, updated_at)
               select $1, $2, $3, $4, $5, $6, app_now()
               -- Those that nobody made yet are of version 0.
               where $7::bigint[] is null or 0 = any($7) or exists (select from ace360_settings where provider_id = $1)
               on conflict (provider_id) do update
               set enabled = excluded.enabled, environment = excluded.environment,
                   sealed_token = coalesce(excluded.sealed_token, ace360_settings.sealed_token),
                   daily_enabled = excluded.daily_enabled, daily_at = excluded.daily_at, updated_at = excluded.updated_at,
                   version = ace360_settings.version + 1,
                   connection = case when excluded.sealed_token is null and excluded.environment = ace360_settings.environment
                                     then ace360_settings.connection end,
                   standards_refreshed_at = case when excluded.environment = ace360_settings.environment then ace360_settings.standards_refreshed_at end,
                   mirror_refreshed_at = case when excluded.environment = ace360_settings.environment then ace360_settings.mirror_refreshed_at end
               where $7::bigint[] is null or ace360_settings.version = any($7)"#,
            provider,
            new.enabled,
            new.environment,
            sealed,
            new.daily_enabled,
            new.daily_at,
            counts.as_deref(),
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if kept == 0 {
            return Ok(false);
        }
        if other {
            sqlx::query!(
                "delete from ace360_mirror where provider_id = $1 and environment = $2",
                provider,
                new.environment
            )
            .execute(&mut *tx)
            .await?;
        }
        self.audit(&mut tx, provider, by, "ace360.settings", "provider", &provider.to_string()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Stores what the last call says about the connection: `ok` or a problem code.
    pub async fn note_ace360_connection(&self, provider: Uuid, code: &str) -> StoreResult<()> {
        sqlx::query!(
            "update ace360_settings set connection = $2, connection_at = app_now() where provider_id = $1",
            provider,
            code
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Writes catalogue rows, and returns the ids of those that are new or changed.
    pub async fn put_standards(
        &self,
        tx: &mut crate::store::Tx,
        provider: Uuid,
        environment: &str,
        rows: &[StandardRow],
        began: Time,
    ) -> StoreResult<Vec<i64>> {
        let mut changed = Vec::new();
        for row in rows {
            let result = sqlx::query_scalar!(
                r#"insert into ace360_standards as old (provider_id, environment, standard_id, st_code, lars_code, version, option, name,
                                                       sector_id, sector_name, valid_from, valid_to, archived, refreshed_at)
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                   on conflict (provider_id, environment, standard_id) do update
                   set st_code = excluded.st_code, lars_code = excluded.lars_code, version = excluded.version, option = excluded.option,
                       name = excluded.name, sector_id = excluded.sector_id, sector_name = excluded.sector_name,
                       valid_from = excluded.valid_from, valid_to = excluded.valid_to, archived = excluded.archived,
                       refreshed_at = excluded.refreshed_at,
                       changed = (old.st_code, old.lars_code, old.version, old.option, old.name, old.sector_id, old.sector_name, old.valid_from, old.valid_to, old.archived)
                           is distinct from (excluded.st_code, excluded.lars_code, excluded.version, excluded.option, excluded.name, excluded.sector_id, excluded.sector_name, excluded.valid_from, excluded.valid_to, excluded.archived)
                   returning changed"#,
                provider,
                environment,
                row.standard_id,
                row.st_code,
                row.lars_code,
                row.version,
                row.option,
                row.name,
                row.sector_id,
                row.sector_name,
                row.valid_from,
                row.valid_to,
                row.archived,
                began,
            )
            .fetch_one(&mut **tx)
            .await?;
            if result {
                changed.push(row.standard_id);
            }
        }
        Ok(changed)
    }

    /// Ends a refresh. Rows that it did not see are no longer in ACE360's catalogue.
    pub async fn end_standards_refresh(
        &self,
        tx: &mut crate::store::Tx,
        provider: Uuid,
        environment: &str,
        began: Time,
    ) -> StoreResult<u64> {
        let gone = sqlx::query!(
            "delete from ace360_standards where provider_id = $1 and environment = $2 and refreshed_at < $3",
            provider,
            environment,
            began
        )
        .execute(&mut **tx)
        .await?
        .rows_affected();
        sqlx::query!(
            "update ace360_settings set standards_refreshed_at = app_now() where provider_id = $1",
            provider
        )
        .execute(&mut **tx)
        .await?;
        Ok(gone)
    }

    /// The full catalogue, or the rows of one LARS code, in ascending order of ACE360's ids.
    pub async fn standards(
        &self,
        provider: Uuid,
        environment: &str,
        lars_code: Option<i32>,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<StandardRow>> {
        let after = after.and_then(|id| id.parse::<i64>().ok());
        let rows = sqlx::query_as!(
            StandardRow,
            r#"select standard_id, st_code, lars_code, version, option, name, sector_id, sector_name, valid_from, valid_to, archived
               from ace360_standards where provider_id = $1 and environment = $2 and ($3::int is null or lars_code = $3)
               and ($4::bigint is null or standard_id > $4) order by standard_id limit $5"#,
            provider,
            environment,
            lars_code,
            after,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(page(rows, size))
    }

    /// The catalogue rows that an upload needs: the chosen standard, and all of the LARS code.
    pub async fn standards_for(
        &self,
        provider: Uuid,
        environment: &str,
        chosen: Option<i64>,
        lars_code: Option<i32>,
    ) -> StoreResult<Vec<StandardRow>> {
        Ok(sqlx::query_as!(
            StandardRow,
            r#"select standard_id, st_code, lars_code, version, option, name, sector_id, sector_name, valid_from, valid_to, archived
               from ace360_standards where provider_id = $1 and environment = $2 and (standard_id = $3 or lars_code = $4)
               order by standard_id"#,
            provider,
            environment,
            chosen,
            lars_code
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The sectors that the catalogue names: id and name.
    pub async fn sectors(&self, provider: Uuid, environment: &str) -> StoreResult<Vec<(i64, String)>> {
        Ok(sqlx::query!(
            r#"select sector_id as "id!", max(sector_name) as "name!" from ace360_standards
               where provider_id = $1 and environment = $2 and sector_id is not null and sector_name is not null
               group by sector_id order by sector_id"#,
            provider,
            environment
        )
        .fetch_all(&self.pool)
        .await?
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect())
    }
}

fn token_row(provider: Uuid) -> String {
    format!("ace360_settings/{provider}/token")
}
