//! `/control/settings`: credits, call limits, the place of archived records, and OneFile's
//! behaviour.

use actix_web::web::{self, Query};
use actix_web::{HttpResponse, get, put};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::default_token::default_token;
use super::problem::{Problem, Refusal};
use crate::sandbox::ace360::alterations::Alterations;
use crate::sandbox::limit::LimitWindow;
use crate::sandbox::onefile::settings::Settings as OneFileSettings;
use crate::sandbox::world::{Shared, World};

/// The organisation whose credits are read.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ForToken {
    /// The organisation's token; `sandbox` by default.
    #[serde(default = "default_token")]
    #[param(required = false)]
    pub for_token: String,
}

/// The current settings: ACE360's and OneFile's. ACE360's apply to all organisations, except the
/// credits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsShown {
    credits: u64,
    /// Calls allowed in a minute. Null means no limit.
    #[schema(required)]
    calls_per_minute: Option<u32>,
    /// How both upstreams count a minute.
    window: LimitWindow,
    /// Whether the list leaves out archived records.
    hide_archived: bool,
    /// How the simulated ACE360 alters what it keeps and shows.
    alterations: Alterations,
    onefile: OneFileSettings,
}

/// New settings. Absent values stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a number are three things here")]
pub struct SettingsChange {
    credits: Option<u64>,
    /// Calls allowed in a minute. Null means no limit.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    calls_per_minute: Option<Option<u32>>,
    window: Option<LimitWindow>,
    hide_archived: Option<bool>,
    /// The new alterations, as a whole: what is absent is off.
    alterations: Option<Alterations>,
    /// Of these, too, what is absent stays.
    #[schema(value_type = Option<OneFileSettings>)]
    onefile: Option<Map<String, Value>>,
}

/// Distinguishes null, which is a value here, from absent.
#[expect(clippy::option_option, reason = "see SettingsChange")]
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Read the simulators' settings
#[utoipa::path(tag = "settings", params(ForToken), responses((status = 200, body = SettingsShown)))]
#[get("/control/settings")]
pub async fn get_settings(shared: web::Data<Shared>, query: Query<ForToken>) -> HttpResponse {
    HttpResponse::Ok().json(shown(&mut shared.world(), &query.for_token))
}

/// Change the simulators' settings
#[utoipa::path(
    tag = "settings",
    params(ForToken),
    responses((status = 200, body = SettingsShown), (status = 400, body = Problem))
)]
#[put("/control/settings")]
pub async fn put_settings(
    shared: web::Data<Shared>,
    query: Query<ForToken>,
    change: web::Json<SettingsChange>,
) -> Result<HttpResponse, Refusal> {
    let mut world = shared.world();
    if let Some(change) = &change.onefile {
        world.onefile.settings = changed(&world.onefile.settings, change)?;
    }
    if let Some(credits) = change.credits {
        world.set_credits(&query.for_token, credits);
    }
    let settings = &mut world.settings;
    settings.calls_per_minute = change.calls_per_minute.unwrap_or(settings.calls_per_minute);
    settings.window = change.window.unwrap_or(settings.window);
    settings.hide_archived = change.hide_archived.unwrap_or(settings.hide_archived);
    if let Some(alterations) = &change.alterations {
        settings.alterations = alterations.clone();
    }
    world.onefile.window = world.settings.window;
    Ok(HttpResponse::Ok().json(shown(&mut world, &query.for_token)))
}

/// The settings after the change.
fn changed(settings: &OneFileSettings, change: &Map<String, Value>) -> Result<OneFileSettings, Refusal> {
    let mut whole = serde_json::to_value(settings).map_err(|error| Refusal::broken(&error))?;
    if let Value::Object(fields) = &mut whole {
        fields.extend(change.clone());
    }
    serde_json::from_value(whole).map_err(|error| Refusal::malformed(&error))
}

fn shown(world: &mut World, token: &str) -> SettingsShown {
    SettingsShown {
        credits: world.books.organisation(token).account.credits_left,
        calls_per_minute: world.settings.calls_per_minute,
        window: world.settings.window,
        hide_archived: world.settings.hide_archived,
        alterations: world.settings.alterations.clone(),
        onefile: world.onefile.settings.clone(),
    }
}
