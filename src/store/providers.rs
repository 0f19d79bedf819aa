//! Training providers: everything else belongs to one of them.

use uuid::Uuid;

use super::{Store, StoreResult, new_id};

/// A training provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Ours.
    pub id: Uuid,
    /// What tokens call it by.
    pub name: String,
}

impl Store {
    /// Makes a provider; `None` when the name is taken.
    ///
    /// # Errors
    /// The database's.
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

    /// The provider of this name.
    ///
    /// # Errors
    /// The database's.
    pub async fn provider_by_name(&self, name: &str) -> StoreResult<Option<Provider>> {
        let id = sqlx::query_scalar!("select id from providers where name = $1", name).fetch_optional(&self.pool).await?;
        Ok(id.map(|id| Provider { id, name: name.to_owned() }))
    }
}
