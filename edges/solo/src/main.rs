//! `penfold`: the whole service in one process, and the command line that administers it.

mod api;
mod certificates;
mod cli;
mod control;
mod failure;
mod health;
mod listeners;
mod moving;
mod outside;
mod parts;
mod places;
mod process;
mod public;
mod seed;
mod serve;
mod store;

use clap::{Parser, Subcommand};
use control::Place;
use penfold_runtime::Settings;
use std::path::PathBuf;
use std::process::ExitCode;

/// Messages are many small allocations of several threads; the system's allocator spends a sixth of a delivery on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Mail for many organisations: SMTP and IMAP over one store
#[derive(Parser)]
#[command(name = "penfold", version)]
struct Arguments {
    /// Directory that holds everything
    #[arg(long, global = true, env = "PENFOLD_DATA", value_name = "DIR", default_value = "penfold-data")]
    data: PathBuf,
    /// Administer what the environment names in the cloud, and no directory
    #[cfg(feature = "cloud")]
    #[arg(long, global = true)]
    cloud: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service
    Serve(Box<Settings>),
    /// Run one edge of it beside the cloud's store, which the environment names
    #[cfg(feature = "cloud")]
    Edge {
        edge: parts::Edge,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Ask a running one whether it takes mail: 0 where it does
    Health {
        #[arg(long, env = "PENFOLD_HTTP", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:2080")]
        http: std::net::SocketAddr,
    },
    #[command(flatten)]
    Administer(Box<cli::Command>),
}

fn ended(result: Result<(), failure::Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let place = Place::Directory(&arguments.data);
    #[cfg(feature = "cloud")]
    let place = if arguments.cloud { Place::Cloud } else { place };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::Failure::Other(format!("no threads can be started: {error}")).report(),
    };
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(settings) => ended(serve::serve(&arguments.data, *settings).await),
            #[cfg(feature = "cloud")]
            Command::Edge { edge, settings } => ended(serve::edge(edge.into(), *settings).await),
            Command::Health { http } => ended(health::ask(http).await),
            Command::Administer(command) => cli::run(*command, place).await,
        }
    })
}
