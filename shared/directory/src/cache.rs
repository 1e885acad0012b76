//! A bounded map whose entries end. Two generations instead of a list of uses: when the young one is full the old one is
//! dropped, so memory is at most twice the limit, nothing is iterated, and the same calls give the same answers.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;
use tokio::time::Instant;

pub(crate) struct Cache<K, V> {
    limit: usize,
    state: Mutex<Generations<K, V>>,
}

struct Generations<K, V> {
    young: HashMap<K, (V, Instant)>,
    old: HashMap<K, (V, Instant)>,
    /// Counts what was taken out, so that a value read before that is not put in after it.
    removals: u64,
}

/// The state of a cache before a read of the store began.
#[derive(Clone, Copy)]
pub(crate) struct Mark(u64);

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    pub fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::new(Generations { young: HashMap::new(), old: HashMap::new(), removals: 0 }) }
    }

    pub fn get(&self, key: &K, now: Instant) -> Option<V> {
        let mut state = self.state.lock();
        if let Some((value, until)) = state.young.get(key) {
            return (*until > now).then(|| value.clone());
        }
        let (value, until) = state.old.remove(key)?;
        if until <= now {
            return None;
        }
        state.insert(self.limit, key.clone(), value.clone(), until);
        Some(value)
    }

    /// Taken before reading what will be `put_read`.
    pub fn mark(&self) -> Mark {
        Mark(self.state.lock().removals)
    }

    /// Keeps what was read since `mark`, unless something was removed meanwhile: then it may be older than the removal.
    pub fn put_read(&self, mark: Mark, key: K, value: V, until: Instant) {
        let mut state = self.state.lock();
        if state.removals == mark.0 {
            state.insert(self.limit, key, value, until);
        }
    }

    pub fn put(&self, key: K, value: V, until: Instant) {
        self.state.lock().insert(self.limit, key, value, until);
    }

    pub fn remove(&self, key: &K) {
        let mut state = self.state.lock();
        state.removals = state.removals.wrapping_add(1);
        state.young.remove(key);
        state.old.remove(key);
    }

    pub fn clear(&self) {
        let mut state = self.state.lock();
        state.removals = state.removals.wrapping_add(1);
        state.young = HashMap::new();
        state.old = HashMap::new();
    }
}

impl<K: Hash + Eq, V> Generations<K, V> {
    fn insert(&mut self, limit: usize, key: K, value: V, until: Instant) {
        if self.young.len() >= limit && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, (value, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_types::Env;
    use std::time::Duration;

    #[test]
    fn entries_end_and_the_map_is_bounded() {
        let now = Env::system().monotonic();
        let later = now + Duration::from_secs(1);
        let cache = Cache::new(10);
        for number in 0..100 {
            cache.put(number, number, later);
        }
        assert_eq!(cache.get(&99, now), Some(99));
        assert_eq!(cache.get(&99, later), None);
        assert!((0..100).filter(|n| cache.get(n, now).is_some()).count() <= 20);
    }

    #[test]
    fn what_was_read_before_a_removal_is_not_kept_after_it() {
        let now = Env::system().monotonic();
        let later = now + Duration::from_secs(1);
        let cache = Cache::new(10);
        let mark = cache.mark();
        cache.remove(&1);
        cache.put_read(mark, 1, "old", later);
        assert_eq!(cache.get(&1, now), None);
    }
}
