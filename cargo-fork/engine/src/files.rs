//! Digests of files, each computed at most once per build, and what the file looked like then.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use hook_protocol::Digest;

/// What the file system says of a file. Compared for equality, never for order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The size in bytes.
    pub size: u64,
    /// When the content changed last.
    pub modified: Option<SystemTime>,
    /// When content or metadata changed last, where the platform tells: seconds and nanoseconds.
    pub changed: Option<(i64, i64)>,
    /// Which file it is, where the platform tells: device and inode.
    pub identity: Option<(u64, u64)>,
}

impl Stat {
    /// Reads the metadata of the file at `path`, following links.
    ///
    /// # Errors
    ///
    /// If there is no such file, or it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Stat> {
        Ok(Stat::from(&std::fs::metadata(path)?))
    }

    /// Returns whether this is the file that `other` tells of, and nobody wrote to it since.
    pub(crate) fn has_content_of(&self, other: &Stat) -> bool {
        let of = |it: &Stat| (it.size, it.modified, it.identity);
        of(self) == of(other)
    }

    /// Returns whether content and metadata are older than `time`, a time of the same file system.
    /// A file from before any change that could follow `time` is not *racy*.
    pub fn is_older_than(&self, time: SystemTime) -> bool {
        self.modified.is_some_and(|modified| modified < time)
            && (!cfg!(unix) || self.changed_at().is_some_and(|changed| changed < time))
    }

    /// Returns when content or metadata changed last, where the platform tells.
    pub fn changed_at(&self) -> Option<SystemTime> {
        let (seconds, nanos) = self.changed?;
        let since = Duration::new(seconds.try_into().ok()?, nanos.try_into().ok()?);
        SystemTime::UNIX_EPOCH.checked_add(since)
    }

    /// Returns the later of the two times.
    pub fn newest(&self) -> Option<SystemTime> {
        self.modified.max(self.changed_at())
    }
}

impl From<&Metadata> for Stat {
    fn from(metadata: &Metadata) -> Stat {
        #[cfg(unix)]
        let (changed, identity) = {
            use std::os::unix::fs::MetadataExt;
            (
                Some((metadata.ctime(), metadata.ctime_nsec())),
                Some((metadata.dev(), metadata.ino())),
            )
        };
        #[cfg(not(unix))]
        let (changed, identity) = (None, None);
        Stat {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            changed,
            identity,
        }
    }
}

/// A file as it was when it was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// The digest of the content.
    pub digest: Digest,
    /// The metadata from *before* the content was read.
    pub stat: Stat,
    /// When the content was read.
    pub at: Instant,
    /// Whether the file had been left alone for a while then: only of such a file equal metadata tell
    /// that its content is still the same.
    pub settled: bool,
}

impl Hashed {
    /// Describes a file that is known to have a digest.
    ///
    /// # Errors
    ///
    /// If it cannot be looked at.
    pub(crate) fn known(path: &Path, digest: Digest) -> io::Result<Hashed> {
        let stat = Stat::of(path)?;
        Ok(Hashed {
            digest,
            stat,
            at: Instant::now(),
            settled: stat.is_older_than(SystemTime::now() - SETTLED),
        })
    }
}

/// A file that changed a moment ago may change again without its times moving: file systems have
/// granularities of up to two seconds.
pub(crate) const SETTLED: Duration = Duration::from_secs(2);

/// Remembers the digests of one build's files.
#[derive(Default)]
pub struct FileDigests {
    known: Mutex<HashMap<PathBuf, Arc<OnceLock<Hashed>>>>,
    /// Outputs that were put in place, by device and inode: Cargo gives them second names.
    outputs: Mutex<HashMap<(u64, u64), Hashed>>,
}

impl FileDigests {
    /// Returns the digest of a file that does not change any more in this build: an output that is
    /// complete, or an input of which the first reading counts.
    ///
    /// # Errors
    ///
    /// If the file cannot be read. Errors are not remembered.
    pub fn once(&self, path: &Path) -> io::Result<Hashed> {
        let slot = {
            let mut known = lock(&self.known);
            match known.get(path) {
                Some(slot) => Arc::clone(slot),
                None => Arc::clone(known.entry(path.to_path_buf()).or_default()),
            }
        };
        if let Some(known) = slot.get() {
            return Ok(*known);
        }
        // Two threads that come here together hash twice; the first result counts.
        let hashed = hash(path)?;
        Ok(*slot.get_or_init(|| hashed))
    }

