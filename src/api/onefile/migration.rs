//! What the first synchronisation would do, before it does.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::LookUpErrors;
use super::super::extract::Caller;
use super::super::params::Params;
use super::super::problem::Problem;
use crate::auth::scope::needs::OnefileRead;
use crate::domain::redacted;
use crate::onefile::setup::migration::UnreadLearner;
use crate::onefile::sync::diff::{LearnerTakeover, TakeoverCounts};

/// A page of what the first synchronisation would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileMigration)]
pub struct Migration {
    /// Learners that are linked to a user of OneFile's, in all: nobody else is synchronised.
    #[schema(example = 812)]
    linked: i64,
    /// How much of each on this page: add the pages' numbers up.
    counts: TakeoverCounts,
    /// The learners of this page for whom something would change, or something should be looked at, in the order of their ids.
    items: Vec<LearnerTakeover>,
    /// The learners of this page that could not be compared, and why.
    unread: Vec<Unread>,
    /// Calls to OneFile that this page took.
    #[schema(example = 97)]
    calls: i32,
    /// Send it as `pageToken` for the next page; null: there is none.
    #[schema(example = "TC0xMDAx")]
    next_page_token: Option<String>,
}

/// A learner that could not be compared.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileMigrationUnread)]
pub struct Unread {
    /// PICSWeb's id of the learner.
    #[schema(example = "L-1001")]
    learner_id: String,
    /// OneFile's id of the centre.
    #[schema(example = "1001")]
    centre_id: String,
    /// OneFile's id of the user.
    #[schema(example = "2041")]
    user_id: String,
    /// The stable code of the problem.
    #[schema(value_type = String, example = "upstreamMissing")]
    code: &'static str,
    /// What it is, and what to do.
    #[schema(
        example = "OneFile has this user no more: remove the link, and link the learner to the user that it has now."
    )]
    message: String,
}

redacted!(Unread);

impl From<UnreadLearner> for Unread {
    fn from(own: UnreadLearner) -> Self {
        let UnreadLearner { link, code, message } = own;
        Self { learner_id: link.learner_id, centre_id: link.centre_id, user_id: link.user_id, code, message }
    }
}

/// See what the first synchronisation would do
///
/// For moving over from PICS Desktop's integration: learner by learner, which values it would overwrite or fill on which side, which reviews it would
/// make in OneFile (open Normal ones, whatever Desktop's settings were; `old` ones were probably forgotten) and which here. It goes by the settings as they
/// are now: change them, and ask again. Nothing is sent to OneFile, and nothing is kept here.
///
/// Link the learners and refresh the qualification links first. OneFile is read for it: for each linked learner who is in learning about three calls, one
/// for each learning aim and, where reviews come down, one for each review. So a page takes 100 calls or 20 seconds, then it ends after the learner that it is
/// at, before `pageSize` is reached: go on with `nextPageToken`. A thousand learners with two aims and four reviews are some 9,000 calls, which take about
/// half an hour at OneFile's limit of 300 a minute. A learner or a record that OneFile cannot show is told, and spoils nothing else. Needs `onefile:read`.
#[utoipa::path(operation_id = "getOneFileMigration", tag = "OneFile settings", security(("bearer" = ["onefile:read"])),
    params(("pageSize" = Option<i64>, Query, minimum = 1, description = "Linked learners a page: 50 if not given, at most 500; fewer where the calls are used up."),
           ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of what would happen.", body = Migration), LookUpErrors))]
#[get("/onefile/migration")]
pub async fn get(
    who: Caller<OnefileRead>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Migration>, Problem> {
    let mut params = Params::of(&request);
    let paging = params.paging(who.provider());
    params.done()?;
    let today = state.auth.clock().today();
    let found = state.onefile.migration(who.provider(), paging.after.as_deref(), paging.size, today).await?;
    let page = paging.page(found.takeover.learners, found.last.as_deref());
    Ok(Json(Migration {
        linked: found.linked,
        counts: found.takeover.counts,
        items: page.items,
        unread: found.unread.into_iter().map(Unread::from).collect(),
        calls: found.calls,
        next_page_token: page.next_page_token,
    }))
}
