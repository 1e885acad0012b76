use super::super::export::said;
use crate::control::{Context, Reply};
use crate::moving::{self, ExportKey};
use clap::Args;
use penfold_types::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;
use tokio::sync::mpsc;

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Whole {
    /// The archive; - for standard input
    pub file: PathBuf,
    /// File with the export key that its export used
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Read where the person is.
    #[arg(skip)]
    secret: Option<ExportKey>,
}

impl Whole {
    pub fn prepare(&mut self) -> std::result::Result<(), String> {
        if self.file.as_os_str() != "-" {
            self.file = self.file.canonicalize().map_err(|error| format!("cannot read {}: {error}", self.file.display()))?;
        }
        self.secret = Some(ExportKey::read(&self.key)?);
        Ok(())
    }

    /// `remove`: takes out what an earlier import has left.
    pub async fn carry_out(self, context: &Context, reply: &Reply, remove: bool) -> Result<()> {
        let key = self.secret.ok_or_else(|| Error::invalid("give the export key with --key"))?;
        let from = moving::open_source(&self.file)?;
        let (sender, receiver) = mpsc::channel(4);
        let reading = key.clone();
        // Not one of the runtime's threads: it may wait for standard input when nobody needs it any more.
        std::thread::spawn(move || moving::read_archive(from, &reading, &sender));
        if remove {
            let moved = moving::remove(context, &key, receiver, reply).await?;
            let text = format!("took out {} rows and {} blobs of {}", moved.rows, moved.blobs, moved.tenant);
            return reply.say(text, json!({ "tenant": moved.tenant, "rows": moved.rows, "blobs": moved.blobs })).await;
        }
        let moved = moving::import(context, &key, receiver, reply).await?;
        said(reply, "imported", &moved).await
    }
}
