//! What a build script wrote outside of its own folder.
//!
//! A restored run leaves nothing there, so that one which writes there is not kept. Looked at are the
//! package, the workspace of a package that is part of it, the folders of the profile and of all profiles
//! without what Cargo itself puts there, and what lies beside `OUT_DIR`.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::Run;
use crate::files::Stat;
use crate::package::MAX_FILES;

/// Folders that Cargo itself makes in the folder of a profile.
const OF_PROFILE: &[&str] = &["build", "deps", "examples", "incremental"];

/// Folders that Cargo itself makes beside those of profiles.
const OF_BUILD_DIR: &[&str] = &["doc", "package", "tmp"];

/// What lies around `OUT_DIR`, at one moment.
pub(super) struct Around {
    /// Whether `OUT_DIR` was empty.
    pub(super) is_empty: bool,
    /// Whether all could be looked at.
    pub(super) is_complete: bool,
    /// Files with their metadata, and folders without.
    found: HashMap<PathBuf, Option<Stat>>,
}

impl Around {
    /// Looks around.
    pub(super) fn look(run: &Run) -> Around {
        let entries = std::fs::read_dir(&run.out_dir);
        let mut around = Around {
            is_empty: entries.map_or(true, |mut entries| entries.next().is_none()),
            is_complete: true,
            found: HashMap::new(),
        };
        let subject = &run.subject;
        let package = subject.source.root();
        let is_excluded = |path: &Path| {
            path.file_name() == Some(OsStr::new(".git"))
                || subject.excluded.iter().any(|it| it == path)
                || path.join("CACHEDIR.TAG").exists()
        };
        if run.is_local && package.starts_with(&subject.workspace) {
            around.add(&subject.workspace, usize::MAX, is_excluded);
        } else {
            around.add(package, usize::MAX, is_excluded);
            around.add(&subject.workspace, 1, is_excluded);
        }
        around.add(&run.profile_dir, usize::MAX, |path| {
            is_of_profile(run, path)
        });
        for folder in &*subject.excluded {
            around.add(folder, usize::MAX, |path| is_of_build_dir(run, path));
        }
        for folder in ["deps", "examples"] {
            let folder = run.profile_dir.join(folder);
            around.add(&folder, 1, |path| !is_library(path) || is_output(run, path));
        }
        if let Some(beside) = run.out_dir.parent() {
            // In the new layout what is printed, and fingerprints, have folders of their own there.
            let printed = run.stdout.parent().unwrap_or(&run.stdout);
            let own = [&run.out_dir, &run.stdout, &run.stderr, &run.script];
            let is_own = |path: &Path| own.iter().any(|it| *it == path) || path == printed;
            around.add(beside, usize::MAX, |path| is_own(path) || is_note(path));
        }
        around
    }

    /// Adds what lies in a folder, but for what is left out.
    fn add(&mut self, folder: &Path, depth: usize, is_left_out: impl Fn(&Path) -> bool) {
        let belongs = |entry: &DirEntry| entry.depth() == 0 || !is_left_out(entry.path());
        let walk = WalkDir::new(folder).min_depth(1).max_depth(depth);
        let entries = walk.into_iter().filter_entry(belongs).flatten();
        for (count, entry) in entries.enumerate() {
            if count == 4 * MAX_FILES {
                self.is_complete = false;
                return;
            }
            let metadata = entry.metadata().ok().filter(|it| it.is_file());
            let stat = metadata.map(|metadata| Stat::from(&metadata));
            self.found.insert(entry.into_path(), stat);
        }
    }

    /// Returns something that was changed, made or deleted since.
    pub(super) fn changed(&self, run: &Run) -> Option<PathBuf> {
        let now = Around::look(run).found;
        let mut changed: Vec<&PathBuf> = now
            .iter()
            .filter(|(path, stat)| self.found.get(*path) != Some(stat))
            .map(|(path, _)| path)
            .chain(self.found.keys().filter(|path| !now.contains_key(*path)))
            .collect();
        changed.sort();
        changed.first().map(|path| path.to_path_buf())
    }
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

/// Returns whether Cargo may have put something into the folder of the profile.
fn is_of_profile(run: &Run, path: &Path) -> bool {
    path.parent() == Some(&run.profile_dir)
        && (OF_PROFILE.contains(&name(path)) || name(path).starts_with('.') || is_output(run, path))
}

/// Returns whether Cargo may have put something beside the folders of profiles, or those themselves.
fn is_of_build_dir(run: &Run, path: &Path) -> bool {
    let is_profile = || path.join("deps").is_dir() || path.join(".cargo-lock").exists();
    let has_profile = |entry: &Path| entry.join("deps").is_dir();
    let of_platform = || {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|it| has_profile(&it))
    };
    OF_BUILD_DIR.contains(&name(path))
        || name(path).starts_with('.')
        || path == run.profile_dir
        || path.is_dir() && (is_profile() || of_platform())
}

/// Returns whether a file is one that Cargo or the compiler puts among outputs: known ones, and those that
/// have the hash of a unit in their name.
fn is_output(run: &Run, path: &Path) -> bool {
    let is_hash = |text: &str| {
        let hash = text.as_bytes().get(..16).unwrap_or_default();
        hash.len() == 16 && hash.iter().all(u8::is_ascii_hexdigit)
    };
    let name = name(path);
    name.ends_with(".d")
        || name.starts_with('.')
        || name.starts_with("rmeta")
        || name.split('-').skip(1).any(is_hash)
        || run.outputs.iter().any(|it| it == path)
}

/// Returns whether a file is one that scripts put beside programs: these find it there. Much else comes and goes
/// among outputs while units are compiled.
fn is_library(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    matches!(extension, Some("dll" | "dylib" | "so"))
}

/// Returns whether Cargo, or we, keep notes on the run in a file.
fn is_note(path: &Path) -> bool {
    matches!(
        name(path),
        "fingerprint" | "invoked.timestamp" | "root-output"
    ) || name(path).starts_with(".hook-")
}
