//! What OneFile answers, as it is kept, and what is kept, as it is compared. Pure.

use crate::onefile::takeover::{RemoteAim, RemoteReview, RemoteUser};
use crate::onefile::wire::{LearningAim, Review, User, day_of};
use crate::store::{Portfolio, PortfolioAim, PortfolioReview, PortfolioUser};

/// A user's details.
pub(super) fn user(told: User) -> PortfolioUser {
    PortfolioUser {
        first_name: told.first_name,
        last_name: told.last_name,
        email: told.email,
        telephone: told.telephone,
        mobile: told.mobile,
        date_of_birth: told.date_of_birth,
        uln: told.uln,
        national_insurance_number: told.national_insurance_number,
        ethnicity: told.ethnicity,
        sex: told.sex,
        home_address: told.home_address,
        default_assessor_id: told.default_assessor_id,
        placement_id: told.placement_id,
    }
}

pub(super) fn remote_user(kept: &PortfolioUser) -> RemoteUser {
    let kept = kept.clone();
    RemoteUser {
        first_name: kept.first_name,
        last_name: kept.last_name,
        email: kept.email,
        telephone: kept.telephone,
        mobile: kept.mobile,
        date_of_birth: kept.date_of_birth,
        uln: kept.uln,
        national_insurance_number: kept.national_insurance_number,
        ethnicity: kept.ethnicity,
        sex: kept.sex,
        home_address: kept.home_address,
    }
}

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
    own.progress = told.progress.map(whole);
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

/// Percent without its fraction.
#[allow(clippy::cast_possible_truncation, reason = "it is cut to what a percentage can be")]
fn whole(percent: f64) -> i64 {
    percent.clamp(0.0, 100.0) as i64
}
