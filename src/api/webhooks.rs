//! Webhooks: who receives changes as they happen. Their secrets are shown once.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put};
use chrono::{DateTime, NaiveDate, Utc};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::errors::{NewWebhookErrors, ReadErrors, WriteErrors};
use super::extract::{Caller, Id, RecordBody};
use super::idempotency::{ShownOnce, id_for};
use super::params::{Page, Params};
use super::problem::{Code, Problem};
use crate::auth::scope::needs::WebhooksManage;
use crate::domain::serde_fields::optional_list;
use crate::domain::{ChangeType, Check, Fault, parse};
use crate::http::guarded::{AddressFault, check_address};
use crate::store::{StoreError, WebhookChoices, WebhookRow};
use crate::webhooks::sign::new_secret;

const LONGEST_URL: usize = 2048;
const LONGEST_DESCRIPTION: usize = 200;

/// A webhook to make, or what it is to be from now on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"url": "https://receiver.example/picsbridge", "description": "Progress dashboard",
    "types": ["ace360.statusChanged", "ace360.gradeChanged"], "enabled": true}))]
pub struct WebhookRequest {
    /// Where changes are sent: https, on the public internet, without a user name or a password. Redirects are not followed.
    #[schema(max_length = 2048, format = "uri", example = "https://receiver.example/picsbridge")]
    url: String,
    /// For people: whose it is, for what.
    #[serde(default)]
    #[schema(max_length = 200, example = "Progress dashboard")]
    description: Option<String>,
    /// The types of changes that are sent; left out or empty: all, those to come too.
    #[serde(default, deserialize_with = "optional_list::<100, _, _>")]
    #[schema(max_items = 100)]
    types: Option<Vec<ChangeType>>,
    /// Whether anything is sent; true if not said. What changes while it is off is not sent later: read it in the feed.
    #[serde(default = "on")]
    #[schema(default = true)]
    enabled: bool,
}

fn on() -> bool {
    true
}

impl Check for WebhookRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.url.len() > LONGEST_URL {
            let message = format!("Shorten this to at most {LONGEST_URL} characters.");
            faults.push(Fault::at("/url", "tooLong", message));
        }
        let description = self.description.as_deref().unwrap_or_default();
        if description.chars().count() > LONGEST_DESCRIPTION {
            let message = format!("Shorten this to at most {LONGEST_DESCRIPTION} characters.");
            faults.push(Fault::at("/description", "tooLong", message));
        }
        if description.chars().any(char::is_control) {
            let message = "Take out line breaks, tabs and other control characters.";
            faults.push(Fault::at("/description", "controlCharacter", message));
        }
        faults
    }
}

/// Reads a body. Which addresses are allowed is the operator's to say, and told beside all other faults.
fn read(body: &RecordBody, state: &State) -> Result<WebhookChoices, Problem> {
    #[derive(Deserialize)]
    struct Address {
        url: String,
    }
    let parsed = parse::parse::<WebhookRequest>(&body.0, state.auth.clock().today());
    let address = serde_json::from_slice::<Address>(&body.0).ok().map(|address| address.url);
    let wrong = address
        .and_then(|url| check_address(url.trim(), state.background.webhooks.allows_private()).err())
        .map(address_fault);
    let request = match (parsed, wrong) {
        (Ok(request), None) => request,
        (parsed, wrong) => {
            let mut faults = parsed.err().unwrap_or_default();
            faults.extend(wrong);
            return Err(Problem::faults(faults));
        }
    };
    let types = request.types.unwrap_or_default();
    let mut types: Vec<_> = types.iter().map(|own| own.as_str().to_owned()).collect();
    types.sort_unstable();
    types.dedup();
    let description = request.description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok(WebhookChoices { url: request.url.trim().to_owned(), description, types, enabled: request.enabled })
}

