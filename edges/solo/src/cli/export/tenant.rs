use crate::control::{Context, Reply};
use crate::moving::{self, ExportKey, Moved};
use clap::Args;
use penfold_types::{Env, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;
use tokio::sync::mpsc;

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Whole {
    /// The tenant's name
    name: String,
    /// File to write; - for standard output
    pub file: PathBuf,
    /// File with the export key, without which the archive is useless; made where it is absent
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A move, not a copy: nothing is written to its mailboxes from now on, until penfold tenant thaw
    #[arg(long)]
    freeze: bool,
    /// Read where the person is.
    #[arg(skip)]
    secret: Option<ExportKey>,
}

impl Whole {
    pub fn prepare(&mut self) -> std::result::Result<(), String> {
        if self.file.as_os_str() != "-" {
            self.file = std::path::absolute(&self.file).map_err(|error| format!("cannot use {}: {error}", self.file.display()))?;
        }
        self.secret = Some(ExportKey::read_or_make(&Env::system(), &self.key)?);
        Ok(())
    }

    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let key = self.secret.ok_or_else(|| Error::invalid("give the export key with --key"))?;
        if self.freeze {
            super::super::tenant::freeze(context, reply, &self.name).await?;
        }
        let (target, to) = moving::open_target(&self.file)?;
        let (sender, receiver) = mpsc::channel(8);
        let writing = tokio::task::spawn_blocking(move || moving::write_archive(to, receiver));
        let moved = moving::export(context, &self.name, &key, sender, reply).await;
        let written = writing.await.map_err(|error| Error::broken("writing ended unexpectedly").because(error));
        let kept = match written? {
            // What could not be written is why it could not go on.
            Err(error) => Err(Error::invalid(format!("cannot write the archive: {error}"))),
            Ok(()) => moved.and_then(|moved| target.keep().map(|()| moved)),
        };
        match kept {
            Ok(moved) => said(reply, "exported", &moved).await,
            Err(error) => {
                target.drop_it();
                Err(error)
            }
        }
    }
}

/// The same line on both sides, so that they can be compared.
pub async fn said(reply: &Reply, what: &str, moved: &Moved) -> Result<()> {
    let Moved { tenant, rows, blobs, bytes, checksum } = moved;
    let lines = vec![vec![format!("{what} {tenant}: {rows} rows, {blobs} blobs of {bytes} bytes")], vec![format!("checksum {checksum}")]];
    reply.item(lines, json!({ "tenant": tenant, "rows": rows, "blobs": blobs, "bytes": bytes, "checksum": checksum })).await
}
