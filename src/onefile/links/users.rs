//! OneFile's learners, read from its searches: they are too many, and too much their own, to be kept in the directory.

use uuid::Uuid;

use super::LEARNER_ROLE;
use crate::domain::DirectoryKind;
use crate::onefile::client::pagination::{Next, Pagination};
use crate::onefile::client::wire::User;
use crate::onefile::client::{Search, endless};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{DirectoryFilter, OneFileSettings, new_id};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::pace::Class;

/// More than that are not read for one answer: 250 pages take about a minute.
const MOST: usize = 50_000;
/// Centres of one customer; most have one.
const MOST_CENTRES: i64 = 1000;

impl OneFile {
    /// The ids of the customer's centres.
    pub(super) async fn centre_ids(
        &self,
        provider: Uuid,
        settings: &OneFileSettings,
    ) -> Result<Vec<String>, OneFileError> {
        self.directory_part(provider, DirectoryKind::Centre, false).await?;
        let filter = DirectoryFilter { kind: DirectoryKind::Centre, centre_id: None, archived: None };
        let environment = settings.choices.environment;
        let centres = self.store.onefile_entries(provider, environment, filter, None, MOST_CENTRES).await?;
        Ok(centres.into_iter().map(|centre| centre.remote_id).collect())
    }

    /// The learners of a centre, or of all of them, each with its centre. When it was all of them, the links of those who are
    /// archived or gone say so afterwards.
    pub(super) async fn users_there(
        &self,
        provider: Uuid,
        settings: &OneFileSettings,
        centre: Option<&str>,
    ) -> Result<Vec<(String, User)>, OneFileError> {
        let since = new_id();
        let client = self.client_of(settings, Class::Interactive)?;
        let mut found: Vec<(String, User)> = Vec::new();
        for own in self.centre_ids(provider, settings).await? {
            if centre.is_some_and(|centre| centre != own) {
                continue;
            }
            let search = Search::users(&own, LEARNER_ROLE);
            let mut pagination = Pagination::default();
            loop {
                let page = client.search_page::<User>(&search, pagination.page()).await??;
                let (rows, next) = pagination.take(page);
                let learners = rows
                    .into_iter()
                    .filter(|row| row.role.is_none_or(|role| role == i64::from(LEARNER_ROLE)));
                found.extend(
                    learners.map(|user| (user.centre_id.clone().unwrap_or_else(|| own.clone()), user)),
                );
                if found.len() > MOST {
                    let seen =
                        "it has more learners than are read for one answer: ask for one centre (`centreId`)";
                    return Err(Failure::new(FailureKind::Failed, None, seen).into());
                }
                match next {
                    Next::Page(_) => {}
                    Next::End => break,
                    Next::Endless => return Err(endless().into()),
                }
            }
        }
        if centre.is_none() {
            let seen: Vec<(&str, bool)> =
                found.iter().map(|(_, user)| (user.id.as_str(), user.archived.unwrap_or(false))).collect();
            self.store.settle_onefile_learners(provider, settings.choices.environment, &seen, since).await?;
        }
        Ok(found)
    }
}
