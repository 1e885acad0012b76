//! The row under an object's name, and the content row of a version.

use super::UidHash;
use penfold_ports::{Row, Sk};
use penfold_types::{FolderId, ItemId, Modseq, Timestamp};

/// Bytes of an object's name.
pub const NAME_LIMIT: usize = 255;

/// What whoever fills a folder tells one content from another by.
pub type Mark = [u8; 16];

/// An object as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    pub name: String,
    /// This version: another one is another item.
    pub item: ItemId,
    /// The same for all versions, wherever it is moved.
    pub id: ItemId,
    pub size: u32,
    /// When this version was written, and when the first one.
    pub modified: Timestamp,
    pub made: Timestamp,
    /// The last commit that changed it or its properties.
    pub modseq: Modseq,
    /// The media type that was given with it; empty where the folder's kind says it.
    pub media: String,
    pub uid: Option<UidHash>,
    /// Where it stands in the index of times: level and start.
    pub(crate) place: Option<(u8, i64)>,
    /// Of what comes from elsewhere.
    pub mark: Option<Mark>,
}

impl Object {
    pub(crate) fn to_row(&self) -> Row {
        let millis = |time: Timestamp| u64::try_from(time.millis()).unwrap_or_default();
        let mut row = Row::new()
            .with("i", self.item.as_bytes())
            .with("o", self.id.as_bytes())
            .with("z", u64::from(self.size))
            .with("t", millis(self.modified))
            .with("b", millis(self.made))
            .with("m", self.modseq.get());
        if !self.media.is_empty() {
            row.set("ct", self.media.as_str());
        }
        if let Some(uid) = self.uid {
            row.set("u", uid.to_vec());
        }
        if let Some((level, start)) = self.place {
            row.set("xl", u64::from(level));
            row.set("xs", crate::codec::zigzag(start));
        }
        if let Some(mark) = self.mark {
            row.set("mk", mark.to_vec());
        }
        row
    }

    pub(crate) fn from_row(name: &str, row: &Row) -> Option<Self> {
        let time = |attribute: &'static str| Some(Timestamp::from_millis(i64::try_from(row.u64(attribute)?).ok()?));
        let place = match row.u64("xl") {
            Some(level) => Some((u8::try_from(level).ok()?, crate::codec::unzigzag(row.u64("xs")?))),
            None => None,
        };
        Some(Self {
            name: name.to_owned(),
            item: ItemId::from_slice(row.bytes("i")?)?,
            id: ItemId::from_slice(row.bytes("o")?)?,
            size: u32::try_from(row.u64("z")?).ok()?,
            modified: time("t")?,
            made: time("b")?,
            modseq: Modseq(row.u64("m")?),
            media: row.str("ct").unwrap_or_default().to_owned(),
            uid: row.bytes("u").and_then(|bytes| UidHash::try_from(&bytes[..]).ok()),
            place,
            mark: row.bytes("mk").and_then(|bytes| Mark::try_from(&bytes[..]).ok()),
        })
    }
}

/// The folder and the name that an object's key holds.
pub(crate) fn named_by(sk: &Sk) -> Option<(FolderId, &str)> {
    let (folder, name) = sk.as_bytes().strip_prefix(b"n#")?.split_at_checked(16)?;
    Some((FolderId::from_slice(folder)?, std::str::from_utf8(name.strip_prefix(b"#")?).ok()?))
}
