//! What OneFile answers, as it is kept, and what is kept, as it is compared. Pure.

use crate::onefile::takeover::{RemoteAim, RemoteReview};
use crate::onefile::wire::{LearningAim, Review, day_of};
use crate::store::{Portfolio, PortfolioAim, PortfolioReview};

pub(super) fn remote_aim(kept: &PortfolioAim) -> RemoteAim {
    RemoteAim {
        id: kept.learning_aim_id.clone(),
        code: kept.vq_reference.clone(),
        unread: !kept.read,
        registration_number: kept.registration_number.clone(),
        registration_date: kept.registration_date,
        certificate_applied: kept.certificate_applied,
        certificate_received: kept.certificate_received,
        total_elements: kept.total_elements,
        elements_done: kept.elements_done,
        progress: kept.progress,
    }
}

pub(super) fn remote_review(kept: &PortfolioReview) -> RemoteReview {
    RemoteReview {
        id: kept.one_file_id.clone(),
        scheduled: kept.scheduled_for.map(day_of),
        started: kept.started_on.map(day_of),
    }
}

/// Puts what was read of a learning aim; `code`: its standard's.
pub(super) fn put_aim(portfolio: &mut Portfolio, told: LearningAim, code: Option<String>) {
    let own = aim_entry(portfolio, &told.id);
    own.progress = told.percent();
    if let Some(standard) = told.standard_id {
        own.standard_id = standard;
    }
    if code.is_some() {
        own.vq_reference = code;
    }
    own.read = true;
    own.gone = false;
    own.registration_number = told.registration_number;
    own.registration_date = told.registered;
    own.certificate_applied = told.certificate_applied;
    own.certificate_received = told.certificate_received;
    own.total_elements = told.total_elements;
    own.elements_done = told.elements_done;
}

/// The entry of a learning aim, a new one where there is none.
pub(super) fn aim_entry<'a>(portfolio: &'a mut Portfolio, id: &str) -> &'a mut PortfolioAim {
    let at = portfolio.aims.iter().position(|own| own.learning_aim_id == id).unwrap_or_else(|| {
        portfolio.aims.push(PortfolioAim { learning_aim_id: id.to_owned(), ..PortfolioAim::default() });
        portfolio.aims.len() - 1
    });
    &mut portfolio.aims[at]
}

/// Puts what was read of a review.
pub(super) fn put_review(portfolio: &mut Portfolio, told: &Review) {
    let at = portfolio.reviews.iter().position(|own| own.one_file_id == told.id).unwrap_or_else(|| {
        portfolio
            .reviews
            .push(PortfolioReview { one_file_id: told.id.clone(), ..PortfolioReview::default() });
        portfolio.reviews.len() - 1
    });
    let own = &mut portfolio.reviews[at];
    own.gone = false;
    if told.scheduled.is_some() {
        own.scheduled_for = told.scheduled;
    }
    if told.started.is_some() {
        own.started_on = told.started;
    }
}
