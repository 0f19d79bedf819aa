//! The catalogue of standards: real ST codes and titles with invented versions.
//!
//! `titles.rs` says what is real. Ids, versions, options, dates, sectors, descriptions, grades and
//! assessments are invented from a fixed seed.

use std::io;

use chrono::{Days, Months, NaiveDate};
use serde::Serialize;

use super::sectors::{self, Sector};
use crate::sandbox::draw::Draw;
use crate::sandbox::titles::{self, Title};

/// Independent of the sandbox's seed, because a provider's settings and tests refer to standards by
/// id.
const SEED: u64 = 360;
/// The id of the first standard.
const FIRST_ID: u32 = 101;

/// A standard: one version, and one option if the version has options.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standard {
    pub id: u32,
    pub st_code: String,
    pub name: String,
    pub sector: Sector,
    pub date_published: NaiveDate,
    pub end_date: Option<NaiveDate>,
    pub approx_min_duration: u32,
    pub description: String,
    pub ukprn: Option<String>,
    pub archived: bool,
    pub lars_code: String,
    pub course_option: Option<&'static str>,
    pub version: String,
    pub assessment_plan: String,
    pub highest_grade: &'static str,
    pub epas: Vec<Epa>,
}

/// An assessment of a standard.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Epa {
    pub id: u32,
    pub type_id: u32,
    pub type_name: &'static str,
    pub info: &'static str,
}

/// Types 6 and 7 are documented; the others are invented.
const EPA_TYPES: [(u32, &str); 4] = [
    (6, "Presentation or showcase"),
    (7, "Observation / Practical Assessment"),
    (1, "Knowledge test"),
    (2, "Professional discussion"),
];
const OPTIONS: [&str; 6] = ["Technologist", "Operations", "Design", "Commercial", "Specialist", "Generalist"];

/// All standards, by id.
#[derive(Debug)]
pub struct Catalogue(Vec<Standard>);

impl Catalogue {
    /// The catalogue is the same each time.
    pub fn build() -> io::Result<Self> {
        let mut standards = Vec::new();
        for (index, title) in (0_u32..).zip(titles::all()?) {
            add(&mut standards, &title, index);
        }
        Ok(Self(standards))
    }

    pub fn all(&self) -> &[Standard] {
        &self.0
    }

    pub fn find(&self, id: u64) -> Option<&Standard> {
        self.0.get(usize::try_from(id.checked_sub(u64::from(FIRST_ID))?).ok()?)
    }
}

impl Standard {
    /// Whether an apprentice may start on this day.
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.date_published <= day && self.end_date.is_none_or(|end| day <= end)
    }
}

/// A version of a standard: its days and its options. Most have none.
struct Edition {
    from: NaiveDate,
    to: Option<NaiveDate>,
    options: Vec<&'static str>,
}

fn add(standards: &mut Vec<Standard>, from: &Title, index: u32) {
    let Title { st_code, name: title, lars_code, known } = from;
    let mut draw = Draw::new(SEED ^ (u64::from(index) << 20));
    let archived = !known && draw.below(40) == 0;
    let duration = 12 + 6 * draw.below(4);
    let sector = sectors::of_title(title, draw.below(15) as usize);
    let highest_grade = draw.pick(&["distinction", "distinction", "merit", "pass"]);
    let editions = editions(st_code, *known, archived, &mut draw);
    let last = editions.len() - 1;
    for (number, edition) in editions.into_iter().enumerate() {
        // A version without options is one standard; otherwise each option is one.
        let options = match edition.options.as_slice() {
            [] => vec![None],
            options => options.iter().copied().map(Some).collect(),
        };
        for course_option in options {
            let id = FIRST_ID + u32::try_from(standards.len()).unwrap_or(0);
            let epa =
                |place: u32, (type_id, type_name)| Epa { id: id * 10 + place, type_id, type_name, info: "" };
            let second = draw.pick(&EPA_TYPES[2..]);
            standards.push(Standard {
                id,
                st_code: format!("{st_code}/{:02}", number + 1),
                name: title.clone(),
                sector,
                date_published: edition.from,
                end_date: edition.to,
                approx_min_duration: duration,
                description: format!("{title}, as the sandbox's catalogue has it."),
                ukprn: None,
                archived: archived && number == last,
                lars_code: lars_code.clone(),
                course_option,
                version: format!("1.{number}"),
                assessment_plan: format!("AP{:02}", number + 1),
                highest_grade,
                epas: vec![epa(1, draw.pick(&EPA_TYPES[..2])), epa(2, second)],
            });
        }
    }
}

fn editions(st_code: &str, known: bool, archived: bool, draw: &mut Draw) -> Vec<Edition> {
    let plain = |from, to| Edition { from, to, options: Vec::new() };
    match st_code {
        // The difficult case: consecutive versions, and two options in the last.
        "ST0070" => vec![
            plain(day(2017, 9), Some(eve(day(2021, 8)))),
            plain(day(2021, 8), Some(eve(day(2024, 8)))),
            Edition { from: day(2024, 8), to: None, options: vec!["Operations", "Commercial"] },
        ],
        // The easy case: on every date there is only one standard.
        "ST0384" => vec![plain(day(2016, 5), None)],
        _ => {
            let count = 1 + draw.below(3);
            let mut starts = vec![day(2015, 1) + Months::new(draw.below(60))];
            for _ in 1..count {
                let before = starts[starts.len() - 1];
                starts.push(before + Months::new(15 + draw.below(18)));
            }
            let end = archived.then(|| eve(starts[starts.len() - 1] + Months::new(24)));
            let ends = starts.iter().skip(1).map(|next| Some(eve(*next))).chain([end]);
            let editions = starts.iter().zip(ends).map(|(from, to)| {
                let options = if !known && draw.below(6) == 0 { some_options(draw) } else { Vec::new() };
                Edition { from: *from, to, options }
            });
            editions.collect()
        }
    }
}

fn some_options(draw: &mut Draw) -> Vec<&'static str> {
    let first = draw.below(6) as usize;
    let count = 2 + draw.below(2) as usize;
    OPTIONS.iter().cycle().skip(first).take(count).copied().collect()
}

/// The first day of the month.
fn day(year: i32, month: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default()
}

fn eve(day: NaiveDate) -> NaiveDate {
    day - Days::new(1)
}
