//! A Cargo in a checkout: how it is run so that nobody's settings have a say.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::pin;
use crate::repo;
use crate::transcript::Transcript;

/// The hook that is tried.
const HOOK: &str = "cargo:local-cache";

/// A Cargo with its settings, and the checkout in which it works.
pub(crate) struct Contender {
    /// What it is called in messages, and in the names of its logs.
    pub(crate) name: &'static str,
    program: PathBuf,
    checkout: PathBuf,
    settings: Vec<(&'static str, OsString)>,
    logs: PathBuf,
}

impl Contender {
    /// Upstream's Cargo, with the names for places that the fork gives them.
    pub(crate) fn stock(program: &Path, checkout: &Path, logs: &Path) -> Result<Contender> {
        let pairs = renamed(checkout, &repo::cargo_home()?);
        let rust = flags("--remap-path-prefix=", &pairs).join("\u{1f}");
        let c = flags("-ffile-prefix-map=", &pairs).join(" ");
        let settings = vec![
            ("CARGO_ENCODED_RUSTFLAGS", rust.into()),
            (C_FLAGS, c.clone().into()),
            (CXX_FLAGS, c.into()),
        ];
        Contender::new("stock", program, checkout, logs, settings)
    }

    /// The fork with a cache.
    pub(crate) fn fork(
        name: &'static str,
        program: &Path,
        checkout: &Path,
        logs: &Path,
        cache: &Path,
    ) -> Result<Contender> {
        let settings = vec![
            ("CARGO_HOOKS_BEFORE_BUILD", HOOK.into()),
            ("CARGO_HOOKS_AFTER_BUILD", HOOK.into()),
            ("CARGO_LOCAL_CACHE_DIR", cache.into()),
        ];
        Contender::new(name, program, checkout, logs, settings)
    }

    fn new(
        name: &'static str,
        program: &Path,
        checkout: &Path,
        logs: &Path,
        mut settings: Vec<(&'static str, OsString)>,
    ) -> Result<Contender> {
        settings.push(("RUSTC", pin::real_rustc()?.into()));
        // Symbols tell functions apart that have other places.
        settings.push(("CARGO_PROFILE_RELEASE_STRIP", "none".into()));
        Ok(Contender {
            name,
            program: program.to_path_buf(),
            checkout: checkout.to_path_buf(),
            settings,
            logs: logs.to_path_buf(),
        })
    }

    /// The checkout in which it works.
    pub(crate) fn checkout(&self) -> &Path {
        &self.checkout
    }

    /// The build directory, which is below the checkout.
    pub(crate) fn target(&self) -> PathBuf {
        self.checkout.join("target")
    }

    /// Runs it; a bad exit status is an error with what was said.
    pub(crate) fn run(&self, step: &str, arguments: &[&str]) -> Result<Transcript> {
        let transcript = self.try_run(step, arguments)?;
        if !transcript.succeeded {
            let said = transcript.errors();
            bail!(
                "`{}` failed to run `cargo {}` in `{}`\n{}",
                self.name,
                arguments.join(" "),
                self.checkout.display(),
                said.join("\n")
            );
        }
        Ok(transcript)
    }

    /// Runs it, and keeps a log of what it prints; `step` names the log.
    pub(crate) fn try_run(&self, step: &str, arguments: &[&str]) -> Result<Transcript> {
        let mut command = self.command();
        let transcript = Transcript::of(command.args(arguments))?;
        for (stream, lines) in [("out", &transcript.stdout), ("err", &transcript.stderr)] {
            let text: String = lines.iter().map(|it| it.text.clone() + "\n").collect();
            let log = self.logs.join(format!("{}-{step}.{stream}", self.name));
            fs::write(&log, text)
                .with_context(|| format!("failed to write `{}`", log.display()))?;
        }
        Ok(transcript)
    }

    /// The program with what is set here, and with nothing that the user has set for builds.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(disturbs)) {
            command.env_remove(name);
        }
        command
            .current_dir(&self.checkout)
            // What is compiled incrementally is not the same twice.
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TERM_COLOR", "never")
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The variables in which the fork tells C compilers these names.
const C_FLAGS: &str = "CFLAGS_x86_64_unknown_linux_gnu";
const CXX_FLAGS: &str = "CXXFLAGS_x86_64_unknown_linux_gnu";

/// Places, and the other names that the fork tells compilers for them: the shortest path first.
fn renamed(workspace: &Path, cargo_home: &Path) -> Vec<(String, &'static str)> {
    let mut pairs: Vec<(String, &str)> = Vec::new();
    for (path, name) in [
        (workspace.to_path_buf(), "."),
        (workspace.join("target"), "/cargo/build-dir"),
        (cargo_home.join("registry/src"), "/cargo/registry"),
        (cargo_home.join("git/checkouts"), "/cargo/git"),
    ] {
        for form in [Some(path.clone()), path.canonicalize().ok()] {
            let Some(form) = form.and_then(|it| it.to_str().map(str::to_string)) else {
                continue;
            };
            if !pairs.iter().any(|(known, _)| *known == form) {
                pairs.push((form, name));
            }
        }
    }
    pairs.sort_by_key(|(path, _)| path.len());
    pairs
}

fn flags(flag: &str, pairs: &[(String, &str)]) -> Vec<String> {
    let flag = |(path, name): &(String, &str)| format!("{flag}{path}={name}");
    pairs.iter().map(flag).collect()
}

/// Tells whether a variable would steer a build. Where downloads come from, and how many jobs there are, is the
/// user's affair.
pub(crate) fn disturbs(name: &str) -> bool {
    const KEPT: [&str; 7] = [
        "CARGO_BUILD_JOBS",
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "RUSTUP_",
    ];
    ["CARGO", "MAKEFLAGS", "MFLAGS", "OUT_DIR", "RUST"]
        .iter()
        .any(|it| name.starts_with(it))
        && !KEPT.iter().any(|it| name.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_paths_are_renamed_first() {
        let pairs = renamed(Path::new("/x/a/longer/place"), Path::new("/x"));
        let flags = flags("--remap-path-prefix=", &pairs);
        let expected = [
            "--remap-path-prefix=/x/registry/src=/cargo/registry",
            "--remap-path-prefix=/x/git/checkouts=/cargo/git",
            "--remap-path-prefix=/x/a/longer/place=.",
            "--remap-path-prefix=/x/a/longer/place/target=/cargo/build-dir",
        ];
        assert_eq!(flags, expected);
    }

    #[test]
    fn only_what_steers_builds_is_taken_away() {
        for name in ["CARGO_PROFILE_DEV_DEBUG", "RUSTFLAGS", "CARGO", "MAKEFLAGS"] {
            assert!(disturbs(name), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "RUSTUP_TOOLCHAIN",
            "PATH",
        ] {
            assert!(!disturbs(name), "{name}");
        }
    }
}
