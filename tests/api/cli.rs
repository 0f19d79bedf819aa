//! The binary as scripts and service managers use it: real processes with their own data folders.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use picsbridge::embedded_postgres::{EmbeddedOptions, EmbeddedPostgres};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::Api;
use crate::support::app::{MASTER_KEY, PATIENCE};
use crate::support::folder::Folder;
use crate::support::people;
use crate::support::postgres::Database;

/// The command with a data folder, and without the settings of this process.
fn command(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picsbridge"));
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("PICSBRIDGE_") || name == "DATABASE_URL")
    {
        command.env_remove(name);
    }
    command
        .env("PICSBRIDGE_DATA_DIR", folder.path())
        .env("PICSBRIDGE_LISTEN", "127.0.0.1:0")
        .env("PICSBRIDGE_SANDBOX_LISTEN", "127.0.0.1:0")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null());
    command
}

fn run(folder: &Folder, arguments: &[&str]) -> Output {
    command(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A `serve` process that is ready.
struct Service {
    child: Child,
    lines: Receiver<String>,
    url: String,
    sandbox: String,
    token: String,
}

impl Service {
    fn start(folder: &Folder) -> Self {
        let mut child =
            command(folder).arg("serve").stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut service =
            Self { child, lines, url: String::new(), sandbox: String::new(), token: String::new() };
        // The banner's last word is the demo token.
        while service.token.is_empty() {
            let line = service.lines.recv_timeout(PATIENCE).expect("the service becomes ready");
            let value = |name: &str| {
                line.trim().strip_prefix(name).map(|rest| rest.split_whitespace().next().unwrap().to_owned())
            };
            if let Some(url) = value("API ") {
                service.url = url;
            } else if let Some(url) = value("Sandbox ") {
                service.sandbox = url;
            } else if let Some(token) = value("Demo token ") {
                service.token = token;
            }
        }
        service
    }

    async fn api(&self) -> Api {
        Api::new(&self.url).await.as_token(&self.token)
    }

    /// Stops it as a service manager does. Returns its exit status and the time that it took.
    fn stop(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        // Its standard output ends when it ends.
        loop {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not stop"),
            }
        }
        (self.child.wait().unwrap(), begun.elapsed())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn runs(pid: &str) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = text(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

async fn eventually(api: &Api, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let body = api.get(path).await.expect(200);
        if wanted(&body) {
            return body;
        }
        assert!(begun.elapsed() < PATIENCE, "GET {path} is still not as wanted: {body:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn openapi_prints_the_committed_document_and_needs_nothing() {
    let folder = Folder::new();
    let mut command = command(&folder);
    // The command works even with invalid settings.
    let output = command.arg("openapi").env("PICSBRIDGE_LISTEN", "nowhere").output().unwrap();
    assert!(output.status.success());
    assert!(
        text(&output.stdout) == include_str!("../../openapi/picsbridge.json"),
        "openapi/picsbridge.json is not what is printed: cargo run -- openapi > openapi/picsbridge.json"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it made nothing");
}

#[test]
fn all_settings_that_cannot_be_used_are_told_at_once_with_exit_code_2() {
    let folder = Folder::new();
    let output = command(&folder)
        .arg("serve")
        .env("PICSBRIDGE_LISTEN", "nowhere")
        .env("DATABASE_URL", "mysql://me:hushhush@host/db")
        .env("PICSBRIDGE_MASTER_KEY", "short-and-secret")
        .env("PICSBRIDGE_ACE360_CALLS_PER_MINUTE", "0")
        .env("PICSBRIDGE_ACE360_LIVE_URL", "ftp://x")
        .env("PICSBRIDGE_CORS_ORIGINS", "front")
        .env("PICSBRIDGE_LOG_FORMAT", "xml")
        .env("PICSBRIDGE_TIMINGS", "lease=1s")
        .env("PICSBRIDGE_RETAIN_RUNS_DAYS", "ever")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    for setting in [
        "PICSBRIDGE_LISTEN",
        "DATABASE_URL",
        "PICSBRIDGE_MASTER_KEY",
        "PICSBRIDGE_ACE360_CALLS_PER_MINUTE",
        "PICSBRIDGE_ACE360_LIVE_URL",
        "PICSBRIDGE_CORS_ORIGINS",
        "PICSBRIDGE_LOG_FORMAT",
        "PICSBRIDGE_TIMINGS",
        "PICSBRIDGE_RETAIN_RUNS_DAYS",
    ] {
        assert!(said.contains(&format!("  {setting}: ")), "{setting}: {said}");
    }
    assert!(!said.contains("hushhush") && !said.contains("short-and-secret"), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_timing_that_cannot_be_used_is_told_with_the_names_that_there_are() {
    let folder = Folder::new();
    for timings in ["speed=3s", "speed", "lease=soon", "lease"] {
        let output = command(&folder).arg("serve").env("PICSBRIDGE_TIMINGS", timings).output().unwrap();
        let said = text(&output.stderr);
        assert!(said.contains("1 setting cannot be used"), "{timings}: {said}");
        for name in ["call", "lease", "absence", "shutdown"] {
            assert!(said.contains(name), "{timings}: {name}: {said}");
        }
    }
}

#[test]
fn a_command_line_that_cannot_be_read_is_explained() {
    let folder = Folder::new();
    for arguments in [
        &["serv"][..],
        &["token", "create"],
        &["token", "create", "--provider", "x", "--scopes", "all", "--days", "0"],
    ] {
        let output = run(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains("--help"), "{}", text(&output.stderr));
    }
    let help = run(&folder, &["token", "create", "--help"]);
    assert!(help.status.success() && text(&help.stdout).contains("records:read"), "the scopes are listed");
}

#[tokio::test]
async fn providers_and_tokens_are_made_beside_a_running_service_and_work_at_once() {
    let folder = Folder::new();
    let service = Service::start(&folder);

    let unknown = run(&folder, &["token", "create", "--provider", "college", "--scopes", "all"]);
    assert_eq!((unknown.status.code(), text(&unknown.stdout)), (Some(1), ""));
    let said = text(&unknown.stderr);
    assert!(said.contains("picsbridge provider create college"), "{said}");

    let made = run(&folder, &["provider", "create", "college"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let again = run(&folder, &["provider", "create", "college"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("college"), "{}", text(&again.stderr));
    for name in ["", "a b", "-x", "a/b", &"x".repeat(65)] {
        let output = run(&folder, &["provider", "create", "--", name]);
        assert_eq!(output.status.code(), Some(1), "{name}");
    }

    let scopes =
        run(&folder, &["token", "create", "--provider", "college", "--scopes", "records:read,records:all"]);
    assert_eq!(scopes.status.code(), Some(1));
    let said = text(&scopes.stderr);
    assert!(said.contains("records:all") && said.contains("records:write"), "{said}");

    let output = run(
        &folder,
        &[
            "token",
            "create",
            "--provider",
            "college",
            "--scopes",
            "records:read,records:write",
            "--days",
            "1",
        ],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let token = printed.strip_suffix('\n').unwrap();
    assert!(!token.contains(char::is_whitespace), "the token and nothing else: {printed}");
    let api = Api::new(&service.url).await.as_token(token);
    api.put("/learners/L1", &people::learner(1)).await.expect(201);
    api.get("/ace360").await.refused(403, "scopeMissing");
    // The demo provider does not see it.
    service.api().await.get("/learners/L1").await.refused(404, "notFound");
    assert_eq!(service.stop().0.code(), Some(0));
}

#[tokio::test]
async fn a_restart_keeps_records_links_tokens_and_the_sandboxs_records() {
    let folder = Folder::new();
    let service = Service::start(&folder);
    let api = service.api().await;
    // The catalogue is refreshed automatically.
    eventually(&api, "/ace360/standards?larsCode=105", |page| {
        page["items"].as_array().is_some_and(|items| !items.is_empty())
    })
    .await;
    api.put(&format!("/officers/{}", people::OFFICER), &people::officer()).await.expect(201);
    api.put(&format!("/organisations/{}", people::ORGANISATION), &people::organisation()).await.expect(201);
    let learner = api.put("/learners/L1", &people::learner(1)).await.expect(201);
    let tab = api.post("/learners/L1/ace360", &json!({})).await.expect(201);
    let token = service.token.clone();
    let database = folder.server_pid().expect("a database runs");

    let (status, took) = service.stop();
    assert_eq!(status.code(), Some(0));
    assert!(took < PATIENCE, "{took:?}");
    assert!(!runs(&database), "the database went with it");

    let service = Service::start(&folder);
    assert_eq!(service.token, token, "the demo token stays");
    let api = service.api().await;
    assert_eq!(api.get("/learners/L1").await.expect(200), learner);
    let kept = api.get("/learners/L1/ace360").await.expect(200);
    assert_eq!((&kept["state"], &kept["recordId"]), (&json!("uploaded"), &tab["recordId"]));
    // The sandbox has it too.
    let state: Value =
        reqwest::get(format!("{}/control/state", service.sandbox)).await.unwrap().json().await.unwrap();
    assert_eq!((&state["records"], &state["creditsUsed"]), (&json!(1), &json!(1)));
    let synced = api.post("/learners/L1/ace360:sync", &Value::Null).await.expect(200);
    assert_eq!(synced["recordId"], tab["recordId"]);
    // OneFile is ready to be set up too.
    let tested = api.post("/onefile/connection:test", &json!({})).await.expect(200);
    assert_eq!(tested["ok"], true, "{tested}");
    assert_eq!(api.get("/onefile/settings").await.expect(200)["environment"], "sandbox");
    assert_eq!(service.stop().0.code(), Some(0));
}

#[tokio::test]
async fn a_second_start_on_the_same_folder_says_who_holds_it_and_does_no_harm() {
    let folder = Folder::new();
    let service = Service::start(&folder);
    let second = run(&folder, &["serve"]);
    assert_eq!(second.status.code(), Some(1));
    let said = text(&second.stderr);
    assert!(said.contains(&format!("process {}", service.child.id())), "{said}");
    assert!(said.contains("PICSBRIDGE_DATA_DIR"), "{said}");
    service.api().await.get("/learners").await.expect(200);

    // A second service on the same address names the setting.
    let other = Folder::new();
    let address = service.url.strip_prefix("http://").unwrap();
    let taken = command(&other).arg("serve").env("PICSBRIDGE_LISTEN", address).output().unwrap();
    assert_eq!(taken.status.code(), Some(1));
    let said = text(&taken.stderr);
    assert!(said.contains("PICSBRIDGE_LISTEN") && said.contains(address), "{said}");
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0, "it made nothing");
}

#[tokio::test]
async fn a_killed_service_leaves_no_database_running_and_starts_again() {
    let folder = Folder::new();
    let mut service = Service::start(&folder);
    service.api().await.put("/officers/O1", &people::officer()).await.expect(201);
    let database = folder.server_pid().expect("a database runs");
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    let begun = Instant::now();
    while runs(&database) {
        assert!(begun.elapsed() < PATIENCE, "the database still runs");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let service = Service::start(&folder);
    service.api().await.get("/officers/O1").await.expect(200);
    assert_eq!(service.stop().0.code(), Some(0));
}

#[tokio::test]
async fn the_folders_secrets_are_for_its_owner_alone() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = Folder::new();
    let service = Service::start(&folder);
    for name in ["master-key", "demo-token", "postgres-password"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
    service.stop();
}

/// The rows that the older files left, as a text.
async fn migrations(sql: &mut PgConnection) -> String {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("select version, encode(checksum, 'hex') from _sqlx_migrations order by version")
            .fetch_all(sql)
            .await
            .unwrap();
    format!("{rows:?}")
}

#[tokio::test]
async fn a_database_that_other_files_made_is_refused_by_name_and_left_as_it_is() {
    let (database, folder) = (Database::new().await, Folder::new());
    let mut sql = PgConnection::connect_with(&database.options()).await.unwrap();
    // The older set had 20 files, numbered up to 21.
    for statement in [
        "delete from _sqlx_migrations",
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         select n, 'old', true, sha256(n::text::bytea), 1 from generate_series(1, 21) n where n <> 13",
        "insert into providers (id, name) values (gen_random_uuid(), 'college')",
    ] {
        sqlx::query(statement).execute(&mut sql).await.unwrap();
    }
    let before = migrations(&mut sql).await;
    let name = database.options().get_database().unwrap().to_owned();
    for arguments in [
        ["serve"].as_slice(),
        &["serve", "--no-migrate"],
        &["worker"],
        &["migrate"],
        &["provider", "create", "other"],
        &["doctor"],
    ] {
        let output = command(&folder)
            .args(arguments)
            .env("DATABASE_URL", database.url())
            .env("PICSBRIDGE_MASTER_KEY", MASTER_KEY)
            .output()
            .unwrap();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        for part in
            ["another version of picsbridge made this database", "Nothing was changed", &format!("`{name}`")]
        {
            assert!(said.contains(part), "{arguments:?}: {said}");
        }
    }
    assert_eq!(migrations(&mut sql).await, before);
    let providers: Vec<String> =
        sqlx::query_scalar("select name from providers").fetch_all(&mut sql).await.unwrap();
    assert_eq!(providers, ["college"]);
}

#[tokio::test]
async fn a_data_folder_that_another_version_made_is_refused_by_its_path() {
    let folder = Folder::new();
    let service = Service::start(&folder);
    assert_eq!(service.stop().0.code(), Some(0));
    let postgres = EmbeddedPostgres::start(folder.path(), EmbeddedOptions::default()).await.unwrap();
    let mut sql = PgConnection::connect(&postgres.url()).await.unwrap();
    sqlx::query("update _sqlx_migrations set checksum = 'other' where version = 1")
        .execute(&mut sql)
        .await
        .unwrap();
    sql.close().await.unwrap();
    postgres.stop().await.unwrap();
    for arguments in [["serve"], ["doctor"]] {
        let output = run(&folder, &arguments);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{said}");
        let advice = format!("delete the data folder {},", folder.path().display());
        assert!(said.contains(&advice), "{said}");
    }
}
