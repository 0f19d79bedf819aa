//! The OneFile settings: those of PICSWeb's own window, and a few that it lacks.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{get, put};
use chrono::NaiveTime;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::{ReadErrors, SettingsErrors};
use super::super::etag::{Precondition, Tagged, unexpected};
use super::super::extract::{Body, Caller};
use super::super::problem::{Code, Problem};
use super::settings_request::{DailySync, SettingsRequest};
use super::settings_validation::time_of;
use crate::auth::scope::needs::{OnefileConfigure, OnefileRead};
use crate::domain::{DemographicsMode, DesktopIntegration, Fault, OneFileEnvironment, VisitType};
use crate::store::{Expected, OneFileChoices, OneFileSettings, Version};

/// A provider's settings for OneFile.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileSettings, example = json!({
    "enabled": true, "environment": "live", "tokenSet": true, "uploadReviews": true, "downloadReviews": true, "visitType": "faceToFace",
    "additionalAssessors": ["Internal Verifier"], "classroomFromMainTag": true, "createMissingClassrooms": false, "defaultClassroomId": "1064",
    "defaultClassrooms": {}, "learnerDemographics": "pushed", "officerDemographics": "ignored", "organisationDemographics": "ignored",
    "pushChanges": true, "desktopIntegration": "off", "dailySync": {"enabled": true, "at": "05:00"}, "fullSweepDays": 7
}))]
pub struct Settings {
    /// Whether learners are enrolled and exchanged at all. Look-ups and links work before it is on.
    enabled: bool,
    /// Which OneFile. Each environment has customer tokens, records and ids of its own.
    environment: OneFileEnvironment,
    /// Whether a customer token is kept. The token itself is never shown.
    token_set: bool,
    /// Whether a learner's reviews are made in OneFile, at enrolment and every day.
    upload_reviews: bool,
    /// Whether OneFile's reviews come down every day.
    download_reviews: bool,
    /// What kind of visit an uploaded review becomes.
    visit_type: VisitType,
    /// Roles of a learner's officers, as in the record's `officers[].role`: who has one becomes an additional assessor at enrolment.
    #[schema(example = json!(["Internal Verifier"]))]
    additional_assessors: Vec<String>,
    /// Whether a new learner's classroom is the one that is named like its Main Tag. Off, or none is named so: the default classroom.
    classroom_from_main_tag: bool,
    /// Whether a classroom that a Main Tag names and that is not there is made, instead of taking the default classroom.
    create_missing_classrooms: bool,
    /// OneFile's id of the classroom that new learners get where no other is meant, for providers with one centre.
    #[schema(example = "1064")]
    default_classroom_id: Option<String>,
    /// The same for each centre: centre id to classroom id. It goes before `defaultClassroomId`.
    default_classrooms: BTreeMap<String, String>,
    /// Which way the details of enrolled learners go, every day.
    learner_demographics: DemographicsMode,
    /// Which way the details of linked officers go, every day.
    officer_demographics: DemographicsMode,
    /// Which way the details of linked organisations go, every day.
    organisation_demographics: DemographicsMode,
    /// Whether a change of an enrolled learner's main officer or placement goes up.
    push_changes: bool,
    /// Whether PICS Desktop's own OneFile integration is on. While it is, this one cannot be.
    desktop_integration: DesktopIntegration,
    /// When the daily exchange runs.
    daily_sync: DailySync,
    /// Every so many days the exchange reads all enrolled learners, not only those that OneFile says have changed.
    full_sweep_days: i32,
}

/// Refuses to switch the integration on while something is in the way.
pub(super) fn refuse(obstacles: Vec<Fault>) -> Result<(), Problem> {
    if obstacles.is_empty() {
        return Ok(());
    }
    let detail = obstacles.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join(" ");
    Err(Problem::new(Code::NotReady, detail).with_errors(obstacles))
}

/// Settings as they are shown.
pub(super) fn shown(settings: OneFileSettings) -> Settings {
    let token_set = settings.token.is_some();
    let own = settings.choices;
    Settings {
        enabled: own.enabled,
        environment: own.environment,
        token_set,
        upload_reviews: own.upload_reviews,
        download_reviews: own.download_reviews,
        visit_type: own.visit_type,
        additional_assessors: own.additional_assessors,
        classroom_from_main_tag: own.classroom_from_main_tag,
        create_missing_classrooms: own.create_missing_classrooms,
        default_classroom_id: own.default_classroom_id,
        default_classrooms: own.default_classrooms,
        learner_demographics: own.learner_demographics,
        officer_demographics: own.officer_demographics,
        organisation_demographics: own.organisation_demographics,
        push_changes: own.push_changes,
        desktop_integration: own.desktop_integration,
        daily_sync: DailySync { enabled: own.daily_enabled, at: own.daily_at.format("%H:%M").to_string() },
        full_sweep_days: own.full_sweep_days,
    }
}

