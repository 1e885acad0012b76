//! The one store for items of every kind: folders, items, and the change log that every protocol reads. Knows no protocol
//! and no adapter. Everything is reached through a [`penfold_ports::Scope`]; a verb is a pure decision on a view, one
//! conditional commit, then a wake.

mod account;
mod acl;
mod change;
mod check;
mod checkpoint;
mod codec;
mod commit;
mod content;
mod counted;
mod draft;
mod folder;
mod freeze;
mod history;
mod index;
mod keywords;
mod list;
mod objects;
mod read;
mod sealed;
mod state;
mod uidset;
mod unchanged;
mod verbs;
mod view;

pub use account::{Budgets, Mailbox, Mailboxes};
pub use acl::Granted;
pub use change::{Change, Entry, Placed, Version};
pub use check::Report;
pub use content::{Blob, Content};
pub use counted::{COUNTED, Stretch};
pub use folder::{Folder, Folders, Kind, Role};
pub use history::Swept;
pub use index::{Index, Message};
pub use keywords::Keywords;
pub use list::{Delta, Event};
pub use objects::{
    Became, Changes, Check, FED_TOGETHER, Hit, Mark, NAME_LIMIT, NewCollection, NewObject, Note, Object, PROPERTIES, PROPERTIES_OF_OBJECT,
    PROPERTY_BYTES, Property, Put, Relocated, Removal, Since, Span, USES_OF_ATTACHMENT, UidHash, uid_hash,
};
pub use state::Digest;
pub use uidset::UidSet;
pub use verbs::{APPEND_LIMIT, Appended, Copied, Delivered, Delivery, FolderRights, NewMessage, Place, RightsChange, Store, Stored};
pub use view::{Head, Status};
