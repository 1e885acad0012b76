//! From what a folder holds to what a file says: only what differs is written.

use crate::file::File;
use penfold_mailbox::{FED_TOGETHER, Mailbox, Mark, NewObject};
use penfold_types::{Env, FolderId, Result};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Objects that are looked at together.
const PAGE: usize = 1000;

/// What is to be done.
pub struct Plan {
    put: Vec<(NewObject, Mark)>,
    remove: Vec<String>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.remove.is_empty()
    }
}

pub async fn plan(mailbox: &Mailbox, folder: FolderId, file: &File) -> Result<Plan> {
    let mut there = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let (page, more) = mailbox.objects(folder, after.as_deref(), PAGE).await?;
        after = page.last().map(|object| object.name.clone());
        there.extend(page.into_iter().map(|object| (object.name, object.mark)));
        if !more || after.is_none() {
            break;
        }
    }
    let mut put = Vec::new();
    for (new, mark) in &file.objects {
        if there.remove(&new.name) != Some(Some(*mark)) {
            put.push((new.clone(), *mark));
        }
    }
    Ok(Plan { put, remove: there.into_keys().collect() })
}

/// False where the time was over first; at least one step is done.
pub async fn carry_out(env: &Env, mailbox: &Mailbox, folder: FolderId, plan: Plan, until: Instant) -> Result<bool> {
    for chunk in plan.put.chunks(FED_TOGETHER) {
        mailbox.feed(folder, chunk).await?;
        if env.monotonic() >= until {
            return Ok(false);
        }
    }
    for name in &plan.remove {
        mailbox.remove_object(folder, name, &|_| true).await?;
        if env.monotonic() >= until {
            return Ok(false);
        }
    }
    Ok(true)
}
