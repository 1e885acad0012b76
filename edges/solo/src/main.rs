//! `penfold`: the whole service in one process, and the command line that administers it.

mod cli;
mod control;
mod process;
mod seed;
mod serve;

use clap::{Parser, Subcommand};
use penfold_runtime::Settings;
use std::path::PathBuf;
use std::process::ExitCode;

/// Messages are many small allocations of several threads; the system's allocator spends a sixth of a delivery on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Mail for many organisations: SMTP and IMAP over one store
#[derive(Debug, Parser)]
#[command(name = "penfold", version)]
struct Arguments {
    /// Directory that holds everything
    #[arg(long, global = true, env = "PENFOLD_DATA", value_name = "DIR", default_value = "penfold-data")]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(Box<Settings>),
    #[command(flatten)]
    Administer(cli::Command),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return serve::Failure::Other(format!("no threads can be started: {error}")).report(),
    };
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(settings) => match serve::serve(&arguments.data, *settings).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => failure.report(),
            },
            Command::Administer(command) => cli::run(command, &arguments.data).await,
        }
    })
}
