//! A folder's list as stored: segments of 4,096 uids, each a sealed blob, named by a manifest row. A list is read as the
//! manifest's segments and the log after it. Only segments that changed are written again.

use crate::codec::{Reader, put_i64, put_u64};
use crate::index::{Index, Slot};
use crate::keywords::Keywords;
use penfold_ports::Row;
use penfold_types::{AcceptanceId, FolderId, ItemId, Modseq, Uid};

/// Uids in one stored segment.
pub(crate) const STORED_SEGMENT: u32 = 4096;
/// Changes in a folder after which its list is stored again.
pub(crate) const CHANGES: u32 = 1000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StoredSegment {
    /// uid / 4,096
    pub number: u32,
    pub blob: AcceptanceId,
    pub length: u64,
    pub messages: u32,
    /// The highest modseq in it, which with the count tells whether it has changed.
    pub highest: Modseq,
}

/// The row `k#F`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Manifest {
    pub modseq: Modseq,
    pub segments: Vec<StoredSegment>,
}

impl Manifest {
    pub fn to_row(&self) -> Row {
        let mut out = Vec::with_capacity(self.segments.len() * 32);
        for segment in &self.segments {
            put_u64(&mut out, segment.number.into());
            out.extend_from_slice(segment.blob.as_bytes());
            put_u64(&mut out, segment.length);
            put_u64(&mut out, segment.messages.into());
            put_u64(&mut out, segment.highest.get());
        }
        Row::new().with("m", self.modseq.get()).with("s", out)
    }

    pub fn from_row(row: &Row) -> Option<Self> {
        let mut from = Reader(row.bytes("s")?);
        let mut segments = Vec::new();
        while !from.is_empty() {
            segments.push(StoredSegment {
                number: from.u32()?,
                blob: AcceptanceId::from_bytes(from.id()?),
                length: from.u64()?,
                messages: from.u32()?,
                highest: Modseq(from.u64()?),
            });
        }
        Some(Self { modseq: Modseq(row.u64("m")?), segments })
    }
}

/// The messages of one stored segment: how many, and the highest modseq.
pub(crate) fn facts(index: &Index, number: u32) -> (u32, Modseq) {
    let (from, to) = bounds(number);
    index.range(from, to).fold((0, Modseq(0)), |(n, highest), m| (n + 1, highest.max(m.modseq)))
}

pub(crate) fn bounds(number: u32) -> (Uid, Uid) {
    let from = number.saturating_mul(STORED_SEGMENT);
    (Uid(from), Uid(from.saturating_add(STORED_SEGMENT - 1)))
}

pub(crate) fn numbers(index: &Index) -> Vec<u32> {
    let per = STORED_SEGMENT / crate::index::SEGMENT;
    let mut numbers: Vec<u32> = index.segments().iter().map(|s| s.number / per).collect();
    numbers.dedup();
    numbers
}

const FORMAT: u8 = 1;

pub(crate) fn encode(index: &Index, number: u32) -> Vec<u8> {
    let (from, to) = bounds(number);
    let mut sets: Vec<&Keywords> = Vec::new();
    let mut body = Vec::with_capacity(4096 * 28);
    let (mut uid, mut modseq, mut received) = (0i64, 0i64, 0i64);
    let mut count = 0u64;
    for message in index.range(from, to) {
        let set = sets.iter().position(|own| *own == message.keywords).unwrap_or_else(|| {
            sets.push(message.keywords);
            sets.len() - 1
        });
        put_u64(&mut body, (i64::from(message.uid.get()) - uid) as u64);
        body.extend_from_slice(message.item.as_bytes());
        put_u64(&mut body, set as u64);
        put_i64(&mut body, message.modseq.get() as i64 - modseq);
        put_u64(&mut body, message.modseq.get() - message.created.get().min(message.modseq.get()));
        put_u64(&mut body, message.size.into());
        put_i64(&mut body, message.received.wrapping_sub(received));
        put_i64(&mut body, message.zone.into());
        (uid, modseq, received) = (message.uid.get().into(), message.modseq.get() as i64, message.received);
        count += 1;
    }
    let mut out = vec![FORMAT];
    put_u64(&mut out, sets.len() as u64);
    for set in sets {
        set.encode(&mut out);
    }
    put_u64(&mut out, count);
    out.extend_from_slice(&body);
    out
}

