//! What is in a mailbox beside mail, as files of its archive: a calendar, a list of tasks, notes or an address book as one file each, or
//! as several where it is large; files as they are.

use crate::mailbox::Gathered;
use crate::objects::{Place, Text};
use aws_lc_rs::digest;
use penfold_mailbox::{Folder, Folders, Kind, Mailbox};
use penfold_transfers::{Holds, file_name, own_name};
use penfold_types::{FolderId, Kind as Why, Result};
use serde::{Deserialize, Serialize};

/// How far a folder is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Behind {
    /// The last object that was.
    after: Option<String>,
    /// As so many files.
    files: u32,
    /// All of it.
    whole: bool,
    /// Its path in the archive, without what follows for its parts and its kind. Decided when it begins: whatever is renamed, made or
    /// deleted meanwhile, its files lie together.
    #[serde(default)]
    path: String,
    /// Marks of the paths that are given away, this one's too. Short ones, for there may be thousands: where two paths have the same,
    /// one of them gets an id that it would not need.
    #[serde(default)]
    taken: Vec<u32>,
}

impl Behind {
    /// The next folder after those that gave away `taken`.
    fn begin(folder: &Folder, plain: &str, mut taken: Vec<u32>) -> Self {
        // Some file systems do not tell cases apart.
        let mark = |path: &str| {
            let hash = digest::digest(&digest::SHA256, path.to_lowercase().as_bytes());
            hash.as_ref().iter().take(4).fold(0, |mark, byte| mark << 8 | u32::from(*byte))
        };
        let free = !taken.contains(&mark(plain));
        let path = if free { plain.to_owned() } else { format!("{plain}.{}", folder.id) };
        taken.push(mark(&path));
        Self { path, taken, ..Self::default() }
    }
}

pub(crate) struct Holdings<'a> {
    mailbox: Mailbox,
    /// Each with the path that it would like to have.
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
        path = format!("/{}{path}", own_name(&own.segment, &own.id));
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
        let folders = all.iter().filter_map(|folder| Some((*folder, plain(folder)?))).collect();
        Self { mailbox: mailbox.clone(), folders }
    }

    pub fn total(&self) -> u64 {
        self.folders.iter().map(|(folder, _)| u64::from(folder.total)).sum()
    }

    /// Goes on behind a place; gives the next one, and whether that is the end.
    pub async fn write(&self, begin: Option<(FolderId, Behind)>, gathered: &mut Gathered) -> Result<(Option<(FolderId, Behind)>, bool)> {
        let mut at = begin;
        for (folder, plain) in &self.folders {
            let mut behind = match &at {
                Some((done, _)) if folder.id < *done => continue,
                // An older version began it.
                Some((same, behind)) if folder.id == *same && behind.path.is_empty() => Behind { path: plain.clone(), ..behind.clone() },
                Some((same, behind)) if folder.id == *same => behind.clone(),
                before => Behind::begin(folder, plain, before.as_ref().map(|(_, behind)| behind.taken.clone()).unwrap_or_default()),
            };
            while !behind.whole {
                let next = match self.some(folder, &behind, gathered).await {
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

    async fn some(&self, folder: &Folder, behind: &Behind, gathered: &mut Gathered) -> Result<Behind> {
        let path = &behind.path;
        let place = Place::of(&self.mailbox, folder.clone());
        let (holds, ending) = match folder.kind {
            Kind::Events | Kind::Tasks | Kind::Notes => (Holds::Calendar, "ics"),
            Kind::Contacts => (Holds::Cards, "vcf"),
            Kind::Files | Kind::Attachments | Kind::Mail => return self.files(&place, behind, gathered).await,
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
        Ok(Behind { after: some.after, files: number, whole: !some.more, ..behind.clone() })
    }

    /// One file after another, as many as fit into a step.
    async fn files(&self, place: &Place, behind: &Behind, gathered: &mut Gathered) -> Result<Behind> {
        let path = &behind.path;
        let (page, more) = place.list(behind.after.as_deref()).await?;
        let mut next = Behind { whole: !more, ..behind.clone() };
        for object in page {
            if gathered.is_full() {
                return Ok(Behind { whole: false, ..next });
            }
            let (name, id, at) = (object.name.clone(), object.id, object.modified);
            for found in place.each(vec![object]).await? {
                match found {
                    Ok(bytes) => {
                        gathered.file(&format!("{path}/{}", own_name(&name, &id)), at, &bytes);
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