fn address_fault(fault: AddressFault) -> Fault {
    let (code, message) = match fault {
        AddressFault::NoAddress => {
            ("invalidUrl", "Send a whole web address such as https://receiver.example/picsbridge.")
        }
        AddressFault::NotHttps => ("notHttps", "Send an address that begins with https://."),
        AddressFault::Credentials => (
            "credentialsInUrl",
            "Take the user name and the password out: the signature proves who sends, and a token may stand in the path.",
        ),
        AddressFault::NotPublic => (
            "notPublic",
            "Send an address on the public internet: private, local and reserved ones are not called.",
        ),
    };
    Fault::at("/url", code, message)
}

/// A webhook, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "01a20126-7c6e-7b2e-8a53-0c1d2e3f4a5b", "url": "https://receiver.example/picsbridge", "description": "Progress dashboard",
    "types": ["ace360.gradeChanged", "ace360.statusChanged"], "enabled": true, "disabledReason": null, "disabledAt": null,
    "failingSince": null, "oldSecretValidUntil": null, "createdAt": "2026-11-22T10:00:00Z", "updatedAt": "2026-11-22T10:00:00Z"
}))]
pub struct Webhook {
    /// This service's id of the webhook.
    id: Uuid,
    /// Where changes are sent.
    url: String,
    /// A description that people recognise.
    description: Option<String>,
    /// The types of changes that are sent; empty: all.
    #[schema(value_type = Vec<ChangeType>)]
    types: Vec<String>,
    /// Whether anything is sent.
    enabled: bool,
    /// Why the service switched it off; null: it did not.
    disabled_reason: Option<String>,
    /// When the webhook was disabled. Null if it was not.
    disabled_at: Option<DateTime<Utc>>,
    /// The first failure since the last success; null: all is well.
    failing_since: Option<DateTime<Utc>>,
    /// Until when messages are signed with the secret before this one too; null: they are not.
    old_secret_valid_until: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was changed last, by hand.
    updated_at: DateTime<Utc>,
}

super::page::page! {
    /// A page of webhooks.
    WebhookPage of Webhook
}

/// A webhook with its secret.
#[derive(Clone, Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook that the secret belongs to.
    #[serde(flatten)]
    webhook: Webhook,
    /// What its messages are signed with. It is shown here and never again.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    secret: String,
}

impl From<WebhookRow> for Webhook {
    fn from(row: WebhookRow) -> Self {
        Self {
            id: row.id,
            url: row.choices.url,
            description: row.choices.description,
            types: row.choices.types,
            enabled: row.choices.enabled,
            disabled_reason: row.disabled_reason,
            disabled_at: row.disabled_at,
            failing_since: row.failing_since,
            old_secret_valid_until: row.old_secrets_until,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// An answer with a secret, which nobody keeps.
fn shown_once(mut response: actix_web::HttpResponseBuilder, row: WebhookRow, secret: &str) -> HttpResponse {
    let shown = WebhookWithSecret { webhook: row.into(), secret: secret.to_owned() };
    let mut response = response.insert_header(("Cache-Control", "no-store")).json(shown);
    response.extensions_mut().insert(ShownOnce);
    response
}

/// Make a webhook
///
/// Changes are sent to its address from now on, as they happen, signed by Standard Webhooks. The secret is in this answer only. A provider may have 20
/// webhooks. Whether the receiver is there is not tried: `POST /webhooks/{id}:test` does. Needs `webhooks:manage`.
#[utoipa::path(operation_id = "createWebhook", tag = "Webhooks", security(("bearer" = ["webhooks:manage"])), request_body = WebhookRequest,
    responses((status = 201, description = "The webhook with its secret.", body = WebhookWithSecret), NewWebhookErrors))]
#[post("/webhooks")]
pub async fn create(
    who: Caller<WebhooksManage>,
    state: Data<State>,
    request: HttpRequest,
    body: RecordBody,
) -> Result<HttpResponse, Problem> {
    let choices = read(&body, &state)?;
    let secret = new_secret().map_err(StoreError::from)?;
    let made = state
        .store
        .create_webhook(who.provider(), id_for(&request), &choices, &secret, &who.by())
        .await?
        .ok_or_else(|| Problem::new(Code::TooManyWebhooks, Code::TooManyWebhooks.about()))?;
    Ok(shown_once(HttpResponse::Created(), made.0, made.1.expose_secret()))
}

/// List webhooks
///
/// The oldest first, without their secrets. Needs `webhooks:manage`.
#[utoipa::path(operation_id = "listWebhooks", tag = "Webhooks", security(("bearer" = ["webhooks:manage"])),
    params(("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of webhooks.", body = WebhookPage), ReadErrors))]
