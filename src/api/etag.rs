//! `ETag`, `If-Match` and `If-None-Match: *` on records and settings: nobody writes over what another wrote meanwhile.

use std::pin::Pin;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETag, EntityTag, HeaderName, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Header, ObjectBuilder, OpenApi, RefOr, Required};

use super::problem::{Code, Problem};
use super::request_context::admitted;
use crate::domain::Fault;
use crate::store::{Expected, Version};

/// Tags that one request may name.
const MOST_TAGS: usize = 50;
/// The paths whose things have a tag.
const TAGGED: [&str; 5] = [
    "/learners/{learnerId}",
    "/officers/{officerId}",
    "/organisations/{organisationId}",
    "/ace360/settings",
    "/onefile/settings",
];

/// What is answered, with its tag.
#[derive(Debug)]
pub struct Tagged<T> {
    pub status: StatusCode,
    /// Told in the `ETag` header.
    pub version: Version,
    pub body: T,
}

impl<T> Tagged<T> {
    pub fn ok(version: Version, body: T) -> Self {
        Self { status: StatusCode::OK, version, body }
    }
}

impl<T: Serialize> Responder for Tagged<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::build(self.status).insert_header(ETag(tag(self.version))).json(self.body)
    }
}

fn tag(version: Version) -> EntityTag {
    EntityTag::new_strong(format!("{:x}-{:x}", version.born, version.count))
}

/// What the writer expects to be there, as the request's headers say it.
#[derive(Debug)]
pub struct Precondition(pub Expected);

/// The answer when what is there is not what was expected.
pub fn unexpected(expected: &Expected) -> Problem {
    let words = match expected {
        Expected::There => "`If-Match: *` asks for one that exists, and there is none. Nothing was done.",
        Expected::Nothing => {
            "`If-None-Match: *` asks that there be none yet, and it exists already. Nothing was done: read it, and send its `ETag` as `If-Match`."
        }
        Expected::OneOf(_) | Expected::Whatever => {
            "It has another `ETag` by now, or is gone: somebody else changed it since you read it. Nothing was done: read it again, make your change to what is there now, and send it with the new `ETag`."
        }
    };
    Problem::new(Code::PreconditionFailed, words)
}

impl FromRequest for Precondition {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = admitted(request);
        let read = read(request);
        Box::pin(async move {
            if read.is_err() {
                admitted.await;
            }
            read.map(Self)
        })
    }
}

fn read(request: &HttpRequest) -> Result<Expected, Problem> {
    let fault = |name: &HeaderName, message: &'static str| {
        Problem::parameters(vec![Fault::in_parameter(name.to_string(), "invalidValue", message)])
    };
    let Ok(if_match) = joined(request, &IF_MATCH) else {
        return Err(fault(&IF_MATCH, NOT_TAGS));
    };
    match joined(request, &IF_NONE_MATCH).as_ref().map(Option::as_deref) {
        Ok(None) => {}
        Ok(Some("*")) if if_match.is_none() => return Ok(Expected::Nothing),
        Ok(Some("*")) => {
            return Err(fault(&IF_NONE_MATCH, "Send If-Match or If-None-Match, not both."));
        }
        _ => return Err(fault(&IF_NONE_MATCH, "Only `*` is understood: nothing must be there yet.")),
    }
    match if_match.as_deref() {
        None => Ok(Expected::Whatever),
        Some("*") => Ok(Expected::There),
        Some(list) => {
            let tags = tags(list).filter(|tags| tags.len() <= MOST_TAGS);
            let tags = tags.ok_or_else(|| fault(&IF_MATCH, NOT_TAGS))?;
            if tags.iter().all(|tag| tag.weak) && tags.iter().any(is_weakened) {
                return Err(Problem::new(Code::PreconditionFailed, WEAKENED));
            }
            // A tag that we never gave is of no version of ours.
            Ok(Expected::OneOf(tags.iter().filter_map(version).collect()))
        }
    }
}

const WEAKENED: &str = "The tag in `If-Match` is weak (`W/`). The service gave it as a strong one, and a proxy weakened it on the way, probably when it compressed the answer. Nothing was done: remove the `W/`, or send `Accept-Encoding: identity` when you read.";
const NOT_TAGS: &str = "Send the `ETag` of an earlier answer with its quotation marks, up to 50 of them with commas between, or `*`.";

