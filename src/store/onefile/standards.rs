//! OneFile's learning aims at the last read.

use uuid::Uuid;

use crate::domain::OneFileEnvironment;
use crate::store::records::page;
use crate::store::{RecordPage, Store, StoreResult, Time, Tx};

/// A learning aim in OneFile, which OneFile's API calls a standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneFileStandard {
    pub centre_id: String,
    pub standard_id: String,
    pub title: String,
    /// The code as OneFile writes it.
    pub code: Option<String>,
    /// The code in the form that is compared.
    pub code_key: Option<String>,
    pub archived: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardRead {
    pub centre_id: String,
    pub standard_id: String,
    pub added: bool,
    /// Whether its title, code or archive mark changed.
    pub changed: bool,
    /// Whether this refresh has read it before.
    pub again: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct StandardFilter<'a> {
    pub centre_id: Option<&'a str>,
    /// With this code, in the form that is compared.
    pub code_key: Option<&'a str>,
    /// With this text in the title or the code, in upper or lower case.
    pub query: Option<&'a str>,
    /// Only rows after this centre and id.
    pub after: Option<(&'a str, &'a str)>,
}

impl Store {
    /// The version of the provider's OneFile settings. It is locked until the transaction ends.
    pub async fn hold_onefile_version(&self, tx: &mut Tx, provider: Uuid) -> StoreResult<Option<i64>> {
        Ok(sqlx::query_scalar!(
            "select version from onefile_settings where provider_id = $1 for share",
            provider
        )
        .fetch_optional(&mut **tx)
        .await?)
    }

