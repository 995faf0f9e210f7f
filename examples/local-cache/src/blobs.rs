//! Blobs: files by digest. A blob that has its name is never written to again.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::Context as _;
use hook_protocol::Digest;

use crate::layout::Layout;

/// Why a file was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// It does not have the bytes that it is said to have.
    Content,
}

/// Copies the file at `source`, which is said to have `digest` and `size`.
///
/// What is checked is the copy, not the source: it is the copy that others will get, and a source
/// may change between two readings. A blob that is there already is checked as well, and replaced if
/// it is broken: this is how a bad file heals.
///
/// # Errors
///
/// If a file cannot be read or written.
pub fn put(
    layout: &Layout,
    source: &Path,
    digest: &Digest,
    size: u64,
) -> anyhow::Result<Result<(), Mismatch>> {
    let path = layout.blob(digest);
    if is_present(layout, digest, size) && Digest::of_file(&path).is_ok_and(|it| it == *digest) {
        return Ok(Ok(()));
    }
    let mut reader =
        File::open(source).with_context(|| format!("failed to open `{}`", source.display()))?;
    let mut copy = layout.temporary()?;
    // Between two files the standard library lets the kernel copy: where the file system can, the
    // copy shares its storage with the source.
    io::copy(&mut reader, copy.as_file_mut()).with_context(|| {
        format!(
            "failed to copy `{}` to `{}`",
            source.display(),
            copy.path().display()
        )
    })?;
    let copied = Digest::of_file(copy.path())
        .with_context(|| format!("failed to read `{}`", copy.path().display()))?;
    if copied != *digest {
        return Ok(Err(Mismatch::Content));
    }
    layout.keep(copy, &path)?;
    Ok(Ok(()))
}

/// Returns whether there is a blob with this digest, judged by its size only.
pub fn is_present(layout: &Layout, digest: &Digest, size: u64) -> bool {
    fs::symlink_metadata(layout.blob(digest)).is_ok_and(|it| it.is_file() && it.len() == size)
}
