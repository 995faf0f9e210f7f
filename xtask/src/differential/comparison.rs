//! Compares three builds: the artifacts, and what was said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::differential::artifacts::{self, File, Kind};
use crate::differential::digests::Digests;
use crate::differential::native;
use crate::differential::order::Standard;
use crate::differential::record::Record;

/// Why what build scripts leave may differ. What matters of it is in artifacts, which must not.
const SCRIPT: &str = "a build script ran for each";

/// What one contender made.
pub(crate) struct Built {
    pub(crate) name: &'static str,
    /// Where it was built.
    pub(crate) checkout: PathBuf,
    /// Its build directory.
    pub(crate) target: PathBuf,
    pub(crate) record: Record,
}

/// How two build directories compare.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Files that are the same, byte for byte.
    pub(crate) equal: usize,
    /// Files that are the same but for the hashes in the names of files.
    pub(crate) renamed: usize,
    /// Files that moreover hold digests of such names.
    pub(crate) digests: usize,
    /// Files that differ, or are missing, for a reason that is known; and the reason.
    pub(crate) explained: Vec<Explained>,
    /// Whether functions of optimised programs may have other places.
    is_reordered: bool,
    /// Files that differ, and must not.
    pub(crate) problems: Vec<String>,
}

/// A file that differs, and may.
#[derive(Debug)]
pub(crate) struct Explained {
    pub(crate) path: String,
    pub(crate) what: String,
    pub(crate) reason: &'static str,
}

/// Compares what upstream's Cargo made with what the fork made.
pub(crate) fn with_stock(stock: &Built, cold: &Built, standard: &Standard) -> Result<Comparison> {
    let is_reordered = standard.is_reordered([&stock.record, &cold.record]);
    let mut comparison = Comparison {
        is_reordered,
        ..Comparison::default()
    };
    let units = [stock, cold].map(|it| it.record.units.keys().collect::<BTreeSet<_>>());
    for (one, other, built) in [(0, 1, stock), (1, 0, cold)] {
        for metadata in units[one].difference(&units[other]) {
            let label = &built.record.units[*metadata].label;
            comparison
                .problems
                .push(format!("only `{}` compiles {label}", built.name));
        }
    }
    let mut digests = Digests::default();
    let [mut left, mut right] = [by_canonical_path(stock)?, by_canonical_path(cold)?];
    let paths: BTreeSet<String> = left.keys().chain(right.keys()).cloned().collect();
    for path in paths {
        let files = [left.remove(&path), right.remove(&path)].map(Option::unwrap_or_default);
        if files[0].len() != files[1].len() {
            let is_script = files.iter().flatten().all(|it| it.kind == Kind::Script);
            let counts = files.map(|it| it.len());
            let what = format!("{} files of `stock`, {} of the fork", counts[0], counts[1]);
            comparison.file(is_script.then_some(SCRIPT), path, &what);
            continue;
        }
        compare_renamed(&mut comparison, &mut digests, &path, &files, [stock, cold])?;
    }
    Ok(comparison)
}

/// Returns the files by their path without hashes: build scripts that run more than once have several with one path.
fn by_canonical_path(built: &Built) -> Result<BTreeMap<String, Vec<File>>> {
    let mut found: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for (path, file) in artifacts::files(&built.target)? {
        let path = artifacts::canonical_path(&path, &built.record.tokens);
        found.entry(path).or_default().push(file);
    }
    Ok(found)
}

fn compare_renamed(
    comparison: &mut Comparison,
    digests: &mut Digests,
    path: &str,
    files: &[Vec<File>; 2],
    built: [&Built; 2],
) -> Result<()> {
    let mut contents: [Vec<Vec<u8>>; 2] = Default::default();
    let mut plain: [Vec<Vec<u8>>; 2] = Default::default();
    for side in 0..2 {
        for file in &files[side] {
            plain[side].push(artifacts::read(&file.place)?);
        }
        plain[side].sort();
    }
    if plain[0] == plain[1] {
        comparison.equal += files[0].len();
        return Ok(());
    }
    for (side, plain) in plain.into_iter().enumerate() {
        let tokens = &built[side].record.tokens;
        contents[side] = plain
            .into_iter()
            .map(|it| artifacts::canonical(it, tokens))
            .collect();
        contents[side].sort();
    }
    for (left, right) in contents[0].iter().zip(&contents[1]) {
        match artifacts::compare(left, right) {
            None => comparison.renamed += 1,
            Some(_) if digests.explain(left, right) => comparison.digests += 1,
            Some(difference) if files[0][0].kind == Kind::Script => {
                comparison.file(Some(SCRIPT), path.to_string(), &difference);
            }
            Some(difference) if native::differ_in_debug_only(left, right) => {
                let reason = "debug information of C, which names `OUT_DIR`, has another order";
                comparison.file(Some(reason), path.to_string(), &difference);
            }
            Some(difference)
                if comparison.is_reordered && native::have_same_symbols(left, right) =>
            {
                let reason = "crates of one name are linked in the order of their files' hashes";
                comparison.file(Some(reason), path.to_string(), &difference);
            }
            Some(difference) => comparison.problems.push(format!("{path}: {difference}")),
        }
    }
    Ok(())
}

