use super::operator;
use crate::control::{Context, Reply};
use clap::Subcommand;
use penfold_mailbox::{Folder as Found, Folders, Kind, Mailbox, RightsChange};
use penfold_ports::{Preset, Rights as Letters};
use penfold_types::{Address, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Folder {
    /// List the folders of a mailbox, calendars and address books too
    List { mailbox: Address },
    /// What others may do in a folder
    #[command(subcommand)]
    Rights(Rights),
}

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rights {
    /// List who may do what, beside the owner
    List { mailbox: Address, folder: String },
    /// Let a person, a group, or anyone in the tenant do something
    Set {
        mailbox: Address,
        folder: String,
        /// An address, or anyone
        who: String,
        /// A role (reviewer, contributor, author, publishing-author, editor, publishing-editor, owner; of a calendar also
        /// availability-only and limited-details) or letters of RFC 4314
        rights: String,
    },
    /// Take that back
    Remove { mailbox: Address, folder: String, who: String },
}

async fn open(context: &Context, address: &Address) -> Result<Mailbox> {
    let scope = operator(context).open_mailbox(address, "its folders and the rights to them").await?;
    context.service.mailboxes.open(&scope).await
}

/// A folder by its id or its path, or a calendar, a task list or an address book by its name.
async fn find(mailbox: &Mailbox, named: &str) -> Result<Found> {
    let folders = mailbox.collections().await?;
    let all: Vec<(String, &Found)> = placed(&folders).collect();
    if let Some((_, own)) = all.iter().find(|(_, own)| own.id.to_string() == named) {
        return Ok((*own).clone());
    }
    let by_path = folders.find(named).map(|own| own.id);
    // What lies in another has its path alone: its name is its own only there.
    let is_called = |own: &Found| own.kind != Kind::Mail && own.parent.is_none() && own.name == named;
    let fits = all.iter().filter(|(path, own)| path == named || Some(own.id) == by_path || is_called(own));
    match fits.collect::<Vec<_>>().as_slice() {
        [] => Err(Error::not_found(format!("there is no folder {named}"))),
        [(_, one)] => Ok((*one).clone()),
        several => {
            let all: Vec<String> = several.iter().map(|(path, own)| format!("{} ({}, {path})", own.id, what(own.kind))).collect();
            Err(Error::invalid(format!("several are called {named}; say which one by its id: {}", all.join(", "))))
        }
    }
}

/// All of them with their paths.
fn placed(folders: &Folders) -> impl Iterator<Item = (String, &Found)> {
    let mail = folders.iter().map(|(path, own)| (path.to_owned(), own));
    mail.chain(collections(folders).map(|own| (place(folders, own), own)))
}

/// Where one that holds no mail is: one of files may lie in others.
fn place(folders: &Folders, own: &Found) -> String {
    let mut place = own.segment.clone();
    let mut up = own.parent;
    // The limit also ends a ring, which only damage could make.
    for _ in 0..Found::DEPTH_LIMIT {
        let Some(parent) = up.and_then(|id| folders.get(id)) else { break };
        place = format!("{}{}{place}", parent.segment, Found::SEPARATOR);
        up = parent.parent;
    }
    place
}

/// What is attached to events is seen through those alone.
fn collections(folders: &Folders) -> impl Iterator<Item = &Found> {
    folders.collections().filter(|own| own.kind != Kind::Attachments)
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Mail => "mail",
        Kind::Events => "events",
        Kind::Tasks => "tasks",
        Kind::Contacts => "contacts",
        Kind::Notes => "notes",
        Kind::Files => "files",
        Kind::Attachments => "attachments",
    }
}

fn read(text: &str, kind: Kind) -> Result<Letters> {
    let preset = Preset::named(text);
    // Part of an event can be shown; of a message, a card or a file there is no such part.
    if matches!(preset, Some(Preset::AvailabilityOnly | Preset::LimitedDetails)) {
        return match kind {
            Kind::Events | Kind::Tasks | Kind::Notes => Ok(preset.map_or(Letters::NONE, Preset::rights)),
            other => Err(Error::invalid(format!("{text} is for calendars; this is a folder of {}", what(other)))),
        };
    }
    let rights = preset.map(Preset::rights).or_else(|| Letters::read(text));
    rights.filter(|rights| rights.has(Letters::LOOKUP)).ok_or_else(|| Error::invalid(format!("{text} is no role, and no letters with l")))
}

impl Folder {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        match self {
            Self::List { mailbox } => {
                let mailbox = open(context, &mailbox).await?;
                let folders = mailbox.collections().await?;
                for (path, folder) in placed(&folders) {
                    let (id, kind) = (folder.id.to_string(), what(folder.kind));
                    let value = json!({ "id": id, "path": path, "holds": kind, "items": folder.total, "unread": folder.unseen });
                    reply.line([path, folder.total.to_string(), id, kind.to_owned()], value).await?;
                }
                Ok(())
            }
            Self::Rights(Rights::List { mailbox, folder }) => {
                let mailbox = open(context, &mailbox).await?;
                let folder = find(&mailbox, &folder).await?;
                for (who, rights) in mailbox.folder_rights(folder.id).await?.list {
                    let role = Preset::of(rights).map(Preset::as_str);
                    let value = json!({ "address": who.identifier(), "rights": rights.to_string(), "role": role });
                    reply.line([who.identifier(), rights.to_string(), role.unwrap_or_default().to_owned()], value).await?;
                }
                Ok(())
            }
            Self::Rights(Rights::Set { mailbox, folder, who, rights }) => {
                change(context, reply, &mailbox, &folder, &who, Some(&rights)).await
            }
            Self::Rights(Rights::Remove { mailbox, folder, who }) => change(context, reply, &mailbox, &folder, &who, None).await,
        }
    }
}

async fn change(context: &Context, reply: &Reply, address: &Address, path: &str, who: &str, rights: Option<&str>) -> Result<()> {
    let mailbox = open(context, address).await?;
    let folder = find(&mailbox, path).await?;
    let rights = rights.map_or(Ok(Letters::NONE), |text| read(text, folder.kind))?;
    let to = context.service.directory.grantee(mailbox.account().tenant, who).await?;
    mailbox.set_rights(folder.id, to, RightsChange::Set(rights), operator(context).actor(), None, false).await?;
    // What has no letters has a name.
    let role = Preset::of(rights).map(Preset::as_str);
    let letters = rights.to_string();
    let told = if letters.is_empty() { role.unwrap_or_default() } else { &letters };
    let text = if rights.is_none() { format!("{path} is not open to {who}") } else { format!("{path} is open to {who}: {told}") };
    reply.say(text, json!({ "mailbox": address, "folder": path, "address": who, "rights": letters, "role": role })).await
}
