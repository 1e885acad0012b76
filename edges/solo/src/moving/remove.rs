//! Out of a store again: what an import that was cut off has left.

use super::Moved;
use super::digest::is_log;
use super::frame::Read1;
use super::import::{Source, is_claim};
use super::key::ExportKey;
use super::patiently;
use super::put::Crew;
use super::record::{Item, Record};
use super::walk::Walk;
use crate::control::{Context, Reply};
use penfold_ports::Write;
use penfold_types::{Error, Result};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Takes out what an import that was cut off has left. The archive says what that can be.
pub async fn remove(context: &Context, key: &ExportKey, from: mpsc::Receiver<Result<Read1>>, reply: &Reply) -> Result<Moved> {
    let mut source = Source::open(from, key).await?;
    let world = context.service.world.named("import");
    let walk = Walk { world: world.clone(), directory: context.service.directory.clone(), tenant: source.whose.tenant };
    if walk.directory.every_tenant().await?.contains(&walk.tenant) {
        let name = &source.whose.name;
        return Err(Error::conflict(format!("{name} has come over whole; to remove it, use penfold tenant remove --everything")));
    }
    let mut moved = Moved { tenant: source.whose.name.clone(), ..Moved::default() };
    let mut crew = Crew::new();
    loop {
        match source.next().await? {
            Record::Claims(items) => {
                for Item { key, row } in items.into_iter().filter(|item| is_claim(item, &source.whose, walk.tenant)) {
                    // Somebody else's is left alone.
                    if patiently(&world.env, || world.table.get(&key)).await?.as_ref() == Some(&row) {
                        patiently(&world.env, || world.table.put(Write::delete(key.clone()))).await?;
                        moved.rows += 1;
                    }
                }
            }
            // What happened stays in the logs.
            Record::Rows(items) => {
                for item in items.into_iter().filter(|item| item.key.pk().tenant() == Some(walk.tenant) && !is_log(item.key.pk())) {
                    moved.rows += 1;
                    let world = world.clone();
                    let delete = Arc::new(Write::delete(item.key));
                    crew.take(0, async move { Ok(patiently(&world.env, || world.table.put((*delete).clone())).await?) }).await?;
                }
                reply.progress(moved.rows, None, "rows").await?;
            }
            Record::End(_) => break,
            Record::Whose(_) | Record::Blob { .. } => {}
        }
    }
    crew.rest().await?;
    loop {
        let page = walk.blobs_after(None).await?;
        if page.is_empty() {
            // Last: until then the import may also be run again.
            patiently(&world.env, || world.secrets.destroy(walk.tenant)).await?;
            return Ok(moved);
        }
        for key in page {
            moved.blobs += 1;
            let world = world.clone();
            crew.take(0, async move { Ok(patiently(&world.env, || world.blobs.delete(&key)).await?) }).await?;
        }
        crew.rest().await?;
    }
}
