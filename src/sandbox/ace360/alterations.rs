//! How the simulated ACE360 alters what it keeps and shows. Nothing of it is documented, and each was met in some system: the
//! client must not create anything twice for it.

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Europe::London;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record::Apprentice;
use crate::sandbox::now;

/// The alterations in force. Without any of them the simulator keeps and shows what it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Alterations {
    /// The list shows the oldest record first.
    pub oldest_first: bool,
    /// What the list says about its size.
    pub totals: Totals,
    /// How names are kept.
    pub names: Names,
    /// How birth dates are kept.
    pub dates: Dates,
    /// The list shows a record only when it is this many seconds old.
    pub late_seconds: u32,
}

/// What a list says about its size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Totals {
    /// The right numbers, as documented.
    #[default]
    Right,
    /// Neither `total` nor `totalPages`.
    Missing,
    /// Both numbers are null.
    Null,
    /// Both numbers are zero.
    Zero,
    /// Both numbers are words.
    Words,
}

/// How names are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Names {
    /// As they were sent.
    #[default]
    AsSent,
    /// With HTML entities, such as `O&#039;Brien`.
    Entities,
    /// Without accents, apostrophes and hyphens.
    Plain,
    /// Without their last letter.
    Cut,
}

/// How birth dates are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Dates {
    /// As days, such as `2005-06-14`.
    #[default]
    Days,
    /// As midnight in London, such as `2005-06-13T23:00:00Z`.
    Instants,
}

impl Alterations {
    /// The record as it is kept.
    pub fn keep(&self, mut apprentice: Apprentice) -> Apprentice {
        for name in [&mut apprentice.first_name, &mut apprentice.last_name] {
            *name = match self.names {
                Names::AsSent => continue,
                Names::Entities => name.replace('&', "&amp;").replace('\'', "&#039;").replace('’', "&rsquo;"),
                Names::Plain => {
                    name.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == ' ').collect()
                }
                Names::Cut => {
                    let mut cut: Vec<char> = name.chars().collect();
                    if cut.len() > 1 {
                        cut.pop();
                    }
                    cut.into_iter().collect()
                }
            };
        }
        if self.dates == Dates::Instants
            && let Ok(day) = apprentice.date_of_birth.parse::<NaiveDate>()
            && let Some(midnight) = London.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest()
        {
            apprentice.date_of_birth = midnight.with_timezone(&Utc).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        }
        apprentice
    }

    /// Whether the list shows a record that was created then.
    pub fn shows(&self, created_at: &str) -> bool {
        if self.late_seconds == 0 {
            return true;
        }
        let young = now::utc() - TimeDelta::seconds(i64::from(self.late_seconds));
        created_at <= young.format("%Y-%m-%d %H:%M:%S").to_string().as_str()
    }
}
