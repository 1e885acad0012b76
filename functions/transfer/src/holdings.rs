//! What is in a mailbox beside mail, as files of its archive: a calendar, a list of tasks, notes or an address book as one file each, or
//! as several where it is large; files as they are.

use crate::mailbox::Gathered;
use crate::objects::{Place, Text};
use penfold_mailbox::{Folder, Folders, Kind, Mailbox};
use penfold_transfers::{Holds, file_name};
use penfold_types::{FolderId, Kind as Why, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far a folder is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Behind {
    /// The last object that was.
    after: Option<String>,
    /// As so many files.
    files: u32,
    /// All of it.
    whole: bool,
}

pub(crate) struct Holdings<'a> {
    mailbox: Mailbox,
    /// Each with its path in the archive, without what follows for its parts and its kind.
    folders: Vec<(&'a Folder, String)>,
}

fn directory(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Mail => return None,
        Kind::Events => "calendars",
        Kind::Tasks => "tasks",
        Kind::Notes => "notes",
        Kind::Contacts => "contacts",
        Kind::Files => "files",
        Kind::Attachments => "attachments",
    })
}

/// Folders of files lie in one another, the outermost in nothing.
fn path_of(folders: &Folders, folder: &Folder) -> String {
    let mut path = String::new();
    let mut at = Some(folder);
    for _ in 0..Folder::DEPTH_LIMIT {
        let Some(own) = at.filter(|own| own.parent.is_some()) else { break };
        path = format!("/{}{path}", file_name(&own.segment));
        at = own.parent.and_then(|id| folders.get(id));
    }
    path
}

impl<'a> Holdings<'a> {
    pub fn of(mailbox: &Mailbox, folders: &'a Folders) -> Self {
        let mut all: Vec<&Folder> = folders.collections().collect();
        all.sort_by_key(|folder| folder.id);
        let plain = |folder: &Folder| {
            let directory = directory(folder.kind)?;
            Some(match folder.kind {
                Kind::Files => format!("{directory}{}", path_of(folders, folder)),
                Kind::Attachments => directory.to_owned(),
                _ => format!("{directory}/{}", file_name(&folder.name)),
            })
        };
        let mut named: BTreeMap<String, u32> = BTreeMap::new();
        for path in all.iter().filter_map(|folder| plain(folder)) {
            *named.entry(path.to_lowercase()).or_default() += 1;
        }
        // Names that several have are told apart, all of them: what was written stays what it was when one of them goes.
        let path = |folder: &&'a Folder| {
            let path = plain(folder)?;
            let alone = named.get(&path.to_lowercase()) == Some(&1);
            Some((*folder, if alone { path } else { format!("{path}.{}", folder.id) }))
        };
        let folders = all.iter().filter_map(path).collect();
        Self { mailbox: mailbox.clone(), folders }
    }

    pub fn total(&self) -> u64 {
        self.folders.iter().map(|(folder, _)| u64::from(folder.total)).sum()
    }

    /// Goes on behind a place; gives the next one, and whether that is the end.
    pub async fn write(&self, begin: Option<(FolderId, Behind)>, gathered: &mut Gathered) -> Result<(Option<(FolderId, Behind)>, bool)> {
        let mut at = begin;
        for (folder, path) in &self.folders {
            let mut behind = match &at {
                Some((done, _)) if folder.id < *done => continue,
                Some((same, behind)) if folder.id == *same => behind.clone(),
                _ => Behind::default(),
            };
            while !behind.whole {
                let next = match self.some(folder, path, &behind, gathered).await {
                    // Somebody deleted it meanwhile.
                    Err(error) if error.kind() == Why::NotFound => Behind { whole: true, ..behind },
                    next => next?,
                };
                behind = next.clone();
                at = Some((folder.id, next));
                if gathered.is_full() {
                    return Ok((at, false));
                }
            }
        }
        Ok((at, true))
    }

    async fn some(&self, folder: &Folder, path: &str, behind: &Behind, gathered: &mut Gathered) -> Result<Behind> {
        let place = Place::of(&self.mailbox, folder.clone());
        let (holds, ending) = match folder.kind {
            Kind::Events | Kind::Tasks | Kind::Notes => (Holds::Calendar, "ics"),
            Kind::Contacts => (Holds::Cards, "vcf"),
            Kind::Files | Kind::Attachments | Kind::Mail => return self.files(&place, path, behind, gathered).await,
        };
        let mut text = Text::begin(holds, &folder.name);
        let some = text.take(&place, behind.after.clone()).await?;
        gathered.done += some.done;
        for wrong in some.wrong {
            gathered.wrong(format!("{path}: {}", wrong.detail));
        }
        let number = behind.files + 1;
        if some.done > 0 {
            let part = if number == 1 { String::new() } else { format!(".{}.{number}", folder.id) };
            gathered.file(&format!("{path}{part}.{ending}"), self.mailbox.env().now(), &text.end());
        }
        Ok(Behind { after: some.after, files: number, whole: !some.more })
    }

    /// One file after another, as many as fit into a step.
    async fn files(&self, place: &Place, path: &str, behind: &Behind, gathered: &mut Gathered) -> Result<Behind> {
        let (page, more) = place.list(behind.after.as_deref()).await?;
        let mut next = Behind { whole: !more, ..behind.clone() };
        for object in page {
            if gathered.is_full() {
                return Ok(Behind { whole: false, ..next });
            }
            let (name, at) = (object.name.clone(), object.modified);
            for found in place.each(vec![object]).await? {
                match found {
                    Ok(bytes) => {
                        gathered.file(&format!("{path}/{}", file_name(&name)), at, &bytes);
                        gathered.done += 1;
                    }
                    Err(detail) => gathered.wrong(format!("{path}: {detail}")),
                }
            }
            next.after = Some(name);
        }
        Ok(next)
    }
}
