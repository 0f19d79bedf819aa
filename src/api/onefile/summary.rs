//! The integration's page: on or off, connected or not, what is exchanged, last synchronised, what needs attention.

use actix_web::get;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::ReadErrors;
use super::super::extract::Caller;
use super::super::problem::Problem;
use crate::auth::scope::needs::OnefileRead;
use crate::domain::{DemographicsMode, DesktopIntegration, DirectoryKind, OneFileEnvironment, RunKind};
use crate::onefile::sync::release_window;
use crate::runs::schedule;

/// The state of the integration in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileSummary, example = json!({
    "enabled": true, "environment": "live", "connection": {"state": "ok", "testedAt": "2026-11-22T05:00:01Z"},
    "learnerDemographics": "pushed", "officerDemographics": "ignored", "organisationDemographics": "ignored", "pushChanges": true,
    "uploadReviews": true, "downloadReviews": true, "additionalAssessors": ["Internal Verifier"], "lastSyncedAt": "2026-11-22T05:21:40Z",
    "nextSyncAt": "2026-11-23T05:00:00Z", "budget": {"perMinute": 285, "remaining": 271},
    "directory": [{"kind": "assessor", "refreshedAt": "2026-11-20T09:12:00Z"}], "attention": []
}))]
pub struct Summary {
    /// Whether learners are enrolled and exchanged at all.
    enabled: bool,
    /// The OneFile environment that calls go to.
    environment: OneFileEnvironment,
    /// How the connection was, when it was used last.
    connection: Connection,
    /// Which way learners' details go.
    learner_demographics: DemographicsMode,
    /// Which way officers' details go.
    officer_demographics: DemographicsMode,
    /// Which way organisations' details go.
    organisation_demographics: DemographicsMode,
    /// Whether a change of a learner's main officer or placement goes up.
    push_changes: bool,
    /// Whether reviews go up.
    upload_reviews: bool,
    /// Whether reviews come down.
    download_reviews: bool,
    /// Roles of learners' officers who become additional assessors.
    #[schema(example = json!(["Internal Verifier"]))]
    additional_assessors: Vec<String>,
    /// When all learners were exchanged last; null: not yet.
    last_synced_at: Option<DateTime<Utc>>,
    /// When the next daily exchange begins; null: there is none.
    next_sync_at: Option<DateTime<Utc>>,
    /// Calls to OneFile; null: there is no connection.
    budget: Option<Budget>,
    /// What was read for look-ups, and when.
    directory: Vec<DirectoryAge>,
    /// What somebody should look at; empty: nothing.
    attention: Vec<Attention>,
}

/// How the connection was.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileConnection)]
pub struct Connection {
    /// `ok`, `untested`, or the code of what went wrong.
    #[schema(example = "ok")]
    state: String,
    /// When the connection was last tested.
    tested_at: Option<DateTime<Utc>>,
}

/// Calls to OneFile, by all that share the customer token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileBudget)]
pub struct Budget {
    /// How many may be made in a minute.
    per_minute: u32,
    /// How many could be made within the next minute.
    remaining: u32,
}

/// When a part of what look-ups show was read.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileDirectoryAge)]
pub struct DirectoryAge {
    /// The part of the directory.
    kind: DirectoryKind,
    /// When; null: not yet.
    refreshed_at: Option<DateTime<Utc>>,
}

/// Something that somebody should look at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OneFileAttention)]
pub struct Attention {
    /// What it is, for programs.
    #[schema(example = "noToken")]
    code: &'static str,
    /// What it is and what to do.
    #[schema(value_type = String, example = "OneFile refused these enrolments: fix what it says, then enrol again.")]
    message: &'static str,
}

/// Read the OneFile integration's status
///
/// What PICSWeb shows on the integration's page. Answered from what is kept here. Needs `onefile:read`.
#[utoipa::path(operation_id = "getOneFile", tag = "OneFile", security(("bearer" = ["onefile:read"])), responses((status = 200, description = "The integration's status.", body = Summary), ReadErrors))]
#[get("/onefile")]
pub async fn get(who: Caller<OnefileRead>, state: Data<State>) -> Result<Json<Summary>, Problem> {
    let settings = state.store.onefile_settings(who.provider()).await?;
    let own = &settings.choices;
    let mut directory = Vec::new();
    for kind in DirectoryKind::ALL {
        let refreshed = state.store.onefile_refreshed(who.provider(), own.environment, *kind).await?;
        directory.push(DirectoryAge { kind: *kind, refreshed_at: refreshed.map(|refreshed| refreshed.at) });
    }
    let now = state.store.now().await?;
    let next_sync_at = (own.enabled && own.daily_enabled && settings.token.is_some())
        .then(|| schedule::next(now, release_window::outside(own.daily_at)));
    let remaining = state.onefile.calls_left(&settings).await?;
    let connected = settings.connection.as_deref().is_none_or(|code| code == "ok");
    let (archived, gone) = state.store.lost_learners(who.provider(), own.environment).await?;
    let failed = state.store.last_failed(who.provider(), RunKind::Exchange).await?;
    let lines = [
        (
            "exchangeFailed",
            failed,
            "The last exchange of all learners failed: its `problem` in GET /runs says why. It is tried again every hour where the daily one is on.",
        ),
        (
            "usersArchived",
            archived > 0,
            "Learners' users are in OneFile's archive and are not exchanged: GET /onefile/links?kind=learner&state=archived names them. Bring them back there, or remove the links.",
        ),
        (
            "usersGone",
            gone > 0,
            "OneFile has the users of some learners no more: GET /onefile/links?kind=learner&state=gone names them. Remove the links, and link or enrol the learners again.",
        ),
        (
            "noToken",
            settings.token.is_none(),
            "The settings have no customer token: OneFile Support issues one; PUT /onefile/settings.",
        ),
        (
            "connection",
            !connected,
            "The last call to OneFile failed: POST /onefile/connection:test says why.",
        ),
        (
            "desktopActive",
            own.desktop_integration == DesktopIntegration::Active,
            "PICS Desktop's OneFile integration is on: switch it off before this one is switched on.",
        ),
    ];
    Ok(Json(Summary {
        enabled: own.enabled,
        environment: own.environment,
        learner_demographics: own.learner_demographics,
        officer_demographics: own.officer_demographics,
        organisation_demographics: own.organisation_demographics,
        push_changes: own.push_changes,
        upload_reviews: own.upload_reviews,
        download_reviews: own.download_reviews,
        last_synced_at: settings.last_synced_at,
        next_sync_at,
        budget: remaining.map(|remaining| Budget { per_minute: state.onefile.per_minute(), remaining }),
        directory,
        attention: lines
            .into_iter()
            .filter(|(_, holds, _)| *holds)
            .map(|(code, _, message)| Attention { code, message })
            .collect(),
        additional_assessors: settings.choices.additional_assessors,
        connection: Connection {
            state: settings.connection.unwrap_or_else(|| "untested".to_owned()),
            tested_at: settings.connection_at,
        },
    }))
}
