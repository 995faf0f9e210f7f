//! Blobs: files by digest. Nobody who keeps to the rules writes to a blob that has its name; but it may be a
//! hard link to a file of a build directory, where people do as they like. So a result remembers when each of
//! its blobs was written last, and one that was written to since is read before it is offered.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context as _;
use hook_protocol::Digest;

use crate::layout::Layout;

/// Why a file was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// It does not have the bytes that it is said to have.
    Content,
}

/// A file that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// When it was written last: see [`stamp`].
    pub stamp: u64,
    /// Whether it was there before, as a file of its own.
    pub was_there: bool,
}

/// Takes in the file at `source`, which is said to have `digest` and `size`: as a hard link if it is
/// `linkable`, or else, and where there are no hard links, as a copy with the same time.
///
/// What is checked is the copy, not the source: it is the copy that others will get, and a source
/// may change between two readings. A link has what Cargo has just read. A blob that is there already is checked as
/// well, and replaced if it is broken: this is how a bad file heals.
///
/// # Errors
///
/// If a file cannot be read or written.
pub fn put(
    layout: &Layout,
    source: &Path,
    digest: &Digest,
    size: u64,
    linkable: bool,
) -> anyhow::Result<Result<Blob, Mismatch>> {
    let path = layout.blob(digest);
    if let Some(metadata) = present(layout, digest, size)
        && Digest::of_file(&path).is_ok_and(|it| it == *digest)
    {
        let was_there = !is_same_file(&metadata, source);
        return Ok(Ok(Blob {
            stamp: stamp(&metadata),
            was_there,
        }));
    }
    let link = if linkable { layout.link(source) } else { None };
    let new = match link {
        Some(link) => link,
        None => {
            let copy = copy(layout, source)?;
            let copied = Digest::of_file(&copy)
                .with_context(|| format!("failed to read `{}`", copy.display()))?;
            if copied != *digest {
                return Ok(Err(Mismatch::Content));
            }
            copy
        }
    };
    let metadata = fs::symlink_metadata(&new)
        .with_context(|| format!("failed to read `{}`", new.display()))?;
    layout.keep(new, &path)?;
    Ok(Ok(Blob {
        stamp: stamp(&metadata),
        was_there: false,
    }))
}

/// Copies a file. Between two files the standard library lets the kernel copy: where the file system can, the
/// copy shares its storage with the source.
fn copy(layout: &Layout, source: &Path) -> anyhow::Result<tempfile::TempPath> {
    let context = || format!("failed to copy `{}`", source.display());
    let mut reader = File::open(source).with_context(context)?;
    let mut copy = layout.temporary()?;
    io::copy(&mut reader, copy.as_file_mut()).with_context(context)?;
    let modified = reader.metadata().and_then(|it| it.modified());
    modified
        .and_then(|modified| copy.as_file().set_modified(modified))
        .with_context(context)?;
    Ok(copy.into_temp_path())
}

/// Returns whether a blob has its digest. It is read only if it is not as it was when it was `stamp`ed. One
/// that is broken is deleted.
pub fn is_good(layout: &Layout, digest: &Digest, size: u64, stamped: Option<u64>) -> bool {
    let Some(metadata) = present(layout, digest, size) else {
        return false;
    };
    if stamped == Some(stamp(&metadata)) {
        return true;
    }
    let path = layout.blob(digest);
    let is_good = Digest::of_file(&path).is_ok_and(|it| it == *digest);
    if !is_good {
        let _ = fs::remove_file(path);
    }
    is_good
}

/// Says when a file was written last: nanoseconds since 1970, and 0 where that is not known.
pub fn stamp(metadata: &Metadata) -> u64 {
    let modified = metadata.modified().ok();
    let since = modified.and_then(|it| it.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.map_or(0, |it| it.as_nanos().try_into().unwrap_or(u64::MAX))
}

fn present(layout: &Layout, digest: &Digest, size: u64) -> Option<Metadata> {
    let metadata = fs::symlink_metadata(layout.blob(digest)).ok()?;
    (metadata.is_file() && metadata.len() == size).then_some(metadata)
}

#[cfg(unix)]
fn is_same_file(metadata: &Metadata, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let node = |it: &Metadata| (it.dev(), it.ino());
    fs::symlink_metadata(path).is_ok_and(|other| node(&other) == node(metadata))
}

#[cfg(not(unix))]
fn is_same_file(_: &Metadata, _: &Path) -> bool {
    false
}
