//! Commands as they are typed, carried out on an embedded store in a directory of their own.

mod domains;
mod nouns;
mod reports;
mod socket;
mod transfer;

use super::Command;
use crate::control::{Context, Reply, Response, Service};
use clap::Parser;
use penfold_directory::{Cheap, Directory, Options};
use penfold_embedded::Ports;
use penfold_mailbox::Mailboxes;
use penfold_simulated::Zone;
use penfold_types::Env;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;

#[derive(Debug, Parser)]
struct Typed {
    #[command(subcommand)]
    command: Command,
}

struct Office {
    context: Context,
    ports: Ports,
    zone: Zone,
    dir: TempDir,
}

#[derive(Debug, Default)]
struct Answer {
    values: Vec<Value>,
    shown: Vec<Vec<String>>,
    notes: Vec<String>,
    failed: Option<(String, String)>,
}

fn parse(line: &str) -> Command {
    let words = std::iter::once("penfold").chain(line.split_whitespace());
    let mut command = Typed::try_parse_from(words).unwrap().command;
    command.prepare().unwrap();
    command
}

impl Answer {
    fn take(&mut self, response: Response) {
        match response {
            Response::Item { rows, value } => {
                self.shown.extend(rows);
                self.values.push(value);
            }
            Response::Note { text } => self.notes.push(text),
            Response::Failed { kind, text } => self.failed = Some((kind, text)),
            Response::Progress { .. } | Response::Done => {}
        }
    }

    fn good(self) -> Self {
        assert_eq!(self.failed, None);
        self
    }

    fn kind(&self) -> &str {
        self.failed.as_ref().map_or("done", |(kind, _)| kind)
    }

    fn last(&self) -> &Value {
        self.values.last().unwrap()
    }
}

/// One tenant with `ann@one.test` and `bob@one.test`.
async fn office() -> Office {
    let dir = tempfile::tempdir().unwrap();
    let ports = penfold_embedded::open(Env::system(), dir.path(), penfold_embedded::Options::default()).unwrap();
    let zone = Zone::default();
    let world = ports.world(Env::system()).with_dns(Arc::new(zone.clone()));
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let context = Context { service: Service { world, directory, mailboxes, primary: None }, data: dir.path().to_owned() };
    let office = Office { context, ports, zone, dir };
    office.run("tenant add One --domain one.test").await.good();
    for name in ["ann", "bob"] {
        office.run(&format!("person add {name}@one.test --password secret")).await.good();
    }
    office
}

impl Office {
    async fn run(&self, line: &str) -> Answer {
        let (reply, mut responses) = Reply::channel();
        // Over the wire and back, as with a server.
        let wire = serde_json::to_vec(&parse(line)).unwrap();
        let command: Command = serde_json::from_slice(&wire).unwrap();
        let context = self.context.clone();
        let work = tokio::spawn(async move { command.carry_out(&context, &reply).await });
        let mut answer = Answer::default();
        while let Some(response) = responses.recv().await {
            answer.take(response);
        }
        if let Err(error) = work.await.unwrap() {
            answer.take(Response::failed(&error));
        }
        answer
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.ports.close();
    }
}