    /// Returns the digest of an input: a file that may change at any time, also during the build. A
    /// digest that is known counts only while the metadata are the same.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn input(&self, path: &Path) -> io::Result<Hashed> {
        let known = self.known(path);
        if let Some(known) = known
            && known.settled
            && Stat::of(path)? == known.stat
        {
            return Ok(known);
        }
        let hashed = hash(path)?;
        match known {
            // Still the same: what was known first counts as known since then.
            Some(known) if known.digest == hashed.digest && known.stat == hashed.stat => Ok(known),
            _ => {
                self.set(path, hashed);
                Ok(hashed)
            }
        }
    }

    /// Returns the digest of a program: of a file that may be an output, also under the second name that Cargo
    /// gives it. A link changes no time but that of the metadata. Any other file is an [input](Self::input).
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn program(&self, path: &Path) -> io::Result<Hashed> {
        let stat = Stat::of(path)?;
        let output = stat
            .identity
            .and_then(|it| lock(&self.outputs).get(&it).copied());
        match output.filter(|output| stat.has_content_of(&output.stat)) {
            Some(output) => Ok(Hashed { stat, ..output }),
            None => self.input(path),
        }
    }

    /// Records the digest of a file that was verified elsewhere, in place of an earlier one.
    pub fn set(&self, path: &Path, hashed: Hashed) {
        lock(&self.known).insert(path.to_path_buf(), Arc::new(OnceLock::from(hashed)));
    }

    /// Records the digest of an output that was put in place, and that nobody writes to before it is
    /// [forgotten](Self::forget).
    pub fn set_output(&self, path: &Path, hashed: Hashed) {
        self.set(path, hashed);
        if let Some(identity) = hashed.stat.identity {
            lock(&self.outputs).insert(identity, hashed);
        }
    }

    /// Forgets a file, because it is about to be written.
    pub fn forget(&self, path: &Path) {
        let known = lock(&self.known).remove(path);
        let identity = known.and_then(|it| it.get()?.stat.identity);
        identity.map(|it| lock(&self.outputs).remove(&it));
    }

    /// Returns what is known of a file without looking at it.
    pub fn known(&self, path: &Path) -> Option<Hashed> {
        lock(&self.known).get(path)?.get().copied()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether a file has more than one name, so that what is done to it is seen elsewhere.
pub fn has_other_names(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && it.nlink() > 1)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Hashes a file.
///
/// # Errors
///
/// If it cannot be read, or is not an ordinary file.
pub fn hash(path: &Path) -> io::Result<Hashed> {
    // Looked at before it is opened: opening a pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not an ordinary file",
        ));
    }
    let file = std::fs::File::open(path)?;
    let metadata = file.metadata()?;
    let stat = Stat::from(&metadata);
    let at = Instant::now();
    let settled = stat.is_older_than(SystemTime::now() - SETTLED);
    let digest = Digest::of_reader(file)?;
    Ok(Hashed {
        digest,
        stat,
        at,
        settled,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_digest_is_taken_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let digests = FileDigests::default();
        let first = digests.once(&path).unwrap();
        assert_eq!(first.digest, Digest::of(b"one"));
        std::fs::write(&path, "two").unwrap();
        assert_eq!(digests.once(&path).unwrap(), first);
        digests.forget(&path);
        assert_eq!(digests.once(&path).unwrap().digest, Digest::of(b"two"));
    }

    #[test]
    fn an_input_is_looked_at_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let digests = FileDigests::default();
        // Of one size, and within one tick of the clock.
        for content in ["one", "two", "six"] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(
                digests.input(&path).unwrap().digest,
                Digest::of(content.as_bytes())
            );
        }
        let first = digests.input(&path).unwrap();
        assert_eq!(
            digests.input(&path).unwrap().at,
            first.at,
            "known since then"
        );
    }

    #[cfg(unix)]
    #[test]
    fn an_output_is_known_by_its_second_name_until_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let [path, other] = ["a", "b"].map(|name| dir.path().join(name));
        std::fs::write(&path, "one").unwrap();
        let digests = FileDigests::default();
        let known = || Hashed::known(&path, Digest::of(b"told")).unwrap();
        let link = || {
            let _ = std::fs::remove_file(&other);
            std::fs::hard_link(&path, &other).unwrap();
        };
        let digest = |path: &Path| digests.program(path).unwrap().digest;
        digests.set(&path, known());
        link();
        assert_eq!(digest(&other), Digest::of(b"one"), "it is no output");
        digests.set_output(&path, known());
        link();
        assert_eq!(digest(&other), Digest::of(b"told"), "it was not read");
        assert_eq!(digest(&path), Digest::of(b"told"));
        // Another file in its place, and another content in the file.
        std::fs::remove_file(&other).unwrap();
        std::fs::write(&other, "two").unwrap();
        assert_eq!(digest(&other), Digest::of(b"two"));
        link();
        std::fs::write(&other, "three").unwrap();
        assert_eq!(digest(&other), Digest::of(b"three"));
        // It is about to be written, maybe within one tick of the clock.
        digests.set_output(&path, known());
        digests.forget(&path);
        assert_eq!(digest(&other), Digest::of(b"three"));
    }

    #[test]
    fn an_error_is_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let digests = FileDigests::default();
        assert!(digests.once(&path).is_err());
        std::fs::write(&path, "one").unwrap();
        assert!(digests.once(&path).is_ok());
        assert!(
            digests.once(dir.path()).is_err(),
            "a directory has no digest"
        );
    }

    #[test]
    fn age_is_judged_by_every_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let now = Stat::of(&path).unwrap().modified.unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(now - Duration::from_secs(1000)).unwrap();
        let stat = Stat::of(&path).unwrap();
        assert!(stat.is_older_than(now + Duration::from_secs(1)));
        // An old modification time that was set just now does not make the file old.
        #[cfg(unix)]
        assert!(!stat.is_older_than(now - Duration::from_secs(10)));
    }
}
