//! Bodies of requests: read within limits of size and time, parsed and checked.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::problem::{Code, Problem};
use super::request_context::{admitted, state};
use crate::domain::{Check, parse};

/// A record is a few kB; a list of ids for a bulk call is some 100.
pub const BODY_CAP: usize = 1024 * 1024;
/// 10,000 learners of 3 kB.
pub const IMPORT_CAP: usize = 32 * 1024 * 1024;
/// The longest pause within a body.
const SLOWEST_PART: Duration = Duration::from_secs(10);
const SLOWEST_BODY: Duration = Duration::from_mins(2);

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// A JSON body of at most `CAP` bytes, parsed and checked.
#[derive(Debug)]
pub struct Body<T, const CAP: usize = BODY_CAP>(pub T);

/// A JSON body of an import's size.
pub type LargeBody<T> = Body<T, IMPORT_CAP>;

impl<T: Check, const CAP: usize> FromRequest for Body<T, CAP> {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            admitted(&request).await;
            // A body of another type is refused before it is read.
            content_type(&request, &[JSON])?;
            parsed(&request, &read(&request, payload, CAP).await?).map(Self)
        })
    }
}

/// A JSON body that may be left out: then it is `{}`.
#[derive(Debug)]
pub struct OptionalBody<T>(pub T);

impl<T: Check> FromRequest for OptionalBody<T> {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            admitted(&request).await;
            let bytes = read(&request, payload, BODY_CAP).await?;
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return parsed(&request, b"{}").map(Self);
            }
            content_type(&request, &[JSON])?;
            parsed(&request, &bytes).map(Self)
        })
    }
}

/// A record's JSON body, unread. Its faults depend on the path's id.
#[derive(Debug)]
pub struct RecordBody(pub Bytes);

impl FromRequest for RecordBody {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            admitted(&request).await;
            content_type(&request, &[JSON])?;
            read(&request, payload, BODY_CAP).await.map(Self)
        })
    }
}

/// The records of an import, unread: a JSON array, or one record a line.
#[derive(Debug)]
pub struct ImportBody {
    pub bytes: Bytes,
    /// Whether it has one record a line.
    pub lines: bool,
}

impl FromRequest for ImportBody {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            admitted(&request).await;
            let lines = content_type(&request, &[JSON, NDJSON])? == NDJSON;
            Ok(Self { bytes: read(&request, payload, IMPORT_CAP).await?, lines })
        })
    }
}

fn parsed<T: Check>(request: &HttpRequest, bytes: &[u8]) -> Result<T, Problem> {
    parse::parse(bytes, state(request)?.auth.clock().today()).map_err(Problem::faults)
}

fn content_type(request: &HttpRequest, allowed: &[&'static str]) -> Result<&'static str, Problem> {
    let given = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    allowed.iter().copied().find(|own| own.eq_ignore_ascii_case(kind)).ok_or_else(|| {
        Problem::new(
            Code::UnsupportedMediaType,
            format!("Send the body with `Content-Type: {}`.", allowed.join("` or `")),
        )
    })
}

/// Some tools begin a text with a byte order mark, which is no part of it.
fn without_mark(bytes: Bytes) -> Bytes {
    if bytes.starts_with("\u{feff}".as_bytes()) { bytes.slice(3..) } else { bytes }
}

/// Reads the whole body.
///
/// # Errors
/// It is too large, too slow, or breaks off.
pub async fn read(request: &HttpRequest, mut payload: Payload, cap: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            Code::PayloadTooLarge,
            format!("The body is larger than the {} MiB that this call takes.", cap / 1024 / 1024),
        )
    };
    let announced =
        request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > cap) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or(0));
    let ends = Instant::now() + SLOWEST_BODY;
    loop {
        // A caller who sends a byte now and then would hold a connection for ever.
        let next = timeout_at(ends.min(Instant::now() + SLOWEST_PART), payload.next()).await;
        let next = next.map_err(|_| Problem::new(Code::BodyTooSlow, Code::BodyTooSlow.about()))?;
        let Some(chunk) = next else { return Ok(without_mark(bytes.freeze())) };
        let chunk =
            chunk.map_err(|_| Problem::new(Code::MalformedJson, "The body broke off before its end."))?;
        if bytes.len() + chunk.len() > cap {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
}
