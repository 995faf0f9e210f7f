//! `OUT_DIR` as a tree: taking it, and putting one in its place.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use hook_protocol::Digest;
use hook_protocol::wire::{Bound, Candidate, Entry, EntryFile, Hashes, Role, Tree};
use walkdir::WalkDir;

use super::{OUT_DIR, Run, STDERR, STDOUT, entry_name};
use crate::Reason;
use crate::entry::{self, Outputs, is_executable};
use crate::files::{FileDigests, Stat};
use crate::package::{MAX_BYTES, MAX_FILES};
use crate::place::Placing;
use crate::roots::Roots;
use crate::scan;

/// A tree as it was when the script had ended.
pub(super) struct Captured {
    files: Vec<File>,
    /// Its folders and links.
    pub(super) tree: Tree,
}

struct File {
    name: String,
    role: Role,
    path: PathBuf,
    stat: Stat,
    executable: bool,
}

impl Captured {
    /// Looks at what a script left.
    ///
    /// # Errors
    ///
    /// A [`Reason`] if it cannot be put in another place.
    pub(super) fn take(run: &Run) -> Result<Captured, Reason> {
        let shown = |path: &Path| format!("`{}`", path.display());
        let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
            Reason::Unreadable(format!("{}: {error}", shown(path)))
        };
        let mut out = Captured {
            files: Vec::new(),
            tree: Tree::default(),
        };
        for (name, path) in [(STDOUT, &run.stdout), (STDERR, &run.stderr)] {
            out.files.push(File {
                name: name.to_owned(),
                role: Role::Printed,
                path: path.clone(),
                stat: Stat::of(path).map_err(|error| unreadable(path, &error))?,
                executable: false,
            });
        }
        let mut bytes = 0;
        for entry in WalkDir::new(&run.out_dir).min_depth(1).sort_by_file_name() {
            let entry = entry.map_err(|error| unreadable(&run.out_dir, &error))?;
            let path = entry.path();
            let relative = path.strip_prefix(&run.out_dir).unwrap_or(path);
            let name = entry_name(relative).ok_or_else(|| Reason::NotUtf8(shown(path)))?;
            let kind = entry.file_type();
            if kind.is_dir() {
                out.tree.folders.push(name);
            } else if kind.is_symlink() {
                let target = fs::read_link(path).map_err(|error| unreadable(path, &error))?;
                let target = target.to_str().filter(|it| stays_inside(&name, it));
                let target = target.ok_or_else(|| Reason::UnmovableOutput(shown(path)))?;
                out.tree.links.insert(name, target.to_owned());
            } else if kind.is_file() {
                let metadata = entry.metadata().map_err(|error| unreadable(path, &error))?;
                bytes += metadata.len();
                out.files.push(File {
                    name,
                    role: Role::OutDir,
                    path: path.to_path_buf(),
                    stat: Stat::from(&metadata),
                    executable: is_executable(&metadata),
                });
            } else {
                return Err(Reason::UnmovableOutput(shown(path)));
            }
            if out.files.len() > MAX_FILES || bytes > MAX_BYTES {
                let what = format!(
                    "{} has too many files, or too large ones",
                    shown(&run.out_dir)
                );
                return Err(Reason::PackageTooLarge(what));
            }
        }
        Ok(out)
    }

    /// Returns the files for an entry. Texts that hold paths of this machine are written to `folder`, with
    /// placeholders; `bound` are the places to which other files are bound.
    ///
    /// # Errors
    ///
    /// A [`Reason`] if a file is not as it was any more, or cannot be read.
    pub(super) fn describe(
        &self,
        run: &Run,
        folder: &Path,
        bound: &mut BTreeMap<String, Bound>,
    ) -> Result<Outputs, Reason> {
        let roots = &run.subject.roots;
        let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
            Reason::Unreadable(format!("`{}`: {error}", path.display()))
        };
        let mut out = Outputs {
            files: BTreeMap::new(),
            places: BTreeMap::new(),
        };
        for (at, file) in self.files.iter().enumerate() {
            let path = &file.path;
            let content = fs::read(path).map_err(|error| unreadable(path, &error))?;
            if Stat::of(path).ok() != Some(file.stat) {
                return Err(Reason::InputChanged(format!("`{}`", path.display())));
            }
            let described = |content: &[u8], placeholders| EntryFile {
                role: file.role,
                digest: Digest::of(content),
                size: content.len() as u64,
                executable: file.executable,
                placeholders,
            };
            let (entry, place) = match movable(&content, roots) {
                Some(text) => {
                    let place = folder.join(at.to_string());
                    fs::write(&place, &text).map_err(|error| unreadable(&place, &error))?;
                    (described(text.as_bytes(), true), place)
                }
                None => (described(&content, false), path.clone()),
            };
            let found = scan::bound([place.as_path()], roots);
            bound.extend(found.map_err(|error| unreadable(path, &error))?);
            out.files.insert(file.name.clone(), entry);
            out.places.insert(file.name.clone(), place);
        }
        Ok(out)
    }
}

/// Places that a text may name by placeholder. Not the home and the temporary folder: what is there is
/// seldom meant as a place.
const MOVABLE: &[&str] = &[
    "build-dir",
    "cargo-home",
    "git",
    "out-dir",
    "package",
    "registry",
    "sysroot",
    "target-dir",
    "workspace",
];

