//! What we ask of rustup, where it is installed: to know the fork as the toolchain `hooked`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// The toolchain's name.
pub(crate) const NAME: &str = "hooked";

/// The toolchain manager, where there is one.
pub(crate) struct Rustup {
    /// Where it keeps a toolchain of our name.
    place: PathBuf,
}

impl Rustup {
    /// Looks for rustup.
    pub(crate) fn find() -> Result<Option<Rustup>> {
        let mut command = Command::new("rustup");
        match command.args(["show", "home"]).output() {
            Ok(output) => {
                process::check(&command, &output)?;
                let home = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
                Ok(Some(Rustup {
                    place: home.join("toolchains").join(NAME),
                }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("failed to start `rustup`"),
        }
    }

    /// Fails if somebody else's toolchain has our name.
    pub(crate) fn refuse_foreign(&self, folder: &Path) -> Result<()> {
        let exists = self.place.symlink_metadata().is_ok();
        let ours = fs::read_link(&self.place).is_ok_and(|it| it == folder);
        if exists && !ours {
            bail!(
                "rustup has another toolchain called `{NAME}`, at `{}`\n\
                 help: rename it, or remove it with `rustup toolchain uninstall {NAME}`",
                self.place.display()
            );
        }
        Ok(())
    }

    /// Gives the toolchain to rustup.
    pub(crate) fn link(&self, folder: &Path) -> Result<()> {
        process::read(
            Command::new("rustup")
                .args(["toolchain", "link", NAME])
                .arg(folder),
        )
        .map(drop)
    }

    /// Asks the toolchain's Cargo for its version, the way a user reaches it.
    pub(crate) fn cargo_version(&self) -> Result<String> {
        process::read(Command::new("rustup").args(["run", NAME, "cargo", "--version"]))
    }

    /// Takes the toolchain from rustup; only the link goes.
    pub(crate) fn unlink(&self) -> Result<()> {
        if self.place.symlink_metadata().is_err() {
            return Ok(());
        }
        process::read(Command::new("rustup").args(["toolchain", "uninstall", NAME]))?;
        eprintln!("[uninstall] `cargo +{NAME}` is gone");
        Ok(())
    }
}
