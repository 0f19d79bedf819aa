//! `/control/settings`: credits, the call limit, and where archived records are.

use actix_web::web::{self, Query};
use actix_web::{HttpResponse, get, put};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use super::usual_token;
use crate::sandbox::limit::LimitWindow;
use crate::sandbox::world::{Shared, World};

/// The organisation whose credits are meant.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ForToken {
    /// `sandbox` if not said.
    #[serde(default = "usual_token")]
    #[param(required = false)]
    pub for_token: String,
}

/// The settings in force. All but the credits are for all organisations.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsShown {
    credits: u64,
    /// Null: no limit.
    #[schema(required)]
    calls_per_minute: Option<u32>,
    window: LimitWindow,
    /// Whether archived records leave the list.
    hide_archived: bool,
}

/// New settings; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a number are three things here")]
pub struct SettingsChange {
    credits: Option<u64>,
    /// Null: no limit.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    calls_per_minute: Option<Option<u32>>,
    window: Option<LimitWindow>,
    hide_archived: Option<bool>,
}

/// Tells null, which is a value here, from absent.
#[expect(clippy::option_option, reason = "see SettingsChange")]
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// The settings
#[utoipa::path(tag = "settings", params(ForToken), responses((status = 200, body = SettingsShown)))]
#[get("/control/settings")]
pub async fn get_settings(shared: web::Data<Shared>, query: Query<ForToken>) -> HttpResponse {
    HttpResponse::Ok().json(shown(&mut shared.world(), &query.for_token))
}

/// Change settings
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
) -> HttpResponse {
    let mut world = shared.world();
    if let Some(credits) = change.credits {
        world.set_credits(&query.for_token, credits);
    }
    let settings = &mut world.settings;
    settings.calls_per_minute = change.calls_per_minute.unwrap_or(settings.calls_per_minute);
    settings.window = change.window.unwrap_or(settings.window);
    settings.hide_archived = change.hide_archived.unwrap_or(settings.hide_archived);
    HttpResponse::Ok().json(shown(&mut world, &query.for_token))
}

fn shown(world: &mut World, token: &str) -> SettingsShown {
    SettingsShown {
        credits: world.books.organisation(token).account.credits_left,
        calls_per_minute: world.settings.calls_per_minute,
        window: world.settings.window,
        hide_archived: world.settings.hide_archived,
    }
}
