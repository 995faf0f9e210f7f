//! Results: the entries of each action, each in a file that is written when all its blobs are there.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use hook_protocol::Digest;
use hook_protocol::wire::{Entry, EntryFile, FileDigest, Hashes, OpaqueEntry};
use serde::{Deserialize, Serialize};

use crate::blobs;
use crate::layout::{Layout, files, nested};

/// The format of a result file.
const VERSION: u32 = 1;

/// How many results an action may have. More than one are there if builds differ in what the key
/// does not tell: sources, variables that macros read. The one that was not used for longest goes.
pub const MAX_PER_ACTION: usize = 16;

/// A result file. Unknown fields are those of a later program, and ignored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ResultFile {
    version: u32,
    /// How long building took.
    #[serde(default)]
    duration_ms: u64,
    /// The stamp of each blob, by the name of the file.
    #[serde(default)]
    stamps: BTreeMap<String, u64>,
    /// What Cargo wrote, verbatim.
    entry: OpaqueEntry,
}

/// A result that was found.
#[derive(Debug)]
pub struct Found {
    /// What Cargo wrote, verbatim.
    pub opaque: OpaqueEntry,
    /// The same, readable.
    pub entry: Entry,
    path: PathBuf,
    used: SystemTime,
}

/// Writes a result, whose blobs must be there already, and drops one if there are too many.
///
/// # Errors
///
/// If the file cannot be written.
pub fn put(
    layout: &Layout,
    action: &Digest,
    entry: OpaqueEntry,
    stamps: BTreeMap<String, u64>,
    duration_ms: u64,
) -> anyhow::Result<()> {
    let encode = |error| anyhow::Error::new(error).context("failed to encode an entry");
    let name = Digest::of(&serde_json::to_vec(&entry).map_err(encode)?);
    let result = ResultFile {
        version: VERSION,
        duration_ms,
        stamps,
        entry,
    };
    let json = serde_json::to_vec(&result).map_err(encode)?;
    let mut file = layout.temporary()?;
    // The kernel's own time for a write lags behind the clock by milliseconds, enough to make a new
    // result look older than one that was touched just before.
    file.write_all(&json)
        .and_then(|()| file.as_file().set_modified(SystemTime::now()))
        .with_context(|| format!("failed to write `{}`", file.path().display()))?;
    layout.keep(file.into_temp_path(), &layout.result(action, &name))?;
    evict(&layout.action(action));
    Ok(())
}

/// Returns the results that may answer a question and whose blobs are there: those of the same key
/// first, then the one that was used last. If there is none, why.
///
/// Results that are broken are deleted on the way, so that they do not take the place of others.
///
/// # Errors
///
/// Why there is none, in a few words.
pub fn get(layout: &Layout, hashes: &Hashes) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut differ: Vec<(SystemTime, String)> = Vec::new();
    for path in files(&layout.action(&hashes.action)) {
        match read(layout, &path) {
            Read::Good(result) if result.entry.action == hashes.action => {
                match difference(&result.entry, hashes) {
                    None => found.push(*result),
                    Some(what) => differ.push((result.used, what)),
                }
            }
            Read::Good(_) | Read::Unknown => {}
            Read::Broken => {
                let _ = fs::remove_file(&path);
            }
        }
    }
    found.sort_by_key(|it| std::cmp::Reverse((it.entry.key == hashes.key, it.used)));
    differ.sort();
    match (found.is_empty(), differ.pop()) {
        (false, _) => Ok(found),
        (true, None) => Err("no result for this action".to_owned()),
        (true, Some((_, what))) => Err(format!(
            "{} for this action, but {what} in the last",
            match differ.len() {
                0 => "one result".to_owned(),
                more => format!("{} results", more + 1),
            }
        )),
    }
}

/// Returns what a result read in the package that is another now. The files of a package that can change
/// are in the question, so that they need not be looked at; Cargo checks all else.
fn difference(entry: &Entry, hashes: &Hashes) -> Option<String> {
    if entry.key == hashes.key {
        return None;
    }
    // A file that the result did not read may be what differs, and this one may depend on any.
    if entry.inputs.package.is_some() {
        return Some("a file of the package was another".to_owned());
    }
    let now: HashMap<&str, &Digest> = hashes
        .files
        .iter()
        .map(|file| (file.path.as_str(), &file.digest))
        .collect();
    let is_same = |file: &&FileDigest| now.get(file.path.as_str()) == Some(&&file.digest);
    let read = entry.inputs.files.iter();
    let mut of_package = read.filter(|file| file.path.starts_with("{package}/"));
    // Nothing is told of packages that cannot change, which are part of the action.
    if hashes.files.is_empty() {
        return None;
    }
    let other = of_package.find(|file| !is_same(file))?;
    Some(format!("`{}` was another", other.path))
}

/// A result, as far as it matters for how long it is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) used: SystemTime,
    /// Its blobs, and their sizes.
    pub(crate) blobs: Vec<(Digest, u64)>,
}

/// Returns every result that can be read.
pub(crate) fn all(layout: &Layout) -> impl Iterator<Item = Kept> + use<> {
    let folders = nested(&layout.actions());
    folders
        .flat_map(|action| files(&action))
        .filter_map(|path| {
            let used = fs::metadata(&path).ok()?.modified().ok()?;
            let result: ResultFile = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            let entry = result.entry.parse().ok()?;
            let blobs = entry
                .files
                .values()
                .map(|it| (it.digest, it.size))
                .collect();
            Some(Kept { path, used, blobs })
        })
}

/// Notes that `results` were used now. Their order stays.
pub fn touch(results: &[Found]) {
    let mut time = SystemTime::now();
    for result in results {
        // A cache that cannot be written to is still of use.
        let _ = File::open(&result.path).and_then(|file| file.set_modified(time));
        time -= Duration::from_millis(1);
    }
}

enum Read {
    Good(Box<Found>),
    /// Written by a program, or by a Cargo, of a later version.
    Unknown,
    Broken,
}

fn read(layout: &Layout, path: &Path) -> Read {
    let Ok(bytes) = fs::read(path) else {
        // It was deleted meanwhile, or is not for us to read.
        return Read::Unknown;
    };
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    match serde_json::from_slice(&bytes) {
        Ok(Version { version: VERSION }) => {}
        Ok(_) => return Read::Unknown,
        Err(_) => return Read::Broken,
    }
    let Ok(ResultFile {
        entry: opaque,
        stamps,
        ..
    }) = serde_json::from_slice(&bytes)
    else {
        return Read::Broken;
    };
    let Ok(entry) = opaque.parse() else {
        return Read::Unknown;
    };
    let is_good = |(name, file): (&String, &EntryFile)| {
        blobs::is_good(layout, &file.digest, file.size, stamps.get(name).copied())
    };
    if !entry.files.iter().all(is_good) {
        return Read::Broken;
    }
    let Ok(used) = fs::metadata(path).and_then(|it| it.modified()) else {
        return Read::Unknown;
    };
    Read::Good(Box::new(Found {
        opaque,
        entry,
        path: path.to_owned(),
        used,
    }))
}

/// Deletes what is too much in the folder of an action. Its blobs stay: others may have them too.
fn evict(dir: &Path) {
    let used = |path: PathBuf| Some((fs::metadata(&path).ok()?.modified().ok()?, path));
    let mut results: Vec<(SystemTime, PathBuf)> = files(dir).filter_map(used).collect();
    results.sort();
    let surplus = results.len().saturating_sub(MAX_PER_ACTION);
    for (_, path) in &results[..surplus] {
        let _ = fs::remove_file(path);
    }
}
