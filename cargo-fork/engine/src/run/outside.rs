//! What a build script wrote outside of its own folder.
//!
//! A restored run leaves nothing there, so that one which writes there is not kept. Looked at are the
//! package, what lies directly in the root of the workspace and in the folder of the profile, and what
//! lies beside `OUT_DIR`: where scripts are known to write.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Run;
use crate::files::Stat;
use crate::package;

/// Files and folders that Cargo itself makes in the folder of a profile.
const OF_CARGO: &[&str] = &["build", "deps", "examples", "incremental"];

/// What lies around `OUT_DIR`, at one moment.
pub(super) struct Around {
    /// Whether `OUT_DIR` was empty.
    pub(super) is_empty: bool,
    found: HashMap<PathBuf, Option<Stat>>,
}

impl Around {
    /// Looks around.
    pub(super) fn look(run: &Run) -> Around {
        let entries = std::fs::read_dir(&run.out_dir);
        let is_empty = entries.map_or(true, |mut entries| entries.next().is_none());
        let subject = &run.subject;
        let mut found: HashMap<PathBuf, Option<Stat>> =
            package::walk(subject.source.root(), &subject.excluded)
                .map(|path| (path.clone(), Stat::of(&path).ok()))
                .collect();
        let of_workspace = |path: &Path| !subject.excluded.iter().any(|it| it == path);
        found.extend(directly_in(&subject.workspace, of_workspace));
        let of_profile = |path: &Path| !is_of_cargo(run, path);
        found.extend(directly_in(&run.profile_dir, of_profile));
        if let Some(beside) = run.out_dir.parent() {
            let mut own = vec![&run.out_dir, &run.stdout, &run.stderr];
            own.push(&run.script);
            found.extend(directly_in(beside, |path| {
                !own.iter().any(|it| *it == path) && !is_noted_by_cargo(path)
            }));
        }
        Around { is_empty, found }
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

/// Returns the files in a folder with their metadata, and the folders without.
fn directly_in(
    folder: &Path,
    counts: impl Fn(&Path) -> bool,
) -> impl Iterator<Item = (PathBuf, Option<Stat>)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let found = paths.filter(|path| counts(path)).map(|path| {
        let stat = path.metadata().ok().filter(|it| it.is_file());
        let stat = stat.map(|metadata| Stat::from(&metadata));
        (path, stat)
    });
    found.collect::<Vec<_>>().into_iter()
}

fn is_of_cargo(run: &Run, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let text = name.to_string_lossy();
    OF_CARGO.iter().any(|it| name == OsStr::new(it))
        || text.starts_with('.')
        || text.ends_with(".d")
        || run.profile_files.iter().any(|it| it == path)
}

/// Returns whether Cargo, or we, keep notes on the run in a file.
fn is_noted_by_cargo(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    matches!(&*name, "root-output" | "invoked.timestamp") || name.starts_with(".hook-")
}