/// Returns a text with placeholders for paths of this machine: `None` if it holds none, if it is no text,
/// or if it would not come back as it was.
fn movable(content: &[u8], roots: &Roots) -> Option<String> {
    let is_movable = |path: &Path, name: &str| {
        let is_named = MOVABLE.contains(&name) || name.starts_with("path/");
        is_named && path.as_os_str().len() >= scan::MIN_LENGTH
    };
    let named = roots.only(is_movable);
    if !scan::mentions(content, &named) {
        return None;
    }
    let text = std::str::from_utf8(content).ok()?;
    if content.contains(&0) || !named.occurs_in(text) {
        return None;
    }
    let normalised = named.normalise(text);
    (named.localise(&normalised).as_deref() == Some(text)).then_some(normalised)
}

/// Returns whether a link in the folder stays in it, wherever that is.
fn stays_inside(name: &str, target: &str) -> bool {
    // The link itself is none of the folders above it.
    let mut depth = name.split('/').count() as isize - 2;
    for part in Path::new(target).components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => depth -= 1,
            Component::RootDir | Component::Prefix(_) => return false,
        }
        if depth < 0 {
            return false;
        }
    }
    true
}

/// Returns the relative path that a name of an entry stands for in the folder; `None` if it is not a
/// plain one.
fn relative(name: &str) -> Option<PathBuf> {
    let rest = name.strip_prefix(OUT_DIR)?.strip_prefix('/')?;
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
    rest.split('/').all(is_plain).then(|| PathBuf::from(rest))
}

/// Reads a candidate, and checks that it is an answer to the question.
///
/// # Errors
///
/// What is wrong with it, in a few words. It is the hook's mistake.
pub(super) fn believe(candidate: &Candidate, run: &Run, asked: &Hashes) -> Result<Entry, String> {
    let entry = entry::belongs(candidate, &run.subject, asked)?;
    if !entry.messages.is_empty() {
        return Err("a build script has no messages of a compiler".to_owned());
    }
    for name in [STDOUT, STDERR] {
        if !entry.files.contains_key(name) {
            return Err(format!("the output `{name}` is missing in the entry"));
        }
    }
    for (name, file) in &entry.files {
        let role = if matches!(name.as_str(), STDOUT | STDERR) {
            Role::Printed
        } else if relative(name).is_some() {
            Role::OutDir
        } else {
            return Err(format!("the output `{name}` is not expected"));
        };
        if file.role != role {
            return Err(format!("the output `{name}` has another role"));
        }
    }
    let size: u64 = entry.files.values().map(|file| file.size).sum();
    if entry.files.len() > MAX_FILES + 2 || size > 2 * MAX_BYTES {
        return Err("the entry is too large".to_owned());
    }
    let mut names = entry.tree.folders.iter().chain(entry.tree.links.keys());
    if let Some(name) = names.find(|name| relative(name).is_none()) {
        return Err(format!("the output `{name}` is not expected"));
    }
    let mut links = entry.tree.links.iter();
    if let Some((name, _)) = links.find(|(name, target)| !stays_inside(name, target)) {
        return Err(format!("the link `{name}` leads outside"));
    }
    Ok(entry)
}

/// Puts a tree in the place of `OUT_DIR`, whole or not at all, and what the script printed where Cargo
/// keeps it.
///
/// # Errors
///
/// `Err` if placing fails; `Ok(Err)` if what the hook supplied is not what the entry says.
pub(super) fn place(
    run: &Run,
    entry: &Entry,
    candidate: &Candidate,
    digests: &FileDigests,
) -> io::Result<Result<(), String>> {
    let parent = run.out_dir.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(parent)?;
    let staging = tempfile::Builder::new()
        .prefix(".hook-")
        .tempdir_in(parent)?;
    let tree = staging.path().join("out");
    fs::create_dir(&tree)?;
    let at = |name: &str| match name {
        STDOUT | STDERR => staging.path().join(name),
        name => tree.join(relative(name).unwrap_or_default()),
    };
    for name in &entry.tree.folders {
        fs::create_dir_all(at(name))?;
    }
    let mut placing = Placing::new();
    for (name, file) in &entry.files {
        if let Some(folder) = at(name).parent() {
            fs::create_dir_all(folder)?;
        }
        if let Err(what) = placing.stage(&candidate.files[name], &at(name), file) {
            return Ok(Err(what));
        }
    }
    let placed = placing.finish()?;
    for (name, _) in entry.files.iter().filter(|(_, file)| file.placeholders) {
        let text = fs::read_to_string(at(name)).map_err(io::Error::other)?;
        let Some(text) = run.subject.roots.localise(&text) else {
            return Ok(Err(format!("`{name}` names a place that is not here")));
        };
        fs::write(at(name), text)?;
    }
    for (name, target) in &entry.tree.links {
        let link = at(name);
        if let Some(folder) = link.parent() {
            fs::create_dir_all(folder)?;
        }
        symlink(target, &link)?;
    }
    // What is there goes, with the staging folder, when the new tree is in its place.
    if run.out_dir.exists() {
        fs::rename(&run.out_dir, staging.path().join("old"))?;
    }
    fs::rename(&tree, &run.out_dir)?;
    fs::rename(staging.path().join(STDOUT), &run.stdout)?;
    fs::rename(staging.path().join(STDERR), &run.stderr)?;
    for (path, hashed) in placed {
        if let Ok(name) = path.strip_prefix(&tree) {
            let place = run.out_dir.join(name);
            // A text was written anew.
            let is_same = Stat::of(&place).is_ok_and(|stat| stat == hashed.stat);
            match is_same {
                true => digests.set(&place, hashed),
                false => digests.forget(&place),
            }
        }
    }
    Ok(Ok(()))
}

#[cfg(unix)]
fn symlink(target: &str, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_: &str, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests;
