//! What somebody may do in a folder, and who that can be.

use penfold_types::PrincipalId;
use std::fmt;

/// What a viewer may do in a folder: the rights of RFC 4314 §2.1, under their letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Rights(u16);

impl Rights {
    pub const NONE: Self = Self(0);
    pub const LOOKUP: Self = Self(1);
    pub const READ: Self = Self(1 << 1);
    pub const SEEN: Self = Self(1 << 2);
    pub const WRITE: Self = Self(1 << 3);
    pub const INSERT: Self = Self(1 << 4);
    pub const CREATE: Self = Self(1 << 5);
    pub const DELETE_FOLDER: Self = Self(1 << 6);
    pub const DELETE_ITEM: Self = Self(1 << 7);
    pub const EXPUNGE: Self = Self(1 << 8);
    pub const ADMINISTER: Self = Self(1 << 9);
    /// Kept for clients that set it; nothing asks for it.
    pub const POST: Self = Self(1 << 10);
    /// To learn when somebody is busy by a calendar, and no more (RFC 4791 §6.1.1); whoever reads may, and whoever else has no letter
    /// for it.
    pub const FREE_BUSY: Self = Self(1 << 11);
    /// Beside that: titles and places.
    pub const DETAILS: Self = Self(1 << 12);
    /// What does not make a folder seen.
    pub const UNSEEN: Self = Self::FREE_BUSY.and(Self::DETAILS);
    /// The owner's.
    pub const ALL: Self = Self((1 << 11) - 1);
    /// A member's of a shared mailbox: everything but giving rights to others.
    pub const MEMBER: Self = Self(Self::ALL.0 & !Self::ADMINISTER.0);
    /// What moving something out of a folder takes there: to copy it, to mark it as deleted, and to expunge it (RFC 6851 §4.2).
    pub const MOVE_OUT: Self = Self::READ.and(Self::DELETE_ITEM).and(Self::EXPUNGE);

    /// In the order in which the standard names them.
    const LETTERS: [(char, Self); 11] = [
        ('l', Self::LOOKUP),
        ('r', Self::READ),
        ('s', Self::SEEN),
        ('w', Self::WRITE),
        ('i', Self::INSERT),
        ('p', Self::POST),
        ('k', Self::CREATE),
        ('x', Self::DELETE_FOLDER),
        ('t', Self::DELETE_ITEM),
        ('e', Self::EXPUNGE),
        ('a', Self::ADMINISTER),
    ];

    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// At least one of these.
    pub const fn has_some(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// No more than `most`.
    #[must_use]
    pub const fn within(self, most: Self) -> Self {
        Self(self.0 & most.0)
    }

    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// As it stands in a row.
    pub const fn bits(self) -> u64 {
        self.0 as u64
    }

    /// A right that this version does not know is none.
    pub const fn from_bits(bits: u64) -> Self {
        Self((bits & (Self::ALL.0 | Self::UNSEEN.0) as u64) as u16)
    }

    /// Letters in any order; of RFC 2086 also `c` (create and delete folders) and `d` (delete and expunge items), as RFC 4314
    /// §2.1.1 wants. `None`: one of them is no right.
    pub fn read(letters: &str) -> Option<Self> {
        letters.chars().try_fold(Self::NONE, |rights, letter| {
            let one = match letter {
                'c' => Self::CREATE.and(Self::DELETE_FOLDER),
                'd' => Self::DELETE_ITEM.and(Self::EXPUNGE),
                _ => Self::LETTERS.into_iter().find(|(known, _)| *known == letter)?.1,
            };
            Some(rights.and(one))
        })
    }
}

/// The letters, in the standard's order.
impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::LETTERS.into_iter().filter(|(_, right)| self.has(*right)).try_for_each(|(letter, _)| write!(f, "{letter}"))
    }
}

