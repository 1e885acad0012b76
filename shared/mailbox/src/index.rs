//! A folder's whole list in memory: uid, item, keywords, modseq, size and date of each message. Cut into segments of 1,024
//! uids behind `Arc`s, so that the next version after a change shares all but one of them with the version before.

use crate::change::{Change, Entry, Placed};
use crate::keywords::Keywords;
use crate::uidset::UidSet;
use penfold_types::{FolderId, ItemId, Modseq, Uid};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) const SEGMENT: u32 = 1024;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub item: ItemId,
    pub modseq: Modseq,
    pub created: Modseq,
    pub received: i64,
    pub uid: Uid,
    pub size: u32,
    /// Place in the list of keyword sets.
    pub set: u32,
    pub zone: i16,
}

/// A message of a folder.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub uid: Uid,
    pub item: ItemId,
    pub keywords: &'a Keywords,
    pub modseq: Modseq,
    pub created: Modseq,
    pub size: u32,
    /// INTERNALDATE: unix seconds and minutes east.
    pub received: i64,
    pub zone: i16,
}

impl Message<'_> {
    pub(crate) fn placed(&self) -> Placed {
        Placed {
            item: self.item,
            uid: self.uid,
            keywords: self.keywords.clone(),
            created: self.created,
            size: self.size,
            received: self.received,
            zone: self.zone,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// uid / 1,024
    pub number: u32,
    pub slots: Vec<Slot>,
}

/// Current at `modseq` of the account.
#[derive(Clone, Debug)]
pub struct Index {
    folder: FolderId,
    modseq: Modseq,
    segments: Vec<Arc<Segment>>,
    /// Distinct keyword sets; mostly few, whatever the number of messages.
    sets: Arc<Sets>,
    len: u32,
}

#[derive(Clone, Debug)]
struct Sets {
    list: Vec<Keywords>,
    places: HashMap<Keywords, u32>,
    /// How many there may be before those that no message has any more are dropped.
    room: usize,
}

/// Sets that are kept without a look at whether they are still in use.
const ROOM: usize = 256;

impl Default for Sets {
    fn default() -> Self {
        Self { list: vec![Keywords::NONE], places: HashMap::from([(Keywords::NONE, 0)]), room: ROOM }
    }
}

impl Index {
    pub(crate) fn new(folder: FolderId, modseq: Modseq) -> Self {
        Self { folder, modseq, segments: Vec::new(), sets: Arc::default(), len: 0 }
    }

    pub fn folder(&self) -> FolderId {
        self.folder
    }

    /// The account's modseq that this list is current at.
    pub fn modseq(&self) -> Modseq {
        self.modseq
    }

    pub fn len(&self) -> u32 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn message(&self, slot: &Slot) -> Message<'_> {
        Message {
            uid: slot.uid,
            item: slot.item,
            // A slot's set was made by `intern` of this very index.
            keywords: self.sets.list.get(slot.set as usize).unwrap_or(&Keywords::NONE),
            modseq: slot.modseq,
            created: slot.created,
            size: slot.size,
            received: slot.received,
            zone: slot.zone,
        }
    }

    fn segment_place(&self, uid: Uid) -> Result<usize, usize> {
        self.segments.binary_search_by_key(&(uid.get() / SEGMENT), |s| s.number)
    }

    pub fn get(&self, uid: Uid) -> Option<Message<'_>> {
        let segment = &self.segments[self.segment_place(uid).ok()?];
        let at = segment.slots.binary_search_by_key(&uid, |s| s.uid).ok()?;
        Some(self.message(&segment.slots[at]))
    }

    /// In the order of their uids.
    pub fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        self.segments.iter().flat_map(|s| &s.slots).map(|slot| self.message(slot))
    }

    /// Those of `uids` that are here, in order.
    pub fn select<'a>(&'a self, uids: &'a UidSet) -> impl Iterator<Item = Message<'a>> {
        uids.runs().iter().flat_map(move |&(from, to)| self.range(Uid(from), Uid(to)))
    }

    /// From one uid to another, both included.
    pub fn range(&self, from: Uid, to: Uid) -> impl Iterator<Item = Message<'_>> {
        let first = match self.segment_place(from) {
            Ok(at) | Err(at) => at,
        };
        let slots = self.segments[first..].iter().take_while(move |s| s.number <= to.get() / SEGMENT).flat_map(move |s| {
            let start = s.slots.partition_point(|slot| slot.uid < from);
            let end = s.slots.partition_point(|slot| slot.uid <= to);
            s.slots.get(start..end).unwrap_or(&[])
        });
        slots.map(|slot| self.message(slot))
    }

    pub fn uids(&self) -> UidSet {
        let mut set: UidSet = self.segments.iter().flat_map(|s| &s.slots).map(|slot| slot.uid).collect();
        set.shrink();
        set
    }

    /// The keyword sets in use; slots with the same set share it.
    pub fn keyword_sets(&self) -> &[Keywords] {
        &self.sets.list
    }

    /// Bytes of memory, for the cache's budget.
    pub(crate) fn weight(&self) -> u32 {
        let slots: usize = self.segments.iter().map(|s| s.slots.capacity() * size_of::<Slot>() + 64).sum();
        (slots + self.sets.list.len() * 160 + 128).try_into().unwrap_or(u32::MAX)
    }

    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    pub(crate) fn intern(&mut self, keywords: &Keywords) -> u32 {
        if let Some(at) = self.sets.places.get(keywords) {
            return *at;
        }
        let sets = Arc::make_mut(&mut self.sets);
        let at = sets.list.len() as u32;
        sets.list.push(keywords.clone());
        sets.places.insert(keywords.clone(), at);
        at
    }

    /// A client that gives each message a keyword of its own, and takes it away again, must not make this grow for ever.
    fn drop_unused_sets(&mut self) {
        if self.sets.list.len() < self.sets.room {
            return;
        }
        let old = std::mem::take(&mut self.sets);
        let sets = Arc::make_mut(&mut self.sets);
        let mut moved: Vec<Option<u32>> = vec![None; old.list.len()];
        if let Some(first) = moved.first_mut() {
            *first = Some(0);
        }
        for segment in &mut self.segments {
            for slot in &mut Arc::make_mut(segment).slots {
                let Some(place) = moved.get_mut(slot.set as usize) else { continue };
                slot.set = *place.get_or_insert_with(|| {
                    let keywords = &old.list[slot.set as usize];
                    let at = sets.list.len() as u32;
                    sets.list.push(keywords.clone());
                    sets.places.insert(keywords.clone(), at);
                    at
                });
            }
        }
        sets.room = sets.list.len() * 2 + ROOM;
    }

    /// Sets a message, in place of one with its uid.
    pub(crate) fn put(&mut self, placed: &Placed, modseq: Modseq) {
        self.drop_unused_sets();
        let slot = Slot {
            item: placed.item,
            modseq,
            created: placed.created,
            received: placed.received,
            uid: placed.uid,
            size: placed.size,
            set: self.intern(&placed.keywords),
            zone: placed.zone,
        };
        self.put_slot(slot);
    }

    pub(crate) fn put_slot(&mut self, slot: Slot) {
        let at = match self.segment_place(slot.uid) {
            Ok(at) => at,
            Err(at) => {
                self.segments.insert(at, Arc::new(Segment { number: slot.uid.get() / SEGMENT, slots: Vec::new() }));
                at
            }
        };
        let slots = &mut Arc::make_mut(&mut self.segments[at]).slots;
        match slots.binary_search_by_key(&slot.uid, |s| s.uid) {
            Ok(place) => slots[place] = slot,
            Err(place) => {
                slots.insert(place, slot);
                self.len += 1;
            }
        }
    }

    pub(crate) fn remove(&mut self, uid: Uid) {
        let Ok(at) = self.segment_place(uid) else { return };
        let Ok(place) = self.segments[at].slots.binary_search_by_key(&uid, |s| s.uid) else { return };
        let slots = &mut Arc::make_mut(&mut self.segments[at]).slots;
        slots.remove(place);
        self.len -= 1;
        if slots.is_empty() {
            self.segments.remove(at);
        }
    }

    fn set_keywords(&mut self, uid: Uid, keywords: &Keywords, modseq: Modseq) {
        self.drop_unused_sets();
        let set = self.intern(keywords);
        let Ok(at) = self.segment_place(uid) else { return };
        let Ok(place) = self.segments[at].slots.binary_search_by_key(&uid, |s| s.uid) else { return };
        let slot = &mut Arc::make_mut(&mut self.segments[at]).slots[place];
        slot.set = set;
        slot.modseq = modseq;
    }

    /// Nothing happened in this folder up to `modseq`.
    pub(crate) fn move_to(&mut self, modseq: Modseq) {
        self.modseq = self.modseq.max(modseq);
    }

    /// Works in one commit. Every entry says how things stand after it, so applying one that is already in (because rows
    /// were read after it) changes nothing. False where the folder is gone.
    pub(crate) fn apply(&mut self, change: &Change) -> bool {
        let own = self.folder;
        let mut alive = true;
        for entry in &change.entries {
            match entry {
                Entry::Added { folder, placed } if *folder == own => self.put(placed, change.modseq),
                Entry::Removed { folder, placed } if *folder == own => self.remove(placed.uid),
                Entry::Keywords { folder, uid, after, .. } if *folder == own => self.set_keywords(*uid, after, change.modseq),
                Entry::Moved { from, from_uid, to, placed } => {
                    if *from == own {
                        self.remove(*from_uid);
                    }
                    if *to == own {
                        self.put(placed, change.modseq);
                    }
                }
                Entry::FolderGone(folder) if *folder == own => alive = false,
                _ => {}
            }
        }
        self.modseq = self.modseq.max(change.modseq);
        alive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(uid: u32) -> Placed {
        Placed {
            item: ItemId::from_bytes([uid as u8; 16]),
            uid: Uid(uid),
            keywords: Keywords::SEEN,
            created: Modseq(1),
            size: 10,
            received: 0,
            zone: 0,
        }
    }

    #[test]
    fn keyword_sets_that_nobody_has_any_more_go() {
        let mut index = Index::new(FolderId::from_bytes([1; 16]), Modseq(1));
        for uid in 1..=20 {
            index.put(&placed(uid), Modseq(2));
        }
        for round in 0..5_000u32 {
            let name = format!("k{round}");
            let own = Keywords::parse([name.as_str()]).unwrap();
            index.put(&Placed { keywords: own.clone(), ..placed(round % 20 + 1) }, Modseq(3));
            assert_eq!(index.get(Uid(round % 20 + 1)).map(|m| m.keywords.clone()), Some(own));
        }
        assert!(index.keyword_sets().len() <= ROOM + 50, "{}", index.keyword_sets().len());
    }

    #[test]
    fn messages_stay_in_order_over_segments() {
        let mut index = Index::new(FolderId::from_bytes([1; 16]), Modseq(1));
        for uid in [5000, 3, 1, 1023, 1024, 2, 5001] {
            index.put(&placed(uid), Modseq(2));
        }
        let before = index.clone();
        index.remove(Uid(1024));
        index.put(&placed(3), Modseq(9));
        let uids = |i: &Index| i.iter().map(|m| m.uid.get()).collect::<Vec<_>>();
        assert_eq!(uids(&before), [1, 2, 3, 1023, 1024, 5000, 5001]);
        assert_eq!(uids(&index), [1, 2, 3, 1023, 5000, 5001]);
        assert_eq!(index.len(), 6);
        assert_eq!(index.range(Uid(2), Uid(5000)).map(|m| m.uid.get()).collect::<Vec<_>>(), [2, 3, 1023, 5000]);
        assert_eq!(index.get(Uid(3)).map(|m| m.modseq), Some(Modseq(9)));
        assert!(index.get(Uid(1024)).is_none());
        assert_eq!(index.uids().runs(), [(1, 3), (1023, 1023), (5000, 5001)]);
    }
}
