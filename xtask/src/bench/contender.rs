//! A Cargo that is measured: how it is run so that nobody's settings have a say, and what its builds come to.
//!
//! Invariant: no two contenders have a build directory in common, and what is in one was made by the very program
//! that is timed there.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::bench::timing;
use crate::process;
use crate::tree::sha256;

/// What contenders share.
pub(crate) struct Site {
    /// The manifest of the workspace that they build.
    pub(crate) manifest: PathBuf,
    /// The folder with their build directories.
    pub(crate) targets: PathBuf,
    /// Cargo's home: without a configuration, and without downloads.
    pub(crate) home: PathBuf,
    /// The compiler itself, not the program of rustup's that would look for it in every run.
    pub(crate) rustc: PathBuf,
    /// A digest of what they build, and with which compiler.
    pub(crate) inputs: String,
}

/// A Cargo with its settings.
pub(crate) struct Contender {
    /// Its name in the table, and of its build directory.
    pub(crate) name: String,
    /// The executable.
    pub(crate) program: PathBuf,
    /// Environment variables that it gets.
    pub(crate) settings: Vec<(&'static str, &'static str)>,
}

/// What a build came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Units {
    /// Compiled units and build scripts that ran, now or earlier.
    pub(crate) total: usize,
    /// Units that were compiled by this build.
    pub(crate) compiled: usize,
    /// Units that were restored by this build.
    pub(crate) restored: usize,
}

impl Contender {
    /// Makes the build directory, by a real build unless this program has made it earlier, and counts units.
    pub(crate) fn populate(&self, site: &Site) -> Result<Units> {
        let key = self.key(site)?;
        let key_file = site.targets.join(format!("{}.key", self.name));
        let target = self.target(site);
        if fs::read_to_string(&key_file).ok() != Some(key.clone()) && target.exists() {
            fs::remove_dir_all(&target)
                .with_context(|| format!("failed to remove `{}`", target.display()))?;
        }
        let units = self.count(site)?;
        fs::write(&key_file, key)
            .with_context(|| format!("failed to write `{}`", key_file.display()))?;
        Ok(units)
    }

    /// Builds, and counts what was built.
    pub(crate) fn count(&self, site: &Site) -> Result<Units> {
        let mut command = self.build(site);
        let text = process::read(command.arg("--message-format=json-render-diagnostics"))?;
        text.lines().try_fold(Units::default(), Units::and)
    }

    /// Times a build that has nothing to do; that it does something is an error.
    pub(crate) fn time_noop(&self, site: &Site) -> Result<Duration> {
        let (took, output) = timing::time(&mut self.build(site))?;
        if let Some(done) = work(String::from_utf8_lossy(&output.stderr).lines()) {
            bail!(
                "`{}` was to have nothing to do, but it did: `{done}`",
                self.name
            );
        }
        Ok(took)
    }

    /// Asks for the version.
    pub(crate) fn version(&self, site: &Site) -> Result<String> {
        let said = process::read(self.command(site).arg("--version"))?;
        Ok(said.trim().to_string())
    }

    fn target(&self, site: &Site) -> PathBuf {
        site.targets.join(&self.name)
    }

    fn build(&self, site: &Site) -> Command {
        let mut command = self.command(site);
        command.args(["build", "--workspace", "--all-targets", "--manifest-path"]);
        command.arg(&site.manifest);
        command
    }

    /// The program with what is set here, and with nothing that the user has set.
    fn command(&self, site: &Site) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(disturbs)) {
            command.env_remove(name);
        }
        command
            .env("CARGO_HOME", &site.home)
            .env("CARGO_TARGET_DIR", self.target(site))
            .env("RUSTC", &site.rustc)
            .envs(self.settings.iter().copied());
        // Cargo looks for configuration in every folder above the current one.
        if let Some(root) = site.home.ancestors().last() {
            command.current_dir(root);
        }
        command
    }

    /// Returns what tells whether a build directory is of this contender's making.
    fn key(&self, site: &Site) -> Result<String> {
        let program = fs::read(&self.program)
            .with_context(|| format!("failed to read `{}`", self.program.display()))?;
        let program = sha256(&program);
        Ok(format!("{program}\n{:?}\n{}\n", self.settings, site.inputs))
    }
}

impl Units {
    /// Adds what a message of Cargo tells.
    pub(crate) fn and(self, line: &str) -> Result<Units> {
        #[derive(Deserialize)]
        struct Message {
            reason: String,
            #[serde(default)]
            fresh: bool,
            #[serde(default)]
            restored: bool,
        }
        if !line.starts_with('{') {
            return Ok(self);
        }
        let message: Message = serde_json::from_str(line)
            .with_context(|| format!("failed to parse Cargo's message `{line}`"))?;
        let is_artifact = message.reason == "compiler-artifact";
        let is_unit = is_artifact || message.reason == "build-script-executed";
        let is_compiled = is_artifact && !message.fresh && !message.restored;
        Ok(Units {
            total: self.total + usize::from(is_unit),
            compiled: self.compiled + usize::from(is_compiled),
            restored: self.restored + usize::from(is_artifact && message.restored),
        })
    }
}

/// Returns what a build says that it does.
pub(crate) fn work<'a>(said: impl Iterator<Item = &'a str>) -> Option<String> {
    said.map(str::trim_start)
        .find(|line| {
            ["Compiling ", "Dirty ", "Running "]
                .iter()
                .any(|it| line.starts_with(it))
        })
        .map(str::to_string)
}

fn disturbs(name: &str) -> bool {
    ["CARGO", "MAKEFLAGS", "MFLAGS", "RUST"]
        .iter()
        .any(|it| name.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_counted_from_messages() {
        let lines = [
            r#"{"reason":"compiler-artifact","fresh":true}"#,
            r#"{"reason":"compiler-artifact","fresh":false}"#,
            r#"{"reason":"compiler-artifact","fresh":false,"restored":true}"#,
            r#"{"reason":"build-script-executed"}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "not a message",
        ];
        let units = lines
            .iter()
            .try_fold(Units::default(), |it, line| it.and(line));
        let expected = Units {
            total: 4,
            compiled: 1,
            restored: 1,
        };
        assert_eq!(units.unwrap(), expected);
    }

    #[test]
    fn a_build_that_works_is_noticed() {
        let said = |stderr: &str| work(stderr.lines());
        assert_eq!(said("    Finished `dev` profile in 0.1s\n"), None);
        assert_eq!(
            said("   Compiling p00 v0.1.0\n    Finished\n").as_deref(),
            Some("Compiling p00 v0.1.0")
        );
    }

    #[test]
    fn nothing_that_steers_a_build_is_left() {
        for name in [
            "CARGO_BUILD_FINGERPRINT",
            "CARGO_HOOKS_BEFORE_BUILD",
            "CARGO_MAKEFLAGS",
            "RUSTC_WRAPPER",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(disturbs(name), "{name}");
        }
        assert!(!disturbs("PATH"));
    }
}
