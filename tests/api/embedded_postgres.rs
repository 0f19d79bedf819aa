//! The private PostgreSQL of a data folder, with the host's real binaries.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use picsbridge::embedded_postgres::{EmbeddedError, EmbeddedOptions, EmbeddedPostgres, running};
use sqlx::{Connection, PgConnection};

use crate::support::app::PATIENCE;

/// The child test's data folder. Only a parent test sets it.
const SERVICE_FOLDER: &str = "PICSBRIDGE_TEST_SERVICE_FOLDER";

/// A private data folder. It is removed at the end with the cluster that root keeps elsewhere.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("picsbridge-test-{}", uuid::Uuid::new_v4()));
        fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    async fn start(&self) -> EmbeddedPostgres {
        self.try_start().await.unwrap()
    }

    async fn try_start(&self) -> Result<EmbeddedPostgres, EmbeddedError> {
        EmbeddedPostgres::start(&self.0, unsafe_but_fast()).await
    }

    /// The folder of the current cluster.
    fn cluster(&self) -> PathBuf {
        fs::read_to_string(self.0.join("postgres-location"))
            .map_or_else(|_| self.first_cluster(), |text| PathBuf::from(text.trim_end()))
    }

    /// The folder of the first cluster of a data folder.
    fn first_cluster(&self) -> PathBuf {
        if !is_root() {
            return self.0.join("postgres");
        }
        let name = self.0.as_os_str().as_bytes();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name);
        let hash: Vec<String> = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Path::new("/var/lib/picsbridge").join(hash.concat())
    }

    /// The process id of the server, from the server's own file.
    fn server_pid(&self) -> Option<String> {
        let text = fs::read_to_string(self.cluster().join("data/postmaster.pid")).ok()?;
        Some(text.lines().next()?.to_owned())
    }

    /// Another process that runs the service on this folder. Returns when it is ready.
    fn service(&self) -> Service {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "embedded_postgres::a_service_for_other_tests", "--ignored", "--nocapture"])
            .env(SERVICE_FOLDER, &self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .find_map(|line| line.unwrap().split_once("ready at ").map(|(_, url)| url.to_owned()))
            .expect("the service says that it is ready");
        Service { child, url, lines: Box::new(lines.map(Result::unwrap)) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for cluster in [self.cluster(), self.first_cluster()] {
            let _ = fs::remove_dir_all(&cluster);
            let _ = fs::remove_file(beside(&cluster, "lock"));
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Service {
    child: Child,
    url: String,
    lines: Box<dyn Iterator<Item = String>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn beside(cluster: &Path, extension: &str) -> PathBuf {
    format!("{}.{extension}", cluster.display()).into()
}

/// A folder with programs that claim to be a PostgreSQL of this version.
fn pretended_installation(version: &str) -> Folder {
    let folder = Folder::new();
    for name in ["postgres", "initdb", "pg_ctl"] {
        let program = folder.0.join(name);
        fs::write(&program, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\nexit 1\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn unsafe_but_fast() -> EmbeddedOptions {
    let settings = [("fsync", "off"), ("shared_buffers", "16MB")];
    EmbeddedOptions {
        extra_settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        search: None,
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

async fn text(url: &str, query: &'static str) -> String {
    let mut connection = connect(url).await;
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Waits until a condition holds, with short pauses.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not so after {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn signal(name: &str, target: &str) {
    assert!(Command::new("kill").args([name, "--", target]).status().unwrap().success());
}

/// Whether a process runs. A zombie does not count.
fn runs(pid: &str) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(output.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[tokio::test]
async fn data_survives_a_restart() {
    let folder = Folder::new();
    let postgres = folder.start().await;
    let mut connection = connect(&postgres.url()).await;
    sqlx::raw_sql("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')")
        .execute(&mut connection)
        .await
        .unwrap();
    // An open connection does not delay the stop.
    postgres.stop().await.unwrap();
    assert_eq!(folder.server_pid(), None, "the server is gone once stop returns");

    let postgres = folder.start().await;
    assert_eq!(text(&postgres.url(), "SELECT word FROM kept").await, "still here");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_on_the_same_folder_says_who_holds_it() {
    let folder = Folder::new();
    let postgres = folder.start().await;
    let error = folder.try_start().await.unwrap_err();
    assert!(matches!(error, EmbeddedError::InUse { .. }), "{error:?}");
    let message = error.to_string();
    let port = url::Url::parse(&postgres.url()).unwrap().port().unwrap();
    assert!(message.contains(&format!("process {},", std::process::id())), "{message}");
    assert!(message.contains(&format!("127.0.0.1:{port}")), "{message}");
    assert!(message.contains("PICSBRIDGE_DATA_DIR"), "{message}");
    // The first server still works.
    assert_eq!(text(&postgres.url(), "SELECT 'fine'").await, "fine");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_copied_data_folder_does_not_run_the_cluster_of_the_original() {
    if !is_root() {
        return; // The copy then holds a cluster of its own.
    }
    let (folder, copy) = (Folder::new(), Folder::new());
    let postgres = folder.start().await;
    for name in ["postgres-location", "postgres-password"] {
        fs::copy(folder.0.join(name), copy.0.join(name)).unwrap();
    }
    let error = copy.try_start().await.unwrap_err();
    assert!(matches!(error, EmbeddedError::InUse { .. }), "{error:?}");
    assert_eq!(text(&postgres.url(), "SELECT 'fine'").await, "fine");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn others_learn_where_a_running_service_listens() {
    let folder = Folder::new();
    assert_eq!(running(&folder.0.join("missing")).await.unwrap(), None);
    assert_eq!(running(&folder.0).await.unwrap(), None);
    let postgres = folder.start().await;
    assert_eq!(running(&folder.0).await.unwrap(), Some(postgres.url()));
    postgres.stop().await.unwrap();
    assert_eq!(running(&folder.0).await.unwrap(), None);
}

#[tokio::test]
async fn two_folders_run_side_by_side() {
    let (one, two) = (Folder::new(), Folder::new());
    let (first, second) = tokio::join!(one.start(), two.start());
    assert_ne!(first.url(), second.url());
    let directories = (
        text(&first.url(), "SELECT current_setting('data_directory')").await,
        text(&second.url(), "SELECT current_setting('data_directory')").await,
    );
    assert_ne!(directories.0, directories.1);
    first.stop().await.unwrap();
    assert_eq!(text(&second.url(), "SELECT 'fine'").await, "fine");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_half_initialised_cluster_is_started_over() {
    let folder = Folder::new();
    folder.start().await.stop().await.unwrap();
    // The state after a crash during initdb: no cluster, no pointer, and a half-written folder.
    let cluster = folder.cluster();
    let half = beside(&cluster, "new-0badcafe");
    fs::rename(&cluster, &half).unwrap();
    fs::remove_file(half.join("data/PG_VERSION")).unwrap();
    let _ = fs::remove_file(folder.0.join("postgres-location"));

    let postgres = folder.start().await;
    assert_eq!(text(&postgres.url(), "SELECT 'fine'").await, "fine");
    assert!(!half.exists(), "the leftover is removed");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_without_its_password_is_not_started_over() {
    let folder = Folder::new();
    folder.start().await.stop().await.unwrap();
    fs::remove_file(folder.0.join("postgres-password")).unwrap();
    let error = folder.try_start().await.unwrap_err();
    assert!(matches!(error, EmbeddedError::PasswordMissing { .. }), "{error:?}");
    assert!(folder.cluster().join("data/PG_VERSION").exists());
}

#[tokio::test]
async fn a_cluster_of_another_version_is_left_alone() {
    let folder = Folder::new();
    folder.start().await.stop().await.unwrap();
    fs::write(folder.cluster().join("data/PG_VERSION"), "12\n").unwrap();
    let message = folder.try_start().await.unwrap_err().to_string();
    assert!(message.contains("made by PostgreSQL 12"), "{message}");
}

#[tokio::test]
async fn without_postgresql_the_error_names_the_command_that_installs_it() {
    let folder = Folder::new();
    let nowhere = EmbeddedOptions { search: Some(vec![folder.0.clone()]), ..EmbeddedOptions::default() };
    let message = EmbeddedPostgres::start(&folder.0, nowhere).await.unwrap_err().to_string();
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if system.contains("debian") {
        assert!(message.contains("apt-get install -y postgresql`"), "{message}");
    } else {
        assert!(message.contains("install"), "{message}");
    }
}

#[tokio::test]
async fn a_postgresql_that_is_too_old_is_named_with_what_is_needed() {
    let folder = Folder::new();
    let old = pretended_installation("13.4");
    let options = EmbeddedOptions { search: Some(vec![old.0.clone()]), ..EmbeddedOptions::default() };
    let message = EmbeddedPostgres::start(&folder.0, options).await.unwrap_err().to_string();
    assert!(message.contains("13.4") && message.contains("version 15 or later"), "{message}");
}

#[tokio::test]
async fn programs_out_of_reach_are_named_before_anything_is_made() {
    if !is_root() {
        return; // Who looks for them runs them.
    }
    let folder = Folder::new();
    let private = pretended_installation("17.0");
    let options = EmbeddedOptions { search: Some(vec![private.0.clone()]), ..EmbeddedOptions::default() };
    let message = EmbeddedPostgres::start(&folder.0, options).await.unwrap_err().to_string();
    assert!(message.contains(private.0.join("initdb").to_str().unwrap()), "{message}");
    assert!(!folder.0.join("postgres-password").exists());
}

#[tokio::test]
async fn an_initdb_that_fails_is_quoted_and_leaves_nothing() {
    let folder = Folder::new();
    let broken = pretended_installation("17.0");
    fs::set_permissions(&broken.0, fs::Permissions::from_mode(0o755)).unwrap();
    let options = EmbeddedOptions { search: Some(vec![broken.0.clone()]), ..EmbeddedOptions::default() };
    let message = EmbeddedPostgres::start(&folder.0, options).await.unwrap_err().to_string();
    assert!(message.contains("initdb says:\npostgres (PostgreSQL) 17.0"), "{message}");
    let cluster = folder.cluster();
    let name = format!("{}.new-", cluster.file_name().unwrap().display());
    let left = fs::read_dir(cluster.parent().unwrap()).unwrap();
    let left = left.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(&name));
    assert_eq!(left.count(), 0);
    assert!(!cluster.exists());
}

#[tokio::test]
async fn a_data_folder_made_anew_leaves_the_cluster_of_the_one_before_alone() {
    if !is_root() {
        return; // The cluster is in the data folder, and went with it.
    }
    let folder = Folder::new();
    folder.start().await.stop().await.unwrap();
    let before = folder.cluster();
    fs::remove_dir_all(&folder.0).unwrap();
    for _ in 0..2 {
        let postgres = folder.start().await;
        assert_ne!(folder.cluster(), before);
        postgres.stop().await.unwrap();
    }
    assert!(before.join("data/PG_VERSION").exists());
}

#[tokio::test]
async fn a_cluster_that_is_gone_is_not_replaced_silently() {
    if !is_root() {
        return; // Only root's data folders point elsewhere.
    }
    let folder = Folder::new();
    folder.start().await.stop().await.unwrap();
    fs::remove_dir_all(folder.cluster()).unwrap();
    let error = folder.try_start().await.unwrap_err();
    assert!(matches!(error, EmbeddedError::ClusterMissing { .. }), "{error:?}");
}

#[tokio::test]
async fn a_cluster_that_root_made_is_not_started_over_by_another_user() {
    if is_root() {
        return;
    }
    let folder = Folder::new();
    fs::write(folder.0.join("postgres-location"), "/var/lib/picsbridge/0\n").unwrap();
    let error = folder.try_start().await.unwrap_err();
    assert!(matches!(error, EmbeddedError::MadeByRoot { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_does_not_start_shows_its_log() {
    let folder = Folder::new();
    let mut options = unsafe_but_fast();
    options.extra_settings.push(("max_connections".to_owned(), "many".to_owned()));
    let message = EmbeddedPostgres::start(&folder.0, options).await.unwrap_err().to_string();
    assert!(message.contains("invalid value for parameter \"max_connections\""), "{message}");
    // The cluster itself is intact.
    folder.start().await.stop().await.unwrap();
}

#[tokio::test]
async fn only_its_role_and_password_on_loopback_open_it() {
    let folder = Folder::new();
    let postgres = folder.start().await;
    let mut wrong = url::Url::parse(&postgres.url()).unwrap();
    assert_eq!(wrong.host_str(), Some("127.0.0.1"));
    wrong.set_password(Some("guess")).unwrap();
    assert!(PgConnection::connect(wrong.as_str()).await.is_err());
    wrong.set_password(None).unwrap();
    assert!(PgConnection::connect(wrong.as_str()).await.is_err());
    let expected = [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("max_connections", "100"),
    ];
    let mut connection = connect(&postgres.url()).await;
    for (name, value) in expected {
        let actual: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(name)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(actual, value, "{name}");
    }
    let mode = fs::metadata(folder.0.join("postgres-password")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn no_value_of_a_statement_reaches_the_log() {
    let folder = Folder::new();
    let postgres = folder.start().await;
    let mut connection = connect(&postgres.url()).await;
    for failing in [
        "SELECT 'planted-in-a-cast'::int",
        "CREATE TABLE t (id text PRIMARY KEY); INSERT INTO t VALUES ('planted-key'), ('planted-key')",
        "SELECT planted_in_syntax FROM",
        "DO $$ BEGIN RAISE WARNING 'planted-warning'; END $$",
    ] {
        let _ = sqlx::raw_sql(failing).execute(&mut connection).await;
    }
    let parameter = sqlx::query("SELECT $1::text::int").bind("planted-parameter");
    assert!(parameter.execute(&mut connection).await.is_err());
    postgres.stop().await.unwrap();
    let log = fs::read_to_string(folder.cluster().join("server.log")).unwrap();
    assert!(log.contains("ready to accept connections"), "{log}");
    assert!(!log.contains("planted"), "{log}");
}

#[tokio::test]
async fn it_runs_as_root_too() {
    let folder = Folder::new();
    let postgres = folder.start().await;
    let owner = fs::metadata(folder.cluster().join("data")).unwrap().uid();
    assert_ne!(owner, 0);
    if is_root() {
        let cluster = folder.cluster();
        assert!(cluster.starts_with("/var/lib/picsbridge"), "{}", cluster.display());
        assert_eq!(fs::metadata(cluster.parent().unwrap()).unwrap().mode() & 0o777, 0o711);
        assert_eq!(fs::metadata(&cluster).unwrap().mode() & 0o777, 0o700);
    }
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_stops_and_its_folder_starts_again_at_once() {
    let folder = Folder::new();
    let postgres = folder.start().await;
    let pid = folder.server_pid().unwrap();
    drop(postgres);
    // The old server may still be shutting down. This start waits for it.
    let postgres = folder.start().await;
    assert!(!runs(&pid));
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_service_leaves_no_postgres_behind() {
    let folder = Folder::new();
    let mut service = folder.service();
    let pid = folder.server_pid().unwrap();
    assert!(runs(&pid));
    service.child.kill().unwrap();
    until("the server is gone", || !runs(&pid) && folder.server_pid().is_none()).await;
}

#[tokio::test]
async fn a_service_started_right_after_a_kill_gets_its_folder() {
    let folder = Folder::new();
    let mut service = folder.service();
    connect(&service.url).await.close().await.unwrap();
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    let postgres = folder.start().await;
    let started = folder.server_pid().unwrap();
    assert_eq!(text(&postgres.url(), "SELECT 'fine'").await, "fine");
    // Nothing of the killed service stops the new server.
    assert_eq!(folder.server_pid(), Some(started));
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_without_its_service_is_stopped_before_the_next_start() {
    let folder = Folder::new();
    let mut service = folder.service();
    let orphan = folder.server_pid().unwrap();
    // Stop the watcher, as if it had been killed too.
    let group = Command::new("ps").args(["-e", "-o", "pid=,pgid=,args="]).output().unwrap();
    let group = String::from_utf8(group.stdout).unwrap();
    let watchers: Vec<&str> = group
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words[1] == orphan && words[2] == "/bin/sh")
        .map(|words| words[0])
        .collect();
    assert_eq!(watchers.len(), 1, "{group}");
    signal("-KILL", watchers[0]);
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    assert!(runs(&orphan), "nobody stopped it");

    let postgres = folder.start().await;
    assert!(!runs(&orphan));
    assert_eq!(text(&postgres.url(), "SELECT 'fine'").await, "fine");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_process_id_of_a_stranger_is_no_obstacle() {
    let folder = Folder::new();
    folder.start().await.stop().await.unwrap();
    let data = folder.cluster().join("data");
    let owner = fs::metadata(&data).unwrap();
    // A process of the server's user, so that the server itself would accept its process id.
    let mut stranger = Command::new("sleep").arg("600").uid(owner.uid()).gid(owner.gid()).spawn().unwrap();
    let stale = data.join("postmaster.pid");
    fs::write(&stale, format!("{}\n{}\n1\n1\n\n\n\nready\n", stranger.id(), data.display())).unwrap();
    std::os::unix::fs::chown(&stale, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::set_permissions(&stale, fs::Permissions::from_mode(0o600)).unwrap();

    let started = folder.try_start().await;
    let alive = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert!(alive, "the stranger is left alone");
    started.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn ctrl_c_in_the_terminal_leaves_the_stopping_to_the_service() {
    let folder = Folder::new();
    let mut service = folder.service();
    // A terminal sends the signal to the full process group.
    signal("-INT", &format!("-{}", service.child.id()));
    let line = service.lines.next().unwrap();
    assert!(line.contains("used it after the signal"), "{line}");
    assert!(service.child.wait().unwrap().success());
    assert_eq!(folder.server_pid(), None);
}

/// Not a rule: this is the process that other tests kill.
#[tokio::test]
#[ignore = "other tests run it in a process of its own"]
async fn a_service_for_other_tests() {
    let Some(folder) = env::var_os(SERVICE_FOLDER) else { return };
    let postgres = EmbeddedPostgres::start(Path::new(&folder), unsafe_but_fast()).await.unwrap();
    let mut interrupts = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "ready at {}", postgres.url()).unwrap();
    interrupts.recv().await;
    writeln!(out, "{}", text(&postgres.url(), "SELECT 'used it after the signal'").await).unwrap();
    postgres.stop().await.unwrap();
}
