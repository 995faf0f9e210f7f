//! [`Build`]: one build of a project, timed, and what Cargo's messages say of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process;

/// What one build came to.
#[derive(Default)]
pub(crate) struct Build {
    /// How long Cargo ran.
    pub(crate) took: Duration,
    /// Units whose outputs came from the cache.
    pub(crate) restored: usize,
    /// Units that were compiled.
    pub(crate) compiled: usize,
    /// Build scripts that ran, or whose folders came from the cache.
    pub(crate) scripts: usize,
    /// Units that did not come from the cache, and why.
    pub(crate) missed: Vec<Missed>,
    /// The bytes of the restored outputs.
    pub(crate) restored_bytes: u64,
    /// The programs, by file name.
    pub(crate) programs: BTreeMap<String, Program>,
}

/// A unit that did not come from the cache.
pub(crate) struct Missed {
    /// The unit, as people know it.
    pub(crate) shown: String,
    /// Whether it is the run of a build script.
    pub(crate) is_run: bool,
    /// The name of the reason.
    pub(crate) why: String,
    /// What else there is to say.
    pub(crate) detail: Option<String>,
}

/// A program that was built.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) restored: bool,
}

impl Program {
    /// Returns whether both are the same, byte for byte.
    pub(crate) fn equals(&self, other: &Program) -> Result<bool> {
        let read = |path: &Path| {
            fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))
        };
        Ok(read(&self.path)? == read(&other.path)?)
    }
}

/// The message of Cargo that tells of a finished unit, as far as it matters here.
#[derive(Deserialize)]
struct Artifact {
    reason: String,
    #[serde(default)]
    fresh: bool,
    #[serde(default)]
    restored: bool,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    executable: Option<PathBuf>,
}

/// The message of Cargo that tells of a unit in which hooks had no part.
#[derive(Deserialize)]
struct NotShared {
    unit: Unit,
    step: String,
    why: Why,
}

#[derive(Deserialize)]
struct Unit {
    package: String,
    target: String,
    mode: String,
}

#[derive(Deserialize)]
struct Why {
    name: String,
    detail: Option<String>,
}

impl Build {
    /// Builds the project in `checkout`. Cargo shows its progress as always.
    pub(crate) fn measure(mut cargo: Command, checkout: &Path, profile: &str) -> Result<Build> {
        cargo
            .args([
                "build",
                "--message-format=json-render-diagnostics",
                "--profile",
                profile,
            ])
            .stdout(Stdio::piped());
        let began = Instant::now();
        let mut child = process::spawn(&mut cargo)?;
        let stdout = child.stdout.take().context("failed to read from Cargo")?;
        let mut build = Build::default();
        for line in BufReader::new(stdout).lines() {
            build.add(&line.context("failed to read from Cargo")?)?;
        }
        let status = child.wait().context("failed to wait for Cargo")?;
        build.took = began.elapsed();
        if !status.success() {
            bail!("failed to build `{}`: {status}", checkout.display());
        }
        Ok(build)
    }

    fn add(&mut self, line: &str) -> Result<()> {
        // Programs that the build starts may print to standard output too.
        let Ok(artifact) = serde_json::from_str::<Artifact>(line) else {
            return Ok(());
        };
        match artifact.reason.as_str() {
            "compiler-artifact" => {}
            "build-script-executed" => {
                self.scripts += 1;
                return Ok(());
            }
            "unit-not-shared" => return self.add_missed(line),
            _ => return Ok(()),
        }
        if artifact.restored {
            self.restored += 1;
            for file in &artifact.filenames {
                self.restored_bytes += fs::metadata(file).map_or(0, |it| it.len());
            }
        } else if !artifact.fresh {
            self.compiled += 1;
        }
        if let Some(path) = artifact.executable {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let restored = artifact.restored;
            let program = Program { path, restored };
            self.programs.insert(name, program);
        }
        Ok(())
    }

    fn add_missed(&mut self, line: &str) -> Result<()> {
        let NotShared { unit, step, why } =
            serde_json::from_str(line).context("failed to read a message of Cargo")?;
        if step != "stored" {
            self.missed.push(Missed {
                shown: format!("{} ({}, {})", unit.package, unit.target, unit.mode),
                is_run: unit.mode == "run-build-script",
                why: why.name,
                detail: why.detail,
            });
        }
        Ok(())
    }

    /// Returns how many build scripts ran.
    pub(crate) fn ran(&self) -> usize {
        self.missed.iter().filter(|it| it.is_run).count()
    }
}
