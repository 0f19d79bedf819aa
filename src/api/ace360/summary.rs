//! The integration's page: on or off, connected or not, last and next synchronisation, counts, what needs attention.

use actix_web::get;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::ReadErrors;
use super::super::extract::Caller;
use super::super::problem::Problem;
use crate::auth::scope::needs::Ace360Read;
use crate::domain::{Ace360Status, RunKind};
use crate::runs::schedule;

/// The state of the integration in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "enabled": true, "environment": "live", "connection": {"state": "ok", "testedAt": "2026-11-22T05:00:01Z"}, "lastSyncAt": "2026-11-22T05:00:41Z",
    "nextSyncAt": "2026-11-23T05:00:00Z", "standardsRefreshedAt": "2026-11-20T09:12:00Z",
    "counts": {"learners": 812, "uploaded": 640, "byStatus": [
        {"status": {"id": 1, "text": "In Training"}, "learners": 598}, {"status": {"id": 2, "text": "Gateway in Progress"}, "learners": 42}
    ]},
    "attention": [{"code": "unknownUploads", "count": 1, "message": "The answers to these uploads were lost; they are looked for: see GET /intents?state=unknown."}]
}))]
pub struct Summary {
    /// Whether ACE360 is called at all.
    enabled: bool,
    /// The environment: `live` or `sandbox`.
    #[schema(example = "sandbox")]
    environment: String,
    /// How the connection was, when it was used last.
    connection: Connection,
    /// When the statuses of all learners were read last.
    last_sync_at: Option<DateTime<Utc>>,
    /// When they are read next; null: daily reading is off.
    next_sync_at: Option<DateTime<Utc>>,
    /// When the catalogue was refreshed last.
    standards_refreshed_at: Option<DateTime<Utc>>,
    /// How many learners stand where.
    counts: SummaryCounts,
    /// What somebody should look at; empty: nothing.
    attention: Vec<Attention>,
}

/// How the connection was.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// `ok`, `untested`, or the code of what went wrong.
    #[schema(example = "ok")]
    state: String,
    /// When the connection was last tested.
    tested_at: Option<DateTime<Utc>>,
}

/// How many learners stand where.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SummaryCounts {
    /// All learners of the provider.
    learners: i64,
    /// With an ACE360 record.
    uploaded: i64,
    /// Of those, by status.
    by_status: Vec<StatusCount>,
}

/// How many learners have a status.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusCount {
    /// The status; null: none was read yet.
    status: Option<Ace360Status>,
    /// Learners with this status.
    learners: i64,
}

/// Something that somebody should look at.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attention {
    /// What it is, for programs.
    #[schema(example = "unknownUploads")]
    code: &'static str,
    /// How many learners this concerns.
    count: i64,
    /// What it is and what to do.
    #[schema(value_type = String, example = "ACE360 refused these uploads: fix what it says, then upload again.")]
    message: &'static str,
}

/// Read the ACE360 integration's status
///
/// What PICSWeb shows on the integration's page. Answered from what is kept here. Needs `ace360:read`.
#[utoipa::path(operation_id = "getAce360", tag = "ACE360", security(("bearer" = ["ace360:read"])), responses((status = 200, description = "The integration's status.", body = Summary), ReadErrors))]
#[get("/ace360")]
pub async fn get(who: Caller<Ace360Read>, state: Data<State>) -> Result<Json<Summary>, Problem> {
    let settings = state.store.ace360_settings(who.provider()).await?;
    let counts = state.store.ace360_counts(who.provider(), &settings.environment).await?;
    let now = state.store.now().await?;
    let connected = settings.connection.as_deref().is_none_or(|code| code == "ok");
    let failed = state.store.last_failed(who.provider(), RunKind::StatusSync).await?;
    let lines = [
        (
            "syncFailed",
            i64::from(failed),
            "The last synchronisation of all learners failed: its `problem` in GET /runs says why.",
        ),
        (
            "noToken",
            i64::from(settings.enabled && settings.token.is_none()),
            "The settings have no token: nothing can be uploaded or read.",
        ),
        (
            "connection",
            i64::from(!connected),
            "The last call to ACE360 failed: POST /ace360/connection:test says why.",
        ),
        (
            "noCatalogue",
            i64::from(settings.enabled && settings.standards_refreshed_at.is_none()),
            "The catalogue was never read: POST /ace360/standards:refresh.",
        ),
        (
            "unknownUploads",
            counts.unknown,
            "Uploads whose answer was lost: they are looked for; GET /intents?state=unknown lists them.",
        ),
        (
            "rejectedUploads",
            counts.rejected,
            "Uploads that ACE360 refused: GET /learners?ace360=rejected lists the learners; fix and upload them again.",
        ),
        (
            "goneRecords",
            counts.gone,
            "Learners whose record is no longer in ACE360: GET /learners?ace360=gone lists them.",
        ),
        (
            "unreadableRecords",
            counts.troubled,
            "Learners whose record could not be read: the last run's records say why.",
        ),
    ];
    Ok(Json(Summary {
        enabled: settings.enabled,
        environment: settings.environment,
        connection: Connection {
            state: settings.connection.unwrap_or_else(|| "untested".to_owned()),
            tested_at: settings.connection_at,
        },
        last_sync_at: settings.last_synced_at,
        next_sync_at: (settings.enabled && settings.daily_enabled && settings.token.is_some())
            .then(|| schedule::next(now, settings.daily_at)),
        standards_refreshed_at: settings.standards_refreshed_at,
        counts: SummaryCounts {
            learners: counts.learners,
            uploaded: counts.linked,
            by_status: counts
                .by_status
                .into_iter()
                .map(|(id, text, learners)| StatusCount { status: Ace360Status::of(id, text), learners })
                .collect(),
        },
        attention: lines
            .into_iter()
            .filter(|(_, count, _)| *count > 0)
            .map(|(code, count, message)| Attention { code, count, message })
            .collect(),
    }))
}
