//! What the subcommands do.

mod demo;
pub mod doctor;
mod secret_file;

use std::net::{SocketAddr, TcpListener};
use std::str::FromStr as _;

use anyhow::{Context as _, bail};
use picsbridge::app::{Parts, StartError, document};
use picsbridge::auth::NewToken;
use picsbridge::auth::scope::{Scope, Scopes};
use picsbridge::config::{Config, Database};
use picsbridge::domain::counted;
use picsbridge::embedded_postgres::{self, EmbeddedOptions, EmbeddedPostgres};
use picsbridge::sandbox::{Sandbox, SandboxOptions};
use picsbridge::seal::Sealer;
use picsbridge::store::{By, ProcessRow, Provider};
use secrecy::ExposeSecret as _;
use sqlx::postgres::PgConnectOptions;
use tracing::info;

use self::secret_file::own_master_key;

const SANDBOX_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8090);

/// A database that is there, and what to stop afterwards.
struct Reached {
    connect: PgConnectOptions,
    sealer: Sealer,
    started: Option<EmbeddedPostgres>,
}

impl Reached {
    async fn let_go(self) -> anyhow::Result<()> {
        if let Some(embedded) = self.started {
            embedded.stop().await?;
        }
        Ok(())
    }
}

/// Reaches the configured database. The embedded one is started; `beside`: one that a running service has is used instead.
async fn reach(config: &Config, beside: bool) -> anyhow::Result<Reached> {
    let (url, key, started) = match &config.database {
        Database::Url(url) => {
            let key =
                config.master_key.clone().context("PICSBRIDGE_MASTER_KEY is required with DATABASE_URL")?;
            (url.expose_secret().to_owned(), key, None)
        }
        Database::Embedded => {
            let running = if beside { embedded_postgres::running(&config.data_dir).await? } else { None };
            let (url, started) = if let Some(url) = running {
                (url, None)
            } else {
                let embedded = EmbeddedPostgres::start(&config.data_dir, EmbeddedOptions::default()).await?;
                (embedded.url(), Some(embedded))
            };
            // Made only once the folder is ours.
            let key = match &config.master_key {
                Some(key) => key.clone(),
                None => own_master_key(&config.data_dir)?,
            };
            (url, key, started)
        }
    };
    let connect = PgConnectOptions::from_str(&url)
        .context("DATABASE_URL cannot be used")?
        .application_name("picsbridge");
    Ok(Reached { connect, sealer: Sealer::new(&key)?, started })
}

fn listen(setting: &'static str, flag: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|why| StartError::Listen { setting, flag, address, why })
}

