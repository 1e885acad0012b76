use super::operator;
use crate::control::{Context, Reply};
use clap::Subcommand;
use penfold_mailbox::{Mailbox, RightsChange};
use penfold_ports::{Preset, Rights as Letters};
use penfold_types::{Address, Error, FolderId, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Folder {
    /// List the folders of a mailbox
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
        /// A role (reviewer, contributor, author, publishing-author, editor, publishing-editor, owner) or letters of RFC 4314
        rights: String,
    },
    /// Take that back
    Remove { mailbox: Address, folder: String, who: String },
}

async fn open(context: &Context, address: &Address) -> Result<Mailbox> {
    let scope = operator(context).open_mailbox(address, "its folders and the rights to them").await?;
    context.service.mailboxes.open(&scope).await
}

async fn find(mailbox: &Mailbox, path: &str) -> Result<FolderId> {
    mailbox.folders().await?.find(path).map(|folder| folder.id).ok_or_else(|| Error::not_found(format!("there is no folder {path}")))
}

fn read(text: &str) -> Result<Letters> {
    let rights = Preset::named(text).map(Preset::rights).or_else(|| Letters::read(text));
    rights.filter(|rights| rights.has(Letters::LOOKUP)).ok_or_else(|| Error::invalid(format!("{text} is no role, and no letters with l")))
}

impl Folder {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        match self {
            Self::List { mailbox } => {
                let mailbox = open(context, &mailbox).await?;
                for (path, folder) in mailbox.folders().await?.iter() {
                    let value = json!({ "id": folder.id.to_string(), "path": path, "items": folder.total, "unread": folder.unseen });
                    reply.line([path.to_owned(), folder.total.to_string(), folder.id.to_string()], value).await?;
                }
                Ok(())
            }
            Self::Rights(Rights::List { mailbox, folder }) => {
                let mailbox = open(context, &mailbox).await?;
                let folder = find(&mailbox, &folder).await?;
                for (who, rights) in mailbox.folder_rights(folder).await?.list {
                    let role = Preset::of(rights).map(Preset::as_str);
                    let value = json!({ "address": who.identifier(), "rights": rights.to_string(), "role": role });
                    reply.line([who.identifier(), rights.to_string(), role.unwrap_or_default().to_owned()], value).await?;
                }
                Ok(())
            }
            Self::Rights(Rights::Set { mailbox, folder, who, rights }) => {
                change(context, reply, &mailbox, &folder, &who, read(&rights)?).await
            }
            Self::Rights(Rights::Remove { mailbox, folder, who }) => change(context, reply, &mailbox, &folder, &who, Letters::NONE).await,
        }
    }
}

async fn change(context: &Context, reply: &Reply, address: &Address, path: &str, who: &str, rights: Letters) -> Result<()> {
    let mailbox = open(context, address).await?;
    let folder = find(&mailbox, path).await?;
    let to = context.service.directory.grantee(mailbox.account().tenant, who).await?;
    mailbox.set_rights(folder, to, RightsChange::Set(rights), operator(context).actor(), None, false).await?;
    let text = if rights.is_none() { format!("{path} is not open to {who}") } else { format!("{path} is open to {who}: {rights}") };
    reply.say(text, json!({ "mailbox": address, "folder": path, "address": who, "rights": rights.to_string() })).await
}
