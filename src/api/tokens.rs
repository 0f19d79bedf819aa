//! Tokens at the API: issued (shown once), listed, revoked; and the keys that verify them.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use super::errors::{ReadErrors, WriteErrors};
use super::extract::{Body, Caller, Id};
use super::idempotency::ShownOnce;
use super::params::{Page, Params};
use super::problem::{Code, Problem};
use crate::auth::NewToken;
use crate::auth::scope::needs::TokensManage;
use crate::auth::scope::{Scope, Scopes};
use crate::domain::serde_fields::required_list;
use crate::domain::{Check, Fault};
use crate::store::TokenRow;

const DEFAULT_DAYS: u32 = 365;
const MOST_DAYS: u32 = 3660;

/// A token to issue.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "PICSWeb front end", "scopes": ["records:read", "records:write", "ace360:read"], "days": 365}))]
pub struct TokenRequest {
    /// For people: who uses it, for what.
    #[schema(min_length = 1, max_length = 100, example = "PICSWeb front end")]
    name: String,
    /// What it may do: no more than the token that asks.
    #[serde(deserialize_with = "required_list::<100, _, _>")]
    #[schema(min_items = 1, max_items = 100)]
    scopes: Vec<Scope>,
    /// For how many days it is good; 365 if not said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3660, example = 365)]
    days: Option<i64>,
}

impl Check for TokenRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        let mut faults = Vec::new();
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            faults.push(Fault::at(
                "/name",
                "invalidName",
                "Send a name of 1 to 100 characters that says what the token is for.",
            ));
        }
        if self.scopes.is_empty() {
            faults.push(Fault::at("/scopes", "required", "Name at least one scope."));
        }
        if self.days.is_some_and(|days| !(1..=i64::from(MOST_DAYS)).contains(&days)) {
            faults.push(Fault::at(
                "/days",
                "outOfRange",
                format!("Send a whole number from 1 to {MOST_DAYS}."),
            ));
        }
        faults
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "019acb5e-7a10-7c3e-9d52-6f0e3b1a2c4d", "parentId": null, "name": "PICSWeb front end", "scopes": ["records:read", "records:write", "ace360:read"],
    "createdAt": "2026-11-22T10:00:00Z", "expiresAt": "2027-11-22T10:00:00Z", "lastUsedAt": "2026-11-22T14:03:11Z"
}))]
pub struct Token {
    /// The token's id (`jti`).
    id: Uuid,
    /// The token that issued this one. Null if a user or the operator did.
    parent_id: Option<Uuid>,
    /// A name that people recognise.
    #[schema(example = "PICSWeb front end")]
    name: String,
    /// What it may do.
    #[schema(value_type = Vec<Scope>)]
    scopes: Vec<String>,
    /// When it was issued.
    created_at: DateTime<Utc>,
    /// When the token expires, in UTC.
    expires_at: DateTime<Utc>,
    /// When it was used last, within seconds; null: never.
    last_used_at: Option<DateTime<Utc>>,
}

super::page::page! {
    /// A page of tokens.
    TokenPage of Token
}

/// A token, just issued.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedToken {
    /// The token's description in lists.
    #[serde(flatten)]
    line: Token,
    /// The token itself. It is shown here and never again.
    #[schema(example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9…")]
    token: String,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id,
            parent_id: row.parent_id,
            name: row.name,
            scopes: row.scopes,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// Issue a token
///
/// For the same provider, and with no scope that the asking token lacks. It ends no later than the asking token, and is revoked with it. The token is shown in this answer only. Needs `tokens:manage`.
#[utoipa::path(operation_id = "createToken", tag = "Tokens", security(("bearer" = ["tokens:manage"])), request_body = TokenRequest,
    responses((status = 201, description = "The token.", body = IssuedToken), WriteErrors))]
#[post("/tokens")]
pub async fn create(
    who: Caller<TokensManage>,
    state: Data<State>,
    body: Body<TokenRequest>,
) -> Result<HttpResponse, Problem> {
    let wanted: Scopes = body.0.scopes.iter().copied().collect();
    let beyond = wanted.beyond(who.principal.scopes);
    if !beyond.is_empty() {
        let names: Vec<_> = beyond.iter().map(|scope| format!("`{}`", scope.as_str())).collect();
        return Err(Problem::new(
            Code::ScopeMissing,
            format!("A token cannot issue one that may do more than itself: it lacks {}.", names.join(", ")),
        ));
    }
    let days = body.0.days.and_then(|days| u32::try_from(days).ok()).unwrap_or(DEFAULT_DAYS);
    let new = NewToken { name: body.0.name.trim(), scopes: wanted, days };
    let (token, row) =
        state.auth.issue(&state.store, who.whole_provider(), new, Some(&who.principal), &who.by()).await?;
    let mut response = HttpResponse::Created()
        .insert_header(("Cache-Control", "no-store"))
        .json(IssuedToken { line: row.into(), token });
    response.extensions_mut().insert(ShownOnce);
    Ok(response)
}

/// List tokens
///
/// The provider's tokens that are still good, without the tokens themselves. Needs `tokens:manage`.
#[utoipa::path(operation_id = "listTokens", tag = "Tokens", security(("bearer" = ["tokens:manage"])),
    params(("pageSize" = Option<i64>, Query, minimum = 1, description = "Items a page: 50 if not given, at most 500."), ("pageToken" = Option<String>, Query, description = "The `nextPageToken` of the page before.")),
    responses((status = 200, description = "A page of tokens.", body = TokenPage), ReadErrors))]
#[get("/tokens")]
pub async fn list(
    who: Caller<TokensManage>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Page<Token>>, Problem> {
    let mut params = Params::of(&request);
    let paging = params.paging(who.provider());
    params.done()?;
    let page = state.store.list_tokens(who.provider(), paging.after.as_deref(), paging.size).await?;
    let last = page.items.last().filter(|_| page.more).map(|row| row.id.to_string());
    Ok(Json(paging.page(page.items.into_iter().map(Token::from).collect(), last.as_deref())))
}

/// Revoke a token
///
/// It is refused from now on, with every token that it issued: here at once, by the other processes within a second. Needs `tokens:manage`.
#[utoipa::path(operation_id = "revokeToken", tag = "Tokens", security(("bearer" = ["tokens:manage"])), params(("id" = Uuid, Path)), responses((status = 204, description = "It is revoked."), ReadErrors))]
#[delete("/tokens/{id}")]
pub async fn revoke(
    who: Caller<TokensManage>,
    state: Data<State>,
    id: Id<Uuid>,
) -> Result<HttpResponse, Problem> {
    let revoked = state.store.revoke_token(who.provider(), id.0, &who.by()).await?;
    if revoked.is_empty() {
        return Err(Problem::not_found("token"));
    }
    for id in revoked {
        state.auth.forget(id);
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Read the public keys
///
/// The keys that verify the tokens, as a JWK set (RFC 7517). No token needed.
#[utoipa::path(operation_id = "getJwks", tag = "Tokens", security(()), responses((status = 200, description = "The keys.", body = Object)))]
#[get("/.well-known/jwks.json")]
pub async fn jwks(state: Data<State>) -> Json<serde_json::Value> {
    Json(state.auth.jwks())
}
