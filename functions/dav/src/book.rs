//! The organisation's directory as an address book that everybody reads and nobody writes: people, groups, shared mailboxes and
//! outside contacts, each a card made from what the directory holds. It lies in one's own home, under a name of its own.

use crate::path::{self, Home, Target};
use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use crate::xml::Precondition;
use axum::http::Method;
use bytes::Bytes;
use penfold_directory::{Attribute, DirectoryCard};
use penfold_formats::vcard::{self, Fields, Photo, Version};
use penfold_formats::xml::{DAV, Name};
use penfold_ports::Account;
use penfold_types::PrincipalId;

/// The segment that it has in a home of address books.
pub const SEGMENT: &str = "directory";
const ENDING: &str = ".vcf";

/// One of its cards.
#[derive(Clone)]
pub struct Entry {
    pub card: DirectoryCard,
    /// The name and the revision of who manages them.
    manager: Option<(String, u64)>,
    /// Whose home it is seen in.
    home: PrincipalId,
}

pub fn href(home: PrincipalId) -> String {
    format!("{}{SEGMENT}/", path::home(Home::AddressBooks, home))
}

impl Entry {
    pub fn href(&self) -> String {
        format!("{}{}{ENDING}", href(self.home), self.card.id)
    }

    /// Strong: it moves with whatever the card is made of.
    pub fn etag(&self) -> String {
        // A photo moves the revision of its person.
        match &self.manager {
            Some((_, revision)) => format!("\"{}.{revision}\"", self.card.revision),
            None => format!("\"{}\"", self.card.revision),
        }
    }

    /// The card, in version 3.0 as address books have theirs. A group is one with an address: as a group without members clients
    /// would show nothing that can be written to.
    pub fn bytes(&self, photo: Option<&Photo>) -> Bytes {
        let card = &self.card;
        let text = |attribute| card.profile.get(attribute).unwrap_or_default();
        let emails: Vec<String> = std::iter::once(&card.address).chain(&card.more_addresses).map(ToString::to_string).collect();
        let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
        let phones: Vec<(&str, &str)> = [(text(Attribute::Phone), "voice"), (text(Attribute::Mobile), "cell")]
            .into_iter()
            .filter(|(phone, _)| !phone.is_empty())
            .collect();
        let uid = card.id.to_string();
        let called = if card.name.is_empty() { emails.first().copied().unwrap_or_default() } else { card.name.as_str() };
        let fields = Fields {
            uid: &uid,
            name: called,
            given: text(Attribute::GivenName),
            family: text(Attribute::FamilyName),
            emails: &emails,
            phones: &phones,
            title: text(Attribute::Title),
            organization: text(Attribute::Company),
            department: text(Attribute::Department),
            manager: self.manager.as_ref().map_or("", |(name, _)| name),
            office: text(Attribute::Office),
            photo,
            ..Fields::default()
        };
        vcard::build(&fields, Version::V3).into()
    }
}

impl Session {
    /// What a path in the directory names; `None` where it leads elsewhere.
    pub async fn in_book(&self, home: Home, owner: PrincipalId, segments: &[String]) -> Result<Option<Resource>, Wrong> {
        if home != Home::AddressBooks || owner != self.me() {
            return Ok(None);
        }
        match segments {
            [segment] if segment == SEGMENT => Ok(Some(Resource::Book(owner))),
            [segment, name] if segment == SEGMENT => {
                let found = self.entries(&[name.as_str()]).await?.pop().flatten();
                Ok(Some(found.map(|entry| Resource::Entry(Box::new(entry))).ok_or(Wrong::MISSING)?))
            }
            [segment, ..] if segment == SEGMENT => Err(Wrong::MISSING),
            _ => Ok(None),
        }
    }

    /// Cards by their names, each `None` that is not there.
    pub async fn entries(&self, names: &[&str]) -> Result<Vec<Option<Entry>>, Wrong> {
        let ids: Vec<Option<PrincipalId>> = names.iter().map(|name| name.strip_suffix(ENDING)?.parse().ok()).collect();
        let wanted: Vec<PrincipalId> = ids.iter().flatten().copied().collect();
        let cards: Vec<DirectoryCard> = self.dav.directory.entries(self.who.account.tenant, &wanted).await?.into_iter().flatten().collect();
        let found = self.as_entries(cards).await?;
        Ok(ids.iter().map(|id| found.iter().find(|entry| Some(entry.card.id) == *id).cloned()).collect())
    }

    pub async fn as_entries(&self, cards: Vec<DirectoryCard>) -> Result<Vec<Entry>, Wrong> {
        let managers = self.dav.directory.managers(self.who.account.tenant, &cards).await?;
        let entry =
            |card: DirectoryCard| Entry { manager: card.profile.manager.and_then(|id| managers.get(&id).cloned()), card, home: self.me() };
        Ok(cards.into_iter().map(entry).collect())
    }

    /// A card with its photo.
    pub async fn card_bytes(&self, entry: &Entry) -> Result<Bytes, Wrong> {
        let Some(info) = &entry.card.photo else { return Ok(entry.bytes(None)) };
        let bytes = self.dav.directory.photo(Account { tenant: self.who.account.tenant, principal: entry.card.id }).await?;
        let inline = |bytes: Bytes| Photo::Inline { media_type: info.kind.content_type().to_owned(), bytes: bytes.to_vec() };
        Ok(entry.bytes(bytes.map(inline).as_ref()))
    }

    /// A page of all of it, and where to go on.
    pub async fn book_page(&self, after: Option<&[u8]>) -> Result<(Vec<Entry>, Option<Vec<u8>>), Wrong> {
        let (cards, next) = self.dav.directory.all_cards(self.who.account.tenant, after, crate::limits::BATCH).await?;
        Ok((self.as_entries(cards).await?, next))
    }

    pub async fn book_revision(&self) -> Result<u64, Wrong> {
        Ok(self.dav.directory.directory_revision(self.who.account.tenant).await?)
    }

    /// "Directory", with whose it is.
    pub async fn book_name(&self) -> Result<String, Wrong> {
        let tenant = self.dav.directory.tenant_name(self.who.account.tenant).await?;
        Ok(format!("Directory ({tenant})"))
    }

    /// Nobody writes here: refuses what would, by its own path or that of its destination, before anything else is looked at.
    pub fn refuse_to_write(&self, method: &Method, path: &str, destination: Option<&str>) -> Result<(), Wrong> {
        let inside = |path: &str| match Target::read(path) {
            Some(Target::Inside(Home::AddressBooks, owner, segments)) => {
                owner == self.me() && segments.first().is_some_and(|segment| segment == SEGMENT)
            }
            _ => false,
        };
        let (needed, at) = match method.as_str() {
            "PUT" | "MKCOL" | "MKCALENDAR" => ("bind", Some(path)),
            "DELETE" => ("unbind", Some(path)),
            "ACL" => ("write-acl", Some(path)),
            "MOVE" if inside(path) => ("unbind", Some(path)),
            "COPY" | "MOVE" => ("bind", destination),
            _ => return Ok(()),
        };
        match at {
            Some(at) if inside(at) => Err(Precondition::NEED_PRIVILEGES.needing(&href(self.me()), Name::known(DAV, needed)).into()),
            _ => Ok(()),
        }
    }
}
