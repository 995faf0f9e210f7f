//! The ingredients `macro-env` and `macro-files`: what macros may read without telling.

use std::path::{Path, PathBuf};

use hook_protocol::Digest;
use walkdir::WalkDir;

use super::{Common, MACRO, once};
use crate::Reason;
use crate::env::Environment;
use crate::macros::Variables;
use crate::package;
use crate::program::Powers;
use crate::run::{script::Script, vcs};
use crate::unit::{Command, Dependency, Subject, Unit};

/// The commit that macros may learn of by the programs that they start.
///
/// # Errors
///
/// [`Reason::ReadsVcs`] if they may learn more than that.
pub(super) fn checked_out(
    common: &Common,
    unit: &Unit,
    env: &Environment,
) -> Result<String, Reason> {
    let subject = &unit.subject;
    if subject.mutable_package().is_none() {
        return Ok(String::new());
    }
    let mut commit = String::new();
    for library in libraries_of_macros(unit) {
        let powers = common.macros.powers(std::iter::once(library));
        let powers = powers.map_err(|error| Reason::Unreadable(error.to_string()))?;
        if powers.starts_programs {
            let program = &Script::read(common, library)?.program;
            let words = vcs::mentioned(&program.text, program.powers);
            commit = vcs::checked_out(subject, env, true, words)?;
        }
    }
    Ok(commit)
}

fn libraries_of_macros(unit: &Unit) -> impl Iterator<Item = &Path> {
    unit.dependencies
        .iter()
        .filter(|it| it.role == MACRO)
        .map(|it| it.path.as_path())
}

/// Macros that ask for the time, and of which no result depends on it: `rustversion` shows today's date in
/// the text of an error, and what fails is not stored.
const TIMELESS: &[&str] = &["rustversion"];

/// Returns whether a macro may make something of the time.
fn asks_for_time(common: &Common, unit: &Unit) -> Result<bool, Reason> {
    let is_timeless = |it: &Dependency| {
        let name = it.published.as_deref();
        name.is_some_and(|name| TIMELESS.contains(&name))
    };
    let macros = unit.dependencies.iter().filter(|it| it.role == MACRO);
    let others = macros.filter(|it| !is_timeless(it.as_ref()));
    let powers = common.macros.powers(others.map(|it| it.path.as_path()));
    let powers = powers.map_err(|error| Reason::Unreadable(error.to_string()))?;
    Ok(powers.asks_clock)
}

pub(super) fn powers(common: &Common, unit: &Unit) -> Result<Powers, Reason> {
    let powers = common.macros.powers(libraries_of_macros(unit));
    let powers = powers.map_err(|error| Reason::Unreadable(error.to_string()))?;
    if powers.uses_network {
        Err(Reason::MacroMayUseNetwork)
    } else if powers.asks_clock && asks_for_time(common, unit)? {
        Err(Reason::ReadsClock)
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

/// What a macro may read besides its user's package: what build scripts left for it, and the workspace.
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

/// The files of the workspace, for a package that is part of it: those of all packages in it, and those that
/// belong to none. Which of them a macro or a script reads, nobody tells.
pub(crate) fn workspace_files(
    common: &Common,
    subject: &Subject,
    hashed: &mut Vec<(PathBuf, Digest)>,
) -> Result<Vec<String>, Reason> {
    let is_part = |root: &Path| root.starts_with(&subject.workspace);
    if !subject.mutable_package().is_some_and(is_part) {
        return Ok(Vec::new());
    }
    let mut lines = Vec::new();
    let outside = subject.members.iter().filter(|it| !is_part(it));
    for folder in outside.chain([&subject.workspace]) {
        for file in package::list_workspace(folder, &subject.excluded, &common.digests)? {
            let path = folder.join(&file.path);
            let name = path.strip_prefix(&subject.workspace).unwrap_or(&path);
            lines.push(format!("{} {}", name.display(), file.digest));
            hashed.push((path, file.digest));
        }
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
