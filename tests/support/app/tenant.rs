//! A training provider and its token.

use std::ops::Deref;

use chrono::NaiveTime;
use picsbridge::app::Parts;
use picsbridge::auth::NewToken;
use picsbridge::auth::scope::Scopes;
use picsbridge::store::{By, Expected, NewAce360Settings, Provider};
use secrecy::SecretString;

use crate::support::client::Api;
use crate::support::postgres::on_runtime;

/// A training provider with a token that has every scope. It makes calls like an [`Api`].
#[derive(Clone, Debug)]
pub struct Tenant {
    pub provider: Provider,
    pub api: Api,
}

impl Deref for Tenant {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.api
    }
}

pub async fn new_tenant(parts: &Parts, api: &Api, name: &'static str, ace360_token: &'static str) -> Tenant {
    let own = parts.clone();
    let provider = on_runtime(async move {
        let made = own.store.create_provider(name).await;
        let provider = made.unwrap().expect("the name is free");
        let settings = NewAce360Settings {
            enabled: true,
            environment: "sandbox".to_owned(),
            token: Some(SecretString::from(ace360_token)),
            // Otherwise a test that moves the clock would start it.
            daily_enabled: false,
            daily_at: NaiveTime::from_hms_opt(5, 0, 0).unwrap(),
        };
        own.store.put_ace360_settings(provider.id, &settings, &Expected::Whatever, &by()).await.unwrap();
        provider
    })
    .await;
    let token = issue(parts, &provider, Scopes::all(), 365).await;
    Tenant { provider, api: api.as_token(&token) }
}

pub async fn issue(parts: &Parts, provider: &Provider, scopes: Scopes, days: u32) -> String {
    let (parts, provider) = (parts.clone(), provider.clone());
    on_runtime(async move {
        parts
            .auth
            .issue(&parts.store, &provider, NewToken { name: "test", scopes, days }, None, &by())
            .await
            .unwrap()
            .0
    })
    .await
}

/// The actor of the tests' changes below the API.
pub fn by() -> By {
    By::itself("test")
}
