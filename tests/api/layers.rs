//! The rules of imports: layers import only downwards, files have no circles, only the store
//! contains SQL, one module makes HTTP calls, and test files import only what all tests share.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::imports::{Link, Source, circles, files, links};

/// The base: each module with the modules that it may import.
const GROUND: [(&str, &[&str]); 6] = [
    ("clock", &[]),
    // It checks the master key.
    ("config", &["seal"]),
    ("seal", &[]),
    ("http", &[]),
    // It reads the settings of the log.
    ("telemetry", &["config"]),
    ("embedded_postgres", &[]),
];

/// The layers above it, lowest first. Modules of one layer do not import each other.
const FLOORS: [&[&str]; 10] = [
    &["domain"],
    &["store"],
    &["issues"],
    &["upstream", "auth"],
    &["ace360", "onefile", "webhooks"],
    &["runs"],
    &["api", "console"],
    &["app"],
    &["cli"],
    &["main"],
];

/// The rooms of `ace360/` and `onefile/`, lowest first; a room imports only from those below it.
const ROOMS: [&str; 7] = ["client", "fields", "catalogue", "links", "create", "sync", "setup"];

/// It shares no code with the clients that it tests.
const ALONE: &str = "sandbox";
/// They only list modules, and import nothing.
const LISTS: [&str; 2] = ["lib", "build"];

fn house() -> BTreeMap<String, String> {
    files("src")
}

/// The layer or base module of a file: `api` for `src/api/runs.rs`.
fn part(file: &str) -> &str {
    file.split('/').nth(1).unwrap().trim_end_matches(".rs")
}

/// The module of a file, as the compiler finds it.
fn module(root: &str, name: &str) -> Vec<String> {
    let path = name.trim_end_matches(".rs").trim_end_matches("/mod").split('/');
    let path = path.filter(|step| !matches!(*step, "lib" | "main")).map(str::to_owned);
    std::iter::once(root.to_owned()).chain(path).collect()
}

/// The links between the files of `src`. There are two crates, and the binary uses the library by
/// its name.
fn house_links(files: &BTreeMap<String, String>) -> Vec<Link> {
    let sources: Vec<_> = files
        .iter()
        .map(|(name, text)| {
            let file = format!("src/{name}");
            let root = if matches!(part(&file), "main" | "cli") { "the binary" } else { "picsbridge" };
            Source { file, module: module(root, name), text: text.clone() }
        })
        .collect();
    links(&sources)
}

/// The parts that a part may import besides itself.
fn allowed(part: &str) -> BTreeSet<&'static str> {
    if part == ALONE || LISTS.contains(&part) {
        return BTreeSet::new();
    }
    if let Some((_, own)) = GROUND.iter().find(|(name, _)| *name == part) {
        return own.iter().copied().collect();
    }
    let floor = FLOORS.iter().position(|floor| floor.contains(&part)).unwrap_or_else(|| {
        panic!("src/{part} stands on no floor: say in this test which one it belongs to");
    });
    let below = FLOORS.iter().take(floor).flat_map(|floor| floor.iter().copied());
    // The binary starts the sandbox.
    let beside = (floor + 2 >= FLOORS.len()).then_some(ALONE);
    below.chain(GROUND.iter().map(|(name, _)| *name)).chain(beside).collect()
}

/// The links that lead upwards, or within a layer.
fn upward(links: &[Link]) -> Vec<String> {
    let wrong = links.iter().filter(|link| {
        let (from, to) = (part(&link.from), part(&link.to));
        from != to && !allowed(from).contains(to)
    });
    wrong.map(told).collect()
}

/// The room that a file of `ace360/` or `onefile/` is in. The folder's own files are in none.
fn room(file: &str) -> Option<(&str, usize)> {
    let mut path = file.split('/').skip(1);
    let system = path.next().filter(|part| ["ace360", "onefile"].contains(part))?;
    let name = path.next()?;
    // A file beside the rooms.
    path.next()?;
    let floor = ROOMS.iter().position(|room| *room == name);
    Some((system, floor.unwrap_or_else(|| panic!("src/{system}/{name} is no room: {ROOMS:?}"))))
}

/// The links from a room to a higher one.
fn upstairs(links: &[Link]) -> Vec<String> {
    let wrong = links.iter().filter(|link| match (room(&link.from), room(&link.to)) {
        (Some((from, lower)), Some((to, higher))) => from == to && higher > lower,
        _ => false,
    });
    wrong.map(told).collect()
}

fn told(link: &Link) -> String {
    format!("{}:{}: {} is of {}", link.from, link.line, link.path, link.to)
}

/// Each circle with its links.
fn faulty_circles(links: &[Link]) -> Vec<String> {
    let told_all = |circle: Vec<&Link>| circle.into_iter().map(told).collect::<Vec<_>>().join("\n");
    circles(links).into_iter().map(told_all).collect()
}

/// Invented files of `src`.
fn made_up(files: &[(&str, &str)]) -> Vec<Link> {
    let parts = FLOORS.iter().flat_map(|floor| floor.iter().copied());
    let parts = parts.chain(GROUND.iter().map(|(name, _)| *name)).chain([ALONE]);
    let empty = parts.map(|part| (format!("{part}/mod.rs"), String::new()));
    let given = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    house_links(&empty.chain(given).collect())
}

