//! What a Cargo told of its builds: which units it compiled, restored and missed, and what the compiler said.
//!
//! A unit is known by its `-C metadata`, which is the same in every checkout, and for upstream's Cargo and the fork.
//! The names of its files have another hash in them, `-C extra-filename`, which the fork makes from more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::repo;
use crate::transcript::Transcript;
use crate::tree::sha256;

/// How many digits such a hash has.
pub(crate) const HASH: usize = 16;

/// Everything that is known of the builds of one contender with one profile.
#[derive(Default)]
pub(crate) struct Record {
    /// The units that were compiled, by their metadata.
    pub(crate) units: BTreeMap<String, Unit>,
    /// What stands for each hash in the names of files.
    pub(crate) tokens: BTreeMap<String, String>,
    /// What was said, without places of this machine, in alphabetical order.
    pub(crate) warnings: Vec<String>,
    /// Why units were compiled though there is a cache, by their description.
    pub(crate) missed: BTreeMap<String, BTreeSet<String>>,
    /// What was not stored, and why.
    pub(crate) unshared: BTreeSet<String>,
    /// How many units were restored.
    pub(crate) restored: usize,
    /// Whether files were restored, by their path below the build directory.
    pub(crate) is_restored: BTreeMap<String, bool>,
    artifacts: Vec<Artifact>,
}

/// A unit that was compiled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The name of the crate.
    pub(crate) crate_name: String,
    /// The hash in the names of its files.
    pub(crate) file_hash: String,
    /// Whether it is compiled with `--test`.
    pub(crate) is_test: bool,
    /// When the compiler was started.
    pub(crate) began: SystemTime,
    /// The package and the target, as Cargo's messages have them.
    pub(crate) label: String,
}

impl Record {
    /// Reads what a contender printed in a checkout.
    pub(crate) fn new(checkout: &Path, transcripts: &[Transcript]) -> Result<Record> {
        let names = Names::new(checkout, &repo::cargo_home()?);
        let mut record = Record::default();
        for transcript in transcripts {
            for line in &transcript.stderr {
                record.note(&line.text, line.time, &names);
            }
            for line in transcript
                .stdout
                .iter()
                .filter(|it| it.text.starts_with('{'))
            {
                record.add(&line.text, &names)?;
            }
        }
        record.finish();
        Ok(record)
    }

    /// The hashes in the names of the files of units that were compiled.
    pub(crate) fn compiled_hashes(&self) -> BTreeSet<&str> {
        self.units
            .values()
            .map(|it| it.file_hash.as_str())
            .collect()
    }

    /// Takes note of a line for people.
    fn note(&mut self, line: &str, time: SystemTime, names: &Names) {
        let text = line.trim_start();
        if let Some((metadata, unit)) = running(text, time) {
            self.tokens.insert(unit.file_hash.clone(), metadata.clone());
            self.units.insert(metadata, unit);
        } else if let Some((label, reason)) = text.strip_prefix("Missed ").and_then(explained) {
            self.missed.entry(label).or_default().insert(reason);
        } else if let Some((label, reason)) = text.strip_prefix("Unshared ").and_then(explained) {
            self.unshared
                .insert(format!("{label}: {}", names.replace(&reason)));
        } else if line.starts_with("warning: ") {
            self.warnings.push(names.replace(line));
        }
    }

    /// Takes note of a message for machines.
    fn add(&mut self, line: &str, names: &Names) -> Result<()> {
        let message = serde_json::from_str(line);
        match message.with_context(|| format!("failed to parse Cargo's message `{line}`"))? {
            Message::Artifact(mut artifact) => {
                for file in &mut artifact.filenames {
                    *file = names.below_target(file);
                    let is_restored = self.is_restored.entry(file.clone()).or_default();
                    *is_restored |= artifact.restored;
                }
                self.restored += usize::from(artifact.restored);
                self.artifacts.push(artifact);
            }
            Message::Diagnostic {
                package_id,
                target,
                message,
            } => {
                let text = message.rendered.unwrap_or(message.message);
                let text = format!("{}\n{text}", label(&package_id, &target));
                self.warnings.push(names.replace(&text));
            }
            Message::Script {
                package_id,
                out_dir,
            } => {
                let folder = out_dir.strip_suffix("/out").unwrap_or(&out_dir);
                let token = sha256(format!("run {}", package(&package_id)).as_bytes());
                if let Some((_, hash)) = folder.rsplit_once('-') {
                    self.tokens
                        .insert(hash.to_string(), token[..HASH].to_string());
                }
            }
            Message::Other => {}
        }
        Ok(())
    }

