//! The demo provider of the embedded default, and what `serve` says when it is ready.

use anyhow::Context as _;
use picsbridge::app::Parts;
use picsbridge::auth::NewToken;
use picsbridge::auth::scope::Scopes;
use picsbridge::config::Config;
use picsbridge::domain::{OneFileEnvironment, RunKind};
use picsbridge::store::{By, Expected, NewAce360Settings, NewRun, OneFileChoices};
use secrecy::{ExposeSecret as _, SecretString};

use super::secret_file::write_secret;

const DEMO: &str = "demo";

/// What is told on standard output when all is ready.
pub fn banner(public: &str, sandbox: Option<&str>, demo: Option<&SecretString>) {
    println!("picsbridge is ready.");
    println!("  API           {public}");
    println!("  Swagger page  {public}/docs/");
    if let Some(sandbox) = sandbox {
        println!("  Sandbox       {sandbox}  (its own page: {sandbox}/docs/)");
    }
    if let Some(token) = demo {
        println!("  Demo token    {}", token.expose_secret());
        println!(
            "The token is the demo provider's, with every scope; its ACE360 and its OneFile are the sandbox. Ctrl-C stops the service; what it keeps stays."
        );
    } else {
        println!(
            "Make a provider and a token: picsbridge provider create NAME; picsbridge token create --provider NAME --scopes all"
        );
    }
}

/// The demo provider of the embedded default: made once, set up for the sandbox; its token is kept in the data folder.
pub async fn demo(parts: &Parts, config: &Config) -> anyhow::Result<SecretString> {
    let by = By::itself("serve");
    let provider = if let Some(provider) = parts.store.provider_by_name(DEMO).await? {
        provider
    } else {
        let made = parts
            .store
            .create_provider(DEMO)
            .await?
            .context("the demo provider was made by somebody else just now")?;
        let settings = NewAce360Settings {
            enabled: true,
            environment: "sandbox".to_owned(),
            token: Some(SecretString::from("sandbox")),
            daily_enabled: true,
            daily_at: chrono::NaiveTime::from_hms_opt(5, 0, 0).unwrap_or_default(),
        };
        parts.store.put_ace360_settings(made.id, &settings, &Expected::Whatever, &by).await?;
        // So that the first preview has standards to choose from.
        parts.store.create_run(&NewRun::of(made.id, RunKind::StandardsRefresh, by.clone())).await?;
        made
    };
    let before = parts.store.onefile_settings(provider.id).await?;
    if before.version == 0 {
        // Switched on by whoever has gone through its checklist.
        let choices =
            OneFileChoices { environment: OneFileEnvironment::Sandbox, ..OneFileChoices::default() };
        let token = SecretString::from("sandbox");
        parts.store.put_onefile_settings(provider.id, &before, &choices, Some(&token), &by).await?;
    }
    let path = config.data_dir.join("demo-token");
    if let Ok(token) = std::fs::read_to_string(&path)
        && parts.auth.verify(&parts.store, token.trim()).await.is_ok()
    {
        return Ok(SecretString::from(token.trim().to_owned()));
    }
    let (token, _) = parts
        .auth
        .issue(
            &parts.store,
            &provider,
            NewToken { name: "demo", scopes: Scopes::all(), days: 365 },
            None,
            &by,
        )
        .await?;
    let token = SecretString::from(token);
    write_secret(&path, &token)?;
    Ok(token)
}
