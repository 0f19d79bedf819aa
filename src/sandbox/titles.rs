//! The apprenticeship standards that both catalogues use, so that a learner of one simulator has a
//! standard in the other. The 736 ST codes and titles are real (see `apprenticeship-standards.md`),
//! and so are the LARS codes of ST0070, ST0384, ST0005 and ST0116. All other LARS codes are
//! invented: from 1001 up, where no real one is.

use std::io;

const TITLES: &str = include_str!("apprenticeship-standards.csv");

#[derive(Debug, Clone)]
pub struct Title {
    pub st_code: String,
    pub name: String,
    pub lars_code: String,
    /// Whether the LARS code is the real one.
    pub known: bool,
}

/// All standards, in the order of their ST codes.
pub fn all() -> io::Result<Vec<Title>> {
    let mut titles = Vec::new();
    let mut rows = csv::Reader::from_reader(TITLES.as_bytes());
    for (index, row) in (1001_u32..).zip(rows.records()) {
        let row = row.map_err(io::Error::other)?;
        let (Some(st_code), Some(title)) = (row.get(0), row.get(1)) else { continue };
        let known = known_lars(st_code);
        titles.push(Title {
            st_code: st_code.to_owned(),
            name: title.to_owned(),
            lars_code: known.map_or_else(|| index.to_string(), str::to_owned),
            known: known.is_some(),
        });
    }
    Ok(titles)
}

/// The LARS codes that are public.
fn known_lars(st_code: &str) -> Option<&'static str> {
    match st_code {
        "ST0070" => Some("196"),
        "ST0384" => Some("105"),
        "ST0005" => Some("119"),
        "ST0116" => Some("2"),
        _ => None,
    }
}
