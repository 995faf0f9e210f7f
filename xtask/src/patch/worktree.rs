//! Lays the overlay into the scratch repository's work tree, so that one can run `cargo check` there.
//!
//! On Unix it is laid as links, so that an edit in either place is an edit of the overlay; elsewhere as copies.
//! Git does not see it: it is never part of a commit.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::git::Git;
use crate::overlay;
use crate::patch::scratch::NOT_COMMITTED;
use crate::pin::Pin;
use crate::repo::Repo;
use crate::tree::{self, Tree};

/// Lays what is new in the overlay.
pub(crate) fn lay_overlay(repo: &Repo, pin: &Pin, upstream: &Tree, git: &Git) -> Result<()> {
    let root = &pin.overlay_root;
    let laid = lay(&repo.overlay(), root, upstream, git.folder())?;
    let hidden = NOT_COMMITTED.iter().map(|it| it.to_string()).chain(laid);
    let lines: String = hidden.map(|it| format!("/{it}\n")).collect();
    tree::write_if_different(&git.folder().join(".git/info/exclude"), lines.as_bytes()).map(drop)
}

/// Lays whole what upstream has not; goes into folders that it has. Returns the places.
fn lay(overlay: &Path, root: &str, upstream: &Tree, folder: &Path) -> Result<Vec<String>> {
    let mut laid = Vec::new();
    for (name, is_folder) in tree::list(overlay)? {
        let place = format!("{root}/{name}");
        let from = overlay.join(&name);
        if !overlay::is_ours(&name) {
            continue;
        }
        if upstream.contains_key(&place) {
            bail!(
                "overlay file `{}` would replace `{place}` of upstream\n\
                 help: give it another name, or edit upstream's file in a commit",
                from.display()
            );
        }
        let inside = format!("{place}/");
        let is_upstream = upstream
            .range(inside.clone()..)
            .next()
            .is_some_and(|(it, _)| it.starts_with(&inside));
        if is_folder && is_upstream {
            laid.extend(lay(&from, &place, upstream, folder)?);
        } else {
            let context = || format!("failed to lay `{}`", from.display());
            if put(&from, &folder.join(&place)).with_context(context)? {
                laid.push(place);
            }
        }
    }
    Ok(laid)
}

/// Puts one file or folder in its place, unless something else is there that would be lost; git then shows that.
fn put(from: &Path, to: &Path) -> Result<bool> {
    if to.is_symlink() {
        fs::remove_file(to)?;
    } else if to.exists() && cfg!(unix) {
        if !holds_nothing_new(from, to)? {
            eprintln!(
                "[note] `{}` differs from the overlay, and is left alone",
                to.display()
            );
            return Ok(false);
        }
        match to.is_dir() {
            true => fs::remove_dir_all(to)?,
            false => fs::remove_file(to)?,
        }
    }
    link(from, to)?;
    Ok(true)
}

/// Tells whether every file in `to` is in `from` too.
fn holds_nothing_new(from: &Path, to: &Path) -> Result<bool> {
    if !to.is_dir() {
        return Ok(fs::read(from)? == fs::read(to)?);
    }
    let files = tree::read(to, &|_| true)?;
    Ok(files
        .iter()
        .all(|(path, bytes)| fs::read(from.join(path)).is_ok_and(|it| it == *bytes)))
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(from, to)?)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        let files = tree::read(from, &|_| true)?;
        tree::sync(&files, to, &[])?;
    } else {
        fs::copy(from, to)?;
    }
    Ok(())
}
