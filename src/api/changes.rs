//! The change feed: everything that changed, in order, for readers that never stop.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, Type};
use utoipa::openapi::{ObjectBuilder, Schema};
use uuid::Uuid;

use super::State;
use super::change_data;
use super::errors::ReadErrors;
use super::extract::Caller;
use super::params::Params;
use super::problem::{Code, Problem};
use super::runs::Subject;
use crate::auth::scope::needs::ChangesRead;
use crate::domain::ChangeType;

/// A part of the feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "items": [{"id": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "type": "ace360.statusChanged", "subject": {"kind": "learner", "id": "L-1001"},
        "at": "2026-11-22T05:00:03Z", "data": {"recordId": 248, "before": {"id": 1, "text": "In Training"}, "after": {"id": 2, "text": "Gateway in Progress"}}}],
    "nextAfter": "NA"
}))]
pub struct Feed {
    /// In the order in which they were committed.
    items: Vec<Change>,
    /// Send it as `after` to go on; it is what was asked with when nothing is new.
    #[schema(example = "MA")]
    next_after: String,
}

/// One change.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    /// Its name: the same in the feed and in webhooks.
    id: Uuid,
    /// What kind of change.
    #[serde(rename = "type")]
    #[schema(value_type = ChangeType)]
    type_: String,
    /// Whose.
    subject: Subject,
    /// When.
    at: DateTime<Utc>,
    /// What: for most before and after.
    #[schema(schema_with = data)]
    data: serde_json::Value,
}

/// Any object; each type's own schema is named.
fn data() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some(format!(
            "What changed, for most before and after. Each type has a schema of its own (see the document's webhooks):\n{}",
            change_data::table()
        )))
        .into()
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
    let after = match params.text("after").filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => position(&text).unwrap_or_else(|| {
            params.fault("after", "invalidValue", "Send the `nextAfter` of an answer, unaltered.");
            0
        }),
    };
    let size = params.paging().size;
    params.done()?;
    state.store.place_changes().await?;
    let rows = state
        .store
        .changes_after(who.provider(), after, size)
        .await?
        .ok_or_else(|| Problem::new(Code::Expired, Code::Expired.about()))?;
    let next = rows.last().map_or(after, |row| row.position);
    let items = rows
        .into_iter()
        .map(|row| Change {
            id: row.id,
            type_: row.type_,
            subject: Subject { kind: row.subject_kind, id: row.subject_id },
            at: row.at,
            data: row.data,
        })
        .collect();
    Ok(Json(Feed { items, next_after: URL_SAFE_NO_PAD.encode(next.to_string()) }))
}

fn position(text: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    std::str::from_utf8(&bytes).ok()?.parse().ok().filter(|position| *position >= 0)
}
