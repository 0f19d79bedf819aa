//! Puts OneFile's answers into the stored portfolio of a learner. Pure.

use crate::onefile::client::wire::{LearningAim, Review};
use crate::onefile::fields;
use crate::store::{Portfolio, PortfolioAim, PortfolioReview};

/// Puts what was read of a learning aim; `code`: its standard's.
pub(crate) fn put_aim(portfolio: &mut Portfolio, told: LearningAim, code: Option<String>) {
    let own = aim_entry(portfolio, &told.id);
    own.fields = fields::values(fields::QUALIFICATION, &told);
    if let Some(standard) = told.standard_id {
        own.standard_id = standard;
    }
    if code.is_some() {
        own.vq_reference = code;
    }
    own.read = true;
    own.gone = false;
}

/// The entry of a learning aim, a new one where there is none.
pub(crate) fn aim_entry<'a>(portfolio: &'a mut Portfolio, id: &str) -> &'a mut PortfolioAim {
    let at = portfolio.aims.iter().position(|own| own.learning_aim_id == id).unwrap_or_else(|| {
        portfolio.aims.push(PortfolioAim { learning_aim_id: id.to_owned(), ..PortfolioAim::default() });
        portfolio.aims.len() - 1
    });
    &mut portfolio.aims[at]
}

/// Puts what was read of a review.
pub(crate) fn put_review(portfolio: &mut Portfolio, told: &Review) {
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
