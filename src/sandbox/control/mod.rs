//! The sandbox's own API: what a test, or a curious person, asks and tells it. Not part of any upstream, hence
//! without a token. Its document is made from the routes.

mod apprentices;
mod faults;
mod problem;
mod reset;
mod settings;
mod state;

use actix_web::web;
use utoipa::OpenApi;
use utoipa_actix_web::service_config::ServiceConfig;

#[derive(OpenApi)]
#[openapi(info(
    title = "picsbridge sandbox: control",
    version = "1",
    description = "Looks into the simulated ACE360 and makes it change or go wrong. The simulator itself is at \
                   `/ace360/connect-api/beta`, with the token `sandbox`; any token `sandbox-<name>` is another \
                   organisation, `disabled` is one without access. `forToken` below names an organisation by its \
                   token, `sandbox` if not said."
))]
struct Document;

/// The document before the routes are in it.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// All routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::JsonConfig::default().error_handler(problem::of_json))
        .app_data(web::QueryConfig::default().error_handler(problem::of_query))
        .service(state::get_state)
        .service(reset::reset)
        .service(apprentices::advance)
        .service(apprentices::list)
        .service(apprentices::make)
        .service(settings::get_settings)
        .service(settings::put_settings)
        .service(faults::get_faults)
        .service(faults::put_faults)
        .service(faults::delete_faults);
}

/// The organisation that is meant when none is named.
fn usual_token() -> String {
    "sandbox".to_owned()
}
