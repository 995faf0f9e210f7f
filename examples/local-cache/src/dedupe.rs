//! Build directories that exist already: files of which the cache has the same become links to it.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use hook_protocol::Digest;

use crate::blobs;
use crate::layout::{Layout, files, nested};

/// What was done to a build directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deduped {
    /// Libraries that are links to the cache now.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

/// Makes the libraries of a build directory links to blobs with the same content, on the same file system.
/// Only those that have one name, beside which there is none that people use, and permissions as the blob
/// has.
///
/// Cargo is kept away meanwhile. Where times decide on freshness it may build again what is linked: a link
/// has the time of the blob.
///
/// # Errors
///
/// If the folder is no build directory, or a build is at work there.
pub fn dedupe(layout: &Layout, target: &Path) -> anyhow::Result<Deduped> {
    if !target.join("CACHEDIR.TAG").is_file() {
        bail!("`{}` is not a target directory of Cargo", target.display());
    }
    let sizes = sizes(layout);
    let mut done = Deduped::default();
    let profiles: Vec<PathBuf> = [target.to_path_buf()]
        .into_iter()
        .chain(files(target))
        .flat_map(|folder| files(&folder).chain([folder]))
        .filter(|folder| folder.join(".cargo-lock").is_file())
        .collect();
    for profile in profiles {
        let lock = File::open(profile.join(".cargo-lock"))
            .with_context(|| format!("failed to open the lock of `{}`", profile.display()))?;
        if lock.try_lock().is_err() {
            bail!("a build is at work in `{}`", profile.display());
        }
        for file in files(&profile.join("deps")).filter(|it| is_library(it)) {
            let size = link(layout, &sizes, &file)
                .with_context(|| format!("failed to link `{}`", file.display()))?;
            done.files += u64::from(size.is_some());
            done.bytes += size.unwrap_or_default();
        }
    }
    Ok(done)
}

/// Returns how many blobs there are of each size: what has the size of none is not read.
fn sizes(layout: &Layout) -> HashMap<u64, usize> {
    let mut sizes = HashMap::new();
    for blob in nested(&layout.blobs()) {
        if let Ok(metadata) = fs::symlink_metadata(blob) {
            *sizes.entry(metadata.len()).or_default() += 1;
        }
    }
    sizes
}

fn is_library(path: &Path) -> bool {
    let extension = path.extension().and_then(|it| it.to_str());
    matches!(extension, Some("rlib" | "rmeta"))
}

/// Makes a file a link, if there is such a blob; returns its size.
fn link(layout: &Layout, sizes: &HashMap<u64, usize>, file: &Path) -> anyhow::Result<Option<u64>> {
    let metadata = fs::symlink_metadata(file)?;
    let size = metadata.len();
    if !metadata.is_file() || has_other_names(&metadata) || !sizes.contains_key(&size) {
        return Ok(None);
    }
    let digest = Digest::of_file(file)?;
    let blob = layout.blob(&digest);
    if !blobs::is_good(layout, &digest, size, None)
        || fs::symlink_metadata(&blob)?.permissions() != metadata.permissions()
    {
        return Ok(None);
    }
    let folder = file.parent().context("it has no folder")?;
    let make = |to: &Path| fs::hard_link(&blob, to);
    let made = tempfile::Builder::new()
        .prefix(".hook-")
        .make_in(folder, make);
    match made {
        Ok(made) => {
            made.into_temp_path().persist(file)?;
            Ok(Some(size))
        }
        // Another device, or too many links.
        Err(_) => Ok(None),
    }
}

#[cfg(unix)]
fn has_other_names(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.nlink() > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &Metadata) -> bool {
    false
}
