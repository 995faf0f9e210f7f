//! Where things are in this repository, and the Cargo that works on them.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::pin::Pin;

/// A checkout of this repository.
#[derive(Debug)]
pub(crate) struct Repo {
    root: PathBuf,
}

impl Repo {
    /// Returns the repository at `root`, or else the one around the current folder.
    pub(crate) fn find(root: Option<PathBuf>) -> Result<Repo> {
        let start = match root {
            Some(root) => root,
            None => env::current_dir().context("failed to read the current folder")?,
        };
        let start = start
            .canonicalize()
            .with_context(|| format!("failed to read folder `{}`", start.display()))?;
        let root = start
            .ancestors()
            .find(|it| it.join("cargo-fork/upstream.toml").is_file())
            .with_context(|| {
                format!(
                    "failed to find `cargo-fork/upstream.toml` above `{}`\n\
                     help: run `cargo xtask` inside a checkout of this repository",
                    start.display()
                )
            })?;
        Ok(Repo {
            root: root.to_path_buf(),
        })
    }

    /// The root folder, absolute.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside the repository.
    pub(crate) fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// The pin.
    pub(crate) fn pin_file(&self) -> PathBuf {
        self.join("cargo-fork/upstream.toml")
    }

    /// The patch series.
    pub(crate) fn patches(&self) -> PathBuf {
        self.join("cargo-fork/patches")
    }

    /// The modules that are compiled inside Cargo.
    pub(crate) fn overlay(&self) -> PathBuf {
        self.join("cargo-fork/overlay")
    }

    /// Upstream's source as published, to read; every use of it is checked against the `.crate` file again.
    pub(crate) fn upstream_folder(&self, pin: &Pin) -> PathBuf {
        self.join("target/upstream").join(pin.folder_name())
    }

    /// The scratch repository of `patch edit`.
    pub(crate) fn patch_edit_folder(&self, pin: &Pin) -> PathBuf {
        self.join("target/patch-edit").join(pin.folder_name())
    }

    /// Upstream with the overlay and the patches.
    pub(crate) fn fork_folder(&self, pin: &Pin) -> PathBuf {
        self.join("target/fork").join(pin.folder_name())
    }

    /// The tree after the first patches of the series, while each is checked.
    pub(crate) fn patch_check_folder(&self, pin: &Pin) -> PathBuf {
        self.join("target/patch-check").join(pin.folder_name())
    }

    /// Upstream's Cargo as it is: its workspace, and the programs by profile.
    pub(crate) fn stock_folder(&self) -> PathBuf {
        self.join("target/stock")
    }

    /// What `build` leaves: `bin/cargo`, and the shipped hooks beside it.
    pub(crate) fn hooked_folder(&self) -> PathBuf {
        self.join("target/hooked")
    }

    /// The fork's `cargo`.
    pub(crate) fn hooked_cargo(&self) -> PathBuf {
        self.hooked_folder()
            .join("bin")
            .join(format!("cargo{}", env::consts::EXE_SUFFIX))
    }

    /// Keeps other runs of xtask out of `target/` for as long as the result lives.
    pub(crate) fn lock(&self) -> Result<File> {
        self.lock_file("xtask.lock", "`cargo xtask` is at work")
    }

    /// Keeps other benchmarks away, and only them, for as long as the result lives.
    pub(crate) fn lock_bench(&self) -> Result<File> {
        self.lock_file("bench.lock", "`cargo xtask bench` is measuring")
    }

    fn lock_file(&self, name: &str, who: &str) -> Result<File> {
        let place = self.join("target").join(name);
        let context = || format!("failed to lock `{}`", place.display());
        fs::create_dir_all(self.join("target")).with_context(context)?;
        let file = File::create(&place).with_context(context)?;
        if file.try_lock().is_err() {
            eprintln!("[wait] another {who}");
            file.lock().with_context(context)?;
        }
        Ok(file)
    }

    /// Returns the Cargo that runs us, with an environment in which only the user's settings are left.
    ///
    /// What an outer `cargo run` sets goes, and so does what would move the output or start hooks.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(disturbs) {
                command.env_remove(name);
            }
        }
        command
    }
}

/// Returns the folder in which Cargo keeps its downloads.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = env::var_os("CARGO_HOME").filter(|it| !it.is_empty()) {
        return std::path::absolute(home).context("failed to read `CARGO_HOME`");
    }
    let home = env::home_dir().context("failed to find the home folder\nhelp: set `CARGO_HOME`")?;
    Ok(home.join(".cargo"))
}

fn disturbs(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "CARGO",
        "CARGO_BIN_NAME",
        "CARGO_BUILD_BUILD_DIR",
        "CARGO_BUILD_FINGERPRINT",
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_CRATE_NAME",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_LINKS",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_DIR",
        "OUT_DIR",
    ];
    const PREFIXES: [&str; 4] = ["CARGO_HOOKS_", "CARGO_PKG_", "CARGO_PROFILE_", "CFG_"];
    NAMES.contains(&name) || PREFIXES.iter().any(|it| name.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_disturbs_is_taken_away() {
        for name in [
            "CARGO",
            "CARGO_TARGET_DIR",
            "CARGO_HOOKS_BEFORE_BUILD",
            "CARGO_PKG_NAME",
            "CFG_RELEASE",
        ] {
            assert!(disturbs(name), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_BUILD_JOBS",
            "CARGO_NET_OFFLINE",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
            "PATH",
        ] {
            assert!(!disturbs(name), "{name}");
        }
    }
}
