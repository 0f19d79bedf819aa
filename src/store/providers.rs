//! Training providers. Everything else belongs to one of them.

use uuid::Uuid;

use super::{Store, StoreResult, new_id};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub id: Uuid,
    /// The name that tokens use.
    pub name: String,
}

impl Store {
    /// Creates a provider. `None`: the name is taken.
    pub async fn create_provider(&self, name: &str) -> StoreResult<Option<Provider>> {
        let id = new_id();
        let made = sqlx::query_scalar!(
            "insert into providers (id, name) values ($1, $2) on conflict (name) do nothing returning id",
            id,
            name
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(made.map(|id| Provider { id, name: name.to_owned() }))
    }

    pub async fn provider_by_name(&self, name: &str) -> StoreResult<Option<Provider>> {
        let id = sqlx::query_scalar!("select id from providers where name = $1", name)
            .fetch_optional(&self.pool)
            .await?;
        Ok(id.map(|id| Provider { id, name: name.to_owned() }))
    }
}

impl Store {
    /// The providers that have ACE360 settings, and whether the integration is switched on.
    pub async fn ace360_configured(&self) -> StoreResult<Vec<(Provider, bool)>> {
        let rows = sqlx::query!("select p.id, p.name, s.enabled from providers p join ace360_settings s on s.provider_id = p.id order by p.name")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|row| (Provider { id: row.id, name: row.name }, row.enabled)).collect())
    }

    /// The providers that have OneFile settings, and whether the integration is switched on.
    pub async fn onefile_configured(&self) -> StoreResult<Vec<(Provider, bool)>> {
        let rows = sqlx::query!("select p.id, p.name, s.enabled from providers p join onefile_settings s on s.provider_id = p.id order by p.name")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|row| (Provider { id: row.id, name: row.name }, row.enabled)).collect())
    }

    /// The server's version, and whether a proxy gives each transaction another session. In that
    /// case session locks do not work.
    pub async fn server(&self) -> StoreResult<(String, bool)> {
        let mut connection = self.pool.acquire().await?;
        let mut session = None;
        let mut pooled = false;
        for _ in 0..5 {
            let pid = sqlx::query_scalar!(r#"select pg_backend_pid() as "pid!""#)
                .fetch_one(&mut *connection)
                .await?;
            pooled |= session.replace(pid).is_some_and(|before| before != pid);
        }
        let version = sqlx::query_scalar!(r#"select current_setting('server_version') as "version!""#)
            .fetch_one(&mut *connection)
            .await?;
        Ok((version, pooled))
    }
}
