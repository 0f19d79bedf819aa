//! Reads what OneFile has of the linked learners, and says what the first synchronisation would do: the reading around the pure
//! [`Takeover`]. Nothing is sent there and nothing is kept here.
//!
//! A learner costs some ten calls, so one answer is a page: it ends where its calls or its time are used up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use uuid::Uuid;

use crate::domain::{Learner, LearnerId, LinkState};
use crate::onefile::catalogue::codes_cache::Catalogue;
use crate::onefile::client::Client;
use crate::onefile::client::portfolio::Records;
use crate::onefile::client::wire::{LearningAim, Review};
use crate::onefile::fields;
use crate::onefile::sync::diff::{Pair, Takeover, TakeoverSettings, is_synchronised};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{
    LinkedLearner, OneFileSettings, PortfolioAim, PortfolioReview, PortfolioUser, RecordKind, StoreError,
};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::Class;

/// After so many calls a page begins no other learner.
pub const CALLS: i32 = 100;
/// After this time neither. At the pace of 285 calls a minute it comes first.
const TIME: Duration = Duration::from_secs(20);
/// Reviews of one learner that are looked into; more than a programme has.
const REVIEWS: usize = 60;

/// A page of what would happen.
#[derive(Debug)]
pub struct MigrationPage {
    /// Learners that are linked, in all.
    pub linked: i64,
    /// What would happen to those of this page.
    pub takeover: Takeover,
    /// Those who could not be compared.
    pub unread: Vec<UnreadLearner>,
    /// Calls that it took.
    pub calls: i32,
    /// The last one that was looked at, when others follow.
    pub last: Option<String>,
}

/// A learner that could not be compared.
#[derive(Debug)]
pub struct UnreadLearner {
    pub link: LinkedLearner,
    /// A stable word for why.
    pub code: &'static str,
    /// Why, and what to do.
    pub message: String,
}

/// What is known before the first learner.
struct MigrationContext {
    client: Client,
    catalogue: Arc<Catalogue>,
    settings: TakeoverSettings,
}

/// What OneFile has of one learner.
struct There {
    user: PortfolioUser,
    aims: Vec<PortfolioAim>,
    reviews: Vec<PortfolioReview>,
    remarks: Vec<String>,
}

impl OneFile {
    /// What would happen to the linked learners that follow this one.
    ///
    /// # Errors
    /// No token; the learning aims were never read; OneFile as a whole does not answer; the database's.
    pub async fn migration(
        &self,
        provider: Uuid,
        after: Option<&str>,
        size: i64,
        today: NaiveDate,
    ) -> Result<MigrationPage, OneFileError> {
        let settings = self.store.onefile_settings(provider).await?;
        let environment = settings.choices.environment;
        let context = self.context(provider, &settings, today).await?;
        let links = self.store.linked_learners(provider, environment, after, size).await?;
        let mut page = MigrationPage {
            linked: self.store.count_linked_learners(provider, environment).await?,
            takeover: Takeover::default(),
            unread: Vec::new(),
            calls: 0,
            last: None,
        };
        let (begun, several) = (Instant::now(), links.items.len());
        for (at, link) in links.items.into_iter().enumerate() {
            let id = link.learner_id.clone();
            match self.look_at(provider, &context, link, &mut page).await {
                Ok(()) => {}
                // What was found so far is told; who asks for the next page learns what is the matter.
                Err(OneFileError::Upstream(_)) if page.last.is_some() => return Ok(page.ended(&context)),
                Err(error) => return Err(error),
            }
            page.last = Some(id);
            let full = context.client.meter().peek() >= CALLS || begun.elapsed() >= TIME;
            if full && (at + 1 < several || links.more) {
                return Ok(page.ended(&context));
            }
        }
        if !links.more {
            page.last = None;
        }
        Ok(page.ended(&context))
    }

    async fn context(
        &self,
        provider: Uuid,
        settings: &OneFileSettings,
        today: NaiveDate,
    ) -> Result<MigrationContext, OneFileError> {
        let choices = &settings.choices;
        let client = self.client_of(settings, Class::Interactive)?;
        if self.store.onefile_standards_refreshed(provider, choices.environment).await?.is_none() {
            return Err(OneFileError::NotConfigured(
                "OneFile's learning aims were not read yet, and nothing can be compared without their codes: POST /onefile/qualifications:refresh first.",
            ));
        }
        Ok(MigrationContext {
            client,
            catalogue: self.catalogue(provider, choices.environment).await?,
            settings: TakeoverSettings {
                learner_demographics: choices.learner_demographics,
                upload_reviews: choices.upload_reviews,
                download_reviews: choices.download_reviews,
                today,
            },
        })
    }

