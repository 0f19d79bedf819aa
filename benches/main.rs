//! Measures what the service costs, often relative to the simplest program that does the same:
//! `cargo bench -- load|upload|import|sync|refresh|pace|exchange|minute|providers|suggest|all`.
//!
//! Each bench prints its figures, and at the end a line for each bound. These are not tests:
//! figures are noisy on a machine that does other work. Both sides of a ratio are measured in
//! turns, in the same run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench stops at anything unexpected, and its figures are rounded anyway"
)]

mod exchange;
mod figures;
mod floor;
#[path = "../tests/support/folder.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod folder;
mod ground;
mod http;
mod import;
mod load;
mod pace;
#[path = "../tests/support/people.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod people;
mod process;
mod proxy;
mod real;
mod refresh;
mod suggest;
mod sync;
mod upload;

use std::process::ExitCode;

use figures::Bound;
use ground::Ground;

const USAGE: &str =
    "cargo bench -- load|upload|import|sync|refresh|pace|exchange|minute|providers|suggest|all";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == floor::HIDDEN) {
        floor::serve(&arguments[1..]);
        return ExitCode::SUCCESS;
    }
    if arguments.first().is_some_and(|argument| argument == suggest::HIDDEN) {
        suggest::once(&arguments[1..]);
        return ExitCode::SUCCESS;
    }
    // `cargo bench` adds `--bench`. Without it, somebody runs all targets as tests.
    let benching = arguments.iter().any(|argument| argument == "--bench");
    let mut names: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|name| !name.starts_with("--")).collect();
    if names.is_empty() {
        if !benching {
            println!("This is a bench, not a test. Run it with: {USAGE}");
            return ExitCode::SUCCESS;
        }
        names.push("all");
    }
    if let Some(unknown) = names.iter().find(|name| {
        ![
            "load",
            "upload",
            "import",
            "sync",
            "refresh",
            "pace",
            "exchange",
            "minute",
            "providers",
            "suggest",
            "all",
        ]
        .contains(name)
    }) {
        eprintln!("There is no bench `{unknown}`. Usage: {USAGE}");
        return ExitCode::FAILURE;
    }
    let wanted = |name: &str| names.iter().any(|asked| *asked == name || *asked == "all");
    let mut bounds: Vec<Bound> = Vec::new();
    if wanted("suggest") {
        bounds.extend(suggest::run());
    }
    if names.iter().any(|name| *name != "suggest") {
        bounds.extend(on_ground(wanted));
    }
    println!("\n== bounds");
    for bound in &bounds {
        println!("{bound}");
    }
    ExitCode::SUCCESS
}

/// Runs the benches that need a database and the service.
fn on_ground(wanted: impl Fn(&str) -> bool) -> Vec<Bound> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let ground = Ground::start().await;
        let mut bounds: Vec<Bound> = Vec::new();
        if wanted("load") {
            bounds.extend(load::run(&ground).await);
        }
        if wanted("upload") {
            bounds.extend(upload::run(&ground).await);
        }
        if wanted("import") {
            bounds.extend(import::run(&ground).await);
        }
        if wanted("sync") {
            bounds.extend(sync::run(&ground).await);
        }
        if wanted("refresh") {
            bounds.extend(refresh::run(&ground).await);
        }
        if wanted("pace") {
            bounds.extend(pace::run(&ground).await);
        }
        if wanted("exchange") {
            bounds.extend(exchange::run(&ground).await);
        }
        if wanted("minute") {
            bounds.extend(real::minute(&ground).await);
        }
        if wanted("providers") {
            bounds.extend(real::providers(&ground).await);
        }
        ground.stop().await;
        bounds
    })
}