async fn start_sandbox(config: &mut Config, address: SocketAddr) -> anyhow::Result<Sandbox> {
    let options = SandboxOptions {
        listen: address,
        journal: Some(config.data_dir.join("sandbox")),
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(options)
        .await
        .with_context(|| format!("the sandbox cannot listen on {address}: stop what uses it, or give PICSBRIDGE_SANDBOX_LISTEN (--sandbox-listen) another address or `off`"))?;
    config.upstreams.sandbox.get_or_insert_with(|| sandbox.url());
    Ok(sandbox)
}

/// Waits for Ctrl-C or a SIGTERM.
async fn asked_to_stop() {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        // Without the signal, Ctrl-C still stops us.
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Answers the API, and works jobs if `work`.
pub async fn serve(mut config: Config, work: bool, migrate: bool) -> anyhow::Result<()> {
    // Taken before anything is started, so that a second start fails at once and says why.
    let listener = listen("PICSBRIDGE_LISTEN", "--listen", config.listen)?;
    let reached = reach(&config, false).await?;
    let sandbox = match config.sandbox_listen {
        Some(address) => Some(start_sandbox(&mut config, address).await?),
        None => None,
    };
    info!(configuration = config.summary(), "starting");
    let embedded = reached.started.is_some();
    let parts = Parts::build(config.clone(), reached.connect, reached.sealer, migrate).await?;
    let address = listener.local_addr()?;
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let server = parts.serve(listener, workers)?;
    let handle = server.handle();
    let running = parts.start_background(work)?;
    let public = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let demo = if embedded { Some(demo::demo(&parts, &config).await?) } else { None };
    demo::banner(&public, sandbox.as_ref().map(Sandbox::url).as_deref(), demo.as_ref());
    let served = tokio::spawn(server);
    asked_to_stop().await;
    info!("stopping: no new requests; what is under way comes to its end");
    // A second Ctrl-C does not wait.
    tokio::select! {
        () = async {
            running.stop(Some(handle)).await;
            let _ = served.await;
            if let Some(sandbox) = sandbox {
                sandbox.stop().await;
            }
            if let Some(database) = reached.started
                && let Err(error) = database.stop().await
            {
                eprintln!("picsbridge: {error}");
            }
        } => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

pub async fn worker(config: Config) -> anyhow::Result<()> {
    if matches!(config.database, Database::Embedded) {
        bail!(
            "a worker of its own needs DATABASE_URL: the embedded database belongs to one `serve`, which works its jobs itself"
        );
    }
    info!(configuration = config.summary(), "starting");
    let reached = reach(&config, false).await?;
    let parts = Parts::build(config, reached.connect, reached.sealer, false).await?;
    let running = parts.start_background(true)?;
    println!("picsbridge works jobs. Ctrl-C stops it.");
    asked_to_stop().await;
    running.stop(None).await;
    Ok(())
}

/// Serves the sandbox only.
pub async fn sandbox(mut config: Config) -> anyhow::Result<()> {
    let address = config.sandbox_listen.unwrap_or(SANDBOX_DEFAULT);
    std::fs::create_dir_all(&config.data_dir)?;
    let sandbox = start_sandbox(&mut config, address).await?;
    let url = sandbox.url();
    println!("The sandbox is ready.");
    println!("  ACE360        {url}/ace360/connect-api/beta  (token: sandbox)");
    println!("  OneFile       {url}/onefile/api/v2.1  (customer token: sandbox)");
    println!("  Its page      {url}/docs/");
    asked_to_stop().await;
    sandbox.stop().await;
    Ok(())
}

/// Brings the database to this version.
pub async fn migrate(config: Config) -> anyhow::Result<()> {
    let reached = reach(&config, true).await?;
    let pool = picsbridge::app::connect(&reached.connect, &config).await?;
    picsbridge::app::migrate_with(&config, &pool).await?;
    pool.close().await;
    println!("The database is at version {}.", env!("CARGO_PKG_VERSION"));
    reached.let_go().await
}

async fn open(config: Config, reached: &mut Reached) -> anyhow::Result<Parts> {
    // A database that this command started has perhaps never been migrated.
    let migrate = reached.started.is_some();
    let sealer = match &config.master_key {
        Some(key) => Sealer::new(key)?,
        None => Sealer::new(&own_master_key(&config.data_dir)?)?,
    };
    Ok(Parts::build(config, reached.connect.clone(), sealer, migrate).await?)
}

/// Makes a token and prints it.
pub async fn create_token(
    config: Config,
    provider: &str,
    scopes: &str,
    days: u32,
    name: &str,
) -> anyhow::Result<()> {
    let scopes = parse_scopes(scopes)?;
    let mut reached = reach(&config, true).await?;
    let made = async {
        let parts = open(config, &mut reached).await?;
        let owner = parts.store.provider_by_name(provider).await?.with_context(|| {
            format!("there is no provider `{provider}`: make it with `picsbridge provider create {provider}`")
        })?;
        let by = By::itself("cli");
        Ok::<_, anyhow::Error>(
            parts.auth.issue(&parts.store, &owner, NewToken { name, scopes, days }, None, &by).await?.0,
        )
    }
    .await;
    reached.let_go().await?;
    println!("{}", made?);
    Ok(())
}

fn parse_scopes(text: &str) -> anyhow::Result<Scopes> {
    if text == "all" {
        return Ok(Scopes::all());
    }
    let words: Vec<_> = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()).collect();
    let unknown: Vec<_> = words.iter().filter(|word| Scope::parse(word).is_none()).copied().collect();
    if !unknown.is_empty() || words.is_empty() {
        let all: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        bail!("not a scope: {}. Use `all`, or some of: {}", unknown.join(", "), all.join(", "));
    }
    Ok(words.into_iter().filter_map(Scope::parse).collect())
}

pub async fn create_provider(config: Config, name: &str) -> anyhow::Result<()> {
    let good = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !good {
        bail!(
            "`{name}` cannot be a provider's name: use 1 to 64 letters, digits, `.`, `_`, `-`, the first a letter or digit"
        );
    }
    let mut reached = reach(&config, true).await?;
    let made = async {
        let parts = open(config, &mut reached).await?;
        Ok::<Option<Provider>, anyhow::Error>(parts.store.create_provider(name).await?)
    }
    .await;
    reached.let_go().await?;
    match made? {
        Some(_) => {
            println!(
                "Provider {name} is made. A token for it: picsbridge token create --provider {name} --scopes all"
            );
            Ok(())
        }
        None => bail!("there is a provider `{name}` already"),
    }
}

/// Seals everything again with the first master key. Not while a process runs that lacks it, unless `force`.
pub async fn rotate(config: Config, force: bool) -> anyhow::Result<()> {
    let place = if config.master_key.is_some() {
        "PICSBRIDGE_MASTER_KEY (or --master-key), in every process".to_owned()
    } else {
        format!("the key file {}", config.data_dir.join("master-key").display())
    };
    let mut reached = reach(&config, true).await?;
    let rotated = async {
        let parts = open(config, &mut reached).await?;
        let without = parts.store.processes_without_present_key().await?;
        if !force && !without.is_empty() {
            bail!(unprepared(&without, &place));
        }
        let rotated = parts.store.rotate().await?;
        let left = parts.store.sealed_with_older_keys().await?;
        Ok::<_, anyhow::Error>((rotated, left))
    }
    .await;
    reached.let_go().await?;
    let (rotated, left) = rotated?;
    for (what, count) in rotated {
        println!("{what}: {count} sealed again");
    }
    if left > 0 {
        bail!(
            "{left} of the values are still sealed with an older key: a process that has the old key first is writing; set the new order everywhere, then rotate again"
        );
    }
    println!("Everything is sealed with the first key; the others may be removed from {place}.");
    Ok(())
}

fn unprepared(without: &[ProcessRow], place: &str) -> String {
    let lines: Vec<_> = without
        .iter()
        .map(|process| {
            let (started, seen) = (process.started_at.format("%F %T"), process.seen_at.format("%F %T"));
            let what = if process.works { "works jobs" } else { "only answers" };
            format!("  one that {what}, started at {started} UTC, seen at {seen} UTC")
        })
        .collect();
    format!(
        "nothing was sealed again: {} would not be able to read what the first key seals:\n{}\nPut the new key first in {place}, keep the old one after it, and restart these; then rotate again. \
         If they do not run any more, wait three minutes, or say --force.",
        counted(without.len(), "running process", "running processes"),
        lines.join("\n")
    )
}

pub fn print_document() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&document())?);
    Ok(())
}
