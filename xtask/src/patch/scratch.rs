//! Turns a tree and patches into a git repository: a base commit, tagged `upstream`, then one commit per patch.
//!
//! Invariant: the same tree and series give the same commit ids.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::git::{Git, UPSTREAM};
use crate::patch::Patch;
use crate::tree::{self, Tree};

/// What is left alone in the folder, and is never committed: Cargo writes both.
pub(crate) const NOT_COMMITTED: [&str; 2] = ["Cargo.lock", "target"];

/// Makes the repository in `folder`, in place of one that was there, with one commit.
pub(crate) fn create(folder: &Path, upstream: &Tree) -> Result<Git> {
    let metadata = folder.join(".git");
    if metadata.exists() {
        fs::remove_dir_all(&metadata)
            .with_context(|| format!("failed to remove `{}`", metadata.display()))?;
    }
    tree::sync(upstream, folder, &["target"])?;
    let git = Git::open(folder);
    git.read(&["init", "--quiet", "--initial-branch=fork", "--template="])?;
    for (key, value) in [
        ("core.autocrlf", "false"),
        ("core.fileMode", "false"),
        ("commit.gpgSign", "false"),
        ("tag.gpgSign", "false"),
        ("user.name", "cargo-fork"),
        ("user.email", "cargo-fork@localhost"),
    ] {
        git.read(&["config", key, value])?;
    }
    let paths = upstream
        .keys()
        .filter(|it| !NOT_COMMITTED.contains(&it.as_str()));
    stage(&git, paths.map(String::as_str))?;
    commit(
        &git,
        &format!(
            "upstream {}",
            folder.file_name().unwrap_or_default().to_string_lossy()
        ),
    )?;
    git.read(&["tag", UPSTREAM])?;
    Ok(git)
}

/// Applies a patch to `tree` and commits it.
pub(crate) fn add(git: &Git, patch: &Patch, tree: &mut Tree) -> Result<()> {
    patch.apply(tree)?;
    let edited = patch
        .paths()
        .map(|path| (path.to_string(), tree[path].clone()));
    commit_files(git, &edited.collect(), patch.message())
}

/// Writes files into the repository, and commits them; scripts can be run.
pub(crate) fn commit_files(git: &Git, files: &Tree, message: &str) -> Result<()> {
    for (path, bytes) in files {
        tree::write_if_different(&git.folder().join(path), bytes)?;
    }
    stage(git, files.keys().map(String::as_str))?;
    for (path, _) in files.iter().filter(|(_, bytes)| bytes.starts_with(b"#!/")) {
        git.read(&["update-index", "--chmod=+x", path])?;
    }
    commit(git, message)
}

fn stage<'a>(git: &Git, paths: impl Iterator<Item = &'a str>) -> Result<()> {
    let list: Vec<u8> = paths
        .flat_map(|it| [it.as_bytes(), b"\0"].concat())
        .collect();
    git.feed(&["update-index", "--add", "-z", "--stdin"], &list)
}

fn commit(git: &Git, message: &str) -> Result<()> {
    let arguments = [
        "commit",
        "--quiet",
        "--no-verify",
        "--allow-empty",
        "--cleanup=verbatim",
        "--file=-",
    ];
    git.feed(&arguments, format!("{message}\n").as_bytes())
}
