//! `cargo xtask try`: builds a real project in two checkouts, the second from the cache, and says what was saved.
//!
//! The checkouts lie at different depths, and the cache is one of its own, which is empty at first. A program
//! all of whose parts were restored must be the same, byte for byte, in both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::build;
use crate::compile::Profile;
use crate::fetch;
use crate::pin::Pin;
use crate::process;
use crate::repo::Repo;
use crate::tree;

mod measure;
mod table;

use measure::Build;

/// Options of `cargo xtask try`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder of a project [default: ripgrep 14 from crates.io]
    project: Option<PathBuf>,
    /// Takes the unoptimised fork, which is built sooner and restores slower.
    #[arg(long)]
    quick: bool,
    /// Takes this hook, a command as in Cargo's configuration.
    #[arg(long, value_name = "COMMAND", default_value = "cargo:local-cache")]
    hook: String,
    /// Builds the project with this profile.
    #[arg(long, default_value = "dev")]
    profile: String,
}

/// Where the two checkouts lie below the folder for trying: not equally deep, nor equally long.
const CHECKOUTS: [&str; 2] = ["first", "another/place/for/the-second"];

/// Runs `cargo xtask try`.
pub(crate) fn run(repo: &Repo, arguments: &Arguments) -> Result<()> {
    build::build(repo, Profile::of(arguments.quick))?;
    let folder = repo.join("target/try");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("failed to remove `{}`", folder.display()))?;
    }
    let checkouts = CHECKOUTS.map(|checkout| folder.join(checkout));
    for checkout in &checkouts {
        match &arguments.project {
            Some(project) => copy(project, checkout)?,
            None => unpack_default(repo, checkout)?,
        }
    }
    let cache = folder.join("cache");
    fs::create_dir_all(&cache)
        .with_context(|| format!("failed to create `{}`", cache.display()))?;
    let hook = absolute(&arguments.hook);
    let cargo = |checkout: &Path| cargo(repo, checkout, &hook, &cache);
    eprintln!("[fetch] what the project depends on");
    process::run(cargo(&checkouts[0]).args(["fetch", "--quiet"]))?;
    let [first, second] = &checkouts;
    let lock = first.join("Cargo.lock");
    if lock.is_file() {
        fs::copy(&lock, second.join("Cargo.lock")).context("failed to copy `Cargo.lock`")?;
    }
    eprintln!(
        "[build] first checkout, with an empty cache: {}",
        first.display()
    );
    let cold = Build::measure(cargo(first), first, &arguments.profile)?;
    eprintln!(
        "[build] second checkout, from the cache: {}",
        second.display()
    );
    let warm = Build::measure(cargo(second), second, &arguments.profile)?;
    eprintln!();
    table::print(&cold, &warm, &cache)?;
    verdict(&cold, &warm, arguments.project.is_none())
}

/// Says whether sharing worked: the exit status of the command.
fn verdict(cold: &Build, warm: &Build, is_default: bool) -> Result<()> {
    let mut different = Vec::new();
    for (name, program) in warm.programs.iter().filter(|(_, program)| program.restored) {
        let built = cold.programs.get(name);
        if !built
            .map(|built| built.equals(program))
            .transpose()?
            .unwrap_or(false)
        {
            different.push(name.as_str());
        }
    }
    if !different.is_empty() {
        bail!(
            "restored programs differ from those that were built: `{}`",
            different.join("`, `")
        );
    }
    if warm.restored == 0 {
        bail!("nothing was restored in the second checkout");
    }
    let ran = warm.missed.iter().filter(|it| it.is_run);
    let needless: Vec<&str> = ran
        .filter(|it| it.why != "reads-vcs")
        .map(|it| it.shown.as_str())
        .collect();
    if is_default && !needless.is_empty() {
        bail!(
            "build scripts ran in the second checkout: `{}`",
            needless.join("`, `")
        );
    }
    if is_default && warm.compiled > 0 {
        bail!(
            "{} units of the default project were compiled in the second checkout",
            warm.compiled
        );
    }
    Ok(())
}

/// Variables by which hooks of this repository are told where to keep things.
const STORES: [&str; 4] = [
    "CARGO_LOCAL_CACHE_DIR",
    "DEPENDENCY_BUNDLE_DIR",
    "PYTHON_CACHE_DIR",
    "SHELL_CACHE_DIR",
];

/// Returns the command with the program at its absolute path, if it is one that is named relative to the current
/// folder: Cargo runs elsewhere.
fn absolute(command: &str) -> String {
    let (program, rest) = command.split_once(' ').unwrap_or((command, ""));
    match Path::new(program).canonicalize() {
        Ok(program) => format!("{} {rest}", program.display()),
        Err(_) => command.to_string(),
    }
}

/// The built fork, with a cache of its own and nobody else's hooks.
fn cargo(repo: &Repo, checkout: &Path, hook: &str, cache: &Path) -> Command {
    let mut cargo = Command::new(repo.hooked_cargo());
    let clean = repo.cargo();
    for (name, _) in clean.get_envs().filter(|(_, value)| value.is_none()) {
        cargo.env_remove(name);
    }
    cargo
        .current_dir(checkout)
        .env("CARGO_HOOKS_BEFORE_BUILD", hook)
        .env("CARGO_HOOKS_AFTER_BUILD", hook)
        .envs(STORES.map(|name| (name, cache)));
    cargo
}

fn unpack_default(repo: &Repo, checkout: &Path) -> Result<()> {
    let pin = Pin::published(
        "ripgrep",
        "14.1.1",
        "f77b8032dc584527975f34aa5a897d0ef5a785573fda778771a614ff9da501d9",
    );
    let tree = fetch::verified(repo, &pin)?.unpack(&pin)?;
    tree::sync(&tree, checkout, &[])?;
    Ok(())
}

/// Copies a project without its build directories, which are tagged as caches.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.join("Cargo.toml").is_file() {
        bail!("`{}` holds no `Cargo.toml`", from.display());
    }
    copy_folder(from, to)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("failed to create `{}`", to.display()))?;
    for (name, is_folder) in tree::list(from)? {
        let (source, place) = (from.join(&name), to.join(&name));
        let context = || format!("failed to copy `{}`", source.display());
        if source.is_symlink() {
            let target = fs::read_link(&source).with_context(context)?;
            link(&target, &place).with_context(context)?;
        } else if !is_folder {
            fs::copy(&source, &place).with_context(context)?;
        } else if !source.join("CACHEDIR.TAG").exists() {
            copy_folder(&source, &place)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(target: &Path, place: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(not(unix))]
fn link(target: &Path, place: &Path) -> std::io::Result<()> {
    fs::copy(place.parent().unwrap_or(place).join(target), place).map(drop)
}
