//! Single flight: of several builds that need the same unit at the same time, one compiles it, and the others
//! wait for its result.
//!
//! Who is told that there is no result has the flight: a file, locked until the result is stored. Who comes
//! while it is locked waits, for a limited time, and then looks again. The lock of a process that dies is
//! released by the system.
//!
//! A lock is advice. Two flights for one unit cost a compilation, and none waits for another in a circle: a
//! build that waits for a unit holds none of its job slots for that, and so goes on with those that it has
//! the flights of.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hook_protocol::Digest;

use crate::layout::Layout;

/// How long others are waited for, if Cargo does not say how long it waits for the hook.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(30);

/// How often it is looked whether a flight has ended: often at first, for most units take little time.
const PAUSES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(50)];

/// The flights of this process.
#[derive(Debug, Default)]
pub struct Flights {
    held: Mutex<HashMap<Digest, File>>,
}

/// The outcome of [`Flights::begin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flight {
    /// This process has it, or there can be none here.
    Ours,
    /// Another process has it.
    Theirs,
}

impl Flights {
    /// Begins the flight for the result with this key, unless another process has it.
    pub fn begin(&self, layout: &Layout, key: &Digest) -> Flight {
        if self.held().contains_key(key) {
            return Flight::Ours;
        }
        // Where no file can be made or locked, everybody compiles.
        let Some(file) = layout.open_flight(key) else {
            return Flight::Ours;
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Flight::Theirs,
            Err(TryLockError::Error(_)) => Flight::Ours,
            Ok(()) => {
                self.held().insert(*key, file);
                Flight::Ours
            }
        }
    }

    /// Waits until another process's flight has ended, and has it then; or until `deadline`.
    pub fn wait(&self, layout: &Layout, key: &Digest, deadline: Instant) -> Flight {
        let mut pause = PAUSES[0];
        while Instant::now() < deadline {
            sleep(pause);
            pause = (pause * 2).min(PAUSES[1]);
            if self.begin(layout, key) == Flight::Ours {
                return Flight::Ours;
            }
        }
        Flight::Theirs
    }

    /// Ends a flight of this process, if it has it.
    pub fn end(&self, layout: &Layout, key: &Digest) {
        if let Some(file) = self.held().remove(key) {
            // Removed while it is locked: who opened it before gets a lock of a file without a name.
            let _ = fs::remove_file(layout.flight(key));
            drop(file);
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Digest, File>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two processes at one cache; a lock belongs to an opened file, so that one process can play both.
    struct Site {
        layout: Layout,
        processes: [Flights; 2],
        _dir: tempfile::TempDir,
    }

    impl Site {
        fn new() -> Site {
            let dir = tempfile::tempdir().unwrap();
            Site {
                layout: Layout::new(dir.path().join("cache")),
                processes: Default::default(),
                _dir: dir,
            }
        }

        fn begin(&self, process: usize, key: &str) -> Flight {
            self.processes[process].begin(&self.layout, &Digest::of(key.as_bytes()))
        }
    }

    #[test]
    fn one_process_has_a_flight() {
        let site = Site::new();
        assert_eq!(site.begin(0, "a"), Flight::Ours);
        assert_eq!(site.begin(0, "a"), Flight::Ours);
        assert_eq!(site.begin(1, "a"), Flight::Theirs);
        assert_eq!(site.begin(1, "b"), Flight::Ours);
        site.processes[1].end(&site.layout, &Digest::of(b"a"));
        assert_eq!(
            site.begin(1, "a"),
            Flight::Theirs,
            "only who has it can end it"
        );
        site.processes[0].end(&site.layout, &Digest::of(b"a"));
        assert_eq!(site.begin(1, "a"), Flight::Ours);
    }

    #[test]
    fn who_waits_has_it_when_the_other_ends_or_dies() {
        for dies in [false, true] {
            let mut site = Site::new();
            let key = Digest::of(b"a");
            site.begin(0, "a");
            let far = Instant::now() + Duration::from_secs(60);
            let [first, second] = &mut site.processes;
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| second.wait(&site.layout, &key, far));
                sleep(Duration::from_millis(20));
                assert!(!waiting.is_finished());
                match dies {
                    true => drop(std::mem::take(first)),
                    false => first.end(&site.layout, &key),
                }
                assert_eq!(waiting.join().unwrap(), Flight::Ours);
            });
        }
    }

    #[test]
    fn nobody_waits_for_ever() {
        let site = Site::new();
        site.begin(0, "a");
        let soon = Instant::now() + Duration::from_millis(30);
        let outcome = site.processes[1].wait(&site.layout, &Digest::of(b"a"), soon);
        assert_eq!(outcome, Flight::Theirs);
        assert!(Instant::now() >= soon);
    }

    #[cfg(unix)]
    #[test]
    fn where_nothing_can_be_locked_everybody_compiles() {
        let site = Site::new();
        fs::write(site.layout.root(), "in the way").unwrap();
        assert_eq!(site.begin(0, "a"), Flight::Ours);
        assert_eq!(site.begin(1, "a"), Flight::Ours);
    }
}
