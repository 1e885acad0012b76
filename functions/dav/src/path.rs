//! What a path names, as far as it says so by itself.

use crate::ROOT;
use crate::xml::href;
use penfold_mailbox::Kind;
use penfold_types::{FolderId, PrincipalId};

/// Where somebody's collections of one sort are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    Calendars,
    AddressBooks,
    Files,
}

impl Home {
    pub const ALL: [Self; 3] = [Self::Calendars, Self::AddressBooks, Self::Files];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calendars => "calendars",
            Self::AddressBooks => "addressbooks",
            Self::Files => "files",
        }
    }

    /// The kind that folders are looked up by here; calendars, task lists and notes lie beside one another.
    pub fn kind(self) -> Kind {
        match self {
            Self::Calendars => Kind::Events,
            Self::AddressBooks => Kind::Contacts,
            Self::Files => Kind::Files,
        }
    }

    pub fn holds(self, kind: Kind) -> bool {
        match self {
            Self::Calendars => matches!(kind, Kind::Events | Kind::Tasks | Kind::Notes),
            Self::AddressBooks => kind == Kind::Contacts,
            Self::Files => kind == Kind::Files,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    Root,
    Principals,
    Principal(PrincipalId),
    /// Above all homes of a sort.
    Homes(Home),
    Home(Home, PrincipalId),
    /// Whose it is, and which; what it is called stands behind that.
    Attachment(PrincipalId, String),
    /// Below a home: at least one segment.
    Inside(Home, PrincipalId, Vec<String>),
}

/// Segments of a path that are looked at: folders go 32 levels deep.
const DEPTH: usize = 40;

impl Target {
    /// Of a path or a whole URL, still encoded; `None` where it names nothing here.
    pub fn read(path: &str) -> Option<Self> {
        let segments = href::segments(path)?;
        let mut segments = segments.into_iter();
        if segments.len() > DEPTH {
            return None;
        }
        let Some(first) = segments.next() else { return Some(Self::Root) };
        if first != "dav" {
            return None;
        }
        let Some(sort) = segments.next() else { return Some(Self::Root) };
        if sort == "principals" {
            return match (segments.next(), segments.next()) {
                (None, _) => Some(Self::Principals),
                (Some(id), None) => id.parse().ok().map(Self::Principal),
                _ => None,
            };
        }
        if sort == "attachments" {
            return match (segments.next()?.parse().ok(), segments.next(), segments.len()) {
                (Some(owner), Some(id), 0..=1) => Some(Self::Attachment(owner, id)),
                _ => None,
            };
        }
        let home = Home::ALL.into_iter().find(|home| home.as_str() == sort)?;
        let Some(owner) = segments.next() else { return Some(Self::Homes(home)) };
        let owner = owner.parse().ok()?;
        let rest: Vec<String> = segments.collect();
        Some(if rest.is_empty() { Self::Home(home, owner) } else { Self::Inside(home, owner, rest) })
    }
}

pub fn principals() -> String {
    format!("{ROOT}principals/")
}

pub fn principal(id: PrincipalId) -> String {
    format!("{ROOT}principals/{id}/")
}

pub fn attachment(owner: PrincipalId, id: &str, name: &str) -> String {
    format!("{ROOT}attachments/{owner}/{id}/{}", href::segment(name))
}

pub fn homes(home: Home) -> String {
    format!("{ROOT}{}/", home.as_str())
}

pub fn home(home: Home, owner: PrincipalId) -> String {
    format!("{ROOT}{}/{owner}/", home.as_str())
}

/// How somebody else's folder is called in the home of whom it was opened to.
pub fn alias(owner: PrincipalId, folder: FolderId) -> String {
    format!("{owner}.{folder}")
}

pub fn read_alias(segment: &str) -> Option<(PrincipalId, FolderId)> {
    let (owner, folder) = segment.split_once('.')?;
    Some((owner.parse().ok()?, folder.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_what_they_should_and_nothing_else() {
        let id = PrincipalId::from_bytes([7; 16]);
        let inside = |segments: &[&str]| Target::Inside(Home::Calendars, id, segments.iter().map(|s| (*s).to_owned()).collect());
        for (path, wanted) in [
            ("/".to_owned(), Some(Target::Root)),
            ("/dav".to_owned(), Some(Target::Root)),
            ("/dav/".to_owned(), Some(Target::Root)),
            ("/dav/principals/".to_owned(), Some(Target::Principals)),
            (principal(id), Some(Target::Principal(id))),
            (homes(Home::Files), Some(Target::Homes(Home::Files))),
            (home(Home::Calendars, id), Some(Target::Home(Home::Calendars, id))),
            (format!("http://host:1/dav/calendars/{id}/a%20b/c.ics"), Some(inside(&["a b", "c.ics"]))),
            (format!("/dav/calendars/{id}/.."), None),
            (format!("{}x/y", principal(id)), None),
            ("/dav/calendars/ann@acme.test/".to_owned(), None),
            ("/elsewhere/".to_owned(), None),
        ] {
            assert_eq!(Target::read(&path), wanted, "{path}");
        }
        assert_eq!(Target::read(&format!("/dav{}", "/a".repeat(50))), None);
    }

    #[test]
    fn an_alias_reads_back() {
        let (owner, folder) = (PrincipalId::from_bytes([1; 16]), FolderId::from_bytes([2; 16]));
        assert_eq!(read_alias(&alias(owner, folder)), Some((owner, folder)));
        assert_eq!(read_alias("work"), None);
        assert_eq!(read_alias("a.b"), None);
    }
}
