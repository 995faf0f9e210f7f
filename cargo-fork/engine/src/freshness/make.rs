//! Making the record of a unit that was built.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use hook_protocol::Digest;
use walkdir::WalkDir;

use super::listing;
use super::record::{Folder, Input, Nature, Output, Record, Reference, Stamp};
use super::{Freshness, Phase, Unit, nanos};
use crate::before::{Before, Clock};
use crate::env_use;
use crate::files::{Hashed, Stat, hash};
use crate::macros;

/// What Cargo knows of a unit that was built.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What it knows of the unit itself, as a hash.
    pub own: String,
    /// The files that the unit read, or must not change; with the digest of what was read, where the
    /// compiler tells.
    pub files: Vec<(PathBuf, Option<Digest>)>,
    /// Folders that a build script declares.
    pub folders: Vec<PathBuf>,
    /// The variables that decide on freshness.
    pub env: Vec<(String, Option<String>)>,
    /// Every variable that the compiler says it looked at, with the value that it saw.
    pub seen_env: Vec<(String, Option<String>)>,
    /// Whether the package is at a place of its own, which scripts and macros may have learnt.
    pub is_local: bool,
    /// The folder above which nothing is expected to be moved while the unit is built.
    pub within: PathBuf,
    /// What Cargo's fingerprint says of the package, where it reads all of it, and the names of its files.
    pub package: Option<(String, Digest)>,
}

impl Freshness {
    /// Makes the record of a unit that was built; `before` is what was there when that began, if it was
    /// in this build.
    pub(super) fn make(
        &self,
        unit: &Unit,
        before: Option<&Before>,
        facts: Facts,
        phase: Phase,
    ) -> io::Result<Record> {
        let adopted = self.clock();
        let clock = before.map(Before::clock).or(adopted);
        let built = clock.and_then(|clock| nanos(clock.now())).unwrap_or(0);
        let mut record = Record {
            own: facts.own.clone(),
            built: built.to_string(),
            reference: Reference::of(&unit.reference),
            made: clock.and_then(|clock| nanos(clock.now())),
            unstable: None,
            bound: bound(unit, &facts, phase),
            env: facts.env.clone(),
            inputs: Vec::new(),
            folders: Vec::new(),
            absent: Vec::new(),
            outputs: Vec::new(),
            dependencies: Vec::new(),
            effect: None,
            package: facts.package.clone(),
            nature: nature(unit)?,
        };
        self.make_inputs(unit, before, clock, &facts, &mut record)?;
        self.make_outputs(unit, &mut record)?;
        let impure = unit.reaches(phase).impure;
        for edge in &unit.edges {
            let digest = edge.digest(&self.digests, impure, phase)?;
            record.dependencies.push((edge.node.id.clone(), digest));
        }
        Ok(record)
    }

    fn make_inputs(
        &self,
        unit: &Unit,
        before: Option<&Before>,
        clock: Option<Clock>,
        facts: &Facts,
        record: &mut Record,
    ) -> io::Result<()> {
        let mut files: HashMap<PathBuf, Option<Digest>> = facts.files.iter().cloned().collect();
        for folder in &facts.folders {
            let listing = listing::list(folder, &unit.places.excluded())?;
            files.extend(listing.files.into_iter().map(|file| (file, None)));
            record.folders.push(Folder {
                path: name(unit, folder)?,
                listing: listing.digest,
                by_times: listing.by_times,
            });
        }
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort();
        for (path, reported) in files {
            let (hashed, is_stable) = self.look_after(&path, reported, before, &facts.within)?;
            if !is_stable && record.unstable.is_none() {
                record.unstable = Some(name(unit, &path)?);
            }
            let settled = match before {
                Some(before) => before.is_settled(&hashed.stat),
                None => clock.is_some_and(|clock| clock.is_settled(&hashed.stat)),
            };
            if let Some(twin) = twin(&path).filter(|twin| !twin.exists()) {
                record.absent.push(name(unit, &twin)?);
            }
            record.inputs.push(Input {
                path: name(unit, &path)?,
                stamp: Stamp::from(&hashed.stat),
                digest: hashed.digest,
                settled,
            });
        }
        Ok(())
    }

    /// Returns an input as it is now, and whether that is what was built.
    fn look_after(
        &self,
        path: &Path,
        reported: Option<Digest>,
        before: Option<&Before>,
        within: &Path,
    ) -> io::Result<(Hashed, bool)> {
        if let Some(reported) = reported {
            let now = hash(path)?;
            return Ok((now, now.digest == reported));
        }
        let Some(before) = before else {
            return Ok((self.digests.input(path)?, true));
        };
        if let Some(hashed) = before.unchanged(path, within, &self.digests) {
            return Ok((hashed, true));
        }
        Ok((hash(path)?, false))
    }

