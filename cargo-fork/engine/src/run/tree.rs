//! `OUT_DIR` as a tree: taking it, and putting one in its place.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use hook_protocol::Digest;
use hook_protocol::wire::{Bound, Candidate, Entry, EntryFile, Hashes, Role, Tree};
use memchr::memmem;
use walkdir::WalkDir;

use super::compiler_flags::FLAG;
use super::{OUT_DIR, Run, STDERR, STDOUT, entry_name};
use crate::Reason;
use crate::entry::{self, Outputs, is_executable};
use crate::files::{FileDigests, Stat};
use crate::lookup::Tried;
use crate::package::{MAX_BYTES, MAX_FILES};
use crate::place::{Placing, Sharing};
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
            let mut content = fs::read(path).map_err(|error| unreadable(path, &error))?;
            if Stat::of(path).ok() != Some(file.stat) {
                return Err(Reason::InputChanged(format!("`{}`", path.display())));
            }
            if file.name == STDOUT {
                content = without_our_flags(content);
            }
            let described = |content: &[u8], placeholders| EntryFile {
                role: file.role,
                digest: Digest::of(content),
                size: content.len() as u64,
                executable: file.executable,
                placeholders,
            };
            let text = movable(&content, run);
            let entry = match &text {
                Some(text) => described(text.as_bytes(), true),
                None => described(&content, false),
            };
            let mut place = path.clone();
            if text.is_some() || file.name == STDOUT {
                place = folder.join(at.to_string());
                let kept = text.map_or(content, String::into_bytes);
                fs::write(&place, kept).map_err(|error| unreadable(&place, &error))?;
            }
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
    "checkout",
    "git",
    "out-dir",
    "package",
    "registry",
    "sysroot",
    "target-dir",
    "workspace",
];

/// Returns what a script printed without what it was told by us: the `cc` crate prints every variable that it
/// reads.
pub(super) fn without_our_flags(content: Vec<u8>) -> Vec<u8> {
    if memmem::find(&content, FLAG.as_bytes()).is_none() {
        return content;
    }
    let is_ours =
        |line: &[u8]| !line.starts_with(b"cargo:") && memmem::find(line, FLAG.as_bytes()).is_some();
    let lines = content.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter(|line| !is_ours(line))
        .collect::<Vec<_>>()
        .concat()
}

/// Returns a text with placeholders for paths of this machine: `None` if it holds none, if it is no text,
/// if it would not come back as it was, or if it names a place in the build directory that no script was
/// given: nothing is known of what lies there.
fn movable(content: &[u8], run: &Run) -> Option<String> {
    let is_movable = |path: &Path, name: &str| {
        let is_named = MOVABLE.contains(&name) || name.starts_with("path/");
        is_named && path.as_os_str().len() >= scan::MIN_LENGTH
    };
    let named = run.subject.roots.only(is_movable);
    if !scan::mentions(content, &named) {
        return None;
    }
    let text = std::str::from_utf8(content).ok()?;
    // Formats that count bytes would not survive another length.
    let is_text = |byte: &u8| *byte >= b' ' || b"\t\n\r\x1b".contains(byte);
    if !content.iter().all(is_text) || !named.occurs_in(text) {
        return None;
    }
    let normalised = named.normalise(text);
    let supplies = run.supplies.iter();
    let supplied: Vec<String> = supplies
        .map(|supply| named.normalise(&supply.out_dir.to_string_lossy()))
        .collect();
    let is_supplied = |at: usize| {
        let rest = &normalised[at..];
        supplied
            .iter()
            .any(|folder| rest.starts_with(folder.as_str()))
    };
    let mut places = ["{build-dir}", "{target-dir}"]
        .into_iter()
        .flat_map(|place| normalised.match_indices(place))
        .map(|(at, _)| at);
    let comes_back = named.localise(&normalised).as_deref() == Some(text);
    (comes_back && places.all(is_supplied)).then_some(normalised)
}

/// Returns whether a link in the folder stays in it, wherever that is. It may go up only at its beginning: what
/// comes after a name may be another link.
fn stays_inside(name: &str, target: &str) -> bool {
    // The link itself is none of the folders above it.
    let mut depth = name.split('/').count() as isize - 2;
    let mut goes_down = false;
    for part in Path::new(target).components() {
        match part {
            Component::Normal(_) => goes_down = true,
            Component::CurDir => {}
            Component::ParentDir if goes_down => return false,
            Component::ParentDir => depth -= 1,
            Component::RootDir | Component::Prefix(_) => return false,
        }
        if depth < 0 {
            return false;
        }
    }
    true
}

/// Returns whether a name leads through a link: where that leads is not told by the name.
fn leads_through_a_link(name: &str, links: &BTreeMap<String, String>) -> bool {
    let mut ends = name.match_indices('/').map(|(at, _)| at);
    ends.any(|at| links.contains_key(&name[..at]))
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
    let names = entry.files.keys().chain(&entry.tree.folders);
    let mut names = names.chain(entry.tree.links.keys());
    if let Some(name) = names.find(|name| leads_through_a_link(name, &entry.tree.links)) {
        return Err(format!("the output `{name}` leads through a link"));
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
/// If placing fails. What was there is there again.
pub(super) fn place(
    run: &Run,
    entry: &Entry,
    candidate: &Candidate,
    mut placing: Placing<'_>,
    digests: &FileDigests,
) -> io::Result<Tried> {
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
    for (name, file) in &entry.files {
        if let Some(folder) = at(name).parent() {
            fs::create_dir_all(folder)?;
        }
        if let Err(what) = placing.stage(&candidate.files[name], &at(name), file, Sharing::Own) {
            return Ok(Tried::Bad(what));
        }
    }
    let placed = placing.finish()?;
    for (name, _) in entry.files.iter().filter(|(_, file)| file.placeholders) {
        let text = fs::read_to_string(at(name)).map_err(io::Error::other)?;
        let Some(text) = run.subject.roots.localise(&text) else {
            let what = format!("`{name}` names a place that is not here");
            return Ok(Tried::Differs(Reason::Bound(what)));
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
    fs::rename(staging.path().join(STDOUT), &run.stdout)?;
    fs::rename(staging.path().join(STDERR), &run.stderr)?;
    // What is there goes, with the staging folder, when the new tree is in its place.
    let old = staging.path().join("old");
    if run.out_dir.exists() {
        fs::rename(&run.out_dir, &old)?;
    }
    if let Err(error) = fs::rename(&tree, &run.out_dir) {
        // As it was: the script is to run here.
        let _ = fs::rename(&old, &run.out_dir);
        return Err(error);
    }
    for (path, _) in placed {
        if let Ok(name) = path.strip_prefix(&tree) {
            digests.forget(&run.out_dir.join(name));
        }
    }
    Ok(Tried::Placed)
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
