//! How much of a disk build directories take: blocks, not lengths, and what is shared counts once.
//!
//! Two names of one file share all of it. Files that share storage by themselves, as some file systems have it, look
//! like files with storage of their own.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// Files whose storage is somebody else's: device and inode.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(BTreeSet<(u64, u64)>);

/// What a folder takes, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Usage {
    /// Programs, with their tests and build scripts; no libraries.
    pub(crate) executables: u64,
    /// What incremental compilation keeps.
    pub(crate) incremental: u64,
    /// Everything else.
    pub(crate) other: u64,
}

/// The bytes in one of the blocks that the kernel counts.
const BLOCK: u64 = 512;

impl Known {
    /// Takes note of all files below a folder; there need not be one.
    pub(crate) fn add(&mut self, folder: &Path) -> Result<()> {
        if !folder.exists() {
            return Ok(());
        }
        visit(folder, false, &mut |_, metadata, _| {
            self.0.insert((metadata.dev(), metadata.ino()));
        })
    }
}

impl Usage {
    /// Counts what a folder takes besides what is known.
    pub(crate) fn of(folder: &Path, known: &Known) -> Result<Usage> {
        let mut seen = known.clone();
        let mut usage = Usage::default();
        visit(folder, false, &mut |path, metadata, is_incremental| {
            if seen.0.insert((metadata.dev(), metadata.ino())) {
                let part = match () {
                    () if is_incremental => &mut usage.incremental,
                    () if is_executable(path, metadata) => &mut usage.executables,
                    () => &mut usage.other,
                };
                *part += metadata.blocks() * BLOCK;
            }
        })?;
        Ok(usage)
    }

    /// All of it.
    pub(crate) fn total(&self) -> u64 {
        self.executables + self.incremental + self.other
    }
}

/// Calls `each` for a folder and all below it, with whether it belongs to incremental compilation.
fn visit(
    place: &Path,
    is_incremental: bool,
    each: &mut dyn FnMut(&Path, &Metadata, bool),
) -> Result<()> {
    let context = || format!("failed to read `{}`", place.display());
    let metadata = fs::symlink_metadata(place).with_context(context)?;
    let is_incremental =
        is_incremental || metadata.is_dir() && place.file_name() == Some("incremental".as_ref());
    each(place, &metadata, is_incremental);
    if metadata.is_dir() {
        for entry in fs::read_dir(place).with_context(context)? {
            visit(&entry.with_context(context)?.path(), is_incremental, each)?;
        }
    }
    Ok(())
}

fn is_executable(path: &Path, metadata: &Metadata) -> bool {
    let is_library = path
        .extension()
        .is_some_and(|it| it == "so" || it == "dylib");
    metadata.is_file() && metadata.mode() & 0o111 != 0 && !is_library
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn write(place: &Path, kilobytes: usize, mode: u32) {
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, vec![7; kilobytes * 1024]).unwrap();
        fs::set_permissions(place, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Returns what files take; folders take as much as the file system pleases.
    fn files(folder: &Path, known: &Known) -> Usage {
        let mut folders = known.clone();
        visit(folder, false, &mut |_, metadata, _| {
            if metadata.is_dir() {
                folders.0.insert((metadata.dev(), metadata.ino()));
            }
        })
        .unwrap();
        Usage::of(folder, &folders).unwrap()
    }

    fn kilobytes(executables: u64, incremental: u64, other: u64) -> Usage {
        Usage {
            executables: executables * 1024,
            incremental: incremental * 1024,
            other: other * 1024,
        }
    }

    #[test]
    fn what_is_shared_counts_once_or_not_at_all() {
        let temporary = tempfile::tempdir().unwrap();
        let [store, target] = ["store", "target"].map(|it| temporary.path().join(it));
        write(&store.join("blob"), 64, 0o644);
        write(&target.join("deps/liba.rlib"), 32, 0o644);
        fs::hard_link(store.join("blob"), target.join("deps/libb.rlib")).unwrap();
        fs::hard_link(target.join("deps/liba.rlib"), target.join("liba.rlib")).unwrap();
        let mut known = Known::default();
        assert_eq!(files(&target, &known), kilobytes(0, 0, 96));
        known.add(&store).unwrap();
        known.add(&temporary.path().join("missing")).unwrap();
        assert_eq!(files(&target, &known), kilobytes(0, 0, 32));
    }

    #[test]
    fn programs_and_incremental_state_are_apart() {
        let temporary = tempfile::tempdir().unwrap();
        let target = temporary.path().join("target");
        write(&target.join("debug/program"), 16, 0o755);
        write(&target.join("debug/libmacro.so"), 4, 0o755);
        write(&target.join("debug/incremental/a/state.o"), 8, 0o755);
        write(&target.join("debug/deps/incremental"), 12, 0o644);
        let usage = files(&target, &Known::default());
        assert_eq!(usage, kilobytes(16, 8, 16));
        assert_eq!(usage.total(), 40 * 1024);
    }

    #[test]
    fn blocks_are_counted_and_not_lengths() {
        let temporary = tempfile::tempdir().unwrap();
        let place = temporary.path().join("sparse");
        let file = fs::File::create(&place).unwrap();
        file.set_len(1 << 30).unwrap();
        assert!(
            Usage::of(temporary.path(), &Known::default())
                .unwrap()
                .total()
                < 1 << 20
        );
        assert!(Usage::of(&temporary.path().join("missing"), &Known::default()).is_err());
    }
}
