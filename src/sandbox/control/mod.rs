//! The sandbox's own API, which tests and curious people use to read and change it. It is not part
//! of any upstream, so it needs no token. Its OpenAPI document is made from the routes.

mod apprentices;
mod default_token;
mod faults;
mod learners;
mod onefile;
mod onefile_state;
mod problem;
mod reset;
mod sessions;
mod settings;
mod state;
mod users;

use actix_web::web;
use utoipa::OpenApi;
use utoipa_actix_web::service_config::ServiceConfig;

#[derive(OpenApi)]
#[openapi(info(
    title = "picsbridge sandbox: control",
    version = "1",
    description = "Looks into the simulated ACE360 and OneFile and makes them change or go wrong.\n\n\
                   ACE360 is at `/ace360/connect-api/beta`, with the token `sandbox`; any token `sandbox-<name>` is \
                   another organisation, `disabled` is one without access.\n\n\
                   OneFile is at `/onefile/api/v2.1`, with the customer token `sandbox`; any token `sandbox-<name>` \
                   is another customer, with records of its own. Its other environments are at \
                   `/onefile/practice/api/v2.1`, with `sandbox-practice`, and at `/onefile/beta/api/v2.1`, with \
                   `sandbox-beta` (either also with `-<name>` after it); a token or a session of another environment \
                   is refused. A customer's records are seeded when its token is met for the first time; no two \
                   customers have a record id in common.\n\n\
                   `forToken` below names an organisation or a customer by its token, `sandbox` if not said. \
                   Operations are named as in `openapi/upstream/*.yaml`; a paged search is the search."
))]
struct Document;

/// The document before the routes are added.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

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
        .service(faults::delete_faults)
        .service(learners::progress)
        .service(onefile::list)
        .service(onefile::make_more)
        .service(sessions::end)
        .service(users::archive)
        .service(users::remove)
        .service(users::merge);
}
