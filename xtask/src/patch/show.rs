//! `cargo xtask patch show`: the series for people, with context.

use anyhow::{Context, Result};

use crate::fetch;
use crate::git::{Git, UPSTREAM};
use crate::patch::{Series, scratch};
use crate::pin::Pin;
use crate::process;
use crate::repo::Repo;
use crate::tree::Tree;

/// Prints every patch with three lines of context.
pub(crate) fn show(repo: &Repo) -> Result<()> {
    let temporary = tempfile::tempdir().context("failed to create a temporary folder")?;
    let git = edited_files(repo, temporary.path())?;
    let range = format!("{UPSTREAM}..HEAD");
    process::run(&mut git.command(&[
        "log",
        "--reverse",
        "--patch",
        "--stat",
        "--format=%n%B",
        "--unified=3",
        &range,
    ]))
}

/// Makes a repository of just the files that the series edits.
fn edited_files(repo: &Repo, folder: &std::path::Path) -> Result<Git> {
    let pin = Pin::load(&repo.pin_file())?;
    let series = Series::load(&repo.patches())?;
    let mut tree = fetch::upstream(repo, &pin)?;
    let edited = |path: &String| {
        series
            .patches()
            .iter()
            .any(|it| it.paths().any(|it| it == path))
    };
    let base: Tree = tree
        .iter()
        .filter(|(path, _)| edited(path))
        .map(|(p, b)| (p.clone(), b.clone()))
        .collect();
    let git = scratch::create(folder, &base)?;
    for patch in series.patches() {
        let context = || format!("failed to apply patch `{}`", patch.file_name());
        scratch::add(&git, patch, &mut tree).with_context(context)?;
    }
    Ok(git)
}
