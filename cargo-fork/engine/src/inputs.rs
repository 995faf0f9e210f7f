//! Recorded inputs: what a result really read, taken after a build and checked before use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hook_protocol::Digest;
use hook_protocol::wire::{EnvInput, FileDigest, Inputs};

use crate::before::Before;
use crate::depinfo::DepInfo;
use crate::env::Environment;
use crate::files::{self, FileDigests};
use crate::mentions::Mentions;
use crate::package::Source;
use crate::reason::Reason;
use crate::unit::Unit;

/// Records what the compiler says that it read.
///
/// `digests` has, among others, the files that were hashed before the build began.
///
/// # Errors
///
/// A [`Reason`] if a file changed, or cannot be shown not to have changed, while the unit was built.
pub(crate) fn record(
    unit: &Unit,
    env: &Environment,
    info: &DepInfo,
    digests: &FileDigests,
    mentions: &Mentions,
    before: &Before,
) -> Result<Inputs, Reason> {
    let mut inputs = Inputs::default();
    let mut paths = Vec::new();
    for file in &info.files {
        let path = unit.cwd.join(file);
        let digest = unchanged(&unit.source, &path, digests, before)?;
        let text = path
            .to_str()
            .ok_or_else(|| Reason::NotUtf8(path.display().to_string()))?;
        inputs.files.push(FileDigest {
            path: unit.roots.normalise(text),
            digest,
        });
        paths.push(path);
    }
    inputs.files.sort();
    inputs.files.dedup();
    for (name, value) in &info.env {
        // rustc names each variable once, with the value that it saw.
        let value = match value {
            Some(value) if names_only_files(unit, name, value, &paths, mentions) => {
                Some(by_placeholder(unit, value))
            }
            Some(value) => Some(by_value(value)),
            None => None,
        };
        inputs.env.push(EnvInput {
            name: name.clone(),
            value,
        });
    }
    if let Some(changed) = info
        .env
        .iter()
        .find(|(name, value)| env.get(name) != value.as_deref())
    {
        return Err(Reason::InputChanged(format!(
            "environment variable `{}`",
            changed.0
        )));
    }
    inputs.env.sort();
    inputs.env.dedup();
    Ok(inputs)
}

/// Returns the digest of an input that was the same before and after the build.
fn unchanged(
    source: &Source,
    path: &Path,
    digests: &FileDigests,
    before: &Before,
) -> Result<Digest, Reason> {
    if matches!(source, Source::Unpacked { root, .. } if path.starts_with(root))
        && !source.vouches_for(path)
    {
        return Err(Reason::EditedSource(format!("`{}`", path.display())));
    }
    match before.unchanged(path, source.root(), digests) {
        Some(hashed) => Ok(hashed.digest),
        None => Err(Reason::InputChanged(format!("`{}`", path.display()))),
    }
}

/// Checks that what goes into the key is still as it was hashed.
///
/// # Errors
///
/// [`Reason::InputChanged`] with the first file that is not.
pub(crate) fn check_unchanged(
    hashed: &[(PathBuf, Digest)],
    digests: &FileDigests,
    before: &Before,
) -> Result<(), Reason> {
    for (path, digest) in hashed {
        // A link that leads nowhere was listed by its text.
        if path.is_symlink() && !path.exists() {
            continue;
        }
        let known = digests.known(path).filter(|known| known.digest == *digest);
        let is_same = known.is_some_and(|known| before.is_still(path, &known));
        let has_digest = || files::hash(path).is_ok_and(|after| after.digest == *digest);
        if !is_same && !has_digest() {
            return Err(Reason::InputChanged(format!("`{}`", path.display())));
        }
    }
    Ok(())
}

/// Returns whether a variable that holds a path was used only to name files that are recorded.
fn names_only_files(
    unit: &Unit,
    name: &str,
    value: &str,
    inputs: &[PathBuf],
    mentions: &Mentions,
) -> bool {
    let libraries = unit.dependencies.iter().map(|it| it.path.clone());
    unit.roots.occurs_in(value)
        && inputs.iter().any(|path| path.starts_with(value))
        && mentions.names_only_files(name, inputs, libraries)
}

fn by_value(value: &str) -> Digest {
    Digest::of(format!("value {value}").as_bytes())
}

fn by_placeholder(unit: &Unit, value: &str) -> Digest {
    Digest::of(format!("placeholder {}", unit.roots.normalise(value)).as_bytes())
}

/// Returns the digest by which a result is bound to a path of this machine.
pub(crate) fn bound_to(path: &Path) -> Digest {
    Digest::of(path.to_string_lossy().as_bytes())
}

/// Checks recorded inputs against this build.
///
/// # Errors
///
/// What differs first, in a few words.
pub(crate) fn check(
    unit: &Unit,
    env: &Environment,
    inputs: &Inputs,
    digests: &FileDigests,
) -> Result<(), String> {
    for (name, digest) in &inputs.bound {
        if !unit
            .roots
            .paths_of(name)
            .any(|path| bound_to(path) == *digest)
        {
            return Err(format!("bound to another `{{{name}}}`"));
        }
    }
    for input in &inputs.env {
        let now = env.get(&input.name);
        let holds = match (&input.value, now) {
            (None, None) => true,
            (Some(then), Some(now)) => *then == by_value(now) || *then == by_placeholder(unit, now),
            _ => false,
        };
        if !holds {
            return Err(format!("environment variable `{}` differs", input.name));
        }
    }
    for file in &inputs.files {
        let path = unit
            .roots
            .localise_path(&file.path)
            .ok_or_else(|| format!("`{}` is not a path here", file.path))?;
        let path = unit.cwd.join(path);
        if unit.source.vouches_for(&path) {
            continue;
        }
        match digests.input(&path) {
            Ok(hashed) if hashed.digest == file.digest => {}
            Ok(_) => return Err(format!("`{}` differs", path.display())),
            Err(error) => return Err(format!("`{}`: {error}", path.display())),
        }
    }
    Ok(())
}

/// Returns what [`record`] recorded as rustc would have written it for this build. Values of variables
/// are those of today, which [`check`] found to fit.
pub(crate) fn dep_info(unit: &Unit, env: &Environment, inputs: &Inputs) -> Option<DepInfo> {
    let files = inputs
        .files
        .iter()
        .map(|file| unit.roots.localise(&file.path));
    let env: BTreeMap<String, Option<String>> = inputs
        .env
        .iter()
        .map(|input| (input.name.clone(), env.get(&input.name).map(str::to_owned)))
        .collect();
    Some(DepInfo {
        files: files.collect::<Option<_>>()?,
        env: env.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests;