/// Compares what the fork built with what it has in another checkout. What was restored must be the same, byte for
/// byte; what had to be compiled there may hold its place.
pub(crate) fn with_restored(cold: &Built, restored: &Built) -> Result<Comparison> {
    let mut comparison = Comparison::default();
    let [mut left, mut right] = [
        artifacts::files(&cold.target)?,
        artifacts::files(&restored.target)?,
    ];
    let paths: BTreeSet<String> = left.keys().chain(right.keys()).cloned().collect();
    let compiled = restored.record.compiled_hashes();
    let checkouts = [cold, restored].map(|it| it.checkout.clone());
    for path in paths {
        let either = left.get(&path).or(right.get(&path));
        let is_script = either.is_some_and(|it| it.kind == Kind::Script);
        let reason = if is_script {
            ran(&path, &restored.record).then_some(SCRIPT)
        } else {
            reason(&path, &restored.record, &compiled)
        };
        let (Some(cold), Some(restored)) = (left.remove(&path), right.remove(&path)) else {
            comparison.file(reason, path, &"only in one checkout");
            continue;
        };
        let left = artifacts::read(&cold.place)?;
        let right = artifacts::read(&restored.place)?;
        match artifacts::compare(&left, &right) {
            None => comparison.equal += 1,
            Some(_) if is_script && moved(&left, &checkouts) == right => comparison.renamed += 1,
            Some(difference) => comparison.file(reason, path, &difference),
        }
    }
    Ok(comparison)
}

impl Comparison {
    fn file(&mut self, reason: Option<&'static str>, path: String, what: &dyn Display) {
        let what = what.to_string();
        match reason {
            Some(reason) => self.explained.push(Explained { path, what, reason }),
            None => self.problems.push(format!("{path}: {what}")),
        }
    }
}

/// Returns what a text would be in another checkout.
fn moved(text: &[u8], checkouts: &[PathBuf; 2]) -> Vec<u8> {
    let [from, to] = checkouts
        .each_ref()
        .map(|it| it.to_string_lossy().into_owned());
    match std::str::from_utf8(text) {
        Ok(text) => text.replace(&from, &to).into_bytes(),
        Err(_) => text.to_vec(),
    }
}

/// Tells whether the build script that left a file, below `build/PACKAGE-HASH`, ran in the checkout.
fn ran(path: &str, record: &Record) -> bool {
    let folder = path.split('/').skip_while(|part| *part != "build").nth(1);
    let package = folder
        .and_then(|it| it.rsplit_once('-'))
        .map(|(name, _)| name);
    package.is_some_and(|package| {
        let is_run = |label: &String| {
            label.starts_with(&format!("{package} ")) && label.contains("build script run")
        };
        record.missed.keys().any(is_run)
    })
}

/// Says why a file of a checkout need not be the one of another; `None` if it must.
fn reason(path: &str, record: &Record, compiled: &BTreeSet<&str>) -> Option<&'static str> {
    let is_compiled =
        compiled.iter().any(|it| path.contains(it)) || record.is_restored.get(path) == Some(&false);
    is_compiled.then_some("compiled in both")
}

/// Compares what was said.
pub(crate) fn warnings(left: &Built, right: &Built) -> Vec<String> {
    let mut problems = Vec::new();
    for (one, other) in [(left, right), (right, left)] {
        let missing = one
            .record
            .warnings
            .iter()
            .filter(|it| !other.record.warnings.contains(it));
        problems.extend(missing.map(|it| format!("only `{}` says: {it}", one.name)));
    }
    problems
}

/// Checks that every unit was either restored or compiled.
pub(crate) fn completeness(cold: &Built, restored: &Built) -> Vec<String> {
    let mut problems = Vec::new();
    let (known, record) = (&cold.record, &restored.record);
    for (metadata, unit) in &record.units {
        if !known.units.contains_key(metadata) {
            problems.push(format!(
                "{} is another unit in the second checkout",
                unit.label
            ));
        }
    }
    let [total, restored, compiled] = [known.units.len(), record.restored, record.units.len()];
    if total != restored + compiled {
        problems.push(format!(
            "{restored} units were restored and {compiled} compiled, of {total}"
        ));
    }
    if restored == 0 {
        problems.push("nothing was restored".to_string());
    }
    problems
}

/// Returns how long each unit took, by its metadata.
pub(crate) fn times(record: &Record, target: &Path) -> Result<BTreeMap<String, Duration>> {
    let finished = finished(target)?;
    let took = record.units.iter().filter_map(|(metadata, unit)| {
        let end = finished.get(&unit.file_hash)?;
        Some((metadata.clone(), end.duration_since(unit.began).ok()?))
    });
    Ok(took.collect())
}

/// Returns when the files of a unit were complete, by the hash in their names.
fn finished(target: &Path) -> Result<BTreeMap<String, SystemTime>> {
    let mut found = BTreeMap::new();
    for (path, file) in artifacts::files(target)? {
        let stem = path
            .rsplit('/')
            .next()
            .unwrap_or(&path)
            .split('.')
            .next()
            .unwrap_or(&path);
        if let Some((_, hash)) = stem.rsplit_once('-')
            && file.kind == Kind::Artifact
            && let Ok(time) = file.place.metadata().and_then(|it| it.modified())
        {
            let latest = found.entry(hash.to_string()).or_insert(time);
            *latest = time.max(*latest);
        }
    }
    Ok(found)
}
