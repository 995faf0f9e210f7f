//! Entries: writing one for a unit that was built, and believing one that a hook supplies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hook_protocol::wire::{Candidate, ENTRY_FORMAT, Entry, EntryFile, Hashes, Inputs};

use crate::files::FileDigests;
use crate::reason::Reason;
use crate::unit::Unit;

/// The files of an entry, and where each of them lies.
pub(crate) type Outputs = (BTreeMap<String, EntryFile>, BTreeMap<String, PathBuf>);

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
                };
                files.insert(name.to_owned(), file);
                places.insert(name.to_owned(), output.path.clone());
            }
            Err(_) if !output.is_required() => {}
            Err(_) => return Err(Reason::OutputMissing(shown())),
        }
    }
    Ok((files, places))
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

/// Writes the entry of a unit.
pub(crate) fn write(
    unit: &Unit,
    hashes: &Hashes,
    inputs: Inputs,
    messages: Vec<String>,
    files: BTreeMap<String, EntryFile>,
    incremental: bool,
) -> Entry {
    Entry {
        format: ENTRY_FORMAT,
        unit: unit.id.clone(),
        action: hashes.action,
        key: hashes.key,
        inputs,
        messages,
        files,
        incremental,
    }
}

/// Reads a candidate, and checks that it is an answer to the question: an entry of this unit with
/// this key, with every output that Cargo needs, none that it does not expect, and a file for each.
///
/// # Errors
///
/// What is wrong with it, in a few words. It is the hook's mistake.
pub(crate) fn believe(candidate: &Candidate, unit: &Unit, asked: &Hashes) -> Result<Entry, String> {
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
    if (&entry.unit.package, &entry.unit.target) != (&unit.id.package, &unit.id.target) {
        return Err(format!("the entry belongs to `{}`", entry.unit.package));
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
    if let Some(name) = entry
        .files
        .keys()
        .find(|name| !candidate.files.contains_key(*name))
    {
        return Err(format!("there is no file for the output `{name}`"));
    }
    if let Some(name) = candidate
        .files
        .keys()
        .find(|name| !entry.files.contains_key(*name))
    {
        return Err(format!("the file `{name}` is not in the entry"));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests;
