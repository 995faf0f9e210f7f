//! The ingredients `macro-env` and `macro-files`: what macros may read without telling.

use std::path::{Path, PathBuf};

use hook_protocol::Digest;
use walkdir::WalkDir;

use super::{Common, MACRO, once};
use crate::Reason;
use crate::macros::{Powers, Variables};
use crate::package;
use crate::unit::{Command, Subject, Unit};

fn libraries_of_macros(unit: &Unit) -> impl Iterator<Item = &Path> {
    unit.dependencies
        .iter()
        .filter(|it| it.role == MACRO)
        .map(|it| it.path.as_path())
}

pub(super) fn powers(common: &Common, unit: &Unit) -> Result<Powers, Reason> {
    let powers = common.macros.powers(libraries_of_macros(unit));
    let powers = powers.map_err(|error| Reason::Unreadable(error.to_string()))?;
    if powers.uses_network {
        Err(Reason::MacroMayUseNetwork)
    } else {
        Ok(powers)
    }
}

pub(super) fn variables(
    common: &Common,
    unit: &Unit,
    command: &Command,
) -> Result<Variables, Reason> {
    let libraries = libraries_of_macros(unit);
    let variables = common
        .macros
        .variables(libraries, &command.env, &unit.subject.roots);
    variables.map_err(|error| Reason::Unreadable(error.to_string()))
}

/// What a macro may read besides its user's package: what build scripts left for it, and files of the
/// workspace that belong to no package.
pub(super) fn files(
    common: &Common,
    unit: &Unit,
    command: &Command,
    hashed: &mut Vec<(PathBuf, Digest)>,
) -> Result<Vec<String>, Reason> {
    let mut lines = Vec::new();
    for dir in command.env.out_dirs() {
        for (path, digest) in tree(common, dir)? {
            let name = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy();
            lines.push(format!("{name} {digest}"));
            hashed.push((path, digest));
        }
    }
    lines.extend(workspace_files(common, &unit.subject, hashed)?);
    Ok(lines)
}

/// The files of the workspace that belong to no package, for a member of it.
pub(crate) fn workspace_files(
    common: &Common,
    subject: &Subject,
    hashed: &mut Vec<(PathBuf, Digest)>,
) -> Result<Vec<String>, Reason> {
    let Some(root) = subject.mutable_package() else {
        return Ok(Vec::new());
    };
    if root == subject.workspace || !root.starts_with(&subject.workspace) {
        return Ok(Vec::new());
    }
    let listed = package::list(&subject.workspace, &subject.excluded, &common.digests)?;
    let mut lines = Vec::with_capacity(listed.len());
    for file in listed {
        lines.push(format!("{} {}", file.path, file.digest));
        hashed.push((subject.workspace.join(&file.path), file.digest));
    }
    Ok(lines)
}

fn tree(common: &Common, dir: &Path) -> Result<Vec<(PathBuf, Digest)>, Reason> {
    let mut out = Vec::new();
    for entry in WalkDir::new(dir).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                let digest = once(common, entry.path())?;
                out.push((entry.into_path(), digest));
            }
            Ok(_) => {}
            // A folder that a script names need not exist.
            Err(error) if error.depth() == 0 => {}
            Err(error) => return Err(Reason::Unreadable(error.to_string())),
        }
    }
    Ok(out)
}