/// Puts the messages of a stored segment into `index`. `None` where the bytes are damaged.
pub(crate) fn decode_into(index: &mut Index, bytes: &[u8]) -> Option<()> {
    let mut from = Reader(bytes);
    if from.u8()? != FORMAT {
        return None;
    }
    let count = from.u64()?;
    let mut sets = Vec::new();
    for _ in 0..count {
        sets.push(index.intern(&Keywords::decode(&mut from)?));
    }
    let (mut uid, mut modseq, mut received) = (0i64, 0i64, 0i64);
    for _ in 0..from.u64()? {
        uid = uid.checked_add(i64::try_from(from.u64()?).ok()?)?;
        let item = ItemId::from_bytes(from.id()?);
        let set = *sets.get(usize::try_from(from.u64()?).ok()?)?;
        modseq = modseq.checked_add(from.i64()?)?;
        let created = modseq.checked_sub(i64::try_from(from.u64()?).ok()?)?;
        let size = from.u32()?;
        received = received.wrapping_add(from.i64()?);
        let zone = from.i16()?;
        index.put_slot(Slot {
            item,
            modseq: Modseq(u64::try_from(modseq).ok()?),
            created: Modseq(u64::try_from(created).ok()?),
            received,
            uid: Uid(u32::try_from(uid).ok()?),
            size,
            set,
            zone,
        });
    }
    from.is_empty().then_some(())
}

/// What must be written so that the list is stored as `index` has it: the segments that changed, and those that stay.
pub(crate) fn dirty(index: &Index, old: &Manifest) -> (Vec<u32>, Vec<StoredSegment>) {
    let mut changed = Vec::new();
    let mut kept = Vec::new();
    for number in numbers(index) {
        let (messages, highest) = facts(index, number);
        match old.segments.iter().find(|s| s.number == number && s.messages == messages && s.highest == highest) {
            Some(same) => kept.push(same.clone()),
            None => changed.push(number),
        }
    }
    (changed, kept)
}

/// An index to fill from a manifest.
pub(crate) fn empty(folder: FolderId, manifest: &Manifest) -> Index {
    Index::new(folder, manifest.modseq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Placed;

    #[test]
    fn a_list_comes_back_from_its_segments() {
        let mut index = Index::new(FolderId::from_bytes([1; 16]), Modseq(90));
        for uid in (1..9000).step_by(7) {
            let keywords = if uid % 2 == 0 { Keywords::SEEN } else { Keywords::FLAGGED };
            let placed = Placed {
                item: ItemId::from_bytes([uid as u8; 16]),
                uid: Uid(uid),
                keywords,
                created: Modseq(u64::from(uid)),
                size: uid * 3,
                received: i64::from(uid) * -1000,
                zone: -90,
            };
            index.put(&placed, Modseq(u64::from(uid) + u64::from(uid % 5)));
        }
        let (changed, kept) = dirty(&index, &Manifest::default());
        assert_eq!((changed.as_slice(), kept.len()), ([0u32, 1, 2].as_slice(), 0));
        let mut back = Index::new(index.folder(), Modseq(90));
        for number in &changed {
            let bytes = encode(&index, *number);
            for cut in [0, 1, 5, bytes.len() / 2, bytes.len() - 1] {
                assert_eq!(decode_into(&mut Index::new(index.folder(), Modseq(0)), &bytes[..cut]), None);
            }
            assert_eq!(decode_into(&mut back, &bytes), Some(()));
        }
        let list = |i: &Index| i.iter().map(|m| (m.placed(), m.modseq)).collect::<Vec<_>>();
        assert_eq!(list(&back), list(&index));
    }
}
