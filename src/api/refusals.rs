//! What was refused stands in the audit too: whoever tries doors leaves a trace. A flood must not fill the disk: after some lines a
//! token and minute, the rest of that minute is counted, and written as one line when the minute is over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::Method;
use tracing::error;
use uuid::Uuid;

use super::problem::Code;
use crate::auth::Principal;
use crate::store::{By, RefusedCall, Store};

/// Lines a token and minute, in each process.
const LINES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);

/// Counts refusals. Shared by all of a process's workers.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    windows: Arc<Mutex<HashMap<Uuid, Window>>>,
}

/// What a token was refused in a minute.
#[derive(Debug)]
struct Window {
    began: Instant,
    calls: u32,
    provider: Uuid,
    actor: String,
}

/// What was only counted, and is to be written now.
#[derive(Debug)]
struct Rest {
    provider: Uuid,
    actor: String,
    calls: u32,
}

/// Whether a refusal has a line: of a token that is known, 401 and 403 of any call, and every refused change.
pub fn is_worth_a_line(method: &Method, code: Code) -> bool {
    match code.status() {
        401 | 403 => true,
        404 | 409 | 412 | 422 => *method != Method::GET,
        _ => false,
    }
}

impl Window {
    fn rest(&self) -> Option<Rest> {
        let calls = self.calls.saturating_sub(LINES);
        (calls > 0).then(|| Rest { provider: self.provider, actor: self.actor.clone(), calls })
    }
}

impl Refusals {
    /// Whether this one still has a line of its own, and what an earlier minute left.
    fn count(&self, who: &Principal, now: Instant) -> (bool, Option<Rest>) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(who.token_id).or_insert_with(|| Window {
            began: now,
            calls: 0,
            provider: who.provider.id,
            actor: who.actor(),
        });
        let mut rest = None;
        if now.duration_since(window.began) >= WINDOW {
            rest = window.rest();
            (window.began, window.calls) = (now, 0);
        }
        window.calls = window.calls.saturating_add(1);
        (window.calls <= LINES, rest)
    }

    /// Takes out the minutes that are over; all of them when the process ends.
    fn over(&self, now: Instant, all: bool) -> Vec<Rest> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = |window: &Window| all || now.duration_since(window.began) >= WINDOW;
        let rests = windows.values().filter(|window| ended(window)).filter_map(Window::rest).collect();
        windows.retain(|_, window| !ended(window));
        rests
    }

    /// Writes a refusal down, or counts it.
    pub async fn tell(&self, store: &Store, who: &Principal, call: RefusedCall, by: &By) {
        let (line, rest) = self.count(who, Instant::now());
        if let Some(rest) = rest {
            write_rest(store, rest).await;
        }
        if line && let Err(error) = store.audit_refused(who.provider.id, &call, by).await {
            // The refusal stands; that it could not be written down is all that goes wrong.
            error!(%error, "a refused call could not be written into the audit");
        }
    }

    /// Writes what was only counted in minutes that are over; `all`: in the present one too.
    pub async fn flush(&self, store: &Store, all: bool) {
        for rest in self.over(Instant::now(), all) {
            write_rest(store, rest).await;
        }
    }
}

async fn write_rest(store: &Store, rest: Rest) {
    let call = RefusedCall {
        action: "refused".to_owned(),
        code: "several".to_owned(),
        subject: None,
        calls: rest.calls,
    };
    let by = By { actor: rest.actor, request_id: None, address: None };
    if let Err(error) = store.audit_refused(rest.provider, &call, &by).await {
        error!(%error, calls = rest.calls, "refused calls could not be written into the audit");
    }
}
