//! [`Verified`]: digests of files that a hook supplies, kept from build to build. A file of a store is read when
//! Cargo first meets it, and not again.
//!
//! A file is known by what the file system says of it: device, inode, when it was born, its size, and when its
//! content changed last. Its path says nothing, and the time of its last change of any kind moves with every link
//! that is made elsewhere. An inode that is used again was born again, so that times which somebody set do not make
//! two files alike. Not noticed is a file that was written to and then given its old time again.
//!
//! A file that was written just before it was read is not remembered: it may change again without its time moving.
//! Nothing is remembered beyond the machine's next start, for after a crash a file may have its size and not its
//! content. A platform that tells neither its starts nor births remembers nothing.
//!
//! The memory is one file: the digest of the rest, 32 bytes; then, as `postcard` writes it, the start of the
//! machine and the files. One that cannot be read is as good as none.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use hook_protocol::Digest;
use serde::{Deserialize, Serialize};

/// How many files are remembered. Where there are more, those stay that this build has met.
const MAX_FILES: usize = 200_000;

/// How much older than its reading a file must be. The clocks of file systems move every ten milliseconds or
/// more often, those that know no fractions of a second every two seconds.
const TICKS: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];

/// What the file system says of a file, as long as nobody writes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    born: Duration,
    size: u64,
    modified: Duration,
}

impl Identity {
    /// Returns the identity of a file; `None` where the platform does not tell.
    pub(crate) fn of(metadata: &Metadata) -> Option<Identity> {
        let since =
            |time: io::Result<SystemTime>| time.ok()?.duration_since(SystemTime::UNIX_EPOCH).ok();
        let (device, inode) = node(metadata)?;
        Some(Identity {
            device,
            inode,
            born: since(metadata.created())?,
            size: metadata.len(),
            modified: since(metadata.modified())?,
        })
    }

    /// Returns whether a file that was written to after it was read at `read` would have another identity.
    fn is_settled(&self, read: SystemTime) -> bool {
        let has_fractions = self.modified.subsec_nanos() != 0;
        let tick = if has_fractions { TICKS[0] } else { TICKS[1] };
        let read = read.duration_since(SystemTime::UNIX_EPOCH);
        read.is_ok_and(|read| self.modified + tick < read)
    }
}

/// Returns which file it is: device and inode.
#[cfg(unix)]
pub(crate) fn node(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
pub(crate) fn node(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// Digests of files by identity.
pub struct Verified {
    path: PathBuf,
    /// Whether nothing is believed, and every file is read each time.
    always: bool,
    state: OnceLock<Mutex<State>>,
}

#[derive(Default)]
struct State {
    known: HashMap<Identity, Digest>,
    met: HashMap<Identity, Digest>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// Which start of the machine this is of.
    start: String,
    files: Vec<(Identity, Digest)>,
}

impl Verified {
    /// Uses the file at `path`, which is read when it is first needed; with `always` no file is.
    pub fn new(path: PathBuf, always: bool) -> Verified {
        Verified {
            path,
            always,
            state: OnceLock::new(),
        }
    }

    /// Returns whether a file is known to have a digest, so that it need not be read.
    pub(crate) fn knows(&self, file: &Identity, digest: &Digest) -> bool {
        if self.always {
            return false;
        }
        let mut state = self.state();
        let is_known = [&state.met, &state.known]
            .iter()
            .any(|it| it.get(file) == Some(digest));
        if is_known {
            state.met.insert(*file, *digest);
        }
        is_known
    }

    /// Remembers a file that had this digest when it was read, not before `read`.
    pub(crate) fn remember(&self, file: Identity, digest: Digest, read: SystemTime) {
        if !self.always && file.is_settled(read) {
            self.state().met.insert(file, digest);
        }
    }

    /// Writes the memory, if there is anything new. Failing to is of no consequence: files are read again.
    pub fn save(&self) {
        let Some(start) = machine_start() else { return };
        if self.state.get().is_none() {
            return;
        }
        let mut state = self.state();
        let State { known, met } = &mut *state;
        if met.keys().all(|file| known.contains_key(file)) {
            return;
        }
        // Other builds may have added theirs meanwhile.
        let mut files = load(&self.path).unwrap_or_default();
        if files.len() + met.len() > MAX_FILES {
            files.clear();
        }
        files.extend(met.iter());
        let kept = Kept {
            start,
            files: files.into_iter().collect(),
        };
        if let Err(error) = write(&self.path, &kept) {
            tracing::debug!(target: "cargo::hooks", "failed to remember what was verified: {error}");
        }
        known.extend(met.drain());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let load = || {
            Mutex::new(State {
                known: load(&self.path).unwrap_or_default(),
                met: HashMap::new(),
            })
        };
        let state = self.state.get_or_init(load);
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names the time since the machine was started last; `None` where that is not told.
pub(crate) fn machine_start() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

fn load(path: &Path) -> Option<HashMap<Identity, Digest>> {
    let bytes = std::fs::read(path).ok()?;
    let (digest, rest) = bytes.split_first_chunk::<32>()?;
    if Digest::of(rest).as_bytes() != digest {
        return None;
    }
    let kept: Kept = postcard::from_bytes(rest).ok()?;
    (Some(kept.start) == machine_start()).then(|| kept.files.into_iter().collect())
}

fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let bytes = postcard::to_allocvec(kept).map_err(io::Error::other)?;
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(Digest::of(&bytes).as_bytes())?;
    file.write_all(&bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
