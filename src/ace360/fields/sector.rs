//! The employer's sector, from the organisation's provisions. ACE360 takes one only.

use super::input::{NO_CATALOGUE, UploadInput};
use super::reading::{Reading, sent};
use crate::ace360::client::wire::Sector;
use crate::domain::{Organisation, Provision};

pub(super) const SOURCE: &str = "Organisation > Provisions > ACE360 Employer Sector";

/// The type of the provisions that name a sector.
const PROVISION_TYPE: &str = "ACE360 Employer Sector";

/// None at all is a warning, since ACE360 may do without. One that names nothing, or two, is missing: a
/// sector was meant, and what is sent once is not sent again.
pub(super) fn read(input: &UploadInput<'_>, employer: &Organisation) -> Reading {
    let fault = |index: usize, message: &str| Reading::fault_at(format!("/provisions/{index}"), message);
    match find(&employer.provisions, input.sectors) {
        Found::One(id) => {
            let name = input.sectors.iter().find(|sector| sector.id == id).map(|sector| sector.name.as_str());
            sent(Some(id)).shown_at(format!("{SOURCE} ({})", name.unwrap_or_default()))
        }
        Found::None => Reading::default(),
        Found::Unknown(index) if input.has_no_catalogue() => fault(index, NO_CATALOGUE),
        Found::Unknown(index) => fault(
            index,
            &format!(
                "This provision names no sector of ACE360's: make its code the sector's id or its description the \
                 sector's name (GET /ace360/sectors) in PICSWeb: {SOURCE}."
            ),
        ),
        Found::Several(index) => {
            fault(index, &format!("Only one employer sector can be sent: leave one in PICSWeb: {SOURCE}."))
        }
    }
}

/// What the provisions say.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    One(i64),
    /// No provision of the type.
    None,
    /// One that names no sector we know: its place in the list.
    Unknown(usize),
    /// More than one: the place of the second.
    Several(usize),
}

/// Several provisions that name the same sector are one.
fn find(provisions: &[Provision], sectors: &[Sector]) -> Found {
    let of_type =
        |provision: &Provision| provision.kind.as_deref().is_some_and(|kind| same(kind, PROVISION_TYPE));
    let mut named = provisions
        .iter()
        .enumerate()
        .filter(|(_, provision)| of_type(provision))
        .map(|(index, provision)| (index, sector(provision, sectors)));
    let Some((index, first)) = named.next() else { return Found::None };
    if let Some((second, _)) = named.find(|(_, sector)| sector.is_none() || *sector != first) {
        return Found::Several(second);
    }
    first.map_or(Found::Unknown(index), Found::One)
}

/// By code, which is ACE360's id; else by description, its name, if that is the name of one only.
fn sector(provision: &Provision, sectors: &[Sector]) -> Option<i64> {
    let id = provision.code.as_deref().and_then(|code| code.trim().parse().ok());
    let by_code = sectors.iter().find(|sector| Some(sector.id) == id);
    by_code.map(|sector| sector.id).or_else(|| {
        let name = provision.description.as_deref()?;
        let mut ids = sectors.iter().filter(|sector| same(&sector.name, name)).map(|sector| sector.id);
        let id = ids.next()?;
        ids.all(|other| other == id).then_some(id)
    })
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provision(kind: &str, code: &str, description: &str) -> Provision {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Provision { kind: text(kind), code: text(code), description: text(description) }
    }

    #[test]
    fn one_sector_by_code_else_by_name() {
        let sectors: Vec<Sector> = [(1, "Information Technology"), (2, "Retail"), (3, "Care"), (4, "care")]
            .map(|(id, name)| Sector { id, name: name.to_owned() })
            .into();
        let ours = |code: &str, description: &str| provision(PROVISION_TYPE, code, description);
        for (provisions, found) in [
            (vec![], Found::None),
            (vec![provision("Other", "1", "Retail")], Found::None),
            (vec![provision("", "1", "")], Found::None),
            (vec![ours("1", "")], Found::One(1)),
            (vec![ours(" 2 ", "Information Technology")], Found::One(2)),
            (vec![ours("IT", " information technology ")], Found::One(1)),
            (vec![ours("99", "Retail")], Found::One(2)),
            (vec![provision(" ace360 employer sector", "", "RETAIL")], Found::One(2)),
            (vec![ours("99", "Nothing")], Found::Unknown(0)),
            (vec![ours("", "Care")], Found::Unknown(0)),
            (vec![provision("Other", "", ""), ours("", "")], Found::Unknown(1)),
            (vec![ours("1", ""), ours("2", "")], Found::Several(1)),
            (vec![ours("1", ""), ours("", "Information Technology")], Found::One(1)),
            (vec![ours("1", ""), ours("99", "")], Found::Several(1)),
            (vec![ours("98", ""), ours("99", "")], Found::Several(1)),
        ] {
            assert_eq!(find(&provisions, &sectors), found, "{provisions:?}");
        }
        assert_eq!(find(&[ours("1", "Retail")], &[]), Found::Unknown(0));
    }
}