/// The lines that name something outside the allowed files.
fn named_outside(words: &[&str], may: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in house().iter().filter(|(name, _)| !may(name)) {
        for (number, line) in text.lines().enumerate() {
            let line = line.split("//").next().unwrap();
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("src/{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn imports_run_down_a_floor_and_never_up() {
    let found = upward(&house_links(&house()));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_wrong_import_would_be_found() {
    for (file, text) in [
        ("domain/x.rs", "use crate::store::Store;"),
        ("store/x.rs", "use crate::{domain::Fault, api};"),
        ("ace360/x.rs", "fn x() { let x = crate::onefile::client(); }"),
        ("ace360/x.rs", "use crate::runs;"),
        ("upstream/x.rs", "use crate::auth::Auth;"),
        ("clock/x.rs", "use crate::config::Config;"),
        ("sandbox/x.rs", "use crate::domain::Uln;"),
        ("app/x.rs", "use crate::sandbox::Sandbox;"),
        ("cli/x.rs", "use crate::Command;"),
    ] {
        let main = ("main.rs", "mod cli; enum Command {}");
        assert_eq!(upward(&made_up(&[(file, text), main])).len(), 1, "{file}: {text}");
    }
    for (file, text) in [
        ("ace360/x.rs", "use crate::upstream::call::Caller;"),
        ("api/x.rs", "use crate::api::problem::Problem;"),
        ("cli/x.rs", "use picsbridge::{app::Parts, sandbox::Sandbox};"),
        ("main.rs", "use picsbridge::app::Parts;"),
        ("domain/x.rs", "/// [`crate::store::Store`]\nconst TARGET: &str = \"crate::store::Store\";"),
    ] {
        let found = upward(&made_up(&[(file, text)]));
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}

#[test]
fn a_room_imports_only_from_the_rooms_below_it() {
    let found = upstairs(&house_links(&house()));
    assert!(found.is_empty(), "{}", found.join("\n"));
    let wrong =
        [("ace360/create/x.rs", "use crate::ace360::sync::y::Y;"), ("ace360/sync/y.rs", "pub struct Y;")];
    assert_eq!(upstairs(&made_up(&wrong)).len(), 1);
}

#[test]
fn no_file_needs_a_file_that_needs_it() {
    let found = faulty_circles(&house_links(&house()));
    assert!(found.is_empty(), "{} circles of files:\n\n{}", found.len(), found.join("\n\n"));
}

#[test]
fn a_circle_would_be_found() {
    // Circles of a parent and its child; over three files; by a path in code, in a macro or in an
    // attribute; through a re-export.
    let parent = "mod y;\npub struct X;\nfn f() { y::g(); }";
    for circle in [
        [("api/x/mod.rs", parent), ("api/x/y.rs", "use super::X;\npub fn g() {}"), ("api/z.rs", "")],
        [("api/x/mod.rs", parent), ("api/x/y.rs", "pub fn g() { vec![super::X]; }"), ("api/z.rs", "")],
        [
            ("api/x.rs", "use super::{y::{self as other, Y}};\npub struct X;"),
            ("api/y.rs", "use crate::api::{\n    z,\n};\npub struct Y(z::Z);"),
            ("api/z.rs", "#[schema(value_type = super::super::api::x::X)]\npub struct Z;"),
        ],
        [
            ("api/mod.rs", "mod x;\nmod y;\npub use x::X;\npub use y::*;"),
            ("api/x.rs", "pub struct X(super::Y);"),
            ("api/y.rs", "mod inner { pub type Y = super::super::X; }\npub struct Y;"),
        ],
    ] {
        assert_eq!(faulty_circles(&made_up(&circle)).len(), 1, "{circle:?}");
    }
    // A parent does not depend on what it only lists and re-exports.
    let plain = [
        ("api/x/mod.rs", "mod y;\npub use y::Y;\npub struct X;"),
        ("api/x/y.rs", "use super::X;\npub struct Y(X);\nmod tests { use super::*; }"),
    ];
    assert_eq!(faulty_circles(&made_up(&plain)), Vec::<String>::new());
}

#[test]
fn test_files_import_only_what_all_tests_share() {
    let files = files("tests");
    let binaries: BTreeSet<_> = files.keys().filter_map(|name| name.strip_suffix("/main.rs")).collect();
    let mut found = Vec::new();
    for binary in binaries {
        let sources: Vec<_> = files
            .iter()
            .filter_map(|(name, text)| {
                let own = name.strip_prefix(binary).and_then(|name| name.strip_prefix('/'));
                let place = own.or_else(|| name.starts_with("support/").then_some(&**name))?;
                let file = format!("tests/{name}");
                Some(Source { file, module: module("the test", place), text: text.clone() })
            })
            .collect();
        let links = links(&sources);
        found.extend(links.iter().filter(|link| link.item && part(&link.to) != "support").map(told));
        found.extend(faulty_circles(&links));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_folder_has_its_module_within() {
    let files = house();
    let beside = files.keys().filter(|name| {
        let folder = format!("{}/", name.trim_end_matches(".rs"));
        files.keys().any(|other| other.starts_with(&folder))
    });
    let beside: Vec<_> = beside.collect();
    assert!(beside.is_empty(), "call it mod.rs, in the folder: {beside:?}");
}

#[test]
fn sql_is_written_in_the_store_alone() {
    let words = ["query!", "query_as!", "query_scalar!", "sqlx::query", "sqlx::raw_sql", "QueryBuilder"];
    // The embedded server creates its database before there is a store.
    let may = |path: &str| path.starts_with("store/") || path == "embedded_postgres/server.rs";
    let found = named_outside(&words, may);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn one_module_makes_http_calls() {
    let found = named_outside(&["reqwest::"], |path| path.starts_with("http/"));
    // The composition root names the error type.
    let found: Vec<_> = found.into_iter().filter(|line| !line.contains("#[from] reqwest::Error")).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
