//! The change feed: everything that changed, in order, for readers that never stop.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::State;
use super::errors::ReadErrors;
use super::extract::Caller;
use super::params::Params;
use super::problem::{Code, Problem};
use crate::auth::scope::needs::ChangesRead;
use crate::domain::{ChangeEntry, ChangeType};

/// A part of the feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = feed_example)]
pub struct Feed {
    /// In the order in which they were committed.
    items: Vec<ChangeEntry>,
    /// Send it as `after` to go on; it is what was asked with when nothing is new.
    #[schema(example = "MA")]
    next_after: String,
}

fn feed_example() -> Value {
    let feed = Feed { items: vec![ChangeEntry::example(ChangeType::StatusChanged)], next_after: after(4) };
    json!(feed)
}

/// Follow the changes
///
/// Everything that changed after a position, in order and without gaps. Begin without `after`, then send each answer's `nextAfter`. A position
/// that retention has passed, or that was never given (the database may have been restored from a backup), is answered 410. Needs `changes:read`.
#[utoipa::path(operation_id = "listChanges", tag = "Changes", security(("bearer" = ["changes:read"])),
    params(("after" = Option<String>, Query, description = "The `nextAfter` of the answer before; not given: from the start."),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Changes at once: 50 if not given, at most 500.")),
    responses((status = 200, description = "The changes after the position.", body = Feed),
              (status = 410, description = "Retention has passed the position, or it was never given (`expired`).", body = Problem, content_type = "application/problem+json"), ReadErrors))]
#[get("/changes")]
pub async fn list(
    who: Caller<ChangesRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Feed>, Problem> {
    let mut params = Params::of(&request);
    let from = match params.text("after").filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => position(&text).unwrap_or_else(|| {
            params.fault("after", "invalidValue", "Send the `nextAfter` of an answer, unaltered.");
            0
        }),
    };
    let size = params.page_size();
    params.done()?;
    state.store.place_changes().await?;
    let rows = state
        .store
        .changes_after(who.provider(), from, size)
        .await?
        .ok_or_else(|| Problem::new(Code::Expired, Code::Expired.about()))?;
    let next = rows.last().map_or(from, |row| row.position);
    let items = rows.into_iter().map(|row| row.entry).collect();
    Ok(Json(Feed { items, next_after: after(next) }))
}

fn after(position: i64) -> String {
    URL_SAFE_NO_PAD.encode(position.to_string())
}

fn position(text: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    std::str::from_utf8(&bytes).ok()?.parse().ok().filter(|position| *position >= 0)
}
