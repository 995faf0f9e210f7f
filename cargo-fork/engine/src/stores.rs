//! [`Stores`]: what was built, on its way to the hook while the build goes on.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::session::Session;

/// What is to be stored.
pub(crate) type Store = Box<dyn FnOnce(&Session) + Send>;

/// How many threads store at once: enough to overlap reading, writing and the hook.
const STORE_THREADS: usize = 2;

/// The queue of stores.
#[derive(Default)]
pub(crate) struct Stores {
    state: Mutex<StoreState>,
    settled: Condvar,
}

#[derive(Default)]
struct StoreState {
    waiting: VecDeque<Store>,
    threads: usize,
}

impl Stores {
    pub(crate) fn push(session: &Arc<Session>, store: Store) {
        let mut state = session.stores.lock();
        state.waiting.push_back(store);
        if state.threads < STORE_THREADS {
            state.threads += 1;
            let session = Arc::clone(session);
            std::thread::spawn(move || Stores::work(&session));
        }
    }

    fn work(session: &Session) {
        /// Signs off if a store panics: the end of the build must not wait for it.
        struct SignOff<'a>(&'a Stores);
        impl Drop for SignOff<'_> {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    self.0.lock().threads -= 1;
                    self.0.settled.notify_all();
                }
            }
        }
        let stores = &session.stores;
        let _sign_off = SignOff(stores);
        loop {
            let mut state = stores.lock();
            // Finding nothing and leaving are one step: what is pushed later starts another thread.
            let Some(store) = state.waiting.pop_front() else {
                state.threads -= 1;
                stores.settled.notify_all();
                return;
            };
            drop(state);
            store(session);
        }
    }

    /// Waits until nothing is left to store; false if that is not so at `deadline`.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_busy = |state: &mut StoreState| state.threads > 0;
        let (mut state, result) = self
            .settled
            .wait_timeout_while(self.lock(), left, is_busy)
            .unwrap_or_else(PoisonError::into_inner);
        let is_stranded = !state.waiting.is_empty();
        state.waiting.clear();
        !result.timed_out() && !is_stranded
    }

    fn lock(&self) -> MutexGuard<'_, StoreState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
