//! Putting supplied files in place: verified, never half, and without copying bytes where that may be.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hook_protocol::wire::EntryFile;
use tempfile::TempPath;

use crate::files::{Hashed, hash};
use crate::verified::{Identity, Verified, node};

mod placer;

use placer::How;
pub(crate) use placer::Placer;

/// Whether a file of a store may become a hard link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Nobody edits it in place: what replaces it is another file.
    Linked,
    /// It may be written to, and has storage of its own.
    Own,
}

/// The files of one hit, on their way to their places.
///
/// Each gets a temporary name beside its place. What was never read before is verified under that name: what is
/// verified is what stays. Only when all are there are they renamed. Dropped before that, they are removed.
///
/// What was made of sources that do not change has the time of the file in the store, whether it is a link to it or a
/// copy: to a Cargo that goes by times, what was built first is older.
pub(crate) struct Placing<'a> {
    placer: &'a Placer,
    verified: &'a Verified,
    keeps_time: bool,
    staged: Vec<Staged>,
}

struct Staged {
    /// None if the file is in its place already.
    temporary: Option<TempPath>,
    place: PathBuf,
    hashed: Hashed,
}

impl Placer {
    /// Begins with no file. `keeps_time` tells whether copies have the time of the original.
    pub(crate) fn begin<'a>(&'a self, verified: &'a Verified, keeps_time: bool) -> Placing<'a> {
        Placing {
            placer: self,
            verified,
            keeps_time,
            staged: Vec::new(),
        }
    }

    /// Lets the output at `place` share storage with a file of a store that has the same bytes.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, or that nothing can be shared, in a few words.
    pub(crate) fn relocate(
        &self,
        verified: &Verified,
        source: &Path,
        place: &Path,
        expected: &EntryFile,
    ) -> Result<Hashed, String> {
        let mut placing = self.begin(verified, true);
        let failed = |error: io::Error| format!("`{}`: {error}", source.display());
        placing.stage_by(Self::share, source, place, expected, Sharing::Linked)?;
        let placed = placing.finish().map_err(failed)?;
        let (_, hashed) = placed.into_iter().next().expect("one file was staged");
        Ok(hashed)
    }
}

impl Placing<'_> {
    /// Brings `source` to a temporary name beside `place`, and makes sure that it is the file that `expected`
    /// describes.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, in a few words.
    pub(crate) fn stage(
        &mut self,
        source: &Path,
        place: &Path,
        expected: &EntryFile,
        sharing: Sharing,
    ) -> Result<(), String> {
        self.stage_by(Placer::bring, source, place, expected, sharing)
    }

    fn stage_by(
        &mut self,
        bring: fn(&Placer, &Path, &Metadata, &Path, How) -> io::Result<TempPath>,
        source: &Path,
        place: &Path,
        expected: &EntryFile,
        sharing: Sharing,
    ) -> Result<(), String> {
        let shown = || format!("`{}`", source.display());
        if !source.is_absolute() {
            return Err(format!("{} is not an absolute path", shown()));
        }
        // Looked at before it is opened: opening a pipe would wait, and a link leads anywhere.
        let metadata = source
            .symlink_metadata()
            .map_err(|e| format!("{}: {e}", shown()))?;
        if !metadata.is_file() {
            return Err(format!("{} is not an ordinary file", shown()));
        }
        if metadata.len() != expected.size {
            let (size, wanted) = (metadata.len(), expected.size);
            return Err(format!("{} has {size} bytes, not {wanted}", shown()));
        }
        let failed = |e: io::Error| format!("failed to copy {}: {e}", shown());
        let is_there = sharing == Sharing::Linked && is_same(&metadata, place);
        let temporary = if is_there {
            None
        } else {
            let how = How {
                executable: expected.executable,
                sharing,
                keeps_time: self.keeps_time,
            };
            Some(bring(self.placer, source, &metadata, place, how).map_err(failed)?)
        };
        let hashed = self
            .verify(
                source,
                &metadata,
                temporary.as_deref().unwrap_or(place),
                expected,
            )
            .map_err(|e| format!("{}: {e}", shown()))?;
        if hashed.digest != expected.digest {
            return Err(format!(
                "{} does not have the digest {}",
                shown(),
                expected.digest
            ));
        }
        self.staged.push(Staged {
            temporary,
            place: place.to_path_buf(),
            hashed,
        });
        Ok(())
    }

    /// Returns the digest of a file that was brought from `source`, which was as `before` tells. It is read unless
    /// the source is known to have the expected one, and was the same when it had been brought.
    fn verify(
        &self,
        source: &Path,
        before: &Metadata,
        brought: &Path,
        expected: &EntryFile,
    ) -> io::Result<Hashed> {
        let identity = |metadata: &Metadata| Identity::of(metadata);
        let is_known = |it: &Identity| self.verified.knows(it, &expected.digest);
        let is_still = |it: &Identity| {
            let after = source.symlink_metadata();
            after.is_ok_and(|after| identity(&after).as_ref() == Some(it))
        };
        let source_identity = identity(before);
        if source_identity
            .as_ref()
            .is_some_and(|it| is_known(it) && is_still(it))
        {
            return Hashed::known(brought, expected.digest);
        }
        let read = SystemTime::now();
        let hashed = hash(brought)?;
        if let Some(it) = source_identity.filter(is_still) {
            self.verified.remember(it, hashed.digest, read);
        }
        Ok(hashed)
    }

    /// Renames every file to its place, and returns the places with their digests.
    ///
    /// # Errors
    ///
    /// If renaming fails. Files that were renamed before stay; no fingerprint vouches for them.
    pub(crate) fn finish(self) -> io::Result<Vec<(PathBuf, Hashed)>> {
        let mut out = Vec::with_capacity(self.staged.len());
        for Staged {
            temporary,
            place,
            hashed,
        } in self.staged
        {
            if let Some(temporary) = temporary {
                temporary.persist(&place).map_err(|error| error.error)?;
            }
            out.push((place, hashed));
        }
        Ok(out)
    }
}

/// Returns whether the file at `place` is the one that `metadata` tells of, under another name. (Renaming one
/// name of a file to another does nothing.)
fn is_same(metadata: &Metadata, place: &Path) -> bool {
    let there = place.symlink_metadata().ok();
    let there = there.as_ref().and_then(node);
    there.is_some() && there == node(metadata)
}

#[cfg(test)]
mod tests;
