//! `cargo xtask patch edit`: the series as commits, in a repository in which one can work and run `cargo check`.
//!
//! Beside `.git/`'s own files it keeps there what `save` must know: the last saved commit, a digest of the series on
//! disk, and the patches that did not apply.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::fetch;
use crate::git::Git;
use crate::patch::{Series, scratch, series, worktree};
use crate::pin::Pin;
use crate::repo::Repo;

/// The commit of the last `edit` or `save`.
pub(crate) const SAVED: &str = "refs/xtask/saved";
/// The digest of the series at that time.
pub(crate) const DIGEST: &str = "xtask-series";
/// Names of patches that did not apply.
pub(crate) const SKIPPED: &str = "xtask-skipped";

/// Makes the repository.
pub(crate) fn run(repo: &Repo, force: bool) -> Result<()> {
    let pin = Pin::load(&repo.pin_file())?;
    let folder = repo.patch_edit_folder(&pin);
    if !force && folder.join(".git").exists() {
        refuse_unsaved(&Git::open(&folder))?;
    }
    let series = Series::load(&repo.patches())?;
    let mut tree = fetch::upstream(repo, &pin)?;
    let git = scratch::create(&folder, &tree)?;
    let mut skipped = String::new();
    for patch in series.patches() {
        let name = patch.file_name();
        match scratch::add(&git, patch, &mut tree) {
            Ok(()) => eprintln!("[apply] {name}"),
            Err(error) => {
                eprintln!("[skip] {name}: {error:#}");
                skipped += &format!("{name}\n");
            }
        }
    }
    remember(repo, &git)?;
    write_note(&git, SKIPPED, &skipped)?;
    worktree::lay_overlay(repo, &pin, &tree, &git)?;
    eprintln!("[edit] {}", folder.display());
    if !skipped.is_empty() {
        bail!(
            "failed to apply {} of {} patches\n\
             help: redo each in `{}`, commit it with its old subject, then run `cargo xtask patch save`",
            skipped.lines().count(),
            series.patches().len(),
            folder.display()
        );
    }
    Ok(())
}

/// Marks the present commits and the series on disk as one and the same.
pub(crate) fn remember(repo: &Repo, git: &Git) -> Result<()> {
    git.read(&["update-ref", SAVED, "HEAD"])?;
    write_note(git, DIGEST, &series::digest(&repo.patches())?)
}

/// Reads one of our notes in `.git`.
pub(crate) fn read_note(git: &Git, name: &str) -> String {
    fs::read_to_string(git.folder().join(".git").join(name)).unwrap_or_default()
}

fn write_note(git: &Git, name: &str, text: &str) -> Result<()> {
    let file = git.folder().join(".git").join(name);
    fs::write(&file, text).with_context(|| format!("failed to write `{}`", file.display()))
}

fn refuse_unsaved(git: &Git) -> Result<()> {
    let changes = git.read(&["status", "--porcelain"])?;
    let saved = git
        .line(&["rev-parse", "--verify", "--quiet", SAVED])
        .unwrap_or_default();
    let what = if !changes.is_empty() {
        "uncommitted changes"
    } else if git.line(&["rev-parse", "HEAD"])? != saved {
        "commits that are not saved"
    } else {
        return Ok(());
    };
    bail!(
        "`{}` has {what}\n\
         help: commit them and run `cargo xtask patch save`, or throw them away with `cargo xtask patch edit --force`",
        git.folder().display()
    );
}
