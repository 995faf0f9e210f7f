//! The pin of upstream: `cargo-fork/upstream.toml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process;

/// Which package we are a fork of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Pin {
    /// The package's name on crates.io.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The hexadecimal SHA-256 of its `.crate` file.
    pub(crate) sha256: String,
    /// Where the overlay is laid inside the package.
    pub(crate) overlay_root: String,
    /// The oldest rustc that compiles it, as `major.minor`.
    pub(crate) rust_version: String,
}

impl Pin {
    /// Reads a pin.
    pub(crate) fn load(file: &Path) -> Result<Pin> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("failed to read `{}`", file.display()))?;
        let pin: Pin = toml::from_str(&text)
            .with_context(|| format!("failed to parse `{}`", file.display()))?;
        if pin.sha256.len() != 64
            || !pin
                .sha256
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        {
            bail!(
                "failed to parse `{}`: `sha256` is not 64 lower-case hexadecimal digits",
                file.display()
            );
        }
        Ok(pin)
    }

    /// Returns a pin of any published package, of which nothing is patched.
    pub(crate) fn published(name: &str, version: &str, sha256: &str) -> Pin {
        Pin {
            name: name.to_owned(),
            version: version.to_owned(),
            sha256: sha256.to_owned(),
            overlay_root: String::new(),
            rust_version: String::new(),
        }
    }

    /// The name of the package's folder, and of its `.crate` file without the ending.
    pub(crate) fn folder_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Fails if this rustc is too old.
    pub(crate) fn check_rustc(&self, rustc: &Rustc) -> Result<()> {
        let wanted = numbers(&self.rust_version)
            .with_context(|| format!("failed to parse `rust-version` `{}`", self.rust_version))?;
        let present = numbers(&rustc.release)
            .with_context(|| format!("failed to parse rustc's version `{}`", rustc.release))?;
        if present < wanted {
            bail!(
                "rustc {} is too old: {} {} needs {} or newer\n\
                 help: run `rustup update stable`, or put a newer rustc on `PATH`",
                rustc.release,
                self.name,
                self.version,
                self.rust_version
            );
        }
        Ok(())
    }
}

/// The compiler that builds the fork.
#[derive(Debug, Clone)]
pub(crate) struct Rustc {
    /// The output of `rustc -vV`.
    pub(crate) verbose: String,
    /// Its version, such as `1.95.0`.
    pub(crate) release: String,
}

impl Rustc {
    /// Asks the compiler that Cargo would use.
    pub(crate) fn detect() -> Result<Rustc> {
        let verbose = process::read(rustc_command().arg("-vV"))?;
        Rustc::parse(&verbose)
    }

    fn parse(verbose: &str) -> Result<Rustc> {
        let release = verbose.lines().find_map(|it| it.strip_prefix("release:"));
        let release = release.context("failed to find `release:` in the output of `rustc -vV`")?;
        Ok(Rustc {
            verbose: verbose.to_string(),
            release: release.trim().to_string(),
        })
    }
}

/// Returns the compiler that Cargo would run.
pub(crate) fn rustc_command() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Returns the compiler that `rustc` stands for: with rustup, that is a program which looks for it, and which would
/// heed files such as `rust-toolchain` in the folders of packages.
pub(crate) fn real_rustc() -> Result<PathBuf> {
    let sysroot = process::read(rustc_command().args(["--print", "sysroot"]))?;
    let rustc = Path::new(sysroot.trim())
        .join("bin")
        .join(format!("rustc{}", std::env::consts::EXE_SUFFIX));
    if !rustc.is_file() {
        bail!("failed to find the compiler: no `{}`", rustc.display());
    }
    Ok(rustc)
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(release: &str) -> Result<()> {
        let pin: Pin = toml::from_str(
            "name = 'cargo'\nversion = '0.98.0'\nsha256 = ''\noverlay-root = 'src'\nrust-version = '1.95'",
        )
        .unwrap();
        pin.check_rustc(&Rustc::parse(&format!("rustc\nrelease: {release}\n")).unwrap())
    }

    #[test]
    fn an_old_rustc_is_refused() {
        let message = check("1.94.1").unwrap_err().to_string();
        assert!(
            message.contains("rustc 1.94.1 is too old: cargo 0.98.0 needs 1.95 or newer"),
            "{message}"
        );
        assert!(
            message.contains("help: run `rustup update stable`"),
            "{message}"
        );
    }

    #[test]
    fn a_new_rustc_is_accepted() {
        for release in ["1.95.0", "1.97.0-nightly", "1.100.2", "2.0.0"] {
            check(release).unwrap();
        }
    }
}