fn tagged(settings: OneFileSettings) -> Tagged<Settings> {
    Tagged::ok(Version::of_settings(settings.version), shown(settings))
}

/// What a good request chooses.
fn chosen(request: SettingsRequest, present: OneFileEnvironment) -> OneFileChoices {
    let usual = OneFileChoices::default();
    let (daily_enabled, daily_at): (bool, Option<NaiveTime>) =
        request.daily_sync.map_or((usual.daily_enabled, None), |daily| (daily.enabled, time_of(&daily.at)));
    OneFileChoices {
        enabled: request.enabled,
        environment: request.environment.unwrap_or(present),
        upload_reviews: request.upload_reviews.unwrap_or(usual.upload_reviews),
        download_reviews: request.download_reviews.unwrap_or(usual.download_reviews),
        visit_type: request.visit_type.unwrap_or(usual.visit_type),
        additional_assessors: request
            .additional_assessors
            .unwrap_or_default()
            .into_iter()
            .map(|role| role.trim().to_owned())
            .collect(),
        classroom_from_main_tag: request.classroom_from_main_tag.unwrap_or(usual.classroom_from_main_tag),
        create_missing_classrooms: request
            .create_missing_classrooms
            .unwrap_or(usual.create_missing_classrooms),
        default_classroom_id: request.default_classroom_id.map(|id| id.0),
        default_classrooms: request
            .default_classrooms
            .unwrap_or_default()
            .into_iter()
            .map(|(centre, classroom)| (centre, classroom.0))
            .collect(),
        learner_demographics: request.learner_demographics.unwrap_or(usual.learner_demographics),
        officer_demographics: request.officer_demographics.unwrap_or(usual.officer_demographics),
        organisation_demographics: request
            .organisation_demographics
            .unwrap_or(usual.organisation_demographics),
        push_changes: request.push_changes.unwrap_or(usual.push_changes),
        desktop_integration: request.desktop_integration.unwrap_or(usual.desktop_integration),
        daily_enabled,
        daily_at: daily_at.unwrap_or(usual.daily_at),
        full_sweep_days: request
            .full_sweep_days
            .and_then(|days| i32::try_from(days).ok())
            .unwrap_or(usual.full_sweep_days),
    }
}

/// Read the OneFile settings
///
/// The customer token is never shown. Needs `onefile:read`.
#[utoipa::path(operation_id = "getOneFileSettings", tag = "OneFile settings", security(("bearer" = ["onefile:read"])), responses((status = 200, description = "The settings.", body = Settings), ReadErrors))]
#[get("/onefile/settings")]
pub async fn get(who: Caller<OnefileRead>, state: Data<State>) -> Result<Tagged<Settings>, Problem> {
    Ok(tagged(state.store.onefile_settings(who.provider()).await?))
}

/// Change the OneFile settings
///
/// Nothing is called upstream: test the connection afterwards. Without a customer token the present one stays. With `enabled: true` the customer
/// token must be there and PICS Desktop's integration not `active`; and where it was off before, no line of GET /onefile/readiness may be blocked:
/// else 409 `notReady`, and nothing is kept. POST /onefile:enable forces it. Needs `onefile:configure`.
#[utoipa::path(operation_id = "putOneFileSettings", tag = "OneFile settings", security(("bearer" = ["onefile:configure"])), request_body = SettingsRequest,
    responses((status = 200, description = "They are kept.", body = Settings), SettingsErrors))]
#[put("/onefile/settings")]
pub async fn put(
    who: Caller<OnefileConfigure>,
    state: Data<State>,
    expected: Precondition,
    body: Body<SettingsRequest>,
) -> Result<Tagged<Settings>, Problem> {
    let mut request = body.0;
    let token = request.customer_token.take().map(SecretString::from);
    let before = state.store.onefile_settings(who.provider()).await?;
    let new = chosen(request, before.choices.environment);
    if !expected.0.allows(Version::of_settings(before.version)) {
        return Err(unexpected(&expected.0));
    }
    // A token that was meant for one environment is not shown to another.
    if token.is_none() && before.token.is_some() && before.choices.environment != new.environment {
        let message = "Send the customer token of this environment as well: each has its own.";
        return Err(Problem::faults(vec![Fault::at("/customerToken", "required", message)]));
    }
    if new.enabled {
        let obstacles = state.onefile.may_enable(who.provider(), &new, token.is_some()).await?;
        refuse(obstacles)?;
    }
    let kept =
        state.store.put_onefile_settings(who.provider(), &before, &new, token.as_ref(), &who.by()).await?;
    if !kept {
        // Whoever named a version finds another by now.
        return Err(match expected.0 {
            Expected::OneOf(_) => unexpected(&expected.0),
            _ => Problem::new(Code::SettingsChanged, Code::SettingsChanged.about()),
        });
    }
    Ok(tagged(state.store.onefile_settings(who.provider()).await?))
}
