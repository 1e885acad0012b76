//! What is there, for this person: a path becomes a resource, under the right that they have to it. Whatever they may not look
//! up is not there.

use crate::Dav;
use crate::path::{self, Home, Target};
use crate::place::Place;
use crate::wrong::Wrong;
use crate::xml::href;
use futures_util::stream::{self, StreamExt};
use penfold_directory::SignedIn;
use penfold_mailbox::{Folder, Folders, Kind, Mailbox, Object};
use penfold_ports::{Rights, Scope};
use penfold_types::{Kind as Why, PrincipalId};
use std::sync::Arc;

/// What a path names.
#[derive(Clone)]
pub enum Resource {
    Root,
    Principals,
    Principal(PrincipalId),
    Homes(Home),
    /// Of calendars or address books; that of files is a folder itself.
    Home(Home, PrincipalId),
    Inbox(PrincipalId),
    Outbox(PrincipalId),
    Collection(Place),
    Object(Place, Object),
    /// The organisation's directory, in one's own home, and a card in it.
    Book(PrincipalId),
    Entry(Box<crate::book::Entry>),
    /// Nothing, in a place where something could be: in a folder, or in a home (`None`).
    Nothing(Option<Place>, Home, PrincipalId, String),
}

/// Mailboxes of others that are looked into at once.
const SIDE_BY_SIDE: usize = 8;

/// Segments that no calendar can have.
pub const INBOX: &str = "inbox";
pub const OUTBOX: &str = "outbox";

/// One request's view of the service.
#[derive(Clone)]
pub struct Session {
    pub dav: Dav,
    pub who: SignedIn,
}

impl Session {
    pub fn me(&self) -> PrincipalId {
        self.who.account.principal
    }

    pub async fn resource(&self, path: &str) -> Result<Resource, Wrong> {
        let target = Target::read(path).ok_or(Wrong::MISSING)?;
        match target {
            Target::Root => Ok(Resource::Root),
            Target::Principals => Ok(Resource::Principals),
            Target::Principal(id) => self.principal(id).await,
            Target::Homes(home) => Ok(Resource::Homes(home)),
            // It is read, and nothing else is done with it.
            Target::Attachment(..) => Err(Wrong::MISSING),
            Target::Home(Home::Files, owner) => self.inside(Home::Files, owner, &[]).await,
            Target::Home(home, owner) if owner == self.me() => Ok(Resource::Home(home, owner)),
            Target::Home(home, owner) => {
                // Whoever has something open there sees the home, and in it what is open.
                self.scope_of(owner).await?;
                Ok(Resource::Home(home, owner))
            }
            Target::Inside(home, owner, segments) => match self.in_book(home, owner, &segments).await? {
                Some(found) => Ok(found),
                None => self.inside(home, owner, &segments).await,
            },
        }
    }

    async fn principal(&self, id: PrincipalId) -> Result<Resource, Wrong> {
        if id != self.me() && self.dav.directory.cards(self.who.account.tenant, &[id]).await?.is_empty() {
            return Err(Wrong::MISSING);
        }
        Ok(Resource::Principal(id))
    }

    /// The right to somebody's mailbox: one's own, or what was opened to them.
    pub async fn scope_of(&self, owner: PrincipalId) -> Result<Scope, Wrong> {
        if owner == self.me() {
            return Ok(self.who.scope.clone());
        }
        let directory = &self.dav.directory;
        match directory.open_shared(&self.who, owner).await {
            Err(error) if error.kind() == Why::NotFound => {
                let scope = directory.open_folders(&self.who, owner).await?;
                // Once a day; where that cannot be written now, a later request does it.
                if let Err(error) = directory.note_visit(&self.who, owner).await {
                    tracing::warn!(%error, "a visit to another's folders was not noted");
                }
                Ok(scope)
            }
            scope => Ok(scope?),
        }
    }

