//! Texts that say what to do about a VQ reference or a standard.

use super::catalogue::{CatalogueRow, Found};
use super::report::{AimCoverage, Choose, CoverageState};

const REFRESH: &str = "then refresh the links (POST /onefile/qualifications:refresh)";

pub fn item(shown: &str, found: &Found<'_>, choose: &[Choose], similar: &[String]) -> String {
    match (choose, found.live.len()) {
        ([], 1) => "Found: nothing to do.".to_owned(),
        ([], _) => missing(shown, found, similar),
        ([Choose::Centre], _) => format!(
            "In several centres ({}): choose the centre at the enrolment (`centreId`).",
            centres(&found.live)
        ),
        ([Choose::Pathway], _) => format!(
            "OneFile has {} pathways with this code: choose one at the enrolment (`pathways`).",
            found.live.len()
        ),
        _ => format!(
            "In several centres ({}), in some as several pathways: choose both at the enrolment (`centreId`, `pathways`).",
            centres(&found.live)
        ),
    }
}

fn missing(shown: &str, found: &Found<'_>, similar: &[String]) -> String {
    if !found.archived.is_empty() {
        return format!(
            "Only archived in OneFile (centre {}): take it out of the archive there, {REFRESH}; until then enrolments leave it \
             out.",
            centres(&found.archived)
        );
    }
    if !similar.is_empty() {
        return format!(
            "OneFile has {}: if that is meant, write it so in PICSWeb (Qualification > VQ Reference).",
            similar.join(" and ")
        );
    }
    format!(
        "No learning aim in OneFile has the code [{shown}] after its title: correct it in PICSWeb (Qualification > VQ \
         Reference), or add the aim in OneFile, {REFRESH}; until then enrolments leave it out."
    )
}

fn centres(rows: &[&CatalogueRow<'_>]) -> String {
    let mut ids: Vec<&str> = rows.iter().map(|row| row.centre_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.join(", ")
}

pub fn standard(aims: &[AimCoverage]) -> String {
    let listed = |chosen: &dyn Fn(&AimCoverage) -> bool| {
        let codes: Vec<&str> = aims.iter().filter(|aim| chosen(aim)).map(|aim| aim.code.as_str()).collect();
        codes.join(", ")
    };
    let absent = listed(&|aim| aim.state == CoverageState::Missing);
    let unclear = listed(&|aim| aim.state == CoverageState::Ambiguous);
    let unplanned = listed(&|aim| aim.not_in_plan.count > 0);
    let mut said = Vec::new();
    if !absent.is_empty() {
        said.push(format!(
            "Not in OneFile: {absent}. If they are kept there, give these learning aims the codes in OneFile, {REFRESH}."
        ));
    }
    if !unclear.is_empty() {
        said.push(format!("In several places: {unclear}. Choose centre or pathway at the enrolment."));
    }
    if !unplanned.is_empty() {
        said.push(format!(
            "Not in every delivery plan: {unplanned}. Add a qualification with that VQ reference in PICSWeb, or it does not \
             go to OneFile."
        ));
    }
    if said.is_empty() { "All four are there: nothing to do.".to_owned() } else { said.join(" ") }
}
