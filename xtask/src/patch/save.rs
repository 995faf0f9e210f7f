//! `cargo xtask patch save`: the commits of the scratch repository as `.patch` files.
//!
//! Invariant: what is written applies to the pinned upstream and gives the commits' files; it is checked before writing.

use anyhow::{Context, Result, bail, ensure};

use crate::fetch;
use crate::git::{Git, UPSTREAM};
use crate::patch::edit::{self, DIGEST, SKIPPED};
use crate::patch::{Patch, Series, diff, series, worktree};
use crate::pin::Pin;
use crate::repo::Repo;
use crate::tree::Tree;

/// Writes the series.
pub(crate) fn run(repo: &Repo, force: bool) -> Result<()> {
    let pin = Pin::load(&repo.pin_file())?;
    let folder = repo.patch_edit_folder(&pin);
    if !folder.join(".git").exists() {
        bail!(
            "`{}` is not a git repository\nhelp: run `cargo xtask patch edit` first",
            folder.display()
        );
    }
    let git = Git::open(&folder);
    if ["rebase-apply", "rebase-merge"]
        .iter()
        .any(|it| folder.join(".git").join(it).exists())
    {
        bail!(
            "`{}` is in the middle of a rebase\nhelp: finish it first",
            folder.display()
        );
    }
    if !git.read(&["status", "--porcelain"])?.is_empty() {
        eprintln!(
            "[note] uncommitted changes in `{}` are not saved",
            folder.display()
        );
    }
    let upstream = fetch::upstream(repo, &pin)?;
    let series = commits(&git, upstream.clone())?;
    if !force {
        refuse_losses(repo, &git, &series)?;
    }
    series.write(&repo.patches())?;
    edit::remember(repo, &git)?;
    for patch in series.patches() {
        eprintln!(
            "[save] {}: {} added lines",
            patch.file_name(),
            patch.added().count()
        );
    }
    worktree::lay_overlay(repo, &pin, &upstream, &git)
}

/// Fails if something on disk would be overwritten or dropped that nobody has seen.
fn refuse_losses(repo: &Repo, git: &Git, series: &Series) -> Result<()> {
    if edit::read_note(git, DIGEST) != series::digest(&repo.patches())? {
        bail!(
            "the patches in `{}` changed since `patch edit`\n\
             help: put your commits aside, run `cargo xtask patch edit --force` and pick them; \
             or overwrite with `cargo xtask patch save --force`",
            repo.patches().display()
        );
    }
    let skipped = edit::read_note(git, SKIPPED);
    let present: Vec<_> = series.patches().iter().map(Patch::file_name).collect();
    if let Some(lost) = skipped
        .lines()
        .find(|it| !present.iter().any(|name| name == it))
    {
        bail!(
            "patch `{lost}` did not apply in `patch edit`, and no commit has its subject\n\
             help: redo it and commit it with its old subject, or drop it with `cargo xtask patch save --force`"
        );
    }
    Ok(())
}

/// Reads the commits since upstream.
fn commits(git: &Git, mut tree: Tree) -> Result<Series> {
    let range = format!("{UPSTREAM}..HEAD");
    let merges = git.line(&["rev-list", "--merges", &range])?;
    ensure!(
        merges.is_empty(),
        "`{}` has a merge commit; rebase it into one line",
        git.folder().display()
    );
    let mut patches = Vec::new();
    for commit in git.line(&["rev-list", "--reverse", &range])?.lines() {
        let subject = git.line(&["log", "-1", "--format=%s", commit])?;
        let patch = record(git, commit, &mut tree)
            .with_context(|| format!("failed to save commit `{subject}`"))?;
        patches.push(patch);
    }
    Series::new(patches)
}

fn record(git: &Git, commit: &str, tree: &mut Tree) -> Result<Patch> {
    let message = git.read(&["log", "-1", "--format=%B", commit])?;
    if message.starts_with("fixup! ") || message.starts_with("squash! ") {
        bail!(
            "it is meant for another commit\nhelp: run `git rebase --interactive --autosquash {UPSTREAM}`"
        );
    }
    let parent = format!("{commit}^");
    let text = git.read(&[
        "-c",
        "core.quotePath=false",
        "-c",
        "diff.suppressBlankEmpty=false",
        "diff",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--no-relative",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        "--diff-algorithm=histogram",
        "--indent-heuristic",
        "--inter-hunk-context=0",
        "--unified=0",
        &parent,
        commit,
    ])?;
    let patch = Patch::record(&message, diff::parse(&text)?, tree)?;
    for path in patch.paths() {
        let blob = git.read(&["cat-file", "blob", &format!("{commit}:{path}")])?;
        ensure!(
            blob.as_bytes() == tree[path],
            "`{path}` is not what it should be: is the base commit the pinned one?"
        );
    }
    Ok(patch)
}
