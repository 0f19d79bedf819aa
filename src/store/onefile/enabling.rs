//! Switches the OneFile integration on, and records who did it.

use uuid::Uuid;

use crate::store::{By, Store, StoreResult, new_id};

/// The reason and the person, if the integration is switched on despite obstacles.
#[derive(Clone, Copy, Debug)]
pub struct Forced<'a> {
    pub reason: &'a str,
    pub person: &'a str,
}

impl Store {
    /// Switches the integration on if the settings still have this version. The audit log shows who
    /// forced it and why. `false`: the settings changed in the meantime.
    pub async fn enable_onefile(
        &self,
        provider: Uuid,
        version: i64,
        forced: Option<Forced<'_>>,
        by: &By,
    ) -> StoreResult<bool> {
        let (reason, person) = forced.map(|forced| (forced.reason, forced.person)).unzip();
        let done = sqlx::query_scalar!(
            r#"with done as (
                   update onefile_settings set enabled = true, version = version + 1, updated_at = app_now()
                   where provider_id = $1 and version = $2 returning provider_id
               ), told as (
                   insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, reason, person, address)
                   select $3, $1, app_now(), $4, $5, 'provider', $1::text, $6, $7, $8, $9 from done
               )
               select count(*) as "count!" from done"#,
            provider,
            version,
            new_id(),
            by.actor,
            if forced.is_some() { "onefile.enableForced" } else { "onefile.enable" },
            by.request_id,
            reason,
            person,
            by.address,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(done == 1)
    }
}
