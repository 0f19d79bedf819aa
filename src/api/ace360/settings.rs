//! The ACE360 settings, and the test of the connection.

use actix_web::web::{Data, Json};
use actix_web::{get, post, put};
use chrono::{NaiveDate, NaiveTime};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::{ReadErrors, WriteErrors};
use super::super::etag::{Precondition, Tagged, unexpected};
use super::super::extract::{Body, Caller};
use super::super::problem::Problem;
use super::of_failure;
use crate::ace360::Ace360Error;
use crate::auth::scope::needs::{Ace360Configure, Ace360Read};
use crate::domain::serde_fields::object;
use crate::domain::{Check, Fault};
use crate::store::{Ace360Settings, NewAce360Settings, Version};

/// The ACE360 environment that calls go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Environment {
    /// The real one: records cost credits.
    Live,
    /// The simulator that comes with this service.
    Sandbox,
}

impl Environment {
    fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
        }
    }
}

/// A provider's settings for ACE360.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Whether ACE360 is called at all.
    enabled: bool,
    /// The ACE360 environment that calls go to.
    environment: Environment,
    /// Whether a token is kept. The token itself is never shown.
    token_set: bool,
    /// The daily reading of statuses.
    daily_sync: DailySync,
}

/// The daily reading of statuses.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DailySync {
    /// Whether the daily run is on.
    enabled: bool,
    /// Local time of the provider (Europe/London), `HH:MM`.
    #[schema(example = "05:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    at: String,
}

/// New settings. They replace the old ones.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "enabled": true, "dailySync": {"enabled": true, "at": "05:00"}
}))]
pub struct SettingsRequest {
    /// Whether ACE360 is called at all.
    enabled: bool,
    /// Which ACE360; left out or null: the present one stays (`live` at first).
    #[serde(default)]
    environment: Option<Environment>,
    /// The API token from ACE360 Connect's dashboard. Write-only; left out or null: the present one stays.
    #[serde(default)]
    #[schema(write_only, max_length = 4096)]
    token: Option<String>,
    /// The daily reading of statuses; on at 05:00 if not said.
    #[serde(default, deserialize_with = "object")]
    daily_sync: Option<DailySync>,
}

impl std::fmt::Debug for SettingsRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SettingsRequest {…}")
    }
}

impl Check for SettingsRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(token) = &self.token {
            if token.trim().is_empty() {
                faults.push(Fault::at(
                    "/token",
                    "blank",
                    "Send the token, or leave it out to keep the present one.",
                ));
            } else if token.len() > 4096 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                faults.push(Fault::at("/token", "invalidToken", "Send the token as the dashboard shows it: at most 4096 printable characters without spaces."));
            }
        }
        if self.daily_sync.as_ref().is_some_and(|daily| time_of(&daily.at).is_none()) {
            faults.push(Fault::at("/dailySync/at", "invalidTime", "Send a time of the day such as 05:00."));
        }
        faults
    }
}

/// What the test of a connection says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"ok": true, "detail": "ACE360 (live) answers: 812 apprentices.", "problem": null}))]
pub struct ConnectionTest {
    /// Whether ACE360 answered as it should.
    ok: bool,
    /// What was seen, in words.
    #[schema(example = "ACE360 (sandbox) answers: 3 apprentices.")]
    detail: String,
    /// What is wrong and what to do; null when nothing is.
    problem: Option<Problem>,
}

fn time_of(text: &str) -> Option<NaiveTime> {
    (text.len() == 5).then(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).flatten()
}

fn shown(settings: &Ace360Settings) -> Tagged<Settings> {
    let body = Settings {
        enabled: settings.enabled,
        environment: if settings.environment == "sandbox" { Environment::Sandbox } else { Environment::Live },
        token_set: settings.token.is_some(),
        daily_sync: DailySync {
            enabled: settings.daily_enabled,
            at: settings.daily_at.format("%H:%M").to_string(),
        },
    };
    Tagged::ok(Version::of_settings(settings.version), body)
}

/// Read the ACE360 settings
///
/// The token is never shown. Needs `ace360:read`.
#[utoipa::path(operation_id = "getAce360Settings", tag = "ACE360 settings", security(("bearer" = ["ace360:read"])), responses((status = 200, description = "The settings.", body = Settings), ReadErrors))]
#[get("/ace360/settings")]
pub async fn get(who: Caller<Ace360Read>, state: Data<State>) -> Result<Tagged<Settings>, Problem> {
    Ok(shown(&state.store.ace360_settings(who.provider()).await?))
}

/// Change the ACE360 settings
///
/// Nothing is called upstream: test the connection afterwards. Without a token or an environment the present one stays; `dailySync` that is not sent is on at
/// 05:00. Another environment has other records and
/// another catalogue: refresh the standards after a change. Needs `ace360:configure`.
#[utoipa::path(operation_id = "putAce360Settings", tag = "ACE360 settings", security(("bearer" = ["ace360:configure"])), request_body = SettingsRequest,
    responses((status = 200, description = "They are kept.", body = Settings), WriteErrors))]
#[put("/ace360/settings")]
pub async fn put(
    who: Caller<Ace360Configure>,
    state: Data<State>,
    expected: Precondition,
    body: Body<SettingsRequest>,
) -> Result<Tagged<Settings>, Problem> {
    let request = body.0;
    let (daily_enabled, daily_at) = match &request.daily_sync {
        Some(daily) => (daily.enabled, time_of(&daily.at)),
        None => (true, None),
    };
    // Who does not name an environment does not mean another: what is done in `live` costs money.
    let environment = match request.environment {
        Some(named) => named.as_str().to_owned(),
        None => state.store.ace360_settings(who.provider()).await?.environment,
    };
    let new = NewAce360Settings {
        enabled: request.enabled,
        environment,
        token: request.token.map(SecretString::from),
        daily_enabled,
        daily_at: daily_at.or(NaiveTime::from_hms_opt(5, 0, 0)).unwrap_or_default(),
    };
    if !state.store.put_ace360_settings(who.provider(), &new, &expected.0, &who.by()).await? {
        return Err(unexpected(&expected.0));
    }
    Ok(shown(&state.store.ace360_settings(who.provider()).await?))
}

/// Test the connection to ACE360
///
/// One call to ACE360, which reads. Answers 200 also when it failed, and then what is wrong. Works while the integration is switched off, so
/// that it can be tried before it is on. Needs `ace360:configure`.
#[utoipa::path(operation_id = "testAce360Connection", tag = "ACE360 settings", security(("bearer" = ["ace360:configure"])), responses((status = 200, description = "What was seen.", body = ConnectionTest), ReadErrors))]
#[post("/ace360/connection:test")]
pub async fn test(who: Caller<Ace360Configure>, state: Data<State>) -> Result<Json<ConnectionTest>, Problem> {
    let problem = match state.ace360.test_connection(who.provider()).await {
        Ok(Ok(detail)) => return Ok(Json(ConnectionTest { ok: true, detail, problem: None })),
        Ok(Err(failure)) => of_failure(failure),
        Err(Ace360Error::Store(error)) => return Err(error.into()),
        Err(error) => error.into(),
    };
    let problem = problem.within(
        &state.public_url,
        "/ace360/connection:test",
        &who.by().request_id.unwrap_or_default(),
    );
    Ok(Json(ConnectionTest { ok: false, detail: problem.detail.clone(), problem: Some(problem) }))
}
