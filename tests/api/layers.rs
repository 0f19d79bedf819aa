//! The import rule: floors import downwards only, SQL is in the store, and one file makes HTTP calls.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The ground: it imports nothing of ours, but for what stands behind the colon.
const GROUND: [(&str, &[&str]); 6] = [
    ("clock", &[]),
    // Whether a master key is one.
    ("config", &["seal"]),
    ("seal", &[]),
    ("http", &[]),
    // How the log is to be written.
    ("telemetry", &["config"]),
    ("embedded_postgres", &[]),
];

/// The floors above it, lowest first; modules of one floor do not import each other.
const FLOORS: [&[&str]; 7] = [
    &["domain"],
    &["store"],
    &["upstream", "auth"],
    &["ace360", "onefile", "webhooks"],
    &["runs"],
    &["api"],
    &["app"],
];

/// Stands beside the house.
const ALONE: &str = "sandbox";
/// Over all floors.
const TOP: [&str; 4] = ["main", "cli", "lib", "build"];

struct Source {
    path: String,
    module: String,
    /// Without comments.
    lines: Vec<String>,
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    let sources = found.into_iter().map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let module = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let lines = text.lines().map(|line| line.split("//").next().unwrap().to_owned()).collect();
        Source { path, module, lines }
    });
    sources.collect()
}

/// The modules of ours that a file names, with the line.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in source.lines.iter().enumerate() {
        for prefix in ["crate::", "picsbridge::"] {
            for (before, rest) in line.match_indices(prefix).map(|(at, _)| line.split_at(at + prefix.len())) {
                // The name of a log target is none.
                if before.ends_with(&format!("\"{prefix}")) {
                    continue;
                }
                // `use crate::{a, b}` names several.
                let names = match rest.strip_prefix('{') {
                    Some(list) => list.split('}').next().unwrap().split(',').collect(),
                    None => vec![rest],
                };
                for name in names {
                    let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                    let name = name.trim().split(end).next().unwrap();
                    if name.starts_with(|c: char| c.is_ascii_lowercase()) {
                        found.push((number + 1, name.to_owned()));
                    }
                }
            }
        }
    }
    found
}

/// What a module may import besides itself; `None`: anything.
fn allowed(module: &str) -> Option<BTreeSet<&'static str>> {
    if TOP.contains(&module) {
        return None;
    }
    if module == ALONE {
        return Some(BTreeSet::new());
    }
    if let Some((_, own)) = GROUND.iter().find(|(name, _)| *name == module) {
        return Some(own.iter().copied().collect());
    }
    let floor = FLOORS.iter().position(|floor| floor.contains(&module)).unwrap_or_else(|| {
        panic!("src/{module} stands on no floor: say in this test which one it belongs to");
    });
    let below = FLOORS.iter().take(floor).flat_map(|floor| floor.iter().copied());
    Some(below.chain(GROUND.iter().map(|(name, _)| *name)).collect())
}

fn faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let Some(allowed) = allowed(&source.module) else { continue };
        for (line, name) in imports(source) {
            if name != source.module && !allowed.contains(name.as_str()) {
                faults.push(format!("src/{}:{line}: {} must not import {name}", source.path, source.module));
            }
        }
    }
    faults
}

/// Where lines name something outside the files that may.
fn named_outside(sources: &[Source], words: &[&str], may: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !may(&source.path)) {
        for (number, line) in source.lines.iter().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("src/{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn imports_run_down_a_floor_and_never_up() {
    let found = faults(&sources());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_wrong_import_would_be_found() {
    let source = |module: &str, line: &str| Source {
        path: format!("{module}/x.rs"),
        module: module.to_owned(),
        lines: vec![line.to_owned()],
    };
    for (module, line) in [
        ("domain", "use crate::store::Store;"),
        ("store", "use crate::{domain::Fault, api};"),
        ("ace360", "    let x = crate::onefile::client();"),
        ("ace360", "use crate::runs;"),
        ("upstream", "use crate::auth::Auth;"),
        ("clock", "use crate::config::Config;"),
        ("sandbox", "use crate::domain::Uln;"),
        ("api", "use picsbridge::app::Parts;"),
    ] {
        assert_eq!(faults(&[source(module, line)]).len(), 1, "{module}: {line}");
    }
    for (module, line) in [
        ("ace360", "use crate::upstream::call::Caller;"),
        ("api", "use crate::api::problem::Problem;"),
        ("main", "use picsbridge::app::Parts;"),
    ] {
        assert!(faults(&[source(module, line)]).is_empty(), "{module}: {line}");
    }
}

#[test]
fn sql_is_written_in_the_store_alone() {
    let words = ["query!", "query_as!", "query_scalar!", "sqlx::query", "sqlx::raw_sql", "QueryBuilder"];
    // The embedded server makes its database before there is a store.
    let may = |path: &str| path.starts_with("store/") || path == "embedded_postgres/server.rs";
    let found = named_outside(&sources(), &words, may);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn one_module_makes_http_calls() {
    let may = |path: &str| path == "http.rs" || path.starts_with("http/");
    let found = named_outside(&sources(), &["reqwest::"], may);
    // The composition root names its error.
    let found: Vec<_> = found.into_iter().filter(|line| !line.contains("#[from] reqwest::Error")).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
