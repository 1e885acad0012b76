//! The command line: one file for each noun. What clap reads is also what goes over the control socket, so a command means
//! the same with a server and without one; showing the answer is all that is left to do here.

mod audit;
mod certificate;
mod check;
mod delegate;
mod domain;
mod export;
mod folder;
mod group;
mod import;
mod output;
mod password;
mod person;
mod queue;
mod report;
mod shared;
mod tenant;
#[cfg(test)]
mod tests;
mod token;
mod trace;
mod units;
mod usage;

use crate::control::{Asked, Context, Place, Reply, ask};
use crate::failure::Failure;
use crate::moving::Pipe;
use clap::{Args, Subcommand};
use penfold_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

/// Every noun, with what is done to it.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Organisations
    Tenant(Noun<tenant::Tenant>),
    /// Mail domains of a tenant
    Domain(Noun<domain::Domain>),
    /// Certificates of the names that are served
    Certificate(Noun<certificate::Certificate>),
    /// People and their addresses
    Person(Noun<person::Person>),
    /// Distribution groups
    Group(Noun<group::Group>),
    /// Mailboxes of a team
    Shared(Noun<shared::Shared>),
    /// Who writes in another's name
    Delegate(Noun<delegate::Delegate>),
    /// Folders of a mailbox, and what others may do in them
    Folder(Noun<folder::Folder>),
    /// Passwords and app passwords
    Password(Noun<password::Password>),
    /// Tokens of the operator, for the API
    Token(Noun<token::Token>),
    /// What others report about a domain's mail, and what was reported to others
    Report(Noun<report::Report>),
    /// Mail that could not be delivered
    Queue(Noun<queue::Queue>),
    /// The way of a message
    Trace(Leaf<trace::Trace>),
    /// What administrators did
    Audit(Leaf<audit::Audit>),
    /// What mailboxes used, for bills
    Usage(Leaf<usage::Usage>),
    /// Prove that what is stored is whole
    Check(Leaf<check::Check>),
    /// Take mail over from elsewhere, or a whole tenant
    Import(Noun<import::Import>),
    /// Give mail out as files, or a whole tenant
    Export(Noun<export::Export>),
}

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Noun<T: Subcommand> {
    /// Answer as JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: T,
}

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Leaf<T: Args> {
    /// Answer as JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    arguments: T,
}

macro_rules! each_noun {
    ($command:expr, $noun:ident => $noun_answer:expr, $leaf:ident => $leaf_answer:expr) => {
        match $command {
            Command::Tenant($noun) => $noun_answer,
            Command::Domain($noun) => $noun_answer,
            Command::Certificate($noun) => $noun_answer,
            Command::Person($noun) => $noun_answer,
            Command::Group($noun) => $noun_answer,
            Command::Shared($noun) => $noun_answer,
            Command::Delegate($noun) => $noun_answer,
            Command::Folder($noun) => $noun_answer,
            Command::Password($noun) => $noun_answer,
            Command::Token($noun) => $noun_answer,
            Command::Report($noun) => $noun_answer,
            Command::Queue($noun) => $noun_answer,
            Command::Import($noun) => $noun_answer,
            Command::Export($noun) => $noun_answer,
            Command::Trace($leaf) => $leaf_answer,
            Command::Audit($leaf) => $leaf_answer,
            Command::Usage($leaf) => $leaf_answer,
            Command::Check($leaf) => $leaf_answer,
        }
    };
}

impl Command {
    /// Does it, beside the store; answers line by line.
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        each_noun!(self, noun => noun.verb.carry_out(context, reply).await, leaf => leaf.arguments.carry_out(context, reply).await)
    }

    /// Where it makes sense although there is no store yet.
    pub fn makes_a_store(&self) -> bool {
        matches!(
            self,
            Self::Tenant(Noun { verb: tenant::Tenant::Add { .. }, .. }) | Self::Import(Noun { verb: import::Import::Tenant(_), .. })
        )
    }

    fn json(&self) -> bool {
        each_noun!(self, noun => noun.json, leaf => leaf.json)
    }

    /// What has to be read here, where the person is: passwords, lists, the meaning of a relative path.
    fn prepare(&mut self) -> std::result::Result<(), String> {
        match self {
            Self::Person(noun) => noun.verb.prepare(),
            Self::Group(noun) => noun.verb.prepare(),
            Self::Password(noun) => noun.verb.prepare(),
            Self::Import(noun) => noun.verb.prepare(),
            Self::Export(noun) => noun.verb.prepare(),
            _ => Ok(()),
        }
    }
}

impl Command {
    /// The file of an archive that is read or written; true where it is written.
    fn archive(&mut self) -> Option<(&mut std::path::PathBuf, bool)> {
        match self {
            Self::Import(noun) => noun.verb.archive().map(|file| (file, false)),
            Self::Export(noun) => noun.verb.archive().map(|file| (file, true)),
            _ => None,
        }
    }

    /// For `-`: whoever carries it out gets a socket to our standard input or output. True where that is the output.
    fn pipe(&mut self) -> std::io::Result<Option<(Pipe, bool)>> {
        let Some((file, out)) = self.archive().filter(|(file, _)| file.as_os_str() == "-") else { return Ok(None) };
        let pipe = Pipe::open(&penfold_types::Env::system(), out)?;
        *file = pipe.path().to_owned();
        Ok(Some((pipe, out)))
    }
}

/// Runs one command to its end: 0 where it was done, 2 where the request must be changed, else 1.
pub async fn run(mut command: Command, place: Place<'_>) -> ExitCode {
    let mut output = output::Output::new(command.json());
    if let Err(text) = command.prepare() {
        return output.failed("invalid", &text, 2);
    }
    let pipe = match command.pipe() {
        Ok(pipe) => pipe,
        Err(error) => return output.failed("retry", &format!("no socket can be made: {error}"), 1),
    };
    if pipe.as_ref().is_some_and(|(_, out)| *out) {
        output.use_stderr();
    }
    let mut asked = ask(command, place, |response| output.take(response)).await;
    if let Some((pipe, _)) = pipe
        && let Err(error) = pipe.close(matches!(asked, Ok(Asked::Done)))
    {
        asked = Err(Failure::Other(format!("the archive was not copied: {error}")));
    }
    match asked {
        Ok(Asked::Done) => output.done(),
        Ok(Asked::Failed { kind, text }) => {
            let code = if kind == "invalid" { 2 } else { 1 };
            output.failed(&kind, &text, code)
        }
        Err(Failure::Usage(text)) => output.failed("invalid", &text, 2),
        Err(Failure::Other(text)) => output.failed("retry", &text, 1),
    }
}

/// A domain as it was typed.
fn domain(text: &str) -> Result<penfold_types::Domain> {
    text.parse().map_err(|error| Error::invalid(format!("{text}: {error}")))
}

/// The tenants that a command speaks of: the one that was named, or all.
async fn tenants(context: &Context, name: Option<&str>) -> Result<Vec<penfold_directory::TenantInfo>> {
    let operator = context.service.directory.operator();
    if let Some(name) = name {
        return Ok(vec![operator.tenant(name).await?]);
    }
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = operator.tenants(after.as_deref(), 1000).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

/// The operator, under the name that stands in the audit log.
pub fn operator(context: &Context) -> penfold_directory::Operator {
    context.service.directory.operator().acting_as("command line")
}
