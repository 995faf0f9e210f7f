//! [`Keyed`]: what is found out at most once for each key, by whoever needs it first.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Values by key. Who comes second waits for the first, and nobody for another key.
pub(crate) struct Keyed<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K: Eq + Hash, V: Clone> Keyed<K, V> {
    /// Returns the value for a key, finding it if nobody has. `find` must not ask for the same key.
    pub(crate) fn get_or_find(&self, key: K, find: impl FnOnce() -> V) -> V {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(key).or_default())
        };
        slot.get_or_init(find).clone()
    }
}

impl<K, V> Default for Keyed<K, V> {
    fn default() -> Keyed<K, V> {
        Keyed(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn one_key_does_not_wait_for_another() {
        let keyed = Keyed::default();
        let (go, wait) = channel();
        let keyed = &keyed;
        thread::scope(|scope| {
            scope.spawn(move || keyed.get_or_find("slow", || wait.recv().unwrap()));
            assert_eq!(keyed.get_or_find("fast", || 1), 1);
            go.send(2).unwrap();
        });
        assert_eq!(keyed.get_or_find("slow", || panic!("it is known")), 2);
    }
}
