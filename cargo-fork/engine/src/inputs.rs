//! Recorded inputs: what a result really read, taken after a build and checked before use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hook_protocol::Digest;
use hook_protocol::wire::{EnvInput, FileDigest, Hashes, Inputs};

use crate::Reason;
use memchr::memmem;

use crate::before::Before;
use crate::depinfo::DepInfo;
use crate::env::Environment;
use crate::env_use;
use crate::files::{self, FileDigests};
use crate::listing;
use crate::mentions::Mentions;
use crate::package::Source;
use crate::pieces;
use crate::unit::{Subject, Unit};

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
    let subject = &unit.subject;
    let mut inputs = Inputs::default();
    let mut paths = Vec::new();
    for file in &info.files {
        let path = subject.cwd.join(file);
        inputs
            .files
            .push(file_input(subject, &path, digests, before)?);
        // Were this one there too, the compiler would not know which of both is meant.
        let is_fixed = subject.source.vouches_for(&path) || path.starts_with(&subject.build_dir);
        if !is_fixed && let Some(twin) = twin(&path).filter(|twin| !twin.exists()) {
            inputs.absent.push(normalised(subject, &twin)?);
        }
        paths.push(path);
    }
    inputs.files.sort();
    inputs.files.dedup();
    inputs.absent.sort();
    inputs.absent.dedup();
    for (name, value) in &info.env {
        // rustc names each variable once, with the value that it saw.
        let value = match value {
            Some(value) if names_only_files(unit, name, value, &paths, mentions) => {
                Some(by_placeholder(subject, value))
            }
            Some(value) => Some(by_value(subject, value)),
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

/// Records the variables that a unit's sources may name to a macro: every text that looks like the name of
/// one. `dotenv!("API_URL")` reads it, and nobody tells.
pub(crate) fn named(subject: &Subject, env: &Environment, info: &DepInfo) -> Vec<EnvInput> {
    let sources = info.files.iter().map(|file| subject.cwd.join(file));
    let texts = sources.filter_map(|path| std::fs::read_to_string(path).ok());
    let names: BTreeSet<String> = texts.flat_map(|text| env_use::names(&text)).collect();
    // What Cargo sets is in the key.
    let names = names
        .into_iter()
        .filter(|name| !env.command.contains_key(name));
    let input = |name: String| EnvInput {
        value: env.get(&name).map(|it| by_value(subject, it)),
        name,
    };
    names.map(input).collect()
}

/// Records a file that was the same before and after the build.
///
/// # Errors
///
/// A [`Reason`] if it was not, or if that cannot be told.
pub(crate) fn file_input(
    subject: &Subject,
    path: &Path,
    digests: &FileDigests,
    before: &Before,
) -> Result<FileDigest, Reason> {
    if is_of_the_kernel(path) {
        return Err(Reason::Unreadable(format!("`{}`", path.display())));
    }
    let digest = unchanged(&subject.source, path, digests, before)?;
    let path = normalised(subject, path)?;
    Ok(FileDigest { path, digest })
}

/// Returns a path with placeholders.
pub(crate) fn normalised(subject: &Subject, path: &Path) -> Result<String, Reason> {
    let text = path
        .to_str()
        .ok_or_else(|| Reason::NotUtf8(path.display().to_string()))?;
    Ok(subject.roots.normalise(text))
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
    unit.subject.roots.occurs_in(value)
        && inputs.iter().any(|path| path.starts_with(value))
        && mentions.names_only_files(name, inputs, libraries)
}

/// Returns the digest by which a variable counts as it is.
pub(crate) fn by_value(subject: &Subject, value: &str) -> Digest {
    subject.salt.digest(&format!("value {value}"))
}

/// Returns the digest by which a variable counts that only names files.
fn by_placeholder(subject: &Subject, value: &str) -> Digest {
    let value = subject.roots.normalise(value);
    subject.salt.digest(&format!("placeholder {value}"))
}

/// Returns the digest by which a result is bound to a path of this machine.
pub(crate) fn bound_to(path: &Path) -> Digest {
    Digest::of(path.to_string_lossy().as_bytes())
}

/// Returns the digest of all files of a package, as they are listed in a question.
pub(crate) fn package(files: &[FileDigest]) -> Digest {
    let lines: Vec<String> = files
        .iter()
        .map(|file| format!("{}:{} {}\n", file.path.len(), file.path, file.digest))
        .collect();
    Digest::of(lines.concat().as_bytes())
}

/// Returns the digest of all files of a package, if none changed while the unit was built. For one that Cargo
/// unpacked its identity stands, as long as nothing in it was edited.
///
/// # Errors
///
/// [`Reason::InputChanged`] or [`Reason::EditedSource`] with the first file that did.
pub(crate) fn whole_package(
    subject: &Subject,
    hashes: &Hashes,
    digests: &FileDigests,
    before: &Before,
) -> Result<Option<Digest>, Reason> {
    let Some(root) = subject.mutable_package() else {
        subject.source.check_unpacked()?;
        return Ok(Some(package(&[])));
    };
    let place = |file: &FileDigest| {
        let name = file.path.strip_prefix("{package}/").unwrap_or(&file.path);
        (root.join(name.replace("{{", "{")), file.digest)
    };
    let hashed: Vec<_> = hashes.files.iter().map(place).collect();
    check_unchanged(&hashed, digests, before)?;
    Ok(Some(package(&hashes.files)))
}

/// The most inputs that an entry may name.
const MAX_INPUTS: usize = 100_000;

/// Checks recorded inputs against this build. `listed` are the files of the package.
///
/// # Errors
///
/// The reason with what differs first.
pub(crate) fn check(
    subject: &Subject,
    env: &Environment,
    inputs: &Inputs,
    listed: &[FileDigest],
    digests: &FileDigests,
) -> Result<(), Reason> {
    let lists = [&inputs.files, &inputs.folders, &inputs.libraries];
    let count = lists.map(Vec::len).iter().sum::<usize>()
        + inputs.absent.len()
        + inputs.env.len()
        + inputs.named.len();
    if count > MAX_INPUTS {
        return differs(format!("{count} inputs are too many"));
    }
    for (name, bound) in &inputs.bound {
        let mut paths = subject.roots.paths_of(name);
        if !paths.any(|path| bound_to(path) == bound.path) {
            return Err(Reason::Bound(format!(
                "to another `{{{name}}}`: {}",
                bound.by
            )));
        }
    }
    for input in inputs.env.iter().chain(&inputs.named) {
        let now = env.get(&input.name);
        let holds = match (&input.value, now) {
            (None, None) => true,
            (Some(then), Some(now)) => {
                *then == by_value(subject, now) || *then == by_placeholder(subject, now)
            }
            _ => false,
        };
        if !holds {
            let what = format!("environment variable `{}` differs", input.name);
            let is_place = now.is_some_and(|now| subject.roots.occurs_in(now));
            return Err(match is_place {
                true => Reason::Bound(format!("{what}, which holds a path")),
                false => Reason::InputDiffers(what),
            });
        }
    }
    if let Some(then) = &inputs.package {
        if *then != package(listed) {
            return differs("files of the package differ".to_owned());
        }
        subject.source.check_unpacked()?;
    }
    for name in &inputs.absent {
        let path = path_of(subject, name)?;
        if path.exists() {
            return differs(format!("`{}` exists", path.display()));
        }
    }
    for folder in &inputs.folders {
        let path = path_of(subject, &folder.path)?;
        match listing::content(&path, &subject.excluded, digests) {
            Ok(content) if content == folder.digest => {}
            Ok(_) => return differs(format!("`{}` differs", path.display())),
            Err(error) => return differs(format!("`{}`: {error}", path.display())),
        }
    }
    for file in inputs.files.iter().chain(&inputs.libraries) {
        check_file(subject, file, digests)?;
    }
    Ok(())
}

fn differs(what: String) -> Result<(), Reason> {
    Err(Reason::InputDiffers(what))
}

fn path_of(subject: &Subject, name: &str) -> Result<PathBuf, Reason> {
    let path = subject.roots.localise_path(name);
    let path = path.ok_or_else(|| Reason::InputDiffers(format!("`{name}` is not a path here")))?;
    Ok(subject.cwd.join(path))
}

fn check_file(subject: &Subject, file: &FileDigest, digests: &FileDigests) -> Result<(), Reason> {
    let path = path_of(subject, &file.path)?;
    if subject.source.vouches_for(&path) {
        return Ok(());
    }
    // An entry comes from a hook: what it names is looked at before it is opened.
    let unusual = match std::fs::metadata(&path) {
        Ok(metadata) if !metadata.is_file() || is_of_the_kernel(&path) => "is no ordinary file",
        Ok(metadata) if metadata.len() > crate::package::MAX_BYTES => "is too large",
        Ok(_) => match digests.input(&path) {
            Ok(hashed) if hashed.digest == file.digest => return Ok(()),
            Ok(_) => "differs",
            Err(error) => return differs(format!("`{}`: {error}", path.display())),
        },
        Err(error) => return differs(format!("`{}`: {error}", path.display())),
    };
    differs(format!("`{}` {unusual}", path.display()))
}

/// Returns whether a file is none of a file system: reading such a one may never end.
fn is_of_the_kernel(path: &Path) -> bool {
    let folders = ["/dev", "/proc", "/sys"];
    cfg!(unix) && folders.iter().any(|folder| path.starts_with(folder))
}

/// Returns whether a source may give an assembler something to read.
pub(crate) fn has_assembly(source: &Path) -> bool {
    let words = ["asm!", "global_asm", "naked_asm", "arch::asm"];
    let longest = words
        .iter()
        .map(|word| word.len())
        .max()
        .unwrap_or_default();
    // In pieces: generated sources have megabytes.
    pieces::any(source, longest, |piece, _| {
        let has = |word: &&str| memmem::find(piece, word.as_bytes()).is_some();
        words.iter().any(has)
    })
    .unwrap_or(false)
}

/// Returns the file beside a module's that the compiler would refuse as ambiguous: `foo/mod.rs` for
/// `foo.rs`, and the reverse.
pub(crate) fn twin(path: &Path) -> Option<PathBuf> {
    let (stem, extension) = (path.file_stem()?, path.extension()?);
    if extension != "rs" {
        None
    } else if stem == "mod" {
        Some(path.parent()?.with_extension("rs"))
    } else if stem == "lib" || stem == "main" {
        None
    } else {
        Some(path.with_extension("").join("mod.rs"))
    }
}

/// Returns what [`record`] recorded as rustc would have written it for this build. Values of variables
/// are those of today, which [`check`] found to fit.
pub(crate) fn dep_info(unit: &Unit, env: &Environment, inputs: &Inputs) -> Option<DepInfo> {
    let files = inputs
        .files
        .iter()
        .map(|file| unit.subject.roots.localise(&file.path));
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
