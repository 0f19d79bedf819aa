//! Measures link proposals for as many officers as assessors. Each size runs in its own process, so
//! that its memory is measured alone. A third match by MIS value. The others match by e-mail
//! address, by name, by similar name, or not at all.

use std::borrow::Cow;
use std::process::Command;

use picsbridge::onefile::links::suggest::{LinkKind, Local, Remote, SuggestInput, suggest};

use super::figures::{Bound, median, mib};

/// The argument that makes this program measure one size.
pub const HIDDEN: &str = "--suggest-once";
const SIZES: [usize; 2] = [2_000, 4_000];
const ROUNDS: usize = 5;
/// Allowed growth of time and memory, relative to the growth of the size.
const LINEAR: f64 = 1.3;

pub fn run() -> Vec<Bound> {
    println!("\n== suggest: link proposals for officers and assessors, {ROUNDS} times each");
    let mut bounds = Vec::new();
    for spread in ["names", "few names"] {
        let [small, large] = SIZES.map(|size| measure(size, spread));
        let (cpu, memory) = (large.0 / small.0, large.1 / small.1);
        let sizes = SIZES[1] as f64 / SIZES[0] as f64;
        bounds.push(Bound::at_most(
            format!("suggest: {spread}, 2,000 by 2,000, seconds of CPU"),
            small.0,
            1.0,
        ));
        bounds.push(Bound::at_most(format!("suggest: {spread}, CPU, twice the size"), cpu, sizes * LINEAR));
        bounds.push(Bound::at_most(
            format!("suggest: {spread}, memory, twice the size"),
            memory,
            sizes * LINEAR,
        ));
    }
    bounds
}

/// Returns the seconds of CPU, and the bytes beyond those of the records themselves.
fn measure(size: usize, spread: &str) -> (f64, f64) {
    let (mut seconds, mut bytes) = (Vec::new(), Vec::new());
    let mut said = String::new();
    for _ in 0..ROUNDS {
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program).args([HIDDEN, &size.to_string(), spread]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut words = text.trim().splitn(3, ' ');
        seconds.push(words.next().unwrap().parse().unwrap());
        bytes.push(words.next().unwrap().parse().unwrap());
        words.next().unwrap().clone_into(&mut said);
    }
    let (seconds, bytes) = (median(&mut seconds), median(&mut bytes));
    println!("{size} by {size}, {spread}: {seconds:.3} s of CPU, {:.1} MiB; {said}", mib(bytes as u64));
    (seconds, bytes)
}

/// Measures one size and prints it.
pub fn once(arguments: &[String]) {
    let size: usize = arguments[0].parse().unwrap();
    let few = arguments[1] == "few names";
    let people: Vec<Person> = (0..size).map(|number| Person::invented(number, few)).collect();
    let locals: Vec<Local<'_>> = people.iter().map(Person::local).collect();
    let remotes: Vec<Remote<'_>> = people.iter().rev().map(Person::remote).collect();
    let input = SuggestInput {
        kind: LinkKind::Officer,
        locals: &locals,
        remotes: &remotes,
        linked: &[],
        several_centres: false,
    };
    // On Linux, 5 sets the peak to the current size.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (resident, begun) = (status("VmRSS:"), cpu());
    let found = suggest(&input);
    let seconds = cpu() - begun;
    println!("{seconds} {} {:?}", status("VmHWM:") - resident, found.counts);
}

/// CPU time of this thread so far, in seconds.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// An officer and the matching assessor.
struct Person {
    id: String,
    remote_id: String,
    name: String,
    remote_name: String,
    email: String,
    /// Which values the officer and the assessor share, from 0 to 5.
    likeness: usize,
}

impl Person {
    fn invented(number: usize, few: bool) -> Self {
        // Names are made of syllables: tens of thousands of surnames, or a few hundred names that
        // many people share.
        let first = syllables(number * 7 + 3, 2);
        let last = syllables(if few { number % 40 } else { number * 31 + 11 }, 3);
        let first = if few { syllables(number % 23, 2) } else { first };
        let name = format!("{first} {last}");
        let likeness = number % 6;
        let remote_name = match likeness {
            // One letter is missing.
            3 | 4 => format!("{first} {}{}", &last[..2], &last[3..]),
            5 => format!("{} {}", syllables(number * 13 + 5, 3), syllables(number * 17 + 9, 4)),
            _ => name.to_uppercase(),
        };
        let email = format!("person{number}@copperfold.example");
        Self {
            id: format!("O-{number}"),
            remote_id: format!("{}", 100_000 + number),
            name,
            remote_name,
            email,
            likeness,
        }
    }

    fn local(&self) -> Local<'_> {
        Local {
            id: &self.id,
            ident: None,
            held_id: None,
            name: Cow::Borrowed(&self.name),
            email: (self.likeness == 2).then_some(&self.email),
            uln: None,
            born: None,
        }
    }

    fn remote(&self) -> Remote<'_> {
        Remote {
            id: &self.remote_id,
            centre_id: "1",
            name: Cow::Borrowed(&self.remote_name),
            mis_id: (self.likeness < 2).then_some(&self.id),
            email: (self.likeness == 2).then_some(&self.email),
            uln: None,
            born: None,
            archived: self.likeness == 4,
        }
    }
}

fn syllables(seed: usize, count: usize) -> String {
    const SYLLABLES: [&str; 24] = [
        "ar", "bel", "cor", "dan", "el", "far", "gil", "hol", "ing", "jar", "ken", "low", "mar", "nor", "os",
        "pen", "quin", "ros", "sel", "tor", "ush", "ven", "wil", "yar",
    ];
    let mut state = seed as u64;
    let name: String = (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            SYLLABLES[(state >> 33) as usize % SYLLABLES.len()]
        })
        .collect();
    name
}
