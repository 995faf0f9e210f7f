//! Listings: what is in a folder that a build script declares.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use hook_protocol::Digest;
use walkdir::{DirEntry, WalkDir};

use crate::entry::is_executable;
use crate::files::{FileDigests, Stat};
use crate::package::{MAX_BYTES, MAX_FILES};

/// A folder as it is now.
pub(crate) struct Listing {
    /// The digest of what is there: names, kinds, executable bits, targets of links.
    pub(crate) digest: Digest,
    /// The files.
    pub(crate) files: Vec<PathBuf>,
    /// The files are so many, or so large, that their sizes and times are in the digest instead.
    pub(crate) by_times: bool,
}

/// Lists a folder, following links, without the folders in `excluded`.
///
/// # Errors
///
/// If a part of it cannot be read.
pub(crate) fn list(folder: &Path, excluded: &[PathBuf]) -> io::Result<Listing> {
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    let mut described = Vec::new();
    let mut times = String::new();
    let mut files = Vec::new();
    let mut bytes = 0;
    let belongs =
        |entry: &DirEntry| entry.depth() == 0 || !excluded.iter().any(|it| it == entry.path());
    for entry in walk.into_iter().filter_entry(belongs) {
        let (path, metadata) = match entry {
            Ok(entry) => (entry.path().to_path_buf(), entry.metadata().ok()),
            // A link that leads nowhere, or in a circle, is told by its text.
            Err(error) => match error.path() {
                Some(path) if path.is_symlink() => (path.to_path_buf(), None),
                _ => return Err(error.into()),
            },
        };
        let kind = match &metadata {
            Some(it) if it.is_dir() => "folder",
            Some(it) if it.is_file() && is_executable(it) => "program",
            Some(it) if it.is_file() => "file",
            Some(_) => "other",
            None => "nothing",
        };
        let target = std::fs::read_link(&path).unwrap_or_default();
        let name = path.strip_prefix(folder).unwrap_or(&path);
        for text in [name.as_os_str(), kind.as_ref(), target.as_os_str()] {
            let text = text.as_encoded_bytes();
            described.extend((text.len() as u64).to_le_bytes());
            described.extend(text);
        }
        if let Some(metadata) = metadata.filter(|it| it.is_file()) {
            let stat = Stat::from(&metadata);
            bytes += stat.size;
            let _ = writeln!(times, "{:?}", (stat.size, stat.modified, stat.changed));
            files.push(path);
        }
    }
    let by_times = files.len() > MAX_FILES || bytes > MAX_BYTES;
    if by_times {
        described.extend(times.as_bytes());
        files.clear();
    }
    Ok(Listing {
        digest: Digest::of(&described),
        files,
        by_times,
    })
}

/// Returns the digest of a folder: its listing, and the content of its files.
///
/// # Errors
///
/// If a part of it cannot be read, or if it is too large.
pub(crate) fn content(
    folder: &Path,
    excluded: &[PathBuf],
    digests: &FileDigests,
) -> io::Result<Digest> {
    let listing = list(folder, excluded)?;
    if listing.by_times {
        return Err(io::Error::other("the folder is too large"));
    }
    let mut lines = vec![listing.digest.to_string()];
    for file in &listing.files {
        lines.push(digests.input(file)?.digest.to_string());
    }
    Ok(Digest::of(lines.join("\n").as_bytes()))
}

/// Returns the digest of names, in any order.
pub fn names<'a>(paths: impl Iterator<Item = &'a Path>) -> Digest {
    let mut paths: Vec<_> = paths
        .map(|path| path.as_os_str().as_encoded_bytes())
        .collect();
    paths.sort_unstable();
    Digest::of(&paths.join(&b'\n'))
}
