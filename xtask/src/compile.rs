//! Runs `cargo build` and reads its messages: which programs it made, and what it warned about.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::pin::Pin;
use crate::process;
use crate::repo::Repo;

/// How to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Compiles fast.
    Quick,
    /// Runs fast.
    Release,
}

impl Profile {
    /// Returns the one that an option `--quick` asks for.
    pub(crate) fn of(quick: bool) -> Profile {
        if quick {
            Profile::Quick
        } else {
            Profile::Release
        }
    }

    /// Its name in messages and in the stamp.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Quick => "quick",
            Profile::Release => "release",
        }
    }
}

/// What a build gave.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    /// Programs, by the name of their target.
    pub(crate) programs: BTreeMap<String, PathBuf>,
    /// Warnings, fresh or replayed; only with [`Warnings::Collect`].
    pub(crate) warnings: Vec<Warning>,
}

/// A warning of the compiler.
#[derive(Debug)]
pub(crate) struct Warning {
    /// The files it points at, relative to the package or workspace.
    pub(crate) files: Vec<String>,
    /// The text.
    pub(crate) rendered: String,
}

/// What to do with warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warnings {
    /// Cargo prints them.
    Print,
    /// They are returned.
    Collect,
}

/// Builds the fork's `cargo` in the patched tree.
pub(crate) fn fork(
    repo: &Repo,
    pin: &Pin,
    profile: Profile,
    warnings: Warnings,
) -> Result<Compiled> {
    let description = format!(
        "hooked {}, upstream {} {}",
        env!("CARGO_PKG_VERSION"),
        pin.name,
        pin.version
    );
    let command = cargo(repo, &repo.fork_folder(pin), profile, &description);
    build(command, warnings).context("failed to build the fork")
}

/// Builds upstream's `cargo` as it is, in a workspace that holds it, with the flags of the fork.
pub(crate) fn stock(
    repo: &Repo,
    pin: &Pin,
    profile: Profile,
    workspace: &Path,
) -> Result<Compiled> {
    let description = format!("upstream {} {}", pin.name, pin.version);
    let command = cargo(repo, workspace, profile, &description);
    build(command, Warnings::Print).context("failed to build upstream's Cargo")
}

/// Returns the command that builds a `cargo`; `description` is what `--version` says after the number.
///
/// Both write to one build directory, so that what they depend on is compiled once.
fn cargo(repo: &Repo, folder: &Path, profile: Profile, description: &str) -> Command {
    let mut command = subcommand(repo, folder, "build", profile);
    command.env("CFG_VER_DESCRIPTION", description);
    // It stands in for a stable Cargo, and is to refuse what that refuses.
    command.env("CFG_RELEASE_CHANNEL", "stable");
    command
}

/// Has the compiler check a `cargo`, without a word about its warnings.
pub(crate) fn check(repo: &Repo, folder: &Path) -> Result<()> {
    let command = subcommand(repo, folder, "check", Profile::Quick);
    build(command, Warnings::Collect).map(drop)
}

fn subcommand(repo: &Repo, folder: &Path, name: &str, profile: Profile) -> Command {
    let mut command = repo.cargo();
    command.current_dir(folder);
    command.args([name, "--locked", "--bin", "cargo"]);
    match profile {
        Profile::Quick => command.args(["--config", "profile.dev.debug=0"]),
        Profile::Release => command.arg("--release"),
    };
    if !has_openssl() {
        eprintln!(
            "[build] OpenSSL is not installed here: building it too, which needs `perl` and `make`"
        );
        command.args(["--features", "vendored-openssl"]);
    }
    command.env("CARGO_TARGET_DIR", repo.join("target/fork-build"));
    command
}

/// Returns whether Cargo finds an OpenSSL to link: the user names one, `pkg-config` does, or the platform
/// has another library for the purpose.
pub(crate) fn has_openssl() -> bool {
    let named = ["OPENSSL_DIR", "OPENSSL_LIB_DIR"];
    cfg!(windows)
        || cfg!(target_os = "macos")
        || named.iter().any(|name| std::env::var_os(name).is_some())
        || std::process::Command::new("pkg-config")
            .args(["--exists", "openssl"])
            .status()
            .is_ok_and(|status| status.success())
}

/// Builds the programs of packages of this workspace.
pub(crate) fn members(repo: &Repo, packages: &[&str], profile: Profile) -> Result<Compiled> {
    let mut command = repo.cargo();
    command.args(["build", "--bins"]);
    for package in packages {
        command.args(["--package", package]);
    }
    if profile == Profile::Release {
        command.arg("--release");
    }
    build(command, Warnings::Print).context("failed to build what is shipped beside the fork")
}

fn build(mut command: Command, warnings: Warnings) -> Result<Compiled> {
    command.arg(match warnings {
        Warnings::Print => "--message-format=json-render-diagnostics",
        Warnings::Collect => "--message-format=json",
    });
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = process::spawn(&mut command)?;
    let stdout = child
        .stdout
        .take()
        .context("failed to read the messages of Cargo")?;
    let mut compiled = Compiled::default();
    let mut errors = String::new();
    for line in BufReader::new(stdout).lines() {
        let line = line.context("failed to read the messages of Cargo")?;
        if line.starts_with('{') {
            compiled.note(&line, &mut errors)?;
        }
    }
    let status = child.wait().context("failed to wait for Cargo")?;
    if !status.success() {
        eprint!("{errors}");
        bail!("failed to run `{}`: {status}", process::display(&command));
    }
    Ok(compiled)
}

impl Compiled {
    /// Returns a program.
    pub(crate) fn program(&self, name: &str) -> Result<&PathBuf> {
        self.programs
            .get(name)
            .with_context(|| format!("Cargo has built no program `{name}`"))
    }

    fn note(&mut self, line: &str, errors: &mut String) -> Result<()> {
        let message: Message = serde_json::from_str(line)
            .with_context(|| format!("failed to parse Cargo's message `{line}`"))?;
        match message {
            Message::Artifact {
                target,
                executable: Some(executable),
            } => {
                self.programs.insert(target.name, executable);
            }
            Message::Diagnostic { message } if message.level == "warning" => {
                let files = message
                    .spans
                    .into_iter()
                    .filter(|it| it.is_primary)
                    .map(|it| it.file_name)
                    .collect();
                self.warnings.push(Warning {
                    files,
                    rendered: message.rendered.unwrap_or(message.message),
                });
            }
            Message::Diagnostic { message } if message.level == "error" => {
                errors.push_str(&message.rendered.unwrap_or(message.message));
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Artifact {
        target: Target,
        executable: Option<PathBuf>,
    },
    #[serde(rename = "compiler-message")]
    Diagnostic { message: Diagnostic },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    rendered: Option<String>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    is_primary: bool,
}
