//! The patched tree, `target/fork/cargo-VERSION`: pristine upstream, the overlay, the patches, and the lock file.
//! `cargo xtask patch check` has one of its own.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::lock::{self, LOCK};
use crate::overlay;
use crate::patch::Series;
use crate::pin::Pin;
use crate::process;
use crate::repo::Repo;
use crate::tree::{self, Tree};

/// Brings the patched tree in `folder` up to date with the series, touching only the files that differ.
pub(crate) fn update(
    repo: &Repo,
    pin: &Pin,
    folder: &Path,
    upstream: Tree,
    series: &Series,
) -> Result<()> {
    let mut fork = upstream;
    let lock = fork
        .remove(LOCK)
        .with_context(|| format!("`{}` has no `{LOCK}`", pin.folder_name()))?;
    let lock =
        String::from_utf8(lock).with_context(|| format!("failed to read upstream's `{LOCK}`"))?;
    series.apply(&mut fork)?;
    overlay::lay(
        overlay::read(&repo.overlay())?,
        &pin.overlay_root,
        &mut fork,
    )?;
    tree::sync(&fork, folder, &[LOCK])?;
    resolve(repo, folder, &lock)
}

/// Lets Cargo add our crates to upstream's lock file, and checks that it did nothing else to it.
fn resolve(repo: &Repo, folder: &Path, upstream: &str) -> Result<()> {
    let file = folder.join(LOCK);
    let present = fs::read_to_string(&file).unwrap_or_default();
    if lock::added(upstream, &present).is_err() {
        tree::write_if_different(&file, upstream.as_bytes())?;
    }
    download(repo, folder, upstream)?;
    let resolved = fs::read_to_string(&file)
        .with_context(|| format!("failed to read `{}`", file.display()))?;
    for package in lock::added(upstream, &resolved)? {
        eprintln!("[lock] added {package}");
    }
    Ok(())
}

/// Resolves and downloads what the build needs, without the network where that is possible.
///
/// Offline Cargo may replace what is locked and was never downloaded, since no platform of this machine
/// needs it: then the network is asked after all.
///
/// Of Cargo's commands `tree` is the one that leaves development dependencies alone.
fn download(repo: &Repo, folder: &Path, upstream: &str) -> Result<()> {
    let arguments = ["tree", "--quiet", "--edges=no-dev", "--depth=0"];
    let mut offline = repo.cargo();
    offline.current_dir(folder).args(arguments).arg("--offline");
    let lock_file = folder.join(LOCK);
    let is_kept =
        || fs::read_to_string(&lock_file).is_ok_and(|it| lock::added(upstream, &it).is_ok());
    if process::output(&mut offline)?.status.success() && is_kept() {
        return Ok(());
    }
    fs::write(&lock_file, upstream)
        .with_context(|| format!("failed to write `{}`", lock_file.display()))?;
    eprintln!("[fetch] dependencies");
    let mut online = repo.cargo();
    online.current_dir(folder).args(arguments);
    process::read(&mut online).map(drop).context(
        "failed to fetch the dependencies of the fork\n\
         help: run this once with a network (your registry and proxy settings are used), or vendor them",
    )
}
