//! `cargo xtask install` and `uninstall`: the fork as a toolchain that rustup knows, `cargo +hooked`.
//!
//! The toolchain lies in `$CARGO_HOME/hooked-toolchain`, so that it outlives `target/`. It holds our programs, and links
//! to the toolchain that is active now for everything else. In `$CARGO_HOME/bin`, where every Cargo looks for
//! subcommands, a link makes `cargo local-cache` work.
//!
//! Invariant: nothing is removed that does not carry our mark, and no link is followed when something is removed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::build;
use crate::compile::Profile;
use crate::pin;
use crate::process;
use crate::repo::{self, Repo};
use crate::rustup::{NAME, Rustup};
use crate::shipped;
use crate::tree;

const FOLDER: &str = "hooked-toolchain";
/// The file that tells that a folder is ours.
const MARK: &str = "made-by-cargo-xtask-install";

/// Builds the fork, optimised, and makes it usable as `cargo +hooked`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Installs the quick build; for trying this command out.
    #[arg(long, hide = true)]
    quick: bool,
}

/// Runs `cargo xtask install`.
pub(crate) fn install(repo: &Repo, arguments: &Arguments) -> Result<()> {
    ensure!(
        cfg!(unix),
        "`cargo xtask install` is not supported on Windows yet\nhelp: use `cargo xtask build`"
    );
    let folder = repo::cargo_home()?.join(FOLDER);
    let rustup = Rustup::find()?;
    if let Some(rustup) = &rustup {
        rustup.refuse_foreign(&folder)?;
    }
    build::build(
        repo,
        if arguments.quick {
            Profile::Quick
        } else {
            Profile::Release
        },
    )?;
    let sysroot =
        PathBuf::from(process::read(pin::rustc_command().args(["--print", "sysroot"]))?.trim_end());
    let sysroot = sysroot
        .canonicalize()
        .with_context(|| format!("failed to read `{}`", sysroot.display()))?;
    ensure!(
        !sysroot.starts_with(&folder),
        "the active toolchain is the installed fork itself\nhelp: run `cargo +stable xtask install`"
    );
    replace(&folder, |new| {
        fill(
            new,
            &sysroot,
            &repo.hooked_folder().join("bin"),
            &our_programs(repo)?,
        )
    })?;
    eprintln!("[install] {}", folder.display());
    link_subcommands(repo, &folder)?;
    let Some(rustup) = rustup else {
        eprintln!(
            "[note] rustup is not there; put `{}` first on `PATH`",
            folder.join("bin").display()
        );
        return Ok(());
    };
    rustup.link(&folder)?;
    let version = rustup.cargo_version()?;
    eprintln!("[install] `cargo +{NAME}` is {}", version.trim_end());
    Ok(())
}

/// Runs `cargo xtask uninstall`.
pub(crate) fn uninstall(repo: &Repo) -> Result<()> {
    let folder = repo::cargo_home()?.join(FOLDER);
    if let Some(rustup) = Rustup::find()? {
        rustup.refuse_foreign(&folder)?;
        rustup.unlink()?;
    }
    if folder.exists() {
        remove(&folder)?;
        unlink_subcommands(repo, &folder)?;
        eprintln!("[uninstall] removed {}", folder.display());
    } else {
        eprintln!("[uninstall] nothing at {}", folder.display());
    }
    Ok(())
}

/// Fills a new toolchain folder: `sysroot` by links, and the programs in `ours` by copies, which win.
fn fill(folder: &Path, sysroot: &Path, ours: &Path, programs: &[String]) -> Result<()> {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).with_context(|| format!("failed to create `{}`", bin.display()))?;
    let mark = folder.join(MARK);
    fs::write(&mark, "").with_context(|| format!("failed to write `{}`", mark.display()))?;
    for name in programs {
        let (from, to) = (ours.join(name), bin.join(name));
        fs::copy(&from, &to).with_context(|| {
            format!("failed to copy `{}` to `{}`", from.display(), to.display())
        })?;
    }
    for (name, _) in tree::list(&sysroot.join("bin"))? {
        if !bin.join(&name).exists() {
            link(&sysroot.join("bin").join(&name), &bin.join(&name))?;
        }
    }
    for (name, _) in tree::list(sysroot)?
        .into_iter()
        .filter(|(name, _)| name != "bin")
    {
        link(&sysroot.join(&name), &folder.join(&name))?;
    }
    Ok(())
}

fn our_programs(repo: &Repo) -> Result<Vec<String>> {
    let mut programs = vec!["cargo".to_string()];
    for it in shipped::all(repo)? {
        programs.extend(it.names().cloned());
    }
    Ok(programs)
}

/// Links our subcommands to where every Cargo finds them, unless something else is there.
fn link_subcommands(repo: &Repo, folder: &Path) -> Result<()> {
    for (from, to) in subcommands(repo, folder)? {
        if fs::read_link(&to).is_ok_and(|it| it == from) {
            continue;
        }
        if to.symlink_metadata().is_ok() {
            eprintln!(
                "[note] `{}` is there already and was left alone",
                to.display()
            );
            continue;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("failed to create `{}`", parent.display()))?;
        }
        link(&from, &to)?;
    }
    Ok(())
}

fn unlink_subcommands(repo: &Repo, folder: &Path) -> Result<()> {
    for (from, to) in subcommands(repo, folder)? {
        if fs::read_link(&to).is_ok_and(|it| it == from) {
            fs::remove_file(&to).with_context(|| format!("failed to remove `{}`", to.display()))?;
        }
    }
    Ok(())
}

fn subcommands(repo: &Repo, folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let bin = repo::cargo_home()?.join("bin");
    let shipped = shipped::all(repo)?;
    let names = shipped.into_iter().filter_map(|it| it.subcommand);
    Ok(names
        .map(|it| (folder.join("bin").join(&it), bin.join(&it)))
        .collect())
}

/// Makes a folder beside the old one, then swaps the two.
fn replace(folder: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let beside = |ending: &str| folder.with_file_name(format!("{FOLDER}.{ending}"));
    let (new, old) = (beside("new"), beside("old"));
    for left_over in [&new, &old] {
        if left_over.exists() {
            remove(left_over)?;
        }
    }
    fill(&new)?;
    let rename = |from: &Path, to: &Path| {
        fs::rename(from, to).with_context(|| {
            format!(
                "failed to rename `{}` to `{}`",
                from.display(),
                to.display()
            )
        })
    };
    if folder.exists() {
        refuse_unmarked(folder)?;
        rename(folder, &old)?;
    }
    rename(&new, folder)?;
    if old.exists() {
        remove(&old)?;
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    refuse_unmarked(folder)?;
    fs::remove_dir_all(folder).with_context(|| format!("failed to remove `{}`", folder.display()))
}

fn refuse_unmarked(folder: &Path) -> Result<()> {
    if folder.is_symlink() || !folder.join(MARK).exists() {
        bail!(
            "`{}` was not made by `cargo xtask install`\nhelp: move it away, and run this again",
            folder.display()
        );
    }
    Ok(())
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<()> {
    std::os::unix::fs::symlink(from, to)
        .with_context(|| format!("failed to link `{}` to `{}`", to.display(), from.display()))
}

#[cfg(not(unix))]
fn link(_from: &Path, _to: &Path) -> Result<()> {
    bail!("links are not supported here")
}
