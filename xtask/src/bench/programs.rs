//! Which executables a benchmark measures: built here, or named by the user.
//!
//! It never runs one of them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::build;
use crate::compile::Profile;
use crate::repo::Repo;
use crate::stock;
use crate::tree;

/// Options that say what is measured.
#[derive(clap::Args)]
pub(crate) struct Selection {
    /// Measures unoptimised builds, which are there sooner; the targets are meant for optimised ones.
    #[arg(long)]
    quick: bool,
    /// Measures this executable as the fork, instead of building it.
    #[arg(long, value_name = "PATH")]
    fork: Option<PathBuf>,
    /// Measures this executable as upstream's Cargo, instead of building it; a `cargo` that is rustup's would
    /// have its start measured too, so ask `rustup which cargo`.
    #[arg(long, value_name = "PATH")]
    stock: Option<PathBuf>,
    /// Measures another Cargo too; upstream's under a second name shows how much is noise.
    #[arg(long, value_name = "NAME=PATH", value_parser = named)]
    with: Vec<(String, PathBuf)>,
}

/// The executables, with absolute paths.
pub(crate) struct Programs {
    /// Upstream's Cargo.
    pub(crate) stock: PathBuf,
    /// The fork.
    pub(crate) fork: PathBuf,
    /// What the user wants to compare with, by name.
    pub(crate) others: Vec<(String, PathBuf)>,
}

impl Selection {
    /// Says how the programs are built.
    pub(crate) fn profile_name(&self) -> &'static str {
        match (&self.fork, &self.stock) {
            (Some(_), Some(_)) => "unknown",
            _ => Profile::of(self.quick).name(),
        }
    }

    /// Finds or builds the executables.
    pub(crate) fn obtain(&self, repo: &Repo) -> Result<Programs> {
        let profile = Profile::of(self.quick);
        let others = self.with.iter();
        let others = others.map(|(name, path)| Ok((name.clone(), existing(path)?)));
        Ok(Programs {
            others: others.collect::<Result<_>>()?,
            fork: match &self.fork {
                Some(path) => existing(path)?,
                None => built_fork(repo, profile)?,
            },
            stock: match &self.stock {
                Some(path) => existing(path)?,
                None => stock::build(repo, profile)?,
            },
        })
    }
}

/// Builds the fork, and copies its folder: another `xtask` may build it anew while it is measured.
fn built_fork(repo: &Repo, profile: Profile) -> Result<PathBuf> {
    build::build(repo, profile)?;
    let _lock = repo.lock()?;
    let program = repo.hooked_cargo();
    let from = program.parent().context("failed to find the fork")?;
    let folder = repo.join("target/bench/fork").join(profile.name());
    for (name, _) in tree::list(from)? {
        let stem = name.strip_suffix(std::env::consts::EXE_SUFFIX);
        build::place(&from.join(&name), &folder, stem.unwrap_or(&name))?;
    }
    Ok(folder.join(program.file_name().unwrap_or_default()))
}

fn existing(path: &Path) -> Result<PathBuf> {
    if !path.is_file() {
        bail!("`{}` is not a file", path.display());
    }
    std::path::absolute(path).with_context(|| format!("failed to read `{}`", path.display()))
}

/// Parses `NAME=PATH`; the name becomes one of a folder.
fn named(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("expected NAME=PATH")?;
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_".contains(it);
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(format!(
            "`{name}` is not a name of letters, digits, `-` and `_`"
        ));
    }
    Ok((name.to_string(), PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_a_path() {
        let expected = ("old-1".to_string(), PathBuf::from("a/b=c"));
        assert_eq!(named("old-1=a/b=c").unwrap(), expected);
        for wrong in ["a/b", "=a", "../x=a"] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }
}