/// The sets of rights that Exchange has names for. What it grants for one's own items alone has no letter, and is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    None,
    /// Of a calendar, when its owner is busy.
    AvailabilityOnly,
    /// The same, with titles and places.
    LimitedDetails,
    /// Sees that the folder is there, and puts things in.
    Contributor,
    /// Reads.
    Reviewer,
    /// Reads, marks as read, and puts things in.
    Author,
    /// The same, and makes folders in it.
    PublishingAuthor,
    /// Reads and changes all that is in it.
    Editor,
    /// The same, and makes folders in it.
    PublishingEditor,
    /// Everything, also giving rights to others.
    Owner,
}

impl Preset {
    pub const ALL: [Self; 10] = [
        Self::None,
        Self::AvailabilityOnly,
        Self::LimitedDetails,
        Self::Contributor,
        Self::Reviewer,
        Self::Author,
        Self::PublishingAuthor,
        Self::Editor,
        Self::PublishingEditor,
        Self::Owner,
    ];

    pub const fn rights(self) -> Rights {
        const SEES: Rights = Rights::LOOKUP;
        const READS: Rights = SEES.and(Rights::READ);
        const AUTHOR: Rights = READS.and(Rights::SEEN).and(Rights::INSERT);
        const EDITOR: Rights = AUTHOR.and(Rights::WRITE).and(Rights::DELETE_ITEM).and(Rights::EXPUNGE);
        match self {
            Self::None => Rights::NONE,
            Self::AvailabilityOnly => Rights::FREE_BUSY,
            Self::LimitedDetails => Rights::UNSEEN,
            Self::Contributor => SEES.and(Rights::INSERT),
            Self::Reviewer => READS,
            Self::Author => AUTHOR,
            Self::PublishingAuthor => AUTHOR.and(Rights::CREATE),
            Self::Editor => EDITOR,
            Self::PublishingEditor => EDITOR.and(Rights::CREATE),
            Self::Owner => Rights::ALL,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::AvailabilityOnly => "availability-only",
            Self::LimitedDetails => "limited-details",
            Self::Contributor => "contributor",
            Self::Reviewer => "reviewer",
            Self::Author => "author",
            Self::PublishingAuthor => "publishing-author",
            Self::Editor => "editor",
            Self::PublishingEditor => "publishing-editor",
            Self::Owner => "owner",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == name)
    }

    /// The one that is exactly this.
    pub fn of(rights: Rights) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.rights() == rights)
    }
}

/// To whom a folder's rights can be given. Nobody outside the tenant can be named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Grantee {
    /// Everybody in the tenant who signs in.
    Anyone,
    /// A person, or whoever is in a group, also through groups.
    Principal(PrincipalId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_read_back() {
        for bits in 0..=Rights::ALL.bits() {
            let rights = Rights::from_bits(bits);
            assert_eq!(Rights::read(&rights.to_string()), Some(rights));
        }
        assert_eq!(Rights::ALL.to_string(), "lrswipkxtea");
        assert_eq!(Rights::read("cd").map(|rights| rights.to_string()).as_deref(), Some("kxte"));
        assert_eq!(Rights::read("eetl").map(|rights| rights.to_string()).as_deref(), Some("lte"));
        for wrong in ["lrQ", "L", "0", "l r", "+l", "é"] {
            assert_eq!(Rights::read(wrong), None, "{wrong}");
        }
        assert_eq!(Rights::from_bits(u64::MAX), Rights::ALL.and(Rights::UNSEEN));
    }

    #[test]
    fn no_two_presets_are_the_same() {
        for preset in Preset::ALL {
            assert_eq!(Preset::of(preset.rights()), Some(preset));
            assert_eq!(Preset::named(preset.as_str()), Some(preset));
            // Without lookup nothing is there, but for when somebody is busy.
            assert!(Rights::UNSEEN.has(preset.rights()) || preset.rights().has(Rights::LOOKUP));
        }
        assert_eq!(Preset::of(Rights::LOOKUP), None);
    }
}
