//! The one binary; its subcommand picks the role.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command answers on standard output and fails on standard error"
)]

mod cli;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use picsbridge::auth::scope::Scope;
use picsbridge::config::{Config, RawConfig};
use picsbridge::domain::counted;

/// Meant for the imports, which allocate much; the imports' bound holds with it. Costs some 20 MiB of idle memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The middleware between PICSWeb, ACE360 and OneFile
#[derive(Parser, Debug)]
#[command(name = "picsbridge", version, about, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    config: RawConfig,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Answer the API and work jobs (the default)
    Serve(ServeArgs),
    /// Work jobs, without the API
    Worker,
    /// Serve the simulators of ACE360 and OneFile only
    Sandbox,
    /// Bring the database to this version
    Migrate,
    /// Create, list and revoke tokens
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Create and list training providers
    Provider {
        #[command(subcommand)]
        command: ProviderCommand,
    },
    /// Manage the keys that seal what is kept
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Print the API's OpenAPI document
    Openapi,
    /// Check the configuration, the database, the keys and the upstreams
    Doctor,
}

#[derive(Args, Debug, Default)]
struct ServeArgs {
    /// Answer the API only: another process works the jobs
    #[arg(long)]
    no_worker: bool,
    /// Leave the database as it is: `picsbridge migrate` brings it to this version
    #[arg(long)]
    no_migrate: bool,
}

#[derive(Subcommand, Debug)]
enum TokenCommand {
    /// Make a token and print it, alone, on standard output
    Create {
        /// Whose token: the provider's name
        #[arg(long)]
        provider: String,
        /// What it may do: scopes separated by commas, or `all`
        #[arg(long, long_help = scopes_help())]
        scopes: String,
        /// For how many days it is good
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
        days: u32,
        /// What it is for, for people
        #[arg(long, default_value = "made on the command line")]
        name: String,
    },
}

#[derive(Args, Debug)]
struct RotateArgs {
    /// Also while a process that was seen in the last minutes lacks the new key
    #[arg(long)]
    force: bool,
}

#[derive(Subcommand, Debug)]
enum KeysCommand {
    /// Seal everything again with the first key of PICSBRIDGE_MASTER_KEY; the service may run meanwhile
    Rotate(RotateArgs),
}

#[derive(Subcommand, Debug)]
enum ProviderCommand {
    /// Make a training provider
    Create {
        /// 1 to 64 letters, digits, `.`, `_`, `-`
        name: String,
    },
}

fn scopes_help() -> String {
    let lines: Vec<_> =
        Scope::ALL.iter().map(|scope| format!("  {:20} {}", scope.as_str(), scope.about())).collect();
    format!("What it may do: scopes separated by commas, or `all`:\n{}", lines.join("\n"))
}

#[actix_web::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or_else(|| Command::Serve(ServeArgs::default()));
    if matches!(command, Command::Openapi) {
        return match cli::print_document() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        };
    }
    let config = match Config::check(&cli.config) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!(
                "picsbridge does not start: {} cannot be used.",
                counted(faults.len(), "setting", "settings")
            );
            for fault in faults {
                eprintln!("  {fault}");
            }
            return ExitCode::from(2);
        }
    };
    picsbridge::telemetry::start_log(&config);
    let done = match command {
        Command::Serve(args) => cli::serve(config, !args.no_worker, !args.no_migrate).await,
        Command::Worker => cli::worker(config).await,
        Command::Sandbox => cli::sandbox(config).await,
        Command::Migrate => cli::migrate(config).await,
        Command::Token { command: TokenCommand::Create { provider, scopes, days, name } } => {
            cli::create_token(config, &provider, &scopes, days, &name).await
        }
        Command::Provider { command: ProviderCommand::Create { name } } => {
            cli::create_provider(config, &name).await
        }
        Command::Keys { command: KeysCommand::Rotate(args) } => cli::rotate(config, args.force).await,
        Command::Openapi => Ok(()),
        Command::Doctor => match cli::doctor::doctor(config).await {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    // Each cause once: some repeat the words of what they come from.
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    eprintln!("picsbridge: {told}");
    ExitCode::FAILURE
}