    /// Adds one learner to the page.
    async fn look_at(
        &self,
        provider: Uuid,
        context: &MigrationContext,
        link: LinkedLearner,
        page: &mut MigrationPage,
    ) -> Result<(), OneFileError> {
        let kept = self.store.record::<Learner>(provider, RecordKind::Learner, &link.learner_id).await?;
        // Erased since the links were read.
        let (Some(kept), Ok(id)) = (kept, LearnerId::parse(&link.learner_id)) else { return Ok(()) };
        // Whom the synchronisation leaves alone costs no call.
        if !is_synchronised(&kept.record, context.settings.today) {
            page.takeover.leave_alone();
            return Ok(());
        }
        if link.state == LinkState::Gone {
            page.unread.push(UnreadLearner::gone(link));
            return Ok(());
        }
        match context.read(&link, &kept.record).await? {
            Ok(there) => page.takeover.add(
                &Pair {
                    id: &id,
                    learner: &kept.record,
                    centre_id: &link.centre_id,
                    user_id: &link.user_id,
                    user: &there.user,
                    aims: &there.aims,
                    reviews: &there.reviews,
                    remarks: &there.remarks,
                },
                context.settings,
            ),
            Err(failure) if failure.kind.is_general() => return Err(failure.into()),
            Err(failure) if failure.kind == FailureKind::Missing => {
                page.unread.push(UnreadLearner::gone(link));
            }
            Err(failure) => {
                page.unread.push(UnreadLearner { link, code: failure.kind.code(), message: failure.text() });
            }
        }
        Ok(())
    }
}

impl MigrationContext {
    async fn read(
        &self,
        link: &LinkedLearner,
        learner: &Learner,
    ) -> Result<Result<There, Failure>, StoreError> {
        let mut remarks = Vec::new();
        let user = match self.client.user(&link.user_id).await? {
            Ok(user) => user,
            Err(failure) => return Ok(Err(failure)),
        };
        if user.archived == Some(true) {
            remarks.push("The user is in OneFile's archive: bring it back, or remove the link.".to_owned());
        }
        let aims = match self.client.aims_of(&link.user_id).await? {
            Ok(aims) => self.aims(&link.centre_id, aims, &mut remarks),
            Err(failure) => return Ok(Err(failure)),
        };
        let reviews = match self.reviews(&link.user_id, learner, &mut remarks).await? {
            Ok(reviews) => reviews,
            Err(failure) => return Ok(Err(failure)),
        };
        Ok(Ok(There { user: (&user).into(), aims, reviews, remarks }))
    }

    fn aims(
        &self,
        centre_id: &str,
        found: Records<LearningAim>,
        remarks: &mut Vec<String>,
    ) -> Vec<PortfolioAim> {
        if found.unreadable > 0 {
            remarks.push("OneFile's list of learning aims has rows that cannot be read.".to_owned());
        }
        let mut aims: Vec<_> = found.read.into_iter().map(|aim| self.aim(centre_id, aim, true)).collect();
        for (row, failure) in found.failed {
            remarks.push(format!("Learning aim {} could not be read. {}", row.id, failure.text()));
            aims.push(self.aim(centre_id, row, false));
        }
        aims
    }

    fn aim(&self, centre_id: &str, aim: LearningAim, read: bool) -> PortfolioAim {
        PortfolioAim {
            fields: fields::values(fields::QUALIFICATION, &aim),
            learning_aim_id: aim.id,
            vq_reference: aim.standard_id.and_then(|standard| self.catalogue.code(centre_id, &standard)),
            read,
            ..PortfolioAim::default()
        }
    }

    /// The reviews, as far as the settings make them matter: what goes up needs to know what is there on that day, what comes
    /// down whether it was held.
    async fn reviews(
        &self,
        user_id: &str,
        learner: &Learner,
        remarks: &mut Vec<String>,
    ) -> Result<Result<Vec<PortfolioReview>, Failure>, StoreError> {
        let TakeoverSettings { upload_reviews, download_reviews, .. } = self.settings;
        let matter = download_reviews || (upload_reviews && !learner.reviews.is_empty());
        if !matter {
            return Ok(Ok(Vec::new()));
        }
        let found = match self.client.review_rows_of(user_id).await? {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        if found.unreadable > 0 {
            remarks.push("OneFile's list of reviews has rows that cannot be read.".to_owned());
        }
        if download_reviews && found.rows.len() > REVIEWS {
            let told = found.rows.len();
            remarks.push(format!(
                "OneFile has {told} reviews of this learner: whether they were held was looked up for {REVIEWS} of them."
            ));
        }
        let mut reviews = Vec::with_capacity(found.rows.len());
        for (at, row) in found.rows.into_iter().enumerate() {
            if !download_reviews || at >= REVIEWS {
                reviews.push(as_stored(row));
                continue;
            }
            match self.client.review(&row.id).await? {
                // OneFile may find more than it was asked for.
                Ok(review) if review.learner_id.as_deref().is_some_and(|id| id != user_id) => {}
                Ok(review) => reviews.push(as_stored(review)),
                Err(failure) if failure.kind.is_general() => return Ok(Err(failure)),
                Err(failure) if failure.kind == FailureKind::Missing => {}
                Err(failure) => {
                    remarks.push(format!("Review {} could not be read. {}", row.id, failure.text()));
                    reviews.push(as_stored(row));
                }
            }
        }
        Ok(Ok(reviews))
    }
}

impl MigrationPage {
    fn ended(mut self, context: &MigrationContext) -> Self {
        self.calls = context.client.meter().take();
        self
    }
}

impl UnreadLearner {
    fn gone(link: LinkedLearner) -> Self {
        Self {
            link,
            code: FailureKind::Missing.code(),
            message: "OneFile has this user no more: remove the link, and link the learner to the user that it has now.".to_owned(),
        }
    }
}

fn as_stored(review: Review) -> PortfolioReview {
    PortfolioReview {
        one_file_id: review.id,
        scheduled_for: review.scheduled,
        started_on: review.started,
        ..PortfolioReview::default()
    }
}
