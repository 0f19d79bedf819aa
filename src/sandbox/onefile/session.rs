//! Sessions, which `Authentication` opens for 24 hours. Several sessions of one customer are valid
//! at a time (assumed). They exist in memory only, so after a restart every client has to
//! authenticate again.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::environment::Environment;

const LIFE: TimeDelta = TimeDelta::hours(24);

#[derive(Debug)]
struct Session {
    customer: String,
    environment: Environment,
    ends: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub struct Sessions(HashMap<String, Session>);

impl Sessions {
    /// A new session, about as long as the real ones.
    pub fn open(&mut self, customer: &str, environment: Environment, now: DateTime<Utc>) -> String {
        self.0.retain(|_, session| session.ends > now);
        let bytes: Vec<u8> = (0..16).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
        let token = STANDARD.encode(bytes);
        let session = Session { customer: customer.to_owned(), environment, ends: now + LIFE };
        self.0.insert(token.clone(), session);
        token
    }

    /// The customer token that this session was opened with.
    pub fn customer(&self, token: &str, environment: Environment, now: DateTime<Utc>) -> Option<&str> {
        let session = self.0.get(token)?;
        let valid = session.environment == environment && session.ends > now;
        valid.then_some(&session.customer)
    }

    /// The number of a customer's valid sessions.
    pub fn count(&self, customer: &str, now: DateTime<Utc>) -> usize {
        self.0.values().filter(|session| session.customer == customer && session.ends > now).count()
    }

    pub fn end_all(&mut self) {
        self.0.clear();
    }
}
