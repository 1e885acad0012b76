//! How many of something somebody has open, where there is a limit to it.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Counts by key. What is counted is open, so the table is as large as what is open. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Seats<K: Ord>(Arc<Inner<K>>);

#[derive(Debug)]
struct Inner<K: Ord> {
    most: u32,
    taken: Mutex<BTreeMap<K, u32>>,
}

impl<K: Ord + Copy> Seats<K> {
    /// At most so many for each; 0: as many as are asked for.
    pub fn new(most: u32) -> Self {
        let most = if most == 0 { u32::MAX } else { most };
        Self(Arc::new(Inner { most, taken: Mutex::default() }))
    }

    /// One more, until it is dropped; `None` where all are taken.
    pub fn take(&self, key: K) -> Option<Seat<K>> {
        let mut taken = self.0.taken.lock();
        let count = taken.entry(key).or_insert(0);
        if *count >= self.0.most {
            return None;
        }
        *count += 1;
        Some(Seat { seats: self.clone(), key })
    }
}

/// Something open, counted while it lives.
#[derive(Debug)]
pub struct Seat<K: Ord + Copy> {
    seats: Seats<K>,
    key: K,
}

impl<K: Ord + Copy> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self.seats.0.taken.lock();
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_counted_and_forgotten() {
        let seats = Seats::new(2);
        let (first, _second) = (seats.take(1).unwrap(), seats.take(1).unwrap());
        assert!(seats.take(1).is_none());
        let other = seats.take(2).unwrap();
        drop((first, other));
        assert!(seats.take(1).is_some());
        assert_eq!(seats.0.taken.lock().len(), 1);
        let open = Seats::new(0);
        let many: Vec<_> = (0..1000).map(|_| open.take(1).unwrap()).collect();
        drop(many);
        assert!(open.0.taken.lock().is_empty());
    }
}
