//! A creation in OneFile: what is sent, how to find it when the response is lost, and the record to
//! link. All of this is the intent's sealed payload, so a process that finds the intent needs
//! nothing else.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::{Method, Request};
use crate::onefile::client::Client;
use crate::onefile::client::wire;
use crate::store::{NewOneFileLink, RecordKind, StoreError};
use crate::upstream::creation::{Fence, Sent};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::outcome::Outcome;
use crate::upstream::read::Answered;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CreatedKind {
    /// A user: a learner or an assessor.
    User,
    Placement,
    Classroom,
    /// A learning aim: a standard for a learner.
    Aim,
    Visit,
    Review,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct CreateCall {
    pub made: CreatedKind,
    /// Where it is sent, below the base address.
    pub path: String,
    pub body: Option<Value>,
    pub find: Find,
    pub link: Option<LinkTo>,
}

/// The record that the new OneFile record is linked to.
#[derive(Clone, Serialize, Deserialize)]
pub struct LinkTo {
    pub kind: String,
    pub local_id: String,
    pub centre_id: String,
    pub name: String,
}

/// The search values for a person in OneFile.
#[derive(Clone, Serialize, Deserialize)]
pub struct Person {
    pub centre_id: String,
    pub roles: Vec<i32>,
    pub mis_id: Option<String>,
    pub email: Option<String>,
    pub first_name: String,
    pub last_name: String,
}

/// How to find a record in OneFile.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Find {
    Person(Person),
    Placement {
        centre_id: String,
        name: String,
        mis_id: Option<String>,
    },
    Classroom {
        centre_id: String,
        name: String,
    },
    Aim {
        user_id: String,
        standard_id: String,
    },
    Review {
        user_id: String,
        /// The visit that the review belongs to.
        visit_id: String,
    },
    /// OneFile has no look-up for this kind of record.
    Nothing,
}

crate::domain::redacted!(CreateCall LinkTo Find Person);

impl CreatedKind {
    /// The operation, as `openapi/upstream/onefile-v2.1.yaml` names it.
    const fn operation(self) -> &'static str {
        match self {
            Self::User => "createUser",
            Self::Placement => "createPlacement",
            Self::Classroom => "createClassroom",
            Self::Aim => "assignStandard",
            Self::Visit => "createVisit",
            Self::Review => "createReview",
        }
    }
}

impl LinkTo {
    /// The link with the created record.
    pub fn with(&self, remote_id: i64) -> Option<NewOneFileLink> {
        let kinds = [RecordKind::Learner, RecordKind::Officer, RecordKind::Organisation];
        Some(NewOneFileLink {
            kind: kinds.into_iter().find(|kind| kind.as_str() == self.kind)?,
            local_id: self.local_id.clone(),
            centre_id: self.centre_id.clone(),
            remote_id: remote_id.to_string(),
            remote_name: Some(self.name.clone()),
            archived: false,
        })
    }
}

impl Client {
    /// Waits for a permit and a session before the intent of a creation is written. Otherwise the
    /// intent's lease could expire in the queue.
    pub async fn ready(&self) -> Answered<()> {
        // The session comes first, because opening one takes a permit of its own.
        if let Err(failure) = self.session(None).await? {
            return Ok(Err(failure));
        }
        self.permit().await
    }

    async fn permit(&self) -> Answered<()> {
        let line = self.line();
        let permit = self.caller.permit(line.account, line.class).await?;
        Ok(permit.map_err(Failure::limited))
    }

    /// Creates it, once. The caller has the permit and the session.
    pub async fn create(&self, call: &CreateCall, mut fence: Fence<'_>) -> Result<Sent<i64>, StoreError> {
        // Some servers want a length where nothing is sent.
        let body = call.body.as_ref().map_or_else(|| Ok(b"[]".to_vec()), serde_json::to_vec)?;
        let mut request = Request {
            method: Method::Post,
            url: format!("{}/{}", self.base_url, call.path),
            operation: call.made.operation(),
            headers: Vec::new(),
            body: Some(body),
        };
        let mut refused = None;
        loop {
            let session = match self.session(refused).await? {
                Ok(session) => session,
                Err(failure) => return Ok(Sent::NotSent(failure)),
            };
            request.headers = vec![("x-tokenid", session.token)];
            let outcome = fence.send(self.line(), request.clone()).await?;
            if matches!(outcome, Outcome::Unauthorised(_)) && refused.is_none() {
                // OneFile did not accept the session, so nothing was created. A new session may be
                // accepted.
                refused = Some(session.version);
                fence = fence.after_refusal();
                if let Err(failure) = self.session(refused).await? {
                    return Ok(Sent::NotSent(failure));
                }
                if let Err(failure) = self.permit().await? {
                    return Ok(Sent::NotSent(failure));
                }
                continue;
            }
            return Ok(read(call.made, outcome));
        }
    }

    /// Changes an existing record. The change is idempotent, so it is retried if its response is
    /// lost.
    pub async fn change(&self, operation: &'static str, path: String, body: &Value) -> Answered<()> {
        let body = serde_json::to_vec(body)?;
        self.ask(operation, Method::Post, path, Some(body), |_| Ok(())).await
    }
}

/// One `match` that says what an answer to a creation means.
fn read(made: CreatedKind, outcome: Outcome) -> Sent<i64> {
    match outcome {
        Outcome::Answered(answer) => match wire::new_id(&answer.body) {
            Some(id) => Sent::Created(id),
            None => Sent::Unknown(Failure::new(
                FailureKind::Failed,
                Some(answer.status),
                format!("OneFile's answer to {} does not say the new id", made.operation()),
            )),
        },
        Outcome::Missing(answer) => Sent::Refused(Failure::said(FailureKind::Missing, &answer)),
        Outcome::Refused(answer) => Sent::Refused(Failure::said(FailureKind::Refused, &answer)),
        Outcome::Unauthorised(answer) => Sent::Refused(Failure::said(FailureKind::Unauthorised, &answer)),
        Outcome::Forbidden(answer) => Sent::Refused(Failure::said(FailureKind::Forbidden, &answer)),
        Outcome::Limited(wait) => Sent::NotSent(Failure::limited(wait)),
        Outcome::NotSent(what) => Sent::NotSent(Failure::new(FailureKind::Unreachable, None, what)),
        Outcome::Unclear { status, what } => Sent::Unknown(Failure::new(FailureKind::Failed, status, what)),
    }
}
