//! Telling receivers of changes, by Standard Webhooks. What is due stands in rows; here it is sent, and what came of it is
//! written down. Each webhook is served by one worker at a time, so that its deliveries go out in the feed's order; one that
//! fails steps aside until its next attempt, and those after it go on. A receiver that does not answer at all is left alone for
//! a while, and holds up nobody but itself.

mod message;
pub mod sign;
mod verdict;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use self::verdict::Facts;
use crate::config::Timings;
use crate::domain::{DeliveryState, TestEntry};
use crate::http::guarded::{Guarded, Reply, Unanswered};
use crate::store::{DeliveryLine, Receiver, Settlement, Store, StoreError, Time, WebhookMessage};

/// Webhooks that one process serves at once. They mostly wait for receivers.
const LANES: usize = 32;
/// Deliveries to one webhook before others have their turn.
const TURN: usize = 50;

/// What delivers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks {
    store: Store,
    guarded: Guarded,
    /// How long a worker holds a webhook for one delivery: longer than a call.
    lease: Duration,
    every: Duration,
    stopping: CancellationToken,
}

impl Webhooks {
    /// `stopping`: nothing new is sent once it is cancelled.
    pub fn new(store: Store, guarded: Guarded, timings: &Timings, stopping: CancellationToken) -> Self {
        Self { store, guarded, lease: timings.lease, every: timings.deliver, stopping }
    }

    /// Whether receivers may be anywhere, and on http.
    pub fn allows_private(&self) -> bool {
        self.guarded.allows_private()
    }

    /// Delivers what becomes due, until the process stops.
    pub async fn keep_delivering(self) {
        let mut lanes = JoinSet::new();
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + self.every, self.every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => break,
                Some(_) = lanes.join_next() => {}
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.pass(&mut lanes).await {
                error!(%error, "what is due to webhooks could not be looked for; it is at the next look");
            }
        }
        while lanes.join_next().await.is_some() {}
    }

    /// Delivers until nothing is due.
    pub async fn deliver(&self) -> Result<(), StoreError> {
        let mut lanes = JoinSet::new();
        loop {
            self.pass(&mut lanes).await?;
            if lanes.join_next().await.is_none() {
                return Ok(());
            }
        }
    }

    /// Gives changes their place, and webhooks that have something due a worker each.
    async fn pass(&self, lanes: &mut JoinSet<()>) -> Result<(), StoreError> {
        self.store.place_changes().await?;
        let free = i64::try_from(LANES.saturating_sub(lanes.len())).unwrap_or(0);
        if free > 0 {
            for (webhook, claim) in self.store.claim_webhooks(free, self.lease).await? {
                lanes.spawn(self.clone().serve(webhook, claim));
            }
        }
        Ok(())
    }

    /// Delivers to one webhook, one after the other. What goes wrong here leaves its claim to run out.
    async fn serve(self, webhook: Uuid, claim: Uuid) {
        if let Err(error) = self.serve_turn(webhook, claim).await {
            error!(%error, %webhook, "deliveries stopped; they go on when the claim has run out");
        }
    }

    async fn serve_turn(&self, webhook: Uuid, claim: Uuid) -> Result<(), StoreError> {
        for _ in 0..TURN {
            if self.stopping.is_cancelled() {
                break;
            }
            let Some(due) = self.store.next_delivery(webhook, claim, self.lease).await? else { break };
            let (came, at) = self.send(&due.receiver, &due.message).await;
            let settlement = Facts::of(&due).settle(&came, at, rand::random());
            metrics::counter!("picsbridge_webhook_deliveries_total", "outcome" => verdict::label(&came))
                .increment(1);
            if !self.store.settle_delivery(&due, &settlement).await? {
                warn!(%webhook, delivery = %due.message.id(), "another worker serves this webhook now; the delivery may be made twice");
                return Ok(());
            }
            if let Some(reason) = &settlement.disable {
                info!(%webhook, reason, "a webhook was switched off");
            }
        }
        self.store.release_webhook(webhook, claim).await
    }

    /// Sends a test at once, to a webhook that is switched off as well, and keeps what came of it; with the same id only once.
    /// `None`: no such webhook.
    pub async fn test(
        &self,
        provider: Uuid,
        webhook: Uuid,
        id: Uuid,
    ) -> Result<Option<DeliveryLine>, StoreError> {
        if let Some(line) = self.store.delivery(provider, webhook, id).await? {
            return Ok(Some(line));
        }
        let Some(receiver) = self.store.webhook_receiver(provider, webhook).await? else { return Ok(None) };
        let test = TestEntry::new(id, webhook, receiver.now);
        let (came, at) = self.send(&receiver, &WebhookMessage::Test(test.clone())).await;
        let facts = Facts { attempts: 0, first_attempt_at: None, failing_since: None, unanswered: 0 };
        let settled = facts.settle(&came, at, 0.0);
        // It is not tried again: whoever asked sees what came of it.
        let state =
            if settled.state == DeliveryState::Delivered { settled.state } else { DeliveryState::Failed };
        let settled = Settlement { state, ..settled };
        self.store.keep_webhook_test(webhook, &test, &settled).await?;
        self.store.delivery(provider, webhook, id).await
    }

    /// Sends a message, and says when the attempt ended by the clock that processes share.
    async fn send(&self, receiver: &Receiver, message: &WebhookMessage) -> (Result<Reply, Unanswered>, Time) {
        let started = Instant::now();
        let body = message::body(message);
        let headers = sign::headers(message.id(), receiver.now, &body, &receiver.secrets);
        let came = self.guarded.post(&receiver.url, headers, body).await;
        (came, receiver.now + TimeDelta::from_std(started.elapsed()).unwrap_or_default())
    }
}