    /// Brings together what different messages tell.
    fn finish(&mut self) {
        for unit in self.units.values_mut() {
            let found = self.artifacts.iter().find(|it| it.is_of(unit));
            if let Some(artifact) = found {
                unit.label = label(&artifact.package_id, &artifact.target);
            }
        }
        for warning in &mut self.warnings {
            for (hash, token) in &self.tokens {
                if warning.contains(hash) {
                    *warning = warning.replace(hash, token);
                }
            }
        }
        self.warnings.sort();
        self.warnings.dedup();
    }
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Artifact(Artifact),
    #[serde(rename = "compiler-message")]
    Diagnostic {
        package_id: String,
        target: Target,
        message: Diagnostic,
    },
    #[serde(rename = "build-script-executed")]
    Script { package_id: String, out_dir: String },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    profile: Profile,
    filenames: Vec<String>,
    #[serde(default)]
    restored: bool,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Diagnostic {
    message: String,
    rendered: Option<String>,
}

impl Artifact {
    fn is_of(&self, unit: &Unit) -> bool {
        if self.filenames.iter().any(|it| it.contains(&unit.file_hash)) {
            return true;
        }
        // Of a program only the copy without a hash is told.
        let is_program = ["bin", "example"]
            .iter()
            .any(|it| self.target.kind.iter().any(|kind| kind == it));
        is_program
            && self.profile.test == unit.is_test
            && self.target.name.replace('-', "_") == unit.crate_name
    }
}

/// Returns name and version of a package.
fn package(id: &str) -> String {
    let (place, rest) = id.rsplit_once('#').unwrap_or(("", id));
    match rest.rsplit_once('@') {
        Some((name, version)) => format!("{name} v{version}"),
        None => {
            let name = place.rsplit('/').next().unwrap_or_default();
            format!("{name} v{rest}")
        }
    }
}

/// Describes a unit as Cargo's messages for people do.
fn label(package_id: &str, target: &Target) -> String {
    let kind = target.kind.first().map_or("", String::as_str);
    let target = match kind {
        "bin" | "test" | "bench" | "example" => format!("{kind} \"{}\"", target.name),
        "custom-build" => "build script".to_string(),
        _ => "lib".to_string(),
    };
    format!("{} ({target})", package(package_id))
}

/// Parses `PACKAGE (TARGET): REASON`. A package of the workspace has its place behind the version, which goes.
fn explained(text: &str) -> Option<(String, String)> {
    let (label, reason) = text.split_once("): ")?;
    let (package, target) = label.rsplit_once(" (")?;
    let package = package.split_once(" (").map_or(package, |(it, _)| it);
    Some((format!("{package} ({target})"), reason.to_string()))
}

/// Parses the line that shows a command of the compiler.
fn running(line: &str, began: SystemTime) -> Option<(String, Unit)> {
    let command = line.strip_prefix("Running `")?.strip_suffix('`')?;
    let words: Vec<&str> = command.split(' ').collect();
    let name = words.iter().position(|it| *it == "--crate-name")?;
    let value = |prefix: &str| words.iter().find_map(|it| it.strip_prefix(prefix));
    let metadata = value("metadata=").filter(|it| is_hash(it))?;
    let file_hash = value("extra-filename=-").filter(|it| is_hash(it))?;
    let crate_name = words.get(name + 1)?.to_string();
    let unit = Unit {
        label: crate_name.clone(),
        crate_name,
        file_hash: file_hash.to_string(),
        is_test: words.contains(&"--test"),
        began,
    };
    Some((metadata.to_string(), unit))
}

fn is_hash(text: &str) -> bool {
    text.len() == HASH && text.bytes().all(is_hash_digit)
}

/// Tells whether a byte is a digit as hashes in file names have them.
pub(crate) fn is_hash_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Names that stand for places of this machine.
struct Names {
    target: String,
    pairs: Vec<(String, &'static str)>,
}

impl Names {
    fn new(checkout: &Path, cargo_home: &Path) -> Names {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let target = text(&checkout.join("target"));
        let pairs = vec![
            (target.clone(), "/cargo/build-dir"),
            (text(checkout), "."),
            (text(&cargo_home.join("registry/src")), "/cargo/registry"),
        ];
        Names { target, pairs }
    }

    fn replace(&self, text: &str) -> String {
        let replace = |text: String, (path, name): &(String, &str)| text.replace(path, name);
        self.pairs.iter().fold(text.to_string(), replace)
    }

    fn below_target(&self, path: &str) -> String {
        let below = path.strip_prefix(&self.target);
        below
            .map_or(path, |it| it.trim_start_matches('/'))
            .to_string()
    }
}

#[cfg(test)]
mod tests;
