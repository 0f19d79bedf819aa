//! Plays a fault to a caller.

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web::Bytes};
use futures_util::stream;
use serde_json::{Value, json};

use super::Kind;
use crate::sandbox::connection;

/// Runs the call with this fault, or without one.
pub async fn play(
    fault: Option<Kind>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(kind) = fault else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let answer = match kind {
        Kind::Status { status, body, content_type, retry_after } => {
            said(status, body, content_type.as_deref(), retry_after)
        }
        Kind::Html {} => HttpResponse::Ok()
            .content_type("text/html; charset=UTF-8")
            .body("<!DOCTYPE html><html><body><h1>Down for maintenance</h1></body></html>"),
        Kind::ReplaceBody { body } => said(200, Some(body), Some("application/json"), None),
        Kind::Huge { bytes } => huge(bytes),
        Kind::Reset {} => hung_up(&request),
        Kind::Silence { ms } => {
            wait(ms).await;
            hung_up(&request)
        }
        Kind::Delay { ms } => {
            wait(ms).await;
            return Ok(next.call(request).await?.map_into_boxed_body());
        }
        Kind::CommitThenSilence { ms } => {
            let answer = next.call(request).await?.map_into_boxed_body();
            wait(ms).await;
            return Ok(answer);
        }
        Kind::CommitThenReset {} => {
            let (request, _) = next.call(request).await?.into_parts();
            connection::cut(&request);
            return Ok(ServiceResponse::new(request, HttpResponse::InternalServerError().finish()));
        }
        Kind::Truncated {} => return edited(request, next, |body| body.slice(..body.len() / 2)).await,
        Kind::WrongTypes {} => return edited(request, next, |body| mistyped(&body)).await,
    };
    Ok(request.into_response(answer))
}

async fn wait(ms: u64) {
    actix_web::rt::time::sleep(Duration::from_millis(ms)).await;
}

/// Only actix gets this response: the connection is closed before it could be sent.
fn hung_up(request: &ServiceRequest) -> HttpResponse {
    connection::cut(request.request());
    HttpResponse::InternalServerError().finish()
}

fn said(
    status: u16,
    body: Option<Value>,
    content_type: Option<&str>,
    retry_after: Option<Value>,
) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    if let Some(retry_after) = retry_after {
        let text = retry_after.as_str().map_or_else(|| retry_after.to_string(), str::to_owned);
        answer.insert_header((header::RETRY_AFTER, text));
    }
    let (usual, body) = match body {
        None => return answer.finish(),
        Some(Value::String(text)) => ("text/plain; charset=UTF-8", text),
        Some(json) => ("application/json", json.to_string()),
    };
    answer.content_type(content_type.unwrap_or(usual)).body(body)
}

/// In chunks and without a size, so that the caller has to count.
fn huge(bytes: u64) -> HttpResponse {
    const CHUNK: u64 = 65_536;
    let chunk = Bytes::from(vec![b'x'; 65_536]);
    let sizes = (0..bytes.div_ceil(CHUNK)).map(move |index| CHUNK.min(bytes - index * CHUNK));
    let middle = sizes.map(move |size| chunk.slice(..usize::try_from(size).unwrap_or(0)));
    let all = std::iter::once(Bytes::from_static(b"{\"message\":\""))
        .chain(middle)
        .chain(std::iter::once(Bytes::from_static(b"\"}")));
    HttpResponse::Ok()
        .content_type("application/json")
        .streaming(stream::iter(all.map(Ok::<_, std::convert::Infallible>)))
}

/// Runs the call, and changes the body of its response.
async fn edited(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    edit: impl FnOnce(Bytes) -> Bytes,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, response) = next.call(request).await?.into_parts();
    let (response, body) = response.into_parts();
    let body =
        to_bytes(body).await.map_err(|error| actix_web::error::ErrorInternalServerError(error.into()))?;
    Ok(ServiceResponse::new(request, response.set_body(edit(body)).map_into_boxed_body()))
}

fn mistyped(body: &[u8]) -> Bytes {
    let value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let fields = match value {
        // The outer object stays an object, because the fields are to be wrong.
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, swapped(value))).collect(),
        other => swapped(other),
    };
    fields.to_string().into()
}

fn swapped(value: Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(flag) => json!(if flag { "yes" } else { "no" }),
        Value::Number(_) => json!("several"),
        Value::String(text) => json!([text]),
        Value::Array(items) => {
            items.into_iter().map(swapped).enumerate().map(|(at, it)| (at.to_string(), it)).collect()
        }
        Value::Object(fields) => fields.into_iter().map(|(_, value)| swapped(value)).collect(),
    }
}
