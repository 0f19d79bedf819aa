//! Finding the host's PostgreSQL server programs.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::EmbeddedError;
use super::place::Place;
use super::process;

/// The oldest major version whose SQL we use.
const OLDEST: u32 = 15;

/// What a server installation has; a client-only one lacks them.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// Where packages put them: a folder, what the entries in it begin with, and the way on from there.
const USUAL_PLACES: [(&str, &str, &str); 7] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
    ("/usr/local", "pgsql", "bin"),
];

#[derive(Debug, Clone)]
pub(super) struct Installation {
    bin: PathBuf,
    version: String,
    major: u32,
}

impl Installation {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

/// The installation that fits: the cluster's own version, or for a new cluster the first that is new enough.
pub(super) async fn choose(
    search: Option<&[PathBuf]>,
    cluster: Option<u32>,
    place: &Place,
    root: bool,
) -> Result<Installation, EmbeddedError> {
    let found = installed(search).await;
    if found.is_empty() {
        return Err(EmbeddedError::NotInstalled { advice: advice(root) });
    }
    let wanted = |one: &&Installation| cluster.map_or(one.major >= OLDEST, |major| one.major == major);
    if let Some(one) = found.iter().find(wanted) {
        return Ok(one.clone());
    }
    let name = |one: &Installation| format!("{} in {}", one.version, one.bin.display());
    match (cluster, found.iter().max_by_key(|one| one.major)) {
        (None, Some(newest)) => Err(EmbeddedError::TooOld { found: name(newest), needed: OLDEST }),
        (cluster, _) => Err(EmbeddedError::OtherVersion {
            folder: place.folder.clone(),
            cluster: cluster.unwrap_or(OLDEST),
            found: found.iter().map(name).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// All installations, in the order of the search.
async fn installed(search: Option<&[PathBuf]>) -> Vec<Installation> {
    let folders = search.map_or_else(usual_folders, <[PathBuf]>::to_vec);
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for folder in folders {
        if !PROGRAMS.iter().all(|program| folder.join(program).is_file()) {
            continue;
        }
        // Through a link to the real folder, where the server finds its libraries beside itself.
        let bin = folder
            .join("postgres")
            .canonicalize()
            .ok()
            .and_then(|postgres| postgres.parent().map(Path::to_owned))
            .filter(|bin| PROGRAMS.iter().all(|program| bin.join(program).is_file()))
            .unwrap_or(folder);
        if !seen.insert(bin.clone()) {
            continue;
        }
        if let Ok(output) = process::command(None, &bin.join("postgres")).arg("--version").output().await
            && let Some((version, major)) = version(&String::from_utf8_lossy(&output.stdout))
        {
            found.push(Installation { bin, version, major });
        }
    }
    found
}

/// `PATH`, then the places of the packages, the newest version first. A relative `PATH` entry is not trusted.
fn usual_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    for (parent, prefix, rest) in USUAL_PLACES {
        let names = fs::read_dir(parent).into_iter().flatten().flatten();
        let mut versions: Vec<(u32, PathBuf)> = names
            .filter_map(|entry| {
                let name = entry.file_name();
                let version = name.to_str()?.strip_prefix(prefix)?;
                Some((version.parse().unwrap_or(0), entry.path().join(rest)))
            })
            .collect();
        versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        folders.extend(versions.into_iter().map(|(_, folder)| folder));
    }
    folders
}

/// The version and its major part in what `postgres --version` says.
fn version(output: &str) -> Option<(String, u32)> {
    let version = output.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((version.to_owned(), digits.parse().ok()?))
}

fn advice(root: bool) -> String {
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    match install_command(&system, cfg!(target_os = "macos")) {
        Some(command) if root || command.starts_with("brew") => format!("install it with `{command}`"),
        Some(command) => format!("install it with `sudo {command}`"),
        None => format!(
            "install PostgreSQL {OLDEST} or later with the system's package manager, or set DATABASE_URL to a \
             server which you run"
        ),
    }
}

/// The one command that installs PostgreSQL, from the text of `/etc/os-release`.
fn install_command(os_release: &str, mac: bool) -> Option<&'static str> {
    if mac {
        return Some("brew install postgresql@17");
    }
    let value = |name: &str| {
        os_release
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(|v| v.trim_matches('"'))
    };
    let families = [value("ID"), value("ID_LIKE")];
    families.into_iter().flatten().flat_map(str::split_whitespace).find_map(|family| match family {
        "debian" | "ubuntu" => Some("apt-get install -y postgresql"),
        "fedora" | "rhel" | "centos" => Some("dnf install -y postgresql-server"),
        "alpine" => Some("apk add postgresql"),
        "arch" => Some("pacman -S --noconfirm postgresql"),
        "suse" | "opensuse" => Some("zypper install -y postgresql-server"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_gets_its_own_command() {
        let cases = [
            ("PRETTY_NAME=\"Debian\"\nID=debian\n", Some("apt-get install -y postgresql")),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Some("apt-get install -y postgresql")),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", Some("dnf install -y postgresql-server")),
            ("ID=alpine\n", Some("apk add postgresql")),
            ("ID=haiku\n", None),
            ("", None),
        ];
        for (os_release, command) in cases {
            assert_eq!(install_command(os_release, false), command, "{os_release}");
        }
        assert_eq!(install_command("", true), Some("brew install postgresql@17"));
    }

    #[test]
    fn a_version_is_read_from_what_the_server_says() {
        let cases = [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(("15.18", 15))),
            ("postgres (PostgreSQL) 9.6.24\n", Some(("9.6.24", 9))),
            ("postgres (PostgreSQL) 18beta1\n", Some(("18beta1", 18))),
            ("something else", None),
        ];
        for (output, expected) in cases {
            let expected = expected.map(|(version, major)| (version.to_owned(), major));
            assert_eq!(version(output), expected, "{output}");
        }
    }
}