#[get("/webhooks")]
pub async fn list(
    who: Caller<WebhooksManage>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Webhook>>, Problem> {
    let mut params = Params::of(&request);
    let paging = params.paging(who.provider());
    params.done()?;
    let page = state.store.list_webhooks(who.provider(), paging.after.as_deref(), paging.size).await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.to_string());
    Ok(Json(paging.page(page.items.into_iter().map(Webhook::from).collect(), last.as_deref())))
}

/// Read a webhook
///
/// With `failingSince` while its receiver fails, and `disabledReason` when it was switched off for it. Needs `webhooks:manage`.
#[utoipa::path(operation_id = "getWebhook", tag = "Webhooks", security(("bearer" = ["webhooks:manage"])), params(("id" = Uuid, Path)),
    responses((status = 200, description = "The webhook.", body = Webhook), ReadErrors))]
#[get("/webhooks/{id}")]
pub async fn get(
    who: Caller<WebhooksManage>,
    state: Data<State>,
    id: Id<Uuid>,
) -> Result<Json<Webhook>, Problem> {
    let row = state.store.webhook(who.provider(), id.0).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| Problem::not_found("webhook"))
}

/// Change a webhook
///
/// Replaces address, description, types and whether it is on; the secret stays. One that was switched off begins afresh with `enabled: true`: what was
/// waiting then is sent, what changed meanwhile is not. Needs `webhooks:manage`.
#[utoipa::path(operation_id = "putWebhook", tag = "Webhooks", security(("bearer" = ["webhooks:manage"])), params(("id" = Uuid, Path)), request_body = WebhookRequest,
    responses((status = 200, description = "The webhook as it is now.", body = Webhook), WriteErrors))]
#[put("/webhooks/{id}")]
pub async fn put(
    who: Caller<WebhooksManage>,
    state: Data<State>,
    id: Id<Uuid>,
    body: RecordBody,
) -> Result<Json<Webhook>, Problem> {
    let choices = read(&body, &state)?;
    let row = state.store.put_webhook(who.provider(), id.0, &choices, &who.by()).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| Problem::not_found("webhook"))
}

/// Delete a webhook
///
/// With its deliveries; what was waiting is not sent. Needs `webhooks:manage`.
#[utoipa::path(operation_id = "deleteWebhook", tag = "Webhooks", security(("bearer" = ["webhooks:manage"])), params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is deleted."), ReadErrors))]
#[delete("/webhooks/{id}")]
pub async fn delete(
    who: Caller<WebhooksManage>,
    state: Data<State>,
    id: Id<Uuid>,
) -> Result<HttpResponse, Problem> {
    if state.store.delete_webhook(who.provider(), id.0, &who.by()).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::not_found("webhook"))
    }
}

/// Give a webhook a new secret
///
/// It is in this answer only. For 24 hours each message carries two signatures, by the new secret and by the one before, so that the receiver can change
/// over without missing any. Needs `webhooks:manage`.
#[utoipa::path(operation_id = "rotateWebhookSecret", tag = "Webhooks", security(("bearer" = ["webhooks:manage"])), params(("id" = Uuid, Path)),
    responses((status = 200, description = "The webhook with its new secret.", body = WebhookWithSecret), ReadErrors))]
#[post("/webhooks/{id}:rotateSecret")]
pub async fn rotate(
    who: Caller<WebhooksManage>,
    state: Data<State>,
    id: Id<Uuid>,
) -> Result<HttpResponse, Problem> {
    let secret = new_secret().map_err(StoreError::from)?;
    let row = state.store.rotate_webhook_secret(who.provider(), id.0, &secret, &who.by()).await?;
    let row = row.ok_or_else(|| Problem::not_found("webhook"))?;
    Ok(shown_once(HttpResponse::Ok(), row, secret.expose_secret()))
}