    /// Writes the rows of a page for the refresh that began at `began`, and returns the result of
    /// each. No id may occur twice.
    pub async fn put_onefile_standards(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
        rows: &[OneFileStandard],
        began: Time,
    ) -> StoreResult<Vec<StandardRead>> {
        let centres: Vec<_> = rows.iter().map(|row| row.centre_id.clone()).collect();
        let ids: Vec<_> = rows.iter().map(|row| row.standard_id.clone()).collect();
        let titles: Vec<_> = rows.iter().map(|row| row.title.clone()).collect();
        let codes: Vec<_> = rows.iter().map(|row| row.code.clone()).collect();
        let keys: Vec<_> = rows.iter().map(|row| row.code_key.clone()).collect();
        let archived: Vec<_> = rows.iter().map(|row| row.archived).collect();
        Ok(sqlx::query_as!(
            StandardRead,
            r#"with given as (
                   select * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bool[])
                        as g (centre_id, standard_id, title, code, code_key, archived)
               ), before as (
                   -- Each row by the whole key (`offset 0` keeps the planner from turning it into a join): of a table that was just filled
                   -- it knows nothing, and would go through all of it for each row of a page.
                   select g.centre_id, g.standard_id, s.title, s.code, s.archived, s.seen_at
                   from given g cross join lateral (
                       select o.title, o.code, o.archived, o.seen_at from onefile_standards o
                       where o.provider_id = $1 and o.environment = $2 and o.centre_id = g.centre_id and o.standard_id = g.standard_id
                       offset 0
                   ) s
               ), put as (
                   insert into onefile_standards as old
                       (provider_id, environment, centre_id, standard_id, title, code, code_key, archived, changed_at, seen_at)
                   select $1, $2, centre_id, standard_id, title, code, code_key, archived, $3, $3 from given
                   on conflict (provider_id, environment, centre_id, standard_id) do update
                   set title = excluded.title, code = excluded.code, code_key = excluded.code_key, archived = excluded.archived,
                       seen_at = excluded.seen_at,
                       changed_at = case when (old.title, old.code, old.archived)
                                              is distinct from (excluded.title, excluded.code, excluded.archived)
                                         then excluded.changed_at else old.changed_at end
               )
               select g.centre_id as "centre_id!", g.standard_id as "standard_id!", b.standard_id is null as "added!",
                      b.standard_id is not null and (b.title, b.code, b.archived) is distinct from (g.title, g.code, g.archived) as "changed!",
                      coalesce(b.seen_at >= $3, false) as "again!"
               from given g left join before b on b.centre_id = g.centre_id and b.standard_id = g.standard_id"#,
            provider,
            environment.as_str(),
            began,
            &centres,
            &ids,
            &titles,
            &codes as &[Option<String>],
            &keys as &[Option<String>],
            &archived,
        )
        .fetch_all(&mut **tx)
        .await?)
    }

    /// The centres of the learning aims that this refresh has not seen.
    pub async fn centres_of_unseen_standards(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
        began: Time,
    ) -> StoreResult<Vec<String>> {
        Ok(sqlx::query_scalar!(
            r#"select distinct centre_id from onefile_standards
               where provider_id = $1 and environment = $2 and seen_at < $3 order by centre_id"#,
            provider,
            environment.as_str(),
            began
        )
        .fetch_all(&mut **tx)
        .await?)
    }

    /// Removes the learning aims that this refresh has not seen, except in centres that it could
    /// not read in full. Returns the centre and id of each.
    pub async fn remove_unseen_standards(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
        began: Time,
        spared: &[String],
    ) -> StoreResult<Vec<(String, String)>> {
        let gone = sqlx::query!(
            r#"delete from onefile_standards
               where provider_id = $1 and environment = $2 and seen_at < $3 and centre_id <> all ($4)
               returning centre_id, standard_id"#,
            provider,
            environment.as_str(),
            began,
            spared
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(gone.into_iter().map(|row| (row.centre_id, row.standard_id)).collect())
    }

    /// Stores that all learning aims were read.
    pub async fn end_onefile_standards(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
        unreadable: i32,
    ) -> StoreResult<()> {
        sqlx::query!(
            r#"insert into onefile_refreshes (provider_id, environment, kind, refreshed_at, unreadable)
               values ($1, $2, 'standard', app_now(), $3)
               on conflict (provider_id, environment, kind) do update
               set refreshed_at = excluded.refreshed_at, unreadable = excluded.unreadable"#,
            provider,
            environment.as_str(),
            unreadable
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The code of each standard that has one: centre, standard, and code as OneFile writes it.
    pub async fn onefile_codes(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> StoreResult<Vec<(String, String, String)>> {
        let rows = sqlx::query!(
            r#"select centre_id, standard_id, code as "code!" from onefile_standards
               where provider_id = $1 and environment = $2 and code is not null"#,
            provider,
            environment.as_str(),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.centre_id, row.standard_id, row.code)).collect())
    }

    /// When all learning aims were last read. `None`: never.
    pub async fn onefile_standards_refreshed(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> StoreResult<Option<Time>> {
        Ok(sqlx::query_scalar!(
            r#"select refreshed_at as "at!" from onefile_refreshes
               where provider_id = $1 and environment = $2 and kind = 'standard' and refreshed_at is not null"#,
            provider,
            environment.as_str()
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// A page of learning aims, by centre and id; numbers are ordered by value.
    pub async fn onefile_standards(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        filter: StandardFilter<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<OneFileStandard>> {
        let (after_centre, after_id) = filter.after.unzip();
        let rows = sqlx::query_as!(
            OneFileStandard,
            r#"select centre_id, standard_id, title, code, code_key, archived from onefile_standards
               where provider_id = $1 and environment = $2 and ($3::text is null or centre_id = $3)
                 and ($4::text is null or code_key = $4)
                 and ($5::text is null or position(lower($5) in lower(title)) > 0 or position(lower($5) in lower(code)) > 0)
                 and ($6::text is null or (length(centre_id), centre_id, length(standard_id), standard_id)
                                          > (length($6), $6 collate "C", length($7::text), $7 collate "C"))
               order by length(centre_id), centre_id, length(standard_id), standard_id limit $8"#,
            provider,
            environment.as_str(),
            filter.centre_id,
            filter.code_key,
            filter.query,
            after_centre,
            after_id,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(page(rows, size))
    }

    /// Forgets the learning aims of an environment.
    pub(crate) async fn forget_onefile_standards(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> StoreResult<()> {
        sqlx::query!(
            "delete from onefile_standards where provider_id = $1 and environment = $2",
            provider,
            environment.as_str()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
