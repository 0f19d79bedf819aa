//! Centres, placements and classrooms.

use serde_json::json;

use super::maker::Maker;
use crate::sandbox::names::EMPLOYERS;
use crate::sandbox::onefile::kind::Kind;

pub fn centres(maker: &mut Maker) -> [u64; 3] {
    [
        ("Copperfold Training (sample)", true),
        ("Copperfold North (sample)", false),
        ("Copperfold South (sample)", false),
    ]
    .map(|(name, keychain)| {
        let fields = json!({
            "Name": name,
            "KeychainCreationForNewUserActive": keychain,
            "KeychainEmailSuppression": !keychain
        });
        maker.add(Kind::Organisation, 0, fields)
    })
}

/// Names that are nearly equal or hard to read, so that a person has to decide.
const AWKWARD: [(&str, Option<&str>); 8] = [
    ("Larkrise Services Ltd", Some("E-L1")),
    ("Larkrise Services Limited", None),
    ("LARKRISE SERVICES LTD", None),
    (" Larkrise  Services Ltd. ", None),
    ("Larkrise Services (Oxford)", Some("E-L2")),
    ("Café Zoë & Søn (sample)", Some("E-Z1")),
    ("Tideway Group", Some("E-T1")),
    ("The Tideway Group", None),
];

/// Sixty placements: 40 in the main centre, 12 and 8 in the others.
pub fn placements(maker: &mut Maker, [main, north, south]: [u64; 3]) {
    for (number, (name, mis)) in (0_u64..).zip(AWKWARD) {
        let address = format!("{} Sample Street\nSampleton\nZZ1 {number}ZZ", number + 1);
        placement(maker, main, Some(name), mis, &address, true);
    }
    // A placement without a name, which OneFile's pages allow.
    placement(maker, main, None, Some("E-NONAME"), "", true);
    let rest = [(main, 31), (north, 12), (south, 8)];
    for (centre, number) in
        rest.into_iter().flat_map(|(centre, count)| (1..=count).map(move |it| (centre, it)))
    {
        let employer = EMPLOYERS[usize::try_from(number).unwrap_or(0) % EMPLOYERS.len()];
        let name = format!("{employer} {number}");
        // Centres share MIS values if they share employers: it is one PICSWeb organisation.
        let mis = (number % 3 != 0).then(|| format!("E-{number:02}"));
        // Some addresses have lines, some have commas.
        let separator = if number % 4 == 0 { ", " } else { "\n" };
        let address =
            [format!("{number} Sample Lane"), "Sampleton".to_owned(), format!("ZZ2 {}ZZ", number % 10)];
        placement(maker, centre, Some(&name), mis.as_deref(), &address.join(separator), number % 11 != 0);
    }
}

fn placement(
    maker: &mut Maker,
    centre: u64,
    name: Option<&str>,
    mis: Option<&str>,
    address: &str,
    active: bool,
) {
    let fields = json!({ "Name": name, "MISID": mis, "Address": address, "Active": active });
    maker.add(Kind::Placement, centre, fields);
}

/// `Autumn 2025` is in two centres. `Spring 2020` exists only in the archive.
pub fn classrooms(maker: &mut Maker, [main, north, south]: [u64; 3]) {
    let rooms = [
        (main, "Main", false),
        (main, "Autumn 2025", false),
        (main, "Engineering A", false),
        (main, "Care B", false),
        (main, "Spring 2020", true),
        (north, "Main", false),
        (north, "Autumn 2025", false),
        (south, "South", false),
    ];
    for (centre, name, archived) in rooms {
        let fields = json!({ "Name": name, "StartOn": "2025-09-01T00:00:00.000Z", "Archive": archived });
        maker.add(Kind::Classroom, centre, fields);
    }
}
