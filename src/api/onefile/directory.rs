//! Look-ups: OneFile's centres, classrooms, assessors and placements, as PICSWeb's "Look Up OneFile ID" shows them.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::State;
use super::super::errors::LookUpErrors;
use super::super::extract::Caller;
use super::super::params::Params;
use super::super::problem::Problem;
use crate::auth::scope::needs::OnefileRead;
use crate::domain::DirectoryKind;
use crate::onefile::catalogue::directory::Wanted;
use crate::store::DirectoryEntry;

/// A centre, classroom, assessor or placement of OneFile's.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileEntry, example = json!({
    "id": "1042", "name": "Amara Penhallow", "email": "amara.penhallow@copperfold.example", "misId": "O-01", "centreId": "1001", "role": 5,
    "archived": false, "refreshedAt": "2026-11-22T09:12:00Z"
}))]
pub struct Entry {
    /// OneFile's id of this entry.
    #[schema(example = "1042")]
    id: String,
    /// Its name; null: nobody has entered one.
    #[schema(example = "Amara Penhallow")]
    name: Option<String>,
    /// E-mail address, where OneFile's list has it.
    #[schema(example = "amara.penhallow@copperfold.example")]
    email: Option<String>,
    /// MIS value: PICSWeb's Ident, where it was entered.
    #[schema(example = "O-01")]
    mis_id: Option<String>,
    /// OneFile's id of its centre; a centre's own.
    #[schema(example = "1001")]
    centre_id: String,
    /// An assessor's: 4 trainee assessor, 5 assessor. Null for all else.
    role: Option<i32>,
    /// Whether it is in OneFile's archive, or a placement is not active.
    archived: bool,
    /// When it was read from OneFile.
    refreshed_at: DateTime<Utc>,
}

/// A page of a look-up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OneFileEntryPage)]
pub struct EntryPage {
    /// At most `pageSize`, in the order of their ids.
    items: Vec<Entry>,
    /// Send it as `pageToken` for the next page; null: there is none.
    #[schema(example = "TC0xMDAx")]
    next_page_token: Option<String>,
    /// When all of it was read from OneFile.
    refreshed_at: DateTime<Utc>,
    /// Rows that OneFile answered without a usable id: nothing can be linked to them, and they are not listed.
    #[schema(example = 0)]
    unreadable: i32,
}

impl From<DirectoryEntry> for Entry {
    fn from(entry: DirectoryEntry) -> Self {
        Self {
            id: entry.remote_id,
            name: entry.labels.name,
            email: entry.labels.email,
            mis_id: entry.labels.mis_id,
            centre_id: entry.centre_id,
            role: entry.role,
            archived: entry.archived,
            refreshed_at: entry.refreshed_at,
        }
    }
}

async fn look_up(
    who: &Caller<OnefileRead>,
    state: &State,
    request: &HttpRequest,
    kind: DirectoryKind,
) -> Result<Json<EntryPage>, Problem> {
    let mut params = Params::of(request);
    let (query, centre_id) = (params.text("query"), params.text("centreId"));
    let archived = params.word("archived", &["true", "false"]).map(|word| word == "true");
    let refresh = params.flag("refresh");
    let paging = params.paging(who.provider());
    params.done()?;
    let (onefile, provider) = (state.background.onefile.clone(), who.provider());
    // What was begun is of use to the next caller, also when this one goes away.
    let part = state.background.spawn(async move { onefile.directory_part(provider, kind, refresh).await });
    let part = part
        .await
        .map_err(|_| Problem::new(super::super::problem::Code::Internal, "The look-up broke off."))??;
    let wanted = Wanted { kind, centre_id, archived, query, after: paging.after.clone(), most: paging.size };
    let found = state.onefile.look_up(provider, wanted).await?;
    let last = found.entries.last().filter(|_| found.more).map(|entry| entry.remote_id.clone());
    let page = paging.page(found.entries.into_iter().map(Entry::from).collect(), last.as_deref());
    Ok(Json(EntryPage {
        items: page.items,
        next_page_token: page.next_page_token,
        refreshed_at: part.at,
        unreadable: part.unreadable,
    }))
}

macro_rules! look_ups {
    ($($(#[$doc:meta])* $name:ident $path:literal $operation:literal $kind:ident;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(operation_id = $operation, tag = "OneFile", security(("bearer" = ["onefile:read"])),
            params(("query" = Option<String>, Query, description = "Only those whose name, e-mail address or MIS value has this in it; upper and lower case are the same.", example = "okon"),
                   ("centreId" = Option<String>, Query, description = "Only those of this centre."),
                   ("archived" = Option<bool>, Query, description = "Only those in the archive (`true`), or none of them (`false`); not given: both, marked."),
                   ("refresh" = Option<bool>, Query, description = "`true`: they are read from OneFile first."),
                   ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."),
                   ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
            responses((status = 200, description = "A page.", body = EntryPage), LookUpErrors))]
        #[get($path)]
        pub async fn $name(
            who: Caller<OnefileRead>,
            state: Data<State>,
            request: HttpRequest,
        ) -> Result<Json<EntryPage>, Problem> {
            look_up(&who, &state, &request, DirectoryKind::$kind).await
        }
    )*};
}

look_ups! {
    /// Look up OneFile's centres
    ///
    /// From what was read last; the first time, and with `refresh=true`, they are read from OneFile: a call a page and a few more. Works before the
    /// integration is switched on. Needs `onefile:read`.
    centres "/onefile/centres" "listOneFileCentres" Centre;
    /// Look up OneFile's classrooms
    ///
    /// From what was read last; the first time, and with `refresh=true`, they are read from OneFile: a call a page and a few more for each centre. Works
    /// before the integration is switched on. Needs `onefile:read`.
    classrooms "/onefile/classrooms" "listOneFileClassrooms" Classroom;
    /// Look up OneFile's assessors
    ///
    /// Assessors and trainee assessors. From what was read last; the first time, and with `refresh=true`, they are read from OneFile: a call a page and a
    /// few more for each centre. Works before the integration is switched on. Needs `onefile:read`.
    assessors "/onefile/assessors" "listOneFileAssessors" Assessor;
    /// Look up OneFile's placements
    ///
    /// PICSWeb's organisations. From what was read last; the first time, and with `refresh=true`, they are read from OneFile: a call a page and a few more
    /// for each centre; ten thousand take a quarter of a minute. Works before the integration is switched on. Needs `onefile:read`.
    placements "/onefile/placements" "listOneFilePlacements" Placement;
}
