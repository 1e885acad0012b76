//! Sort keys of the rows of one account, `a#T#A`.

use super::Sk;
use penfold_types::{FolderId, ItemId, Modseq, PrincipalId};

impl Sk {
    pub fn head() -> Self {
        Self::text("h")
    }

    pub fn folders() -> Self {
        Self::text("f#")
    }

    pub fn folder(folder: FolderId) -> Self {
        Self::parts(&[b"f#", folder.as_bytes()])
    }

    /// Who else may do what in a folder; stands behind the folder's own row.
    pub fn folder_acl(folder: FolderId) -> Self {
        Self::parts(&[b"f#", folder.as_bytes(), b"/acl"])
    }

    pub fn contents() -> Self {
        Self::text("i#")
    }

    pub fn content(item: ItemId) -> Self {
        Self::parts(&[b"i#", item.as_bytes()])
    }

    /// An object by its name in its folder.
    pub fn object(folder: FolderId, name: &str) -> Self {
        Self::parts(&[b"n#", folder.as_bytes(), b"#", name.as_bytes()])
    }

    pub fn objects(folder: FolderId) -> Self {
        Self::object(folder, "")
    }

    /// Which object of a folder has a UID, by the first 16 bytes of its hash; those of all folders stand together.
    pub fn object_uid(hash: &[u8; 16], folder: FolderId) -> Self {
        Self::parts(&[b"u#", hash, folder.as_bytes()])
    }

    pub fn object_uids(hash: &[u8; 16]) -> Self {
        Self::parts(&[b"u#", hash])
    }

    /// Objects of a folder by when they begin, those of about one length together.
    pub fn spans(folder: FolderId, level: u8, start: i64) -> Self {
        // Times before 1970 sort before those after it.
        let start = start.cast_unsigned() ^ (1 << 63);
        Self::parts(&[b"x#", folder.as_bytes(), b"#", &[level], &start.to_be_bytes()])
    }

    pub fn span(folder: FolderId, level: u8, start: i64, object: ItemId) -> Self {
        Self::parts(&[&Self::spans(folder, level, start).0, object.as_bytes()])
    }

    pub fn all_spans(folder: FolderId) -> Self {
        Self::parts(&[b"x#", folder.as_bytes(), b"#"])
    }

    /// What a viewer set for a folder (`object` is empty) or for one object in it.
    pub fn properties(folder: FolderId, object: &str, viewer: PrincipalId) -> Self {
        Self::parts(&[b"y#", folder.as_bytes(), b"#", object.as_bytes(), &[0], viewer.as_bytes()])
    }

    pub fn property(folder: FolderId, object: &str, viewer: PrincipalId, property: &[u8]) -> Self {
        Self::parts(&[&Self::properties(folder, object, viewer).0, property])
    }

    /// Of one object, by all viewers.
    pub fn all_properties_of(folder: FolderId, object: &str) -> Self {
        Self::parts(&[b"y#", folder.as_bytes(), b"#", object.as_bytes(), &[0]])
    }

    pub fn all_properties(folder: FolderId) -> Self {
        Self::parts(&[b"y#", folder.as_bytes(), b"#"])
    }

    pub fn all_states() -> Self {
        Self::text("s#")
    }

    pub fn states(folder: FolderId) -> Self {
        Self::parts(&[b"s#", folder.as_bytes(), b"#"])
    }

    pub fn state(folder: FolderId, item: ItemId) -> Self {
        Self::parts(&[b"s#", folder.as_bytes(), b"#", item.as_bytes()])
    }

    pub fn changes() -> Self {
        Self::text("c#")
    }

    pub fn change(modseq: Modseq) -> Self {
        Self::parts(&[b"c#", &modseq.get().to_be_bytes()])
    }

    /// The thread of a Message-ID, by the first 16 bytes of its hash.
    pub fn message_id(hash: &[u8; 16]) -> Self {
        Self::parts(&[b"m#", hash])
    }

    /// What one viewer set for himself, of all folders.
    pub fn viewer(viewer: PrincipalId) -> Self {
        Self::parts(&[b"v#", viewer.as_bytes(), b"#"])
    }

    pub fn viewer_folder(viewer: PrincipalId, folder: FolderId) -> Self {
        Self::parts(&[b"v#", viewer.as_bytes(), b"#", folder.as_bytes()])
    }

    /// Folders that are gone and whose messages are still to be taken out.
    pub fn all_emptying() -> Self {
        Self::text("e#")
    }

    pub fn emptying(folder: FolderId) -> Self {
        Self::parts(&[b"e#", folder.as_bytes()])
    }

    pub fn checkpoint(folder: FolderId) -> Self {
        Self::parts(&[b"k#", folder.as_bytes()])
    }

    /// Edges that want wakes.
    pub fn watches() -> Self {
        Self::text("w#")
    }

    pub fn watch(edge: &str) -> Self {
        Self::parts(&[b"w#", edge.as_bytes()])
    }
}
