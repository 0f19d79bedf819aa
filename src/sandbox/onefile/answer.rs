//! OneFile's responses.

use actix_web::HttpResponse;
use serde_json::{Value, json};

#[derive(Debug, PartialEq)]
pub enum Answer {
    /// 204: done, or nothing found.
    Empty,
    /// 200 with this value. A new id alone is a bare number.
    Json(Value),
    Refused(String),
    NotFound,
}

impl Answer {
    /// The rows of a search. It is observed that no match gives 204 and not `[]`.
    pub fn rows(rows: Vec<Value>) -> Self {
        if rows.is_empty() { Self::Empty } else { Self::Json(rows.into()) }
    }

    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused(message.into())
    }
}

/// Only a 400 is known to have a body.
impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Empty => Self::NoContent().finish(),
            Answer::Json(value) => Self::Ok().json(value),
            Answer::Refused(message) => Self::BadRequest().json(json!({ "message": message })),
            Answer::NotFound => Self::NotFound().finish(),
        }
    }
}
