//! The ingredient `native`: libraries that `-L` and `-l` find.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hook_protocol::Digest;

use super::{Common, once};
use crate::Reason;
use crate::args::{Arguments, NativeLib};
use crate::unit::Unit;

/// What build scripts supply, and what else `-L` and `-l` find. The files of `OUT_DIR` that a unit
/// includes are among its recorded inputs.
pub(super) fn inputs(
    common: &Common,
    unit: &Unit,
    arguments: &Arguments,
    hashed: &mut Vec<(PathBuf, Digest)>,
) -> Result<Vec<String>, Reason> {
    let mut lines = Vec::new();
    for dir in &arguments.dependency_dirs {
        if !unit
            .subject
            .cwd
            .join(dir)
            .starts_with(&unit.subject.build_dir)
        {
            return Err(Reason::UnknownArgument(format!(
                "-L dependency={}",
                dir.display()
            )));
        }
    }
    let mut found = BTreeSet::new();
    let mut wanted = arguments.native_libs.clone();
    if unit.links {
        wanted.extend(unit.native_libs.iter().map(|lib| NativeLib::parse(lib)));
    }
    for dir in &arguments.search_dirs {
        let dir = unit.subject.cwd.join(dir);
        if SYSTEM.iter().any(|folder| dir.starts_with(folder)) {
            let names = wanted.iter().flat_map(|lib| lib.file_names());
            found.extend(names.map(|file| dir.join(file)));
            found.extend(libraries_in(&dir, CRATES));
        } else {
            // Any other folder is searched for what a dependency, the linker, or a `#[link]` attribute in a
            // source asks for, which no argument names.
            found.extend(libraries_in(&dir, NATIVE));
        }
    }
    let linker = arguments.linker.as_deref().unwrap_or("cc");
    for lib in wanted.iter().filter(|_| unit.links) {
        // What no folder has, the linker finds in its own.
        let files = lib.file_names();
        if !found
            .iter()
            .any(|path| path.is_file() && files.iter().any(|f| path.ends_with(f)))
        {
            let found_by_linker = common.tools.library(linker, &files);
            found.insert(found_by_linker.ok_or_else(|| Reason::Unreadable(format!("{lib:?}")))?);
        }
    }
    for path in found.into_iter().filter(|path| path.is_file()) {
        let digest = once(common, &path)?;
        let place = unit.subject.roots.normalise(&path.to_string_lossy());
        lines.push(format!("{place} {digest}"));
        hashed.push((path, digest));
    }
    // By their names without paths of this machine: elsewhere the paths sort differently.
    lines.sort();
    Ok(lines)
}

/// Folders with the libraries of the system: too many to count one by one. What a unit links of them is
/// found by name, and what it loads is among its recorded inputs.
pub(crate) const SYSTEM: &[&str] = &[
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
];

/// Endings of files that a linker may take from a folder.
const NATIVE: &[&str] = &[
    ".a", ".so", ".dylib", ".dll", ".lib", ".o", ".obj", ".tbd", ".ld", ".x", ".rlib", ".rmeta",
];

/// Endings of crates.
const CRATES: &[&str] = &[".rlib", ".rmeta"];

/// Returns the files of a folder with one of these endings.
fn libraries_in(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        endings.iter().any(|end| name.ends_with(end)) || endings == NATIVE && name.contains(".so.")
    };
    // A folder that a script names need not exist.
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(is_library)
        .collect()
}