    pub async fn mailbox_of(&self, owner: PrincipalId) -> Result<(Mailbox, Arc<Folders>), Wrong> {
        let mailbox = self.dav.mailboxes.open(&self.scope_of(owner).await?).await?;
        let folders = mailbox.collections().await?;
        Ok((mailbox, folders))
    }

    async fn inside(&self, home: Home, owner: PrincipalId, segments: &[String]) -> Result<Resource, Wrong> {
        if let (Home::Calendars, [only]) = (home, segments)
            && owner == self.me()
            && (only == INBOX || only == OUTBOX)
        {
            return Ok(if only == INBOX { Resource::Inbox(owner) } else { Resource::Outbox(owner) });
        }
        let (mut place, rest) = match self.first(home, owner, segments).await? {
            Ok(found) => found,
            Err(nothing) => return Ok(nothing),
        };
        if !place.has(Rights::LOOKUP) {
            return Err(Wrong::MISSING);
        }
        let folders = place.mailbox.folders().await?;
        for (at, segment) in rest.iter().enumerate() {
            let inner = folders.collection(place.folder.kind, Some(place.folder.id), segment).filter(|_| home == Home::Files);
            if let Some(inner) = inner {
                place = place.below(inner);
                continue;
            }
            if at + 1 < rest.len() {
                return Err(Wrong::MISSING);
            }
            return match if place.is_read() { place.mailbox.object(place.folder.id, segment).await? } else { None } {
                Some(object) => Ok(Resource::Object(place, object)),
                None => Ok(Resource::Nothing(Some(place), home, owner, segment.clone())),
            };
        }
        Ok(Resource::Collection(place))
    }

