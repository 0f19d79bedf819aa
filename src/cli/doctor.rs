//! `doctor`: whether a service would find all that it needs, a line each.

use picsbridge::ace360::Ace360Error;
use picsbridge::app::Parts;
use picsbridge::config::{Config, Database};
use picsbridge::domain::OneFileEnvironment;
use picsbridge::onefile::OneFileError;
use picsbridge::store::Store;
use picsbridge::upstream::failure::Failure;
use uuid::Uuid;

use super::{open, reach};

/// What to look at when the sandbox does not answer as it should.
const SANDBOX_HINT: &str = "(Does `serve` or `sandbox` run, and at this address? If another program has taken the port, start it with \
                            --sandbox-listen ADDRESS, and give `doctor` the same.)";

/// Checks everything that a service needs, a line each; `false`: something is wrong.
pub async fn doctor(mut config: Config) -> anyhow::Result<bool> {
    // The sandbox of a service that runs beside, at the address where this configuration puts it.
    if let (None, Some(address)) = (&config.upstreams.sandbox, config.sandbox_listen) {
        config.upstreams.sandbox = Some(format!("http://{address}"));
    }
    let mut well = true;
    let mut say = |what: &str, result: Result<String, String>| match result {
        Ok(detail) => println!("ok      {what}: {detail}"),
        Err(problem) => {
            well = false;
            println!("WRONG   {what}: {problem}");
        }
    };
    say("configuration", Ok(config.summary()));
    if matches!(config.database, Database::Embedded) && !config.data_dir.exists() {
        // Nothing is made by who only asks: an empty installation would be well, and say nothing of the one that was meant.
        let problem = format!(
            "there is no installation in {}: name its folder (--data-dir), or DATABASE_URL, or start the service once",
            config.data_dir.display()
        );
        say("database", Err(problem));
        return Ok(false);
    }
    let reached = match reach(&config, true).await {
        Ok(reached) => reached,
        Err(error) => {
            say("database", Err(format!("{error:#}")));
            return Ok(false);
        }
    };
    let mut reached = reached;
    match open(config.clone(), &mut reached).await {
        Ok(parts) => {
            say("database", version(&parts.store).await.map_err(|error| error.to_string()));
            say("keys", Ok("the master key opens what is kept".to_owned()));
            say("clock", clock(&parts).await);
            for (provider, enabled) in parts.store.ace360_configured().await? {
                let (place, result) = ace360(&parts, provider.id, enabled).await?;
                say(&format!("ACE360 of provider {}{place}", provider.name), excused(result, enabled));
            }
            for (provider, enabled) in parts.store.onefile_configured().await? {
                let (place, result) = onefile(&parts, provider.id, enabled).await?;
                say(&format!("OneFile of provider {}{place}", provider.name), excused(result, enabled));
            }
            parts.store.close().await;
        }
        Err(error) => say("database and keys", Err(format!("{error:#}"))),
    }
    reached.let_go().await?;
    Ok(well)
}

/// Where a provider's ACE360 is, and what it says.
async fn ace360(
    parts: &Parts,
    provider: Uuid,
    enabled: bool,
) -> anyhow::Result<(String, Result<String, String>)> {
    let settings = parts.store.ace360_settings(provider).await?;
    let place = at(parts.ace360.address_of(&settings).ok());
    let result = match parts.ace360.test_connection(provider).await {
        Ok(Ok(detail)) => Ok(detail),
        Ok(Err(failure)) => Err(told(&failure, settings.environment == "sandbox")),
        Err(Ace360Error::NotConfigured(what)) if !enabled => Ok(format!("not set up ({what})")),
        Err(error) => Err(error.to_string()),
    };
    Ok((place, result))
}

/// The same of OneFile.
async fn onefile(
    parts: &Parts,
    provider: Uuid,
    enabled: bool,
) -> anyhow::Result<(String, Result<String, String>)> {
    let environment = parts.store.onefile_settings(provider).await?.choices.environment;
    let place = at(parts.onefile.address_of(environment).ok());
    let result = match parts.onefile.test_connection(provider).await {
        Ok(Ok(detail)) => Ok(detail),
        Ok(Err(failure)) => Err(told(&failure, environment == OneFileEnvironment::Sandbox)),
        Err(OneFileError::NotConfigured(what)) if !enabled => Ok(format!("not set up ({what})")),
        Err(error) => Err(error.to_string()),
    };
    Ok((place, result))
}

fn at(address: Option<String>) -> String {
    address.map(|address| format!(" at {address}")).unwrap_or_default()
}

fn told(failure: &Failure, sandbox: bool) -> String {
    if sandbox { format!("{} {SANDBOX_HINT}", failure.text()) } else { failure.text() }
}

/// What is switched off harms nobody by not answering.
fn excused(result: Result<String, String>, enabled: bool) -> Result<String, String> {
    if enabled {
        return result;
    }
    Ok(result.unwrap_or_else(|problem| format!("switched off ({problem})")))
}

async fn version(store: &Store) -> Result<String, picsbridge::store::StoreError> {
    let (version, pooled) = store.server().await?;
    if pooled {
        return Ok(format!(
            "PostgreSQL {version}, but a pooler between us and it does not keep sessions: use session pooling"
        ));
    }
    Ok(format!("PostgreSQL {version}"))
}

async fn clock(parts: &Parts) -> Result<String, String> {
    let theirs = parts.store.now().await.map_err(|error| error.to_string())?;
    let apart = (parts.auth.clock().now() - theirs).num_seconds().abs();
    if apart > 5 {
        Err(format!("this machine and the database are {apart} s apart: set both by NTP"))
    } else {
        Ok("this machine and the database agree".to_owned())
    }
}
