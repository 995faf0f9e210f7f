//! Entries: writing one for a unit that was built, and believing one that a hook supplies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hook_protocol::wire::{self, Candidate, ENTRY_FORMAT, Entry, EntryFile, Hashes, Inputs, Tree};

use crate::Reason;
use crate::files::FileDigests;
use crate::unit::{Subject, Unit};

/// Where the files of an entry lie, by name.
pub(crate) type Places = BTreeMap<String, PathBuf>;

/// The files of an entry.
pub(crate) struct Outputs {
    /// What the entry says of them.
    pub(crate) files: BTreeMap<String, EntryFile>,
    /// Where they lie.
    pub(crate) places: Places,
}

/// Describes the outputs of a unit that was built: the files of its entry, and where they lie.
///
/// # Errors
///
/// [`Reason::OutputMissing`], or that an output cannot be read.
pub(crate) fn describe(unit: &Unit, digests: &FileDigests) -> Result<Outputs, Reason> {
    let mut files = BTreeMap::new();
    let mut places = BTreeMap::new();
    for output in &unit.outputs {
        let shown = || format!("`{}`", output.path.display());
        let name = output.name().ok_or_else(|| Reason::NotUtf8(shown()))?;
        match std::fs::metadata(&output.path) {
            Ok(metadata) => {
                let hashed = digests
                    .once(&output.path)
                    .map_err(|error| Reason::Unreadable(format!("{}: {error}", shown())))?;
                let file = EntryFile {
                    role: output.role,
                    digest: hashed.digest,
                    size: hashed.stat.size,
                    executable: is_executable(&metadata),
                    placeholders: false,
                };
                files.insert(name.to_owned(), file);
                places.insert(name.to_owned(), output.path.clone());
            }
            Err(_) if !output.is_required() => {}
            Err(_) => return Err(Reason::OutputMissing(shown())),
        }
    }
    Ok(Outputs { files, places })
}

/// Returns whether people may execute a file.
#[cfg(unix)]
pub(crate) fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
pub(crate) fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

/// Returns the entry of a unit that has no file yet.
pub(crate) fn empty(subject: &Subject, hashes: &Hashes, inputs: Inputs) -> Entry {
    Entry {
        format: ENTRY_FORMAT,
        unit: subject.id.clone(),
        action: hashes.action,
        key: hashes.key,
        inputs,
        messages: Vec::new(),
        files: BTreeMap::new(),
        tree: Tree::default(),
        local_only: false,
    }
}

/// Reads a candidate, and checks that it is an answer to the question: an entry of this unit with
/// this key, with every output that Cargo needs, none that it does not expect, and a file for each.
///
/// # Errors
///
/// What is wrong with it, in a few words. It is the hook's mistake.
pub(crate) fn believe(candidate: &Candidate, unit: &Unit, asked: &Hashes) -> Result<Entry, String> {
    let entry = belongs(candidate, &unit.subject, asked)?;
    if !entry.tree.is_empty() || entry.files.values().any(|file| file.placeholders) {
        return Err("the entry is that of a build script".to_owned());
    }
    for (name, file) in &entry.files {
        let expected = unit
            .outputs
            .iter()
            .find(|output| output.name() == Some(name));
        match expected {
            Some(output) if output.role == file.role => {}
            Some(_) => return Err(format!("the output `{name}` has another role")),
            None => return Err(format!("the output `{name}` is not expected")),
        }
    }
    for output in unit.outputs.iter().filter(|output| output.is_required()) {
        if !output
            .name()
            .is_some_and(|name| entry.files.contains_key(name))
        {
            let name = output.name().unwrap_or_default();
            return Err(format!("the output `{name}` is missing in the entry"));
        }
    }
    Ok(entry)
}

/// Reads a candidate, and checks that its entry belongs to the question, and that there is a path for
/// each of its files.
///
/// # Errors
///
/// What is wrong with it, in a few words. It is the hook's mistake.
pub(crate) fn belongs(
    candidate: &Candidate,
    subject: &Subject,
    asked: &Hashes,
) -> Result<Entry, String> {
    let entry = candidate
        .entry
        .parse()
        .map_err(|error| format!("the entry is not valid: {error}"))?;
    if entry.format != ENTRY_FORMAT {
        return Err(format!("the entry has the unknown format {}", entry.format));
    }
    if entry.action != asked.action {
        return Err("the entry belongs to another question".to_owned());
    }
    let named = |unit: &wire::Unit| {
        let wire::Unit {
            package,
            target,
            mode,
            ..
        } = unit;
        (package.clone(), target.clone(), mode.clone())
    };
    if named(&entry.unit) != named(&subject.id) {
        return Err(format!("the entry belongs to `{}`", entry.unit.package));
    }
    let mut names = entry.files.keys();
    if let Some(name) = names.find(|name| !candidate.files.contains_key(*name)) {
        return Err(format!("there is no file for the output `{name}`"));
    }
    let mut names = candidate.files.keys();
    if let Some(name) = names.find(|name| !entry.files.contains_key(*name)) {
        return Err(format!("the file `{name}` is not in the entry"));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests;
