//! [`Before`]: what was there when a unit began to be built, and whether it still is.
//!
//! A compiler reads its inputs some time between the beginning and the end of a build, and reports only
//! their names. That what is hashed is what it read is shown file by file:
//!
//! 1. It was hashed before, and is the same after: by its metadata if these are old enough to tell,
//!    else by hashing it again.
//! 2. It was seen before, old enough, and has the same metadata after.
//! 3. It is first learnt of from the compiler: it must be old enough, and so must the folders above it,
//!    since a folder can be put in the place of another without any file in it changing.
//!
//! *Old enough* is judged on the clock of the file system where the file lies. That of the build
//! directory is known; of another one the newest time that was seen there stands for it, and if none was, a
//! file counts as old that is so by a day.
//!
//! What this does not see: a file that changed twice, and is back as it was, while the unit was built;
//! and writes through a memory map that was opened before.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::files::{self, FileDigests, Hashed, Stat};
use crate::package;

/// The time of a file system, taken from a file that was just written.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    now: SystemTime,
    device: Option<u64>,
}

/// File systems note times with this precision at worst, where nanoseconds tell that they are precise:
/// Linux advances its clock 100 times a second or more.
const TICK: Duration = Duration::from_millis(20);

/// A file of a file system of which nothing else is known is old after this time.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The precision of file systems that note whole seconds (FAT: every other).
const COARSE: Duration = Duration::from_secs(2);

impl Clock {
    /// Returns the time at which `stamp` says that it was written.
    pub fn of(stamp: &Stat) -> Clock {
        Clock {
            now: stamp.modified.unwrap_or(SystemTime::UNIX_EPOCH),
            device: stamp.identity.map(|(device, _)| device),
        }
    }

    /// Returns the time.
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// Returns whether a file is on the file system of this clock.
    pub(crate) fn rules(&self, stat: &Stat) -> bool {
        stat.identity.map(|(device, _)| device) == self.device
    }

    /// Returns whether a file had been left alone for so long that any change from now on moves its
    /// times. Not so a file that is dated in the future, or after the clock was set back.
    pub fn is_settled(&self, stat: &Stat) -> bool {
        self.rules(stat) && stat.is_older_than(self.now - granularity(stat))
    }
}

fn granularity(stat: &Stat) -> Duration {
    let is_whole = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        since.is_ok_and(|since| since.subsec_nanos() == 0)
    };
    let is_coarse = stat.modified.is_some_and(is_whole) && stat.changed.is_none_or(|c| c.1 == 0);
    if is_coarse { COARSE } else { TICK }
}

/// What was there when a unit began to be built.
#[derive(Debug)]
pub struct Before {
    clock: Clock,
    /// Until when a digest was taken before.
    at: Instant,
    seen: HashMap<PathBuf, Stat>,
    /// The newest time that was seen on each other file system.
    newest: HashMap<u64, SystemTime>,
}

impl Before {
    /// Looks at what a unit may read: every file below `folders` without `excluded`, and `files`. What is
    /// too young for its times to tell a change is hashed.
    pub fn look<'a>(
        clock: Clock,
        folders: impl IntoIterator<Item = &'a Path>,
        excluded: &[PathBuf],
        files: impl IntoIterator<Item = PathBuf>,
        digests: &FileDigests,
    ) -> Before {
        let mut before = Before {
            clock,
            at: Instant::now(),
            seen: HashMap::new(),
            newest: HashMap::new(),
        };
        let below = folders
            .into_iter()
            .flat_map(|folder| package::walk(folder, excluded).take(package::MAX_FILES));
        for path in below.chain(files) {
            if let Ok(stat) = Stat::of(&path) {
                before.see(path, stat);
            }
        }
        for (path, stat) in &before.seen {
            if !before.is_old(stat) {
                // One that cannot be read now counts as one that is not known.
                let _ = digests.input(path);
            }
        }
        before.at = Instant::now();
        before
    }

    fn see(&mut self, path: PathBuf, stat: Stat) {
        if let (Some((device, _)), false) = (stat.identity, self.clock.rules(&stat)) {
            let newest = self.newest.entry(device).or_insert(SystemTime::UNIX_EPOCH);
            *newest = (*newest).max(stat.newest().unwrap_or(SystemTime::UNIX_EPOCH));
        }
        self.seen.insert(path, stat);
    }

    /// Returns whether the times of a file lie before the beginning.
    fn is_old(&self, stat: &Stat) -> bool {
        if self.clock.rules(stat) {
            return stat.is_older_than(self.clock.now);
        }
        let newest = stat
            .identity
            .and_then(|(device, _)| self.newest.get(&device));
        match newest {
            Some(newest) => stat.is_older_than(*newest - COARSE),
            // No clock is so wrong, and no build takes so long.
            None => stat.is_older_than(SystemTime::now() - DAY),
        }
    }

    /// Returns whether a file had been left alone for so long before the beginning that any later change
    /// moves its times.
    pub fn is_settled(&self, stat: &Stat) -> bool {
        if self.clock.rules(stat) {
            self.clock.is_settled(stat)
        } else {
            self.is_old(stat)
        }
    }

    /// Returns whether metadata alone tell that a file is still as it was hashed.
    pub fn is_still(&self, path: &Path, hashed: &Hashed) -> bool {
        Stat::of(path).is_ok_and(|stat| hashed.stat == stat && self.is_old(&stat))
    }

    /// The clock by which the beginning is known.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Returns a file that was the same from the beginning until now; `None` if it was not, or if that
    /// cannot be told. The folder `within` and what is above it are taken to stay where they are.
    pub fn unchanged(&self, path: &Path, within: &Path, digests: &FileDigests) -> Option<Hashed> {
        let stat = Stat::of(path).ok()?;
        // What another unit hashed meanwhile says nothing of what this one read.
        if let Some(known) = digests.known(path).filter(|known| known.at <= self.at) {
            if self.is_still(path, &known) {
                return Some(known);
            }
            let after = files::hash(path).ok()?;
            return (after.digest == known.digest).then_some(after);
        }
        let was_there = match self.seen.get(path) {
            Some(seen) => *seen == stat && self.is_old(&stat),
            None => {
                let mut folders = path.ancestors().take_while(|folder| *folder != within);
                self.is_old(&stat) && !folders.any(|folder| self.was_put_in_place(folder))
            }
        };
        let hashed = was_there.then(|| digests.input(path).ok()).flatten()?;
        (hashed.stat == stat).then_some(hashed)
    }

    /// Returns whether a file, folder or link itself came to its place after the beginning. Renaming
    /// moves its time of change alone; an entry that came or went moves both times of a folder.
    fn was_put_in_place(&self, path: &Path) -> bool {
        let Ok(metadata) = path.symlink_metadata() else {
            return true;
        };
        let stat = Stat::from(&metadata);
        let is_busy_folder = metadata.is_dir() && stat.modified == stat.changed_at();
        !self.is_old(&stat) && !is_busy_folder
    }
}

#[cfg(test)]
mod tests;
