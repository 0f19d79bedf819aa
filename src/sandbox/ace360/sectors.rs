//! Sectors of standards and employers. ACE360's own list is not public. Names and ids are invented,
//! except "Information Technology" (the documentation's example, id 1).

use serde::Serialize;

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Sector {
    pub id: u32,
    pub name: &'static str,
}

/// A sector, with words in titles that indicate it. The first match counts.
const SECTORS: [(&str, &[&str]); 15] = [
    ("Information Technology", &["software", "data", "digital", "cyber", "network", "web", "it "]),
    ("Care Services", &["care", "child", "early years", "youth"]),
    (
        "Health and Science",
        &["health", "nurs", "clinical", "dental", "laborator", "scien", "pharm", "therap"],
    ),
    ("Business and Administration", &["business", "admin", "leader", "manager", "project", "human resource"]),
    ("Legal, Finance and Accounting", &["account", "financ", "legal", "insur", "payroll", "bank", "tax"]),
    ("Education", &["teach", "educat", "learning", "librar", "assess"]),
    (
        "Construction and the Built Environment",
        &["brick", "carpent", "construct", "plaster", "survey", "build"],
    ),
    (
        "Engineering and Manufacturing",
        &["engineer", "manufactur", "machin", "weld", "technician", "maintenance"],
    ),
    ("Agriculture and Environment", &["farm", "agric", "animal", "horti", "forest", "countryside", "crop"]),
    ("Catering and Hospitality", &["chef", "cater", "hospital", "food", "baker", "butcher", "brew"]),
    ("Creative and Design", &["creative", "design", "media", "museum", "arts", "craft", "photo"]),
    ("Hair and Beauty", &["hair", "beauty", "barber", "nail"]),
    ("Protective Services", &["police", "fire", "security", "safety", "custody", "armed", "military"]),
    ("Sales and Marketing", &["sales", "market", "retail", "customer", "event"]),
    ("Transport and Logistics", &["driv", "transport", "logistic", "rail", "aviation", "vehicle", "supply"]),
];

pub fn find(id: u64) -> Option<Sector> {
    all().find(|sector| u64::from(sector.id) == id)
}

/// The sector that a standard's title indicates, or else the one that `otherwise` selects.
pub fn of_title(title: &str, otherwise: usize) -> Sector {
    let title = title.to_lowercase() + " ";
    let place = SECTORS.iter().position(|(_, words)| words.iter().any(|word| title.contains(word)));
    let place = place.unwrap_or(otherwise % SECTORS.len());
    all().nth(place).unwrap_or(Sector { id: 1, name: SECTORS[0].0 })
}

fn all() -> impl Iterator<Item = Sector> {
    (1..).zip(SECTORS).map(|(id, (name, _))| Sector { id, name })
}
