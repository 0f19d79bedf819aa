//! The HTTP API. This file is the only routing table, and each resource has its own file. Handlers
//! are short: they extract, call one function and return a type. Business rules are elsewhere.

pub mod ace360;
pub mod address;
pub mod audit;
pub mod body;
pub mod bulk;
pub mod changes;
mod context;
pub mod document;
pub mod errors;
pub mod etag;
mod examples;
pub mod extract;
mod follow;
mod headers;
pub mod health;
pub mod idempotency;
pub mod import;
pub mod import_faults;
pub mod import_split;
pub mod intents;
pub mod learners;
pub mod limits;
pub mod officers;
pub mod onefile;
pub mod organisations;
mod page;
pub mod params;
pub mod path_id;
pub mod paths;
pub mod problem;
pub mod problems;
pub mod records;
pub mod refusals;
pub mod request;
pub mod request_context;
#[cfg(test)]
mod request_tests;
pub mod run_actions;
pub mod run_events;
pub mod run_records;
pub mod runs;
pub mod tokens;
pub mod upstreams;
pub mod webhook_deliveries;
mod webhook_document;
pub mod webhooks;

use utoipa_actix_web::service_config::ServiceConfig;

pub use self::context::{Background, State};

/// The routing table. Use only `.service()`: routes added with `.route()` are served but not
/// documented.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(learners::put)
        .service(learners::get)
        .service(learners::delete)
        .service(learners::list)
        .service(learners::bring)
        .service(officers::put)
        .service(officers::get)
        .service(officers::delete)
        .service(officers::list)
        .service(officers::bring)
        .service(organisations::put)
        .service(organisations::get)
        .service(organisations::delete)
        .service(organisations::list)
        .service(organisations::bring)
        .service(ace360::summary::get)
        .service(ace360::settings::get)
        .service(ace360::settings::put)
        .service(ace360::settings::test)
        .service(ace360::catalogue::standards)
        .service(ace360::catalogue::refresh)
        .service(ace360::catalogue::sectors)
        .service(ace360::learner::read)
        .service(ace360::create::preview)
        .service(ace360::create::upload)
        .service(ace360::learner::sync)
        .service(ace360::learner::history)
        .service(ace360::link::put)
        .service(ace360::link::delete)
        .service(ace360::catalogue::sync_all)
        .service(ace360::bulk::upload)
        .service(ace360::bulk::match_records)
        .service(onefile::summary::get)
        .service(onefile::settings::get)
        .service(onefile::settings::put)
        .service(onefile::connection::test)
        .service(onefile::directory::centres)
        .service(onefile::directory::classrooms)
        .service(onefile::directory::assessors)
        .service(onefile::directory::placements)
        .service(onefile::links::list)
        .service(onefile::links::create)
        .service(onefile::link_proposals::candidates)
        .service(onefile::link_proposals::suggest)
        .service(onefile::link_import::bring)
        .service(onefile::links::get)
        .service(onefile::links::delete)
        .service(onefile::qualifications::refresh)
        .service(onefile::qualifications::list)
        .service(onefile::learner::read)
        .service(onefile::create::preview)
        .service(onefile::create::enrol)
        .service(onefile::bulk::enrol)
        .service(onefile::exchange::sync)
        .service(onefile::exchange::sync_all)
        .service(onefile::learner_link::put)
        .service(onefile::learner_link::delete)
        .service(onefile::readiness::coverage)
        .service(onefile::readiness::get)
        .service(onefile::readiness::enable)
        .service(onefile::migration::get)
        .service(runs::list)
        .service(runs::get)
        .service(run_records::list)
        .service(run_actions::cancel)
        .service(run_actions::retry)
        .service(run_events::events)
        .service(intents::list)
        .service(intents::resolve)
        .service(changes::list)
        .service(webhooks::create)
        .service(webhooks::list)
        .service(webhooks::get)
        .service(webhooks::put)
        .service(webhooks::delete)
        .service(webhooks::rotate)
        .service(webhook_deliveries::test)
        .service(webhook_deliveries::list)
        .service(webhook_deliveries::resend)
        .service(tokens::create)
        .service(tokens::list)
        .service(tokens::revoke)
        .service(tokens::jwks)
        .service(audit::list)
        .service(problems::get)
        .service(health::live)
        .service(health::ready)
        .service(health::metrics)
        .service(document::get);
}
