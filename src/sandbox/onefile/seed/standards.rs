//! The learning aims that a centre can assign. Each is a `Standard` in OneFile.
//!
//! An apprenticeship standard has four: AS the standard itself, OP on-programme learning, GW
//! gateway, EP end-point assessment. Their code is the LARS code with these letters. The place of
//! the code differs, because people enter it by hand. LARS 105 is correct everywhere, in two
//! centres. 196 has pathways, two with each code. 119 has its code only in `NDAQCode`, and there is
//! an archived 119AS. 2 is only in the second centre.

use serde_json::{Value, json};

use super::maker::Maker;
use crate::sandbox::onefile::kind::Kind;
use crate::sandbox::titles::Title;

const AIMS: [(&str, &str); 4] = [
    ("AS", "Apprenticeship standard"),
    ("OP", "On-programme learning"),
    ("GW", "Gateway"),
    ("EP", "End-point assessment"),
];

/// The place of a learning aim's code.
#[derive(Debug, Clone, Copy)]
enum Style {
    /// In brackets at the end of the title: `Title [105AS]`.
    Bracket,
    /// In brackets and in `NDAQCode`.
    Both,
    Code,
    /// In the last of several brackets.
    Brackets,
    /// In brackets, in lower case and with spaces.
    Sloppy,
    /// There is no code, so nothing can match it.
    Nowhere,
}

const STYLES: [Style; 6] =
    [Style::Bracket, Style::Both, Style::Code, Style::Brackets, Style::Sloppy, Style::Nowhere];

pub fn catalogue(maker: &mut Maker, [main, north, south]: [u64; 3]) {
    let titles = maker.titles;
    let known = |lars: &str| titles.iter().find(|title| title.known && title.lars_code == lars);
    let others: Vec<&Title> = titles.iter().filter(|title| !title.known).take(50).collect();
    if let (Some(easy), Some(coded), Some(forked), Some(far)) =
        (known("105"), known("119"), known("196"), known("2"))
    {
        let whole = aims(maker, main, easy, Style::Bracket, "");
        template(maker, main, &easy.name, &whole);
        units(maker, main, &whole);
        aims(maker, main, coded, Style::Code, "");
        let old = aim(maker, main, coded, AIMS[0], Style::Bracket, " (until 2020)");
        maker.archive(old);
        aims(maker, main, forked, Style::Bracket, " (Operations)");
        aims(maker, main, forked, Style::Bracket, " (Commercial)");
        aims(maker, north, easy, Style::Bracket, "");
        aims(maker, north, far, Style::Bracket, "");
    }
    for (number, title) in others.iter().take(40).enumerate() {
        let style = STYLES[number % STYLES.len()];
        // Some centres do not keep the end of an apprenticeship in OneFile.
        let count = if number % 10 == 7 { 2 } else { AIMS.len() };
        for part in AIMS.into_iter().take(count) {
            aim(maker, main, title, part, style, "");
        }
    }
    for title in others.iter().skip(40) {
        aims(maker, north, title, Style::Bracket, "");
    }
    for title in others.iter().take(5) {
        aims(maker, south, title, Style::Bracket, "");
    }
    // Ordinary qualifications. Numbers and titles are invented.
    for (title, code) in [
        ("Level 2 Diploma in Sample Care [603/9001/1]", None),
        ("Level 3 Diploma in Sample Care", Some("603/9002/3")),
        ("Functional Skills English Level 2 (sample) [60390035]", None),
        ("Functional Skills Mathematics Level 2 (sample) [603/9004/7]", Some("60390047")),
    ] {
        maker.add(Kind::Standard, main, json!({ "Title": title, "NDAQCode": code }));
    }
}

fn aims(maker: &mut Maker, centre: u64, title: &Title, style: Style, note: &str) -> Vec<u64> {
    AIMS.into_iter().map(|part| aim(maker, centre, title, part, style, note)).collect()
}

fn aim(
    maker: &mut Maker,
    centre: u64,
    title: &Title,
    (letters, part): (&str, &str),
    style: Style,
    note: &str,
) -> u64 {
    let code = format!("{}{letters}", title.lars_code);
    let plain = format!("{}{note} - {part}", title.name);
    let (title, code) = match style {
        Style::Bracket => (format!("{plain} [{code}]"), None),
        Style::Both => (format!("{plain} [{code}]"), Some(code)),
        Style::Code => (plain, Some(code)),
        Style::Brackets => (format!("[Sample] {plain} [Level 3] [{code}]"), None),
        Style::Sloppy => (format!("{plain}  [ {} ] ", code.to_lowercase()), None),
        Style::Nowhere => (plain, None),
    };
    maker.add(Kind::Standard, centre, json!({ "Title": title, "NDAQCode": code }))
}

/// Three units for each of these standards.
fn units(maker: &mut Maker, centre: u64, standards: &[u64]) {
    for (standard, number) in
        standards.iter().flat_map(|standard| (1..=3).map(move |number| (standard, number)))
    {
        let fields = json!({
            "Title": format!("Unit {number}"),
            "NDAQCode": format!("U/{standard}/{number}"),
            "Display": format!("Unit {number} (sample)"),
            "StandardID": standard
        });
        maker.add(Kind::Unit, centre, fields);
    }
}

fn template(maker: &mut Maker, centre: u64, title: &str, standards: &[u64]) {
    let fields: Value = json!({ "Title": format!("{title}, whole programme"), "StandardIDs": standards });
    maker.add(Kind::FrameworkTemplate, centre, fields);
}

/// More learning aims for size tests: the next standards of the list, then the list again.
pub fn more(maker: &mut Maker, centre: u64, count: usize) -> Vec<u64> {
    let titles = maker.titles;
    let others = titles.iter().filter(|title| !title.known).skip(50).cycle();
    let parts = others.flat_map(|title| AIMS.map(|part| (title, part))).take(count);
    parts.map(|(title, part)| aim(maker, centre, title, part, Style::Bracket, "")).collect()
}
