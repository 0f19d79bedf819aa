//! Following a run: server-sent events for its progress.

use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, get};
use uuid::Uuid;

use super::State;
use super::errors::ReadErrors;
use super::extract::{Caller, Id};
use super::problem::Problem;
use super::runs::shown;
use crate::auth::scope::needs::RunsRead;

/// Follow a run
///
/// Server-sent events: `progress` with the run whenever it advances, and `end` with the run when it
/// has ended. Then the stream closes. Needs `runs:read`.
#[utoipa::path(operation_id = "followRun", tag = "Runs", security(("bearer" = ["runs:read"])), params(("id" = Uuid, Path)),
    responses((status = 200, description = "The events.", body = String, content_type = "text/event-stream"), ReadErrors))]
#[get("/runs/{id}/events")]
pub async fn events(
    who: Caller<RunsRead>,
    state: Data<State>,
    id: Id<Uuid>,
) -> Result<HttpResponse, Problem> {
    let provider = who.provider();
    state.store.run(provider, id.0).await?.ok_or_else(|| Problem::not_found("run"))?;
    let follower = Follower { state, provider, id: id.0, last: String::new(), quiet: 0, ended: false };
    let stream = futures_util::stream::unfold(follower, |follower| async move { follower.next().await });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("Cache-Control", "no-store"))
        // Proxies that buffer responses would hold the events back.
        .insert_header(("X-Accel-Buffering", "no"))
        .insert_header(actix_web::http::header::ContentEncoding::Identity)
        .streaming(stream))
}

/// A client that follows a run. The row is read periodically and sent when it has changed.
struct Follower {
    state: Data<State>,
    provider: Uuid,
    id: Uuid,
    last: String,
    quiet: u32,
    ended: bool,
}

/// Reads without a change until a comment shows that the connection is alive: 15 seconds.
const QUIET: u32 = 30;
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

impl Follower {
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        if self.ended {
            return None;
        }
        loop {
            // The run was removed, or the database is unavailable. The client connects again.
            let Ok(Some(row)) = self.state.store.run(self.provider, self.id).await else { return None };
            self.ended = row.state.is_final();
            let json = serde_json::to_string(&shown(&self.state, row).await.ok()?).ok()?;
            // Fields that only count down time are ignored.
            let told = if self.ended { "end" } else { "progress" };
            if self.ended || news(&json) != news(&self.last) {
                self.quiet = 0;
                self.last.clone_from(&json);
                return Some((Ok(Bytes::from(format!("event: {told}\ndata: {json}\n\n"))), self));
            }
            self.quiet += 1;
            if self.quiet >= QUIET {
                self.quiet = 0;
                return Some((Ok(Bytes::from_static(b": still here\n\n")), self));
            }
            tokio::time::sleep(FOLLOW_EVERY).await;
        }
    }
}

/// A run without the fields that change by themselves.
fn news(json: &str) -> Option<serde_json::Value> {
    let mut run: serde_json::Value = serde_json::from_str(json).ok()?;
    let fields = run.as_object_mut()?;
    fields.shift_remove("estimatedEndAt");
    fields.shift_remove("budget");
    Some(run)
}
