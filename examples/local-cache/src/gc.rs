//! Making room: what was not used for longest goes first.
//!
//! Results are kept in the order of their last use, as long as their blobs fit; then blobs go that no result
//! needs. A build may be storing meanwhile, blobs first, and another may have just been told of a result:
//! what was used or made within the last hour stays. A file that is gone all the same costs a compilation.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use hook_protocol::Digest;

use crate::layout::{Layout, nested};
use crate::results::{self, Kept};

/// Overrides how large the cache may become: bytes, or a number with `MB`, `GB` or `TB`.
pub const SIZE_VARIABLE: &str = "CARGO_LOCAL_CACHE_MAX_SIZE";

/// How long a build may take from making a blob, or being told of it, to the last use that it makes of that.
const IN_USE: Duration = Duration::from_secs(60 * 60);

/// How often a build looks whether there is too much.
const INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// How large a cache becomes at most, where the user does not say.
const MAX_BYTES: u64 = 50_000_000_000;

/// The part of a disk that it takes at most, where the user does not say.
const MAX_PART_OF_DISK: u64 = 10;

/// How long a result is kept that nobody uses.
const MAX_AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of all blobs.
    pub bytes: u64,
    /// The time since a result was used last.
    pub age: Duration,
    /// What is younger stays, whatever its size.
    pub in_use: Duration,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Results.
    pub results: u64,
    /// Blobs.
    pub blobs: u64,
    /// The size of those blobs. What build directories have links to takes room as long as these do.
    pub bytes: u64,
}

impl Limits {
    /// Returns those of the user: a part of the disk, but not too much, or what the environment says.
    ///
    /// # Errors
    ///
    /// If the environment says something else than a size.
    pub fn of_user(layout: &Layout) -> anyhow::Result<Limits> {
        let bytes =
            match std::env::var(SIZE_VARIABLE) {
                Ok(text) if !text.is_empty() => parse_size(&text)
                    .with_context(|| format!("failed to read `{SIZE_VARIABLE}`"))?,
                _ => disk(layout.root())
                    .map_or(MAX_BYTES, |disk| MAX_BYTES.min(disk / MAX_PART_OF_DISK)),
            };
        Ok(Limits {
            bytes,
            age: MAX_AGE,
            in_use: IN_USE,
        })
    }
}

/// Parses bytes, or a number with a unit: `500MB`, `20 GB`.
///
/// # Errors
///
/// If it is neither.
pub fn parse_size(text: &str) -> anyhow::Result<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|it: char| !it.is_ascii_digit());
    let factor = match text[digits.len()..].trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => bail!("`{text}` is not a size such as `20GB`"),
    };
    let number: u64 = digits
        .parse()
        .with_context(|| format!("`{text}` is not a size such as `20GB`"))?;
    number
        .checked_mul(factor)
        .with_context(|| format!("`{text}` is too much"))
}

/// Collects if nobody has for a day. Does what it can.
pub fn collect_sometimes(layout: &Layout) {
    let stamp = layout.versioned().join("gc.stamp");
    let is_recent = |it: Metadata| Some(it.modified().ok()?.elapsed().ok()? < INTERVAL);
    if fs::metadata(&stamp).ok().and_then(is_recent) == Some(true) {
        return;
    }
    let begun = File::create(&stamp).and_then(|file| file.set_modified(SystemTime::now()));
    if begun.is_ok()
        && let Ok(limits) = Limits::of_user(layout)
    {
        collect(layout, limits);
    }
}

/// Deletes what exceeds the limits. What cannot be deleted stays.
pub fn collect(layout: &Layout, limits: Limits) -> Collected {
    let now = SystemTime::now();
    let age = |used: SystemTime| now.duration_since(used).unwrap_or_default();
    let mut found: Vec<Kept> = results::all(layout).collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.used));
    let mut needed: HashSet<Digest> = HashSet::new();
    let mut bytes = 0;
    let mut out = Collected::default();
    for result in found {
        let new = result
            .blobs
            .iter()
            .filter(|(blob, _)| !needed.contains(blob));
        let more: u64 = new.map(|(_, size)| size).sum();
        let fits = age(result.used) <= limits.age && bytes + more <= limits.bytes;
        if fits || age(result.used) < limits.in_use {
            bytes += more;
            needed.extend(result.blobs.iter().map(|(blob, _)| *blob));
        } else if fs::remove_file(&result.path).is_ok() {
            out.results += 1;
            // Empty, if it was the last of its action.
            let _ = result.path.parent().map(fs::remove_dir);
        }
    }
    let names: HashSet<String> = needed.into_iter().map(Digest::to_hex).collect();
    let is_needed = |path: &Path| {
        let name = path.file_name().and_then(|it| it.to_str());
        name.is_some_and(|name| names.contains(name))
    };
    for path in nested(&layout.blobs()).filter(|path| !is_needed(path)) {
        if let Ok(metadata) = fs::symlink_metadata(&path)
            && appeared(&metadata).is_some_and(|time| age(time) >= limits.in_use)
            && fs::remove_file(&path).is_ok()
        {
            out.blobs += 1;
            out.bytes += metadata.len();
        }
    }
    out
}

/// Returns when a blob got its name, or a later time. Its content may be older: a link has the time of the build.
#[cfg(unix)]
fn appeared(metadata: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(metadata.ctime()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(not(unix))]
fn appeared(metadata: &Metadata) -> Option<SystemTime> {
    metadata.created().ok()
}

/// Returns the size of the file system that holds a folder, or will.
fn disk(folder: &Path) -> Option<u64> {
    let existing: PathBuf = folder.ancestors().find(|it| it.exists())?.to_path_buf();
    #[cfg(unix)]
    {
        let stat = rustix::fs::statvfs(&existing).ok()?;
        Some(stat.f_blocks.saturating_mul(stat.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = existing;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("0", 0),
            ("12", 12),
            ("5B", 5),
            (" 20 GB ", 20_000_000_000),
            ("3mb", 3_000_000),
        ] {
            assert_eq!(parse_size(text).unwrap(), expected, "{text}");
        }
        for wrong in ["", "GB", "1.5GB", "-1", "3 miles", "99999999999TB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
