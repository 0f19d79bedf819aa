//! Setting up: which qualifications OneFile has, the checklist, and switching the integration on.

use actix_web::web::{Data, Json};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::{ReadErrors, SettingsErrors};
use super::super::extract::{Caller, OptionalBody};
use super::super::problem::{Code, Problem};
use super::settings::{self, Settings};
use crate::auth::scope::needs::{OnefileConfigure, OnefileRead};
use crate::domain::{Check, Fault};
use crate::onefile::setup::coverage::{CoverageCounts, CoverageItem, LearnersMet, StandardCoverage};
use crate::onefile::setup::readiness::Readiness;
use crate::store::{Forced, OneFileChoices};

const LONGEST_REASON: usize = 500;
const LONGEST_NAME: usize = 200;

/// Which of the learners' qualifications OneFile has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileCoverage)]
pub struct CoverageAnswer {
    /// When OneFile's learning aims were read; null: not yet, and all are missing.
    refreshed_at: Option<DateTime<Utc>>,
    /// How many there are of each.
    counts: CoverageCounts,
    /// Each VQ reference in a delivery plan: the missing ones first, then the ambiguous ones.
    items: Vec<CoverageItem>,
    /// Each apprenticeship standard that a learner is on or has an aim of.
    standards: Vec<StandardCoverage>,
    /// Learners with a qualification that has no VQ reference: nothing can be matched by it.
    without_reference: LearnersMet,
}

/// Switching the integration on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OneFileEnableRequest, example = json!({"force": false}))]
pub struct EnableRequest {
    /// Whether it is switched on although something is in the way; no if not said.
    #[serde(default)]
    force: Option<bool>,
    /// Why; needed with `force`, and kept in the audit.
    #[serde(default)]
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Which person decided it; needed with `force`, and kept in the audit.
    #[serde(default)]
    #[schema(max_length = 200)]
    actor: Option<String>,
}

impl EnableRequest {
    fn forced(&self) -> bool {
        self.force == Some(true)
    }
}

impl Check for EnableRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        let fields = [
            (
                "/reason",
                &self.reason,
                LONGEST_REASON,
                "Say why, in at most 500 characters: the audit keeps it.",
            ),
            ("/actor", &self.actor, LONGEST_NAME, "Say who decided it, in at most 200 characters."),
        ];
        let wrong = fields.into_iter().filter(|(_, text, longest, _)| {
            let text = text.as_deref().map(str::trim).unwrap_or_default();
            text.chars().count() > *longest || text.contains('\0') || (self.forced() && text.is_empty())
        });
        wrong.map(|(pointer, _, _, message)| Fault::at(pointer, "required", message)).collect()
    }
}

/// Compare the learners' qualifications with OneFile's
///
/// Each VQ reference in the learners' delivery plans: whether OneFile has it once, several times (in which centres, with which pathways) or not at
/// all; of each apprenticeship standard which of its four aims (AS, OP, GW, EP) are there; what to do about each. No call to OneFile is made. Needs
/// `onefile:read`.
#[utoipa::path(operation_id = "getOneFileCoverage", tag = "OneFile", security(("bearer" = ["onefile:read"])), responses((status = 200, description = "The coverage.", body = CoverageAnswer), ReadErrors))]
#[get("/onefile/qualifications/coverage")]
pub async fn coverage(who: Caller<OnefileRead>, state: Data<State>) -> Result<Json<CoverageAnswer>, Problem> {
    let (found, refreshed_at) = state.onefile.coverage(who.provider()).await?;
    Ok(Json(CoverageAnswer {
        refreshed_at,
        counts: found.counts,
        items: found.items,
        standards: found.standards,
        without_reference: found.without_reference,
    }))
}

/// Read the set-up checklist
///
/// OneFile's guide for the first set-up, line by line: a verdict, how many records are behind it and which, and the call that fixes it. From what
/// is kept here: test the connection, read the look-ups and refresh the qualification links first. Needs `onefile:read`.
#[utoipa::path(operation_id = "getOneFileReadiness", tag = "OneFile settings", security(("bearer" = ["onefile:read"])), responses((status = 200, description = "The checklist.", body = Readiness), ReadErrors))]
#[get("/onefile/readiness")]
pub async fn get(who: Caller<OnefileRead>, state: Data<State>) -> Result<Json<Readiness>, Problem> {
    let choices = state.store.onefile_settings(who.provider()).await?.choices;
    Ok(Json(state.onefile.readiness_with(who.provider(), &choices, false).await?))
}

/// Switch the OneFile integration on
///
/// With the settings as they are. While a line of the checklist is blocked: 409 `notReady` with each of them, unless it is forced, which takes a
/// reason and a person's name; both stay in the audit. Without a customer token it cannot be forced. Needs `onefile:configure`.
#[utoipa::path(operation_id = "enableOneFile", tag = "OneFile settings", security(("bearer" = ["onefile:configure"])),
    request_body(content = Option<EnableRequest>, description = "May be left out."),
    responses((status = 200, description = "It is on.", body = Settings), SettingsErrors))]
#[post("/onefile:enable")]
pub async fn enable(
    who: Caller<OnefileConfigure>,
    state: Data<State>,
    body: OptionalBody<EnableRequest>,
) -> Result<Json<Settings>, Problem> {
    let before = state.store.onefile_settings(who.provider()).await?;
    let wanted = OneFileChoices { enabled: true, ..before.choices.clone() };
    let mut obstacles = state.onefile.may_enable(who.provider(), &wanted, false).await?;
    if body.0.forced() {
        obstacles.retain(|fault| fault.code == "required");
    }
    settings::refuse(obstacles)?;
    let forced = match (&body.0.reason, &body.0.actor) {
        (Some(reason), Some(person)) if body.0.forced() => {
            Some(Forced { reason: reason.trim(), person: person.trim() })
        }
        _ => None,
    };
    if !state.onefile.force_on(who.provider(), &before, forced, &who.by()).await? {
        return Err(Problem::new(Code::SettingsChanged, Code::SettingsChanged.about()));
    }
    Ok(Json(settings::shown(state.store.onefile_settings(who.provider()).await?)))
}
