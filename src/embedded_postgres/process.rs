//! Runs PostgreSQL's programs with the right user and environment, and never longer than this
//! process.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

use super::error::EmbeddedError;

/// Runs a program with its output in a log, and interrupts it when this process's end of the pipe
/// closes.
///
/// The shell becomes the program (`exec`), so its process id is the program's. The watcher is not a
/// child of the server: PostgreSQL treats the end of an unknown child as a crash. A line on the
/// pipe, instead of its end, means that there is nothing left to stop. The shell opens the log:
/// this process, as root, would follow a link.
const WATCHED: &str = r#"
umask 077
log=$1
shift
if [ -f "$log" ]; then mv -f "$log" "$log.old"; fi
exec 3<&0 </dev/null >"$log" 2>&1
( { trap "" HUP INT TERM; read -r line <&3 || kill -INT "$$"; } & )
exec 3<&- "$@"
"#;

/// Users for the server when this process is root: Linux packages, macOS, then an unprivileged one.
const UNPRIVILEGED: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// A user of the host.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) name: Option<&'static str>,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => write!(f, "the user {name}"),
            None => write!(f, "the user with id {}", self.uid),
        }
    }
}

/// A program with a clean environment: this process's environment contains secrets, and `PG*`
/// variables would change its behaviour.
///
/// With an account, the standard library also drops root's supplementary groups.
pub(super) fn command(account: Option<&Account>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Whether this process is root. It uses `id`, because the standard library cannot tell.
pub(super) async fn is_root() -> Result<bool, EmbeddedError> {
    Ok(id(&["-u"]).await? == Some(0))
}

/// The user for the server when this process is root.
pub(super) async fn unprivileged_account() -> Result<Account, EmbeddedError> {
    for name in UNPRIVILEGED {
        if let (Some(uid), Some(gid)) = (id(&["-u", name]).await?, id(&["-g", name]).await?) {
            return Ok(Account { uid, gid, name: Some(name) });
        }
    }
    Err(EmbeddedError::NoUnprivilegedUser { tried: UNPRIVILEGED.join(", ") })
}

async fn id(arguments: &[&str]) -> Result<Option<u32>, EmbeddedError> {
    let output = command(None, Path::new("id"))
        .args(arguments)
        .output()
        .await
        .map_err(|source| EmbeddedError::Program { program: "id".to_owned(), source })?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(if output.status.success() { text.trim().parse().ok() } else { None })
}

/// The arguments of a live process. They distinguish this service's server from another process
/// with a reused id.
pub(super) async fn arguments_of(pid: u32) -> Option<Vec<u8>> {
    if Path::new("/proc/self/cmdline").exists() {
        let arguments = tokio::fs::read(format!("/proc/{pid}/cmdline")).await.ok()?;
        return Some(arguments.into_iter().map(|byte| if byte == 0 { b' ' } else { byte }).collect());
    }
    let output = command(None, Path::new("ps"))
        .args(["-ww", "-o", "args=", "-p", &pid.to_string()])
        .output()
        .await
        .ok()?;
    output.status.success().then_some(output.stdout)
}

/// A program that is interrupted when this value, or the whole process, is gone.
pub(super) struct Watched {
    child: Child,
    // Held open: the watcher waits for its end.
    pipe: ChildStdin,
    pid: u32,
}

impl Watched {
    /// Starts a program in its own process group, so that Ctrl-C in the terminal reaches only this
    /// process.
    pub(super) fn spawn(mut program: WatchedCommand) -> Result<Self, EmbeddedError> {
        let failed = |source| EmbeddedError::Program { program: program.name.clone(), source };
        let mut child = program.command.stdin(Stdio::piped()).process_group(0).spawn().map_err(failed)?;
        match (child.stdin.take(), child.id()) {
            (Some(pipe), Some(pid)) => Ok(Self { child, pipe, pid }),
            _ => Err(failed(io::Error::other("it ended at once"))),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the program has ended.
    pub(super) fn ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Waits for the program's end, and ends the watcher.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        // The watcher may have ended by itself. Then there is no reader.
        let _ = self.pipe.write_all(b"over\n").await;
        Ok(status)
    }
}

/// A program for [`Watched::spawn`]. Arguments are added to `command`.
pub(super) struct WatchedCommand {
    pub(super) command: Command,
    name: String,
}

impl WatchedCommand {
    pub(super) fn new(account: Option<&Account>, program: &Path, log: &Path) -> Self {
        let mut shell = command(account, Path::new("/bin/sh"));
        shell.arg("-c").arg(WATCHED).arg("sh").arg(log).arg(program);
        shell.stdout(Stdio::null()).stderr(Stdio::null());
        Self { command: shell, name: program.display().to_string() }
    }
}
