//! Switching the OneFile integration on, and who did it.

use uuid::Uuid;

use crate::store::{By, Store, StoreResult, new_id};

/// Why, and who, when it is done although something is in the way.
#[derive(Clone, Copy, Debug)]
pub struct Forced<'a> {
    pub reason: &'a str,
    pub person: &'a str,
}

impl Store {
    /// Switches the integration on, over the settings of this version; the audit tells who forced it and why. `false`: somebody
    /// else changed them meanwhile.
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
