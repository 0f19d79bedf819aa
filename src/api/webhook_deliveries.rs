//! What became of each telling: a webhook's deliveries, asked for again or tried out.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::errors::{ReadErrors, ResendErrors};
use super::extract::{Caller, DeliveryId, Id};
use super::idempotency::id_for;
use super::params::{Page, Params};
use super::problem::{Code, Problem};
use crate::auth::scope::needs::WebhooksManage;
use crate::domain::{DeliveryState, Subject};
use crate::store::{DeliveryLine, Resent};

/// A message to a webhook's receiver, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "type": "ace360.statusChanged", "subject": {"kind": "learner", "id": "L-1001"}, "state": "pending",
    "attempts": 2, "lastStatus": 500, "lastAttemptAt": "2026-11-22T05:00:09Z", "nextAttemptAt": "2026-11-22T05:00:41Z",
    "error": "The receiver answered 500.", "createdAt": "2026-11-22T05:00:03Z"
}))]
pub struct Delivery {
    /// The message's `webhook-id`: the change's id in the feed.
    id: Uuid,
    /// The type of the change, or `webhook.test`.
    #[serde(rename = "type")]
    #[schema(example = "ace360.statusChanged")]
    type_: String,
    /// The record that changed.
    subject: Subject,
    /// The state of the delivery.
    #[schema(value_type = DeliveryState)]
    state: String,
    /// Attempts since it was made, or asked for again.
    attempts: i32,
    /// The HTTP status that the receiver answered last; null: it never answered.
    #[schema(example = 500)]
    last_status: Option<i32>,
    /// When it was tried last; null: never.
    last_attempt_at: Option<DateTime<Utc>>,
    /// When it is tried next; null: not any more, or when the webhook is switched on.
    next_attempt_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, in words; null: it did not.
    #[schema(example = "The receiver answered 500.")]
    error: Option<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

super::page::page! {
    /// A page of a webhook's deliveries.
    DeliveryPage of Delivery
}

impl From<DeliveryLine> for Delivery {
    fn from(line: DeliveryLine) -> Self {
        Self {
            id: line.id,
            type_: line.type_,
            subject: Subject { kind: line.subject_kind, id: line.subject_id },
            state: line.state,
            attempts: line.attempts,
            last_status: line.last_status,
            last_attempt_at: line.last_attempt_at,
            next_attempt_at: line.next_attempt_at,
            error: line.error,
            created_at: line.created_at,
        }
    }
}

/// Try a webhook out
///
/// Sends a signed message of type `webhook.test` at once, to a webhook that is off as well, and answers what came of it: 200 also when it failed. It is tried
/// once, and says nothing of the webhook's health. Needs `webhooks:manage`.
#[utoipa::path(operation_id = "testWebhook", tag = "Webhooks", security(("bearer" = ["webhooks:manage"])), params(("id" = Uuid, Path)),
    responses((status = 200, description = "What came of it.", body = Delivery), ReadErrors))]
#[post("/webhooks/{id}:test")]
pub async fn test(
    who: Caller<WebhooksManage>,
    state: Data<State>,
    id: Id<Uuid>,
    request: HttpRequest,
) -> Result<Json<Delivery>, Problem> {
    let webhooks = state.background.webhooks.clone();
    let (provider, delivery, webhook) = (who.provider(), id_for(&request), id.0.to_string());
    // It is kept also when the caller goes away.
    let tried = state.background.spawn(async move { webhooks.test(provider, id.0, delivery).await });
    let line = tried.await.map_err(|error| {
        error!(%error, "a test of a webhook broke off");
        Problem::new(Code::Internal, Code::Internal.about())
    })??;
    let line = line.ok_or_else(|| Problem::not_found("webhook"))?;
    state.store.audit_call(provider, &who.by(), "webhook.test", "webhook", &webhook).await?;
    Ok(Json(line.into()))
}

/// List a webhook's deliveries
///
/// The newest first, for as long as changes are kept. Needs `webhooks:manage`.
#[utoipa::path(operation_id = "listDeliveries", tag = "Webhooks", security(("bearer" = ["webhooks:manage"])),
    params(("id" = Uuid, Path),
           ("state" = Option<String>, Query, description = "Only those in these states, with commas between: `pending`, `delivered`, `failed`.", example = "pending,failed"),
           ("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."),
           ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of deliveries.", body = DeliveryPage), ReadErrors))]
#[get("/webhooks/{id}/deliveries")]
pub async fn list(
    who: Caller<WebhooksManage>,
    state: Data<State>,
    id: Id<Uuid>,
    request: HttpRequest,
) -> Result<Json<Page<Delivery>>, Problem> {
    let mut params = Params::of(&request);
    let states: Vec<_> = DeliveryState::ALL.iter().map(|state| state.as_str()).collect();
    let states: Vec<_> = params.words("state", &states).into_iter().map(str::to_owned).collect();
    let paging = params.paging(who.provider());
    params.done()?;
    let page = state
        .store
        .list_deliveries(who.provider(), id.0, &states, paging.after.as_deref(), paging.size)
        .await?
        .ok_or_else(|| Problem::not_found("webhook"))?;
    let last = page.items.last().filter(|_| page.more).map(|line| line.id.to_string());
    Ok(Json(paging.page(page.items.into_iter().map(Delivery::from).collect(), last.as_deref())))
}

/// Send a delivery again
///
/// It is due at once, whatever came of it before, with the same `webhook-id` and a day of attempts of its own. Needs `webhooks:manage`.
#[utoipa::path(operation_id = "resendDelivery", tag = "Webhooks", security(("bearer" = ["webhooks:manage"])),
    params(("id" = Uuid, Path), ("deliveryId" = Uuid, Path, description = "The delivery's id: the message's `webhook-id`.")),
    responses((status = 202, description = "It is to be sent.", body = Delivery), ResendErrors))]
#[post("/webhooks/{id}/deliveries/{deliveryId}:resend")]
pub async fn resend(
    who: Caller<WebhooksManage>,
    state: Data<State>,
    id: Id<Uuid>,
    delivery: Id<DeliveryId>,
) -> Result<HttpResponse, Problem> {
    match state.store.resend_delivery(who.provider(), id.0, delivery.0.0).await? {
        Resent::Due(line) => {
            let webhook = id.0.to_string();
            state.store.audit_call(who.provider(), &who.by(), "webhook.resend", "webhook", &webhook).await?;
            Ok(HttpResponse::Accepted().json(Delivery::from(*line)))
        }
        Resent::Missing => Err(Problem::not_found("delivery")),
        Resent::Disabled => Err(Problem::new(Code::WebhookDisabled, Code::WebhookDisabled.about())),
    }
}
