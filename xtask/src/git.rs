//! Runs git on a repository of ours, without the user's git configuration.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::process;

/// The tag on pristine upstream.
pub(crate) const UPSTREAM: &str = "upstream";

/// A git repository.
pub(crate) struct Git {
    folder: PathBuf,
}

impl Git {
    /// Opens the repository in a folder.
    pub(crate) fn open(folder: &Path) -> Git {
        Git {
            folder: folder.to_path_buf(),
        }
    }

    /// Its work tree.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns a git command; settings that would change commits or diffs are neutralised.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|it| it.starts_with("GIT_")) {
                command.env_remove(name);
            }
        }
        let nothing = if cfg!(windows) { "NUL" } else { "/dev/null" };
        command
            .env("GIT_CONFIG_GLOBAL", nothing)
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "cargo-fork");
            command.env(format!("GIT_{role}_EMAIL"), "cargo-fork@localhost");
            command.env(format!("GIT_{role}_DATE"), "946684800 +0000");
        }
        command
            .env("LC_ALL", "C")
            .arg("--no-pager")
            .arg("-C")
            .arg(&self.folder)
            .args(arguments);
        command
    }

    /// Runs git and returns what it printed, exactly.
    pub(crate) fn read(&self, arguments: &[&str]) -> Result<String> {
        process::read(&mut self.command(arguments))
    }

    /// Runs git and returns what it printed, without the newline at the end.
    pub(crate) fn line(&self, arguments: &[&str]) -> Result<String> {
        Ok(self.read(arguments)?.trim_end().to_string())
    }

    /// Runs git with something to read.
    pub(crate) fn feed(&self, arguments: &[&str], input: &[u8]) -> Result<()> {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = process::spawn(&mut command)?;
        let mut stdin = child.stdin.take().context("failed to write to `git`")?;
        let written = stdin.write_all(input);
        drop(stdin);
        let output = child
            .wait_with_output()
            .context("failed to wait for `git`")?;
        process::check(&command, &output)?;
        written.context("failed to write to `git`")
    }
}
