//! `cargo xtask build`: from the pin, the overlay and the patches to a usable `target/hooked/`.
//!
//! ```text
//! target/upstream/cargo-VERSION   pristine source, to read
//! target/fork/cargo-VERSION       the same with overlay and patches, a workspace of its own
//! target/fork-build               what Cargo compiles from it
//! target/hooked/bin               `cargo`, and the shipped hooks beside it
//! ```

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::compile::{self, Profile, Warnings};
use crate::fetch;
use crate::fork;
use crate::patch::Series;
use crate::pin::{Pin, Rustc};
use crate::repo::Repo;
use crate::shipped;
use crate::stamp::{self, Stamp};
use crate::tree;

/// Builds the fork and its hooks.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Builds optimised programs; this takes several times as long.
    #[arg(long)]
    release: bool,
}

/// Runs `cargo xtask build`.
pub(crate) fn run(repo: &Repo, arguments: &Arguments) -> Result<()> {
    build(repo, Profile::of(!arguments.release))
}

/// Brings `target/hooked/` up to date.
pub(crate) fn build(repo: &Repo, profile: Profile) -> Result<()> {
    let pin = Pin::load(&repo.pin_file())?;
    let rustc = Rustc::detect()?;
    pin.check_rustc(&rustc)?;
    let _lock = repo.lock()?;
    let source = fetch::verified(repo, &pin)?;
    let inputs = stamp::inputs(repo, stamp::FORK, &pin, &rustc)?;
    let hooked = repo.hooked_folder();
    if Stamp::load(&hooked).is_some_and(|it| it.is_fresh(&inputs, profile, &hooked)) {
        eprintln!("[fresh] {} ({})", hooked.display(), profile.name());
        return Ok(());
    }
    fork::update(
        repo,
        &pin,
        &repo.fork_folder(&pin),
        fetch::unpacked(repo, &pin, source)?,
        &Series::load(&repo.patches())?,
    )?;
    eprintln!("[build] {} ({})", pin.folder_name(), profile.name());
    let cargo = compile::fork(repo, &pin, profile, Warnings::Print)?;
    Stamp::remove(&hooked)?;
    let bin = hooked.join("bin");
    let mut names = vec![place(cargo.program("cargo")?, &bin, "cargo")?];
    let shipped = shipped::all(repo)?;
    let packages: Vec<&str> = shipped.iter().map(|it| it.package.as_str()).collect();
    eprintln!("[build] {} ({})", packages.join(", "), profile.name());
    let compiled = compile::members(repo, &packages, profile)?;
    for it in &shipped {
        for name in it.names() {
            names.push(place(compiled.program(&it.program)?, &bin, name)?);
        }
    }
    remove_others(&bin, &names)?;
    Stamp::save(inputs, profile, &hooked)?;
    eprintln!("[done] {}", bin.join("cargo").display());
    Ok(())
}

/// Copies a program through a temporary name, so that one that is running is not disturbed; returns its file name.
pub(crate) fn place(program: &Path, folder: &Path, name: &str) -> Result<String> {
    let name = format!("{name}{EXE_SUFFIX}");
    let to = folder.join(&name);
    if same_content(program, &to) {
        return Ok(name);
    }
    fs::create_dir_all(folder)
        .with_context(|| format!("failed to create `{}`", folder.display()))?;
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    fs::copy(program, &temporary).with_context(|| {
        format!(
            "failed to copy `{}` to `{}`",
            program.display(),
            temporary.display()
        )
    })?;
    fs::rename(&temporary, &to).with_context(|| {
        format!(
            "failed to rename `{}` to `{}`",
            temporary.display(),
            to.display()
        )
    })?;
    Ok(name)
}

/// Removes what an earlier build or an interrupted copy left.
fn remove_others(folder: &Path, names: &[String]) -> Result<()> {
    for (name, _) in tree::list(folder)?
        .into_iter()
        .filter(|(name, _)| !names.contains(name))
    {
        let file = folder.join(name);
        fs::remove_file(&file).with_context(|| format!("failed to remove `{}`", file.display()))?;
    }
    Ok(())
}

fn same_content(one: &Path, other: &Path) -> bool {
    let size = |path: &Path| fs::metadata(path).ok().map(|it| it.len());
    size(one) == size(other)
        && fs::read(one)
            .ok()
            .is_some_and(|it| fs::read(other).ok() == Some(it))
}