/// All lines of a header as one.
fn joined(request: &HttpRequest, name: &HeaderName) -> Result<Option<String>, ()> {
    let lines: Result<Vec<_>, _> = request.headers().get_all(name).map(|value| value.to_str()).collect();
    let lines = lines.map_err(|_| ())?;
    Ok((!lines.is_empty()).then(|| lines.join(",").trim().to_owned()))
}

/// The tags of a list; `None`: it is no list of tags. (actix-web's `IfMatch` skips what it cannot read, and
/// would take a condition for another.)
fn tags(list: &str) -> Option<Vec<EntityTag>> {
    let mut quoted = false;
    // A comma within quotation marks is part of a tag.
    let ends = |letter: char| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    };
    list.split(ends).map(|tag| tag.trim().parse().ok()).collect()
}

/// Whether a weak tag is one of ours that somebody weakened.
fn is_weakened(own: &EntityTag) -> bool {
    own.weak && version(&EntityTag::new_strong(own.tag().to_owned())).is_some()
}

/// The version that a tag stands for. If-Match compares strongly (RFC 9110, 13.1.1): a weak tag is of none.
fn version(own: &EntityTag) -> Option<Version> {
    let (born, count) = own.tag().split_once('-')?;
    let number = |text: &str| i64::from_str_radix(text, 16).ok();
    let version = Version { born: number(born)?, count: number(count)? };
    // One version has one tag: `1-2` and `01-2` are not the same.
    tag(version).strong_eq(own).then_some(version)
}

/// Describes it in the operations that have it.
pub fn document(api: &mut OpenApi) {
    for path in TAGGED {
        let Some(item) = api.paths.paths.get_mut(path) else { continue };
        for operation in [&mut item.get, &mut item.put].into_iter().flatten() {
            tells_tag(operation);
        }
        let settings = path.ends_with("/settings");
        if let Some(operation) = &mut item.put {
            takes(
                operation,
                "If-Match",
                "An `ETag` of an earlier answer, several with commas between, or `*` (it must exist). Where it has another by now, nothing is written: 412.",
            );
            if !settings {
                takes(
                    operation,
                    "If-None-Match",
                    "`*`: it must not exist yet. Where it does, nothing is written: 412.",
                );
            }
        }
        if let Some(operation) = &mut item.delete {
            takes(
                operation,
                "If-Match",
                "An `ETag` of an earlier answer, several with commas between, or `*`. Where it has another by now, nothing is deleted: 412.",
            );
        }
        for operation in [&mut item.put, &mut item.delete].into_iter().flatten() {
            super::errors::add_problems(operation, &[Code::PreconditionFailed]);
        }
    }
}

fn tells_tag(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let (true, RefOr::T(response)) = (status.starts_with('2'), response) else { continue };
        let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String));
        header.description = Some(
            "This state of it: send it as `If-Match` when you change it, so that nobody's change is lost."
                .to_owned(),
        );
        response.headers.insert("ETag".to_owned(), header.into());
    }
}

fn takes(operation: &mut Operation, name: &str, about: &str) {
    let mut parameter = Parameter::new(name);
    parameter.parameter_in = ParameterIn::Header;
    parameter.required = Required::False;
    parameter.description = Some(about.to_owned());
    parameter.schema = Some(ObjectBuilder::new().schema_type(Type::String).into());
    operation.parameters.get_or_insert_default().push(parameter.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_read_and_what_is_none_is_not() {
        let strong = |tag: &str| EntityTag::new_strong(tag.to_owned());
        let weak = EntityTag::new_weak("b".to_owned());
        assert_eq!(tags(r#""a", W/"b" ,"c,d""#), Some(vec![strong("a"), weak, strong("c,d")]));
        assert_eq!(tags(r#""""#), Some(vec![strong("")]));
        for wrong in ["", "a", "\"a", "\"a\" \"b\"", "\"a\",", "w/\"a\"", "*, \"a\"", "\"a b\""] {
            assert_eq!(tags(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_version_comes_back_from_its_tag_and_from_no_other() {
        let own = Version { born: 1_700_000_000_123_456, count: 12 };
        assert_eq!(version(&tag(own)), Some(own));
        assert_eq!(version(&EntityTag::new_weak(tag(own).tag().to_owned())), None);
        for wrong in ["", "1", "1-", "-1", "01-2", "1-02", "A-1", "1-2-3", "+1-2", "ffffffffffffffffff-1"] {
            assert_eq!(version(&EntityTag::new_strong(wrong.to_owned())), None, "{wrong}");
        }
    }
}