    fn make_outputs(&self, unit: &Unit, record: &mut Record) -> io::Result<()> {
        for (path, _) in unit.outputs.iter().filter(|(_, counts)| *counts) {
            let hashed = self.digests.once(path)?;
            record.outputs.push(Output {
                path: name(unit, path)?,
                stamp: Stamp::from(&Stat::of(path)?),
                digest: hashed.digest,
            });
        }
        if let Some(folder) = &unit.out_dir {
            record.effect = Some(effect(&unit.reference, folder, &record.built)?);
        }
        Ok(())
    }
}

fn name(unit: &Unit, path: &Path) -> io::Result<String> {
    let text = || format!("`{}` is not UTF-8", path.display());
    unit.places
        .name(path)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, text()))
}

/// Returns the file beside a module's that the compiler would refuse as ambiguous: `foo/mod.rs` for
/// `foo.rs`, and the reverse.
fn twin(path: &Path) -> Option<PathBuf> {
    let (stem, extension) = (path.file_stem()?, path.extension()?);
    if extension != "rs" {
        None
    } else if stem == "mod" {
        Some(path.parent()?.with_extension("rs"))
    } else if stem == "lib" || stem == "main" {
        None
    } else {
        Some(path.with_extension("").join("mod.rs"))
    }
}

/// Returns the paths on which a unit depends: those of places that a variable held which it used for
/// more than to name files, and all if a macro or a script may have learnt them otherwise.
fn bound(unit: &Unit, facts: &Facts, phase: Phase) -> BTreeMap<String, String> {
    let is_told = unit.reaches(phase).knows_places;
    if facts.is_local && (unit.node.is_run() || is_told) {
        return unit.places.all();
    }
    let mut bound = BTreeMap::new();
    let inputs: BTreeSet<&Path> = facts.files.iter().map(|(path, _)| path.as_path()).collect();
    for (name, value) in &facts.seen_env {
        let Some(value) = value else { continue };
        let mentioned = unit.places.mentioned(value);
        if !mentioned.is_empty() && !names_only_files(name, value, &inputs) {
            bound.extend(mentioned);
        }
    }
    bound
}

fn names_only_files(name: &str, value: &str, inputs: &BTreeSet<&Path>) -> bool {
    if name.starts_with("CARGO_BIN_EXE_") || !inputs.iter().any(|path| path.starts_with(value)) {
        return false;
    }
    let texts: Vec<String> = inputs
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    env_use::only_names_files(name, texts.iter().map(String::as_str))
}

fn nature(unit: &Unit) -> io::Result<Nature> {
    let Some(library) = unit.node.as_macro() else {
        return Ok(Nature::default());
    };
    let (powers, knows_places) = macros::judge_library(library)?;
    Ok(Nature {
        impure: powers.is_impure(),
        knows_places,
    })
}

/// Returns what the run of a build script came to: what it said, and what it left in its folder. A
/// script that names other places may have left something there, so that no two runs of it are alike.
///
/// # Errors
///
/// If something cannot be read.
pub(super) fn effect(stdout: &Path, folder: &Path, built: &str) -> io::Result<Digest> {
    let said = std::fs::read(stdout)?;
    let said = String::from_utf8_lossy(&said);
    let mut lines = Vec::new();
    for line in said.lines().filter(|line| line.starts_with("cargo:")) {
        lines.push(line.to_owned());
        if names_another_place(line, folder) {
            lines.push(format!("run {built}"));
        }
    }
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        let path = entry.path();
        let name = path.strip_prefix(folder).unwrap_or(path).display();
        let kind = entry.file_type();
        let content = if kind.is_file() {
            hash(path)?.digest.to_string()
        } else if kind.is_symlink() {
            // What it leads to may lie anywhere.
            lines.push(format!("run {built}"));
            std::fs::read_link(path)?.display().to_string()
        } else {
            "folder".to_owned()
        };
        lines.push(format!("{name:?} {content}"));
    }
    Ok(Digest::of(lines.join("\n").as_bytes()))
}

/// Returns whether what a build script says names a place other than its own folder.
fn names_another_place(line: &str, folder: &Path) -> bool {
    let directive = line.trim_start_matches("cargo:").trim_start_matches(':');
    if directive.starts_with("rerun-if-") || directive.starts_with("warning=") {
        return false;
    }
    let searches = ["rustc-link-search", "rustc-flags"];
    let searches = searches.iter().any(|it| directive.starts_with(it));
    let mut words = directive
        .split(|c: char| c.is_whitespace() || "=:,;\"'".contains(c))
        .filter(|word| word.contains(['/', '\\']))
        .peekable();
    // A name without a separator is relative to where the script runs.
    searches && words.peek().is_none() || words.any(|word| !Path::new(word).starts_with(folder))
}
