//! [`Gate`]: how many threads may use processor and disk at once, of the many that mostly wait.

use std::sync::{Condvar, Mutex, PoisonError};

/// Lets so many threads in at a time.
pub(crate) struct Gate {
    free: Mutex<usize>,
    left: Condvar,
}

/// A place within a [`Gate`].
pub(crate) struct Entered<'a>(&'a Gate);

impl Gate {
    /// Makes a gate with so many places.
    pub(crate) fn new(places: usize) -> Gate {
        Gate {
            free: Mutex::new(places),
            left: Condvar::new(),
        }
    }

    /// Waits for a place.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .left
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Entered(self)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.left.notify_one();
    }
}