    /// The folder that a path begins with, and the segments behind it; or that there is none.
    async fn first<'a>(
        &self,
        home: Home,
        owner: PrincipalId,
        segments: &'a [String],
    ) -> Result<Result<(Place, &'a [String]), Resource>, Wrong> {
        if home == Home::Files {
            let (mailbox, _) = self.mailbox_of(owner).await?;
            // A folder can be open in one that is not.
            let (folder, deep) = mailbox.files_at(segments).await?.ok_or(Wrong::MISSING)?;
            let (own, rest) = segments.split_at_checked(deep).ok_or(Wrong::MISSING)?;
            let href = own.iter().fold(path::home(home, owner), |href, segment| format!("{href}{}/", href::segment(segment)));
            return Ok(Ok((Place::of(&mailbox, &folder, home, href), rest)));
        }
        let Some((segment, rest)) = segments.split_first() else { return Err(Wrong::MISSING) };
        let href = format!("{}{}/", path::home(home, owner), href::segment(segment));
        if let Some((other, folder)) = path::read_alias(segment).filter(|_| owner == self.me()) {
            let (mailbox, folders) = self.mailbox_of(other).await?;
            let own = folders.get(folder).filter(|own| home.holds(own.kind)).ok_or(Wrong::MISSING)?;
            return Ok(Ok((Place::of(&mailbox, own, home, href), rest)));
        }
        let (mailbox, folders) = self.mailbox_of(owner).await?;
        match folders.collection(home.kind(), None, segment) {
            Some(own) => Ok(Ok((Place::of(&mailbox, own, home, href), rest))),
            None if rest.is_empty() => Ok(Err(Resource::Nothing(None, home, owner, segment.clone()))),
            None => Err(Wrong::MISSING),
        }
    }

    /// The calendar that a path names, for whoever may know when its owner is busy: they need not see that it is there.
    pub async fn busy_place(&self, path: &str) -> Result<Place, Wrong> {
        let Some(Target::Inside(Home::Calendars, owner, segments)) = Target::read(path) else {
            // Anything else is asked as it is for any report.
            self.resource(path).await?;
            return Err(crate::xml::Precondition::SUPPORTED_REPORT.into());
        };
        let [segment] = segments.as_slice() else { return Err(Wrong::MISSING) };
        let (owner, id) = path::read_alias(segment).filter(|_| owner == self.me()).map_or((owner, None), |(other, id)| (other, Some(id)));
        // One's own are made where they are missing.
        let mailbox = if owner == self.me() {
            self.mailbox_of(owner).await?.0
        } else {
            self.dav.mailboxes.open(&self.scope_of(owner).await?).await?
        };
        let fits = |own: &Folder| own.kind == Kind::Events && id.map_or(own.segment == *segment, |id| own.id == id);
        let folder = mailbox.folder_for_busy(fits).await?;
        Ok(Place::of(&mailbox, &folder, Home::Calendars, format!("{}{}/", path::home(Home::Calendars, owner), href::segment(segment))))
    }

    /// What a home shows: its owner's folders that may be looked up, and in one's own home also what others opened.
    pub async fn in_home(&self, home: Home, owner: PrincipalId) -> Result<Vec<Place>, Wrong> {
        let (mailbox, folders) = self.mailbox_of(owner).await?;
        let top = path::home(home, owner);
        let own = folders.collections().filter(|own| home.holds(own.kind) && own.parent.is_none());
        let seen = own.filter(|own| mailbox.rights(own).has(Rights::LOOKUP));
        let mut found: Vec<Place> =
            seen.map(|own| Place::of(&mailbox, own, home, format!("{top}{}/", href::segment(&own.segment)))).collect();
        if owner == self.me() {
            let others = self.dav.directory.others(&self.who).await?.into_iter();
            let open = others.map(|(_, scope)| async move {
                let mailbox = self.dav.mailboxes.open(&scope).await?;
                let folders = mailbox.folders().await?;
                Ok::<_, Wrong>((mailbox, folders))
            });
            let mut open = stream::iter(open).buffered(SIDE_BY_SIDE);
            while let Some(opened) = open.next().await {
                let (mailbox, folders) = opened?;
                let theirs = folders.collections().filter(|own| home.holds(own.kind) && own.parent.is_none());
                for own in theirs.filter(|own| mailbox.rights(own).has(Rights::LOOKUP)) {
                    let href = format!("{top}{}/", path::alias(mailbox.account().principal, own.id));
                    found.push(Place::of(&mailbox, own, home, href));
                }
            }
        }
        Ok(found)
    }

    /// Folders right in a folder of files.
    pub async fn folders_in(&self, place: &Place) -> Result<Vec<Place>, Wrong> {
        if place.home != Home::Files {
            return Ok(Vec::new());
        }
        let folders = place.mailbox.folders().await?;
        let inner = folders.collections().filter(|own| own.kind == Kind::Files && own.parent == Some(place.folder.id));
        Ok(inner.map(|own| place.below(own)).collect())
    }

    /// The name and kind of somebody of the tenant.
    pub async fn card(&self, id: PrincipalId) -> Result<Option<penfold_directory::DirectoryCard>, Wrong> {
        Ok(self.dav.directory.cards(self.who.account.tenant, &[id]).await?.pop())
    }

    pub fn is_group(card: &penfold_directory::DirectoryCard) -> bool {
        card.kind == penfold_directory::CardKind::Group
    }
}

impl Resource {
    /// Its own path, encoded; a collection's ends with a slash.
    pub fn href(&self) -> String {
        match self {
            Self::Root => crate::ROOT.to_owned(),
            Self::Principals => path::principals(),
            Self::Principal(id) => path::principal(*id),
            Self::Homes(home) => path::homes(*home),
            Self::Home(home, owner) => path::home(*home, *owner),
            Self::Inbox(owner) => format!("{}{INBOX}/", path::home(Home::Calendars, *owner)),
            Self::Outbox(owner) => format!("{}{OUTBOX}/", path::home(Home::Calendars, *owner)),
            Self::Collection(place) => place.href.clone(),
            Self::Book(home) => crate::book::href(*home),
            Self::Entry(entry) => entry.href(),
            Self::Object(place, object) => place.href_of(&object.name),
            Self::Nothing(Some(place), _, _, name) => place.href_of(name),
            Self::Nothing(None, home, owner, name) => format!("{}{}", path::home(*home, *owner), href::segment(name)),
        }
    }
}
