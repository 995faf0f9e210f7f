//! The hash summary of a unit: ingredients, `action` and `key`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hook_protocol::Digest;
use hook_protocol::wire::{FileDigest, Hashes};

use crate::args::{Arguments, understand};
use crate::files::FileDigests;
use crate::macros::Macros;
use crate::mentions::Mentions;
use crate::package::{self, Source};
use crate::reason::Reason;
use crate::tools::Tools;
use crate::unit::{Command, Unit};

mod compiler;
mod macro_inputs;
mod native;

/// Part of every key. It moves with each change of what enters a key or of how it is written, so that
/// results of another version are never found.
const KEY_VERSION: &str = "cargo-hooks 1";

/// What the keys of all units of a build have in common.
pub struct Common {
    /// The digests of files.
    pub digests: Arc<FileDigests>,
    /// What macro libraries may read.
    pub macros: Macros,
    /// Which libraries mention a variable.
    pub mentions: Mentions,
    /// The identities of tools.
    pub tools: Tools,
    /// `rustc -vV`.
    pub rustc_version: String,
    /// The sysroot of the compiler.
    pub sysroot: PathBuf,
    /// The triple of this machine.
    pub host: String,
    /// `hooks.salt`.
    pub salt: String,
}

/// The hash summary of a unit, and what else was learnt on the way.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The summary of the unit as it would be compiled.
    pub hashes: Hashes,
    /// The summary of the same unit compiled without `-C incremental`, if it would be compiled with.
    /// Its results serve as well, and are the ones that other machines have.
    pub not_incremental: Option<Hashes>,
    /// The files whose content is in the key, with their digests.
    pub hashed: Arc<[(PathBuf, Digest)]>,
    /// Whether the compiler is told other names for this machine's places.
    pub remapped: bool,
    /// Whether a macro that the unit can reach may read what nobody told it.
    pub impure_macros: bool,
}

/// Computes the hash summary of a unit.
///
/// # Errors
///
/// The [`Reason`] for which the unit cannot be offered.
pub fn summarise(common: &Common, unit: &Unit, command: &Command) -> Result<Summary, Reason> {
    let arguments = understand(&command.args, &unit.roots)?;
    let mut hashed = Vec::new();
    let mut ingredients = BTreeMap::new();
    let mut add = |name: &str, lines: &[String]| {
        let digest = Digest::of(encode(lines).as_bytes());
        let earlier = ingredients.insert(name.to_owned(), digest);
        assert!(earlier.is_none(), "the ingredient `{name}` was added twice");
    };
    add("version", &[KEY_VERSION.to_owned(), common.salt.clone()]);
    add("args", &arguments.kept);
    add("remap", &[arguments.remapped.to_string()]);
    add("env", &command.env.lines(&unit.roots, command.is_clippy()));
    let mut facts: Vec<String> = unit
        .facts
        .iter()
        .map(|(name, fact)| format!("{name}={fact}"))
        .collect();
    facts.push(format!(
        "cwd={}",
        unit.roots.normalise(&unit.cwd.to_string_lossy())
    ));
    add("unit", &facts);
    add("rustc", &[compiler::compiler(common, unit, command)?]);
    add("deps", &dependencies(common, unit)?);
    add("files", &named_files(common, unit, &arguments)?);
    let powers = macro_inputs::powers(common, unit)?;
    if powers.reads_env {
        add(
            "macro-env",
            &macro_inputs::variables(common, unit, command)?,
        );
    }
    if powers.reads_files {
        add(
            "macro-files",
            &macro_inputs::files(common, unit, command, &mut hashed)?,
        );
    }
    add(
        "native",
        &native::inputs(common, unit, &arguments, &mut hashed)?,
    );
    if unit.links {
        add("linker", &[compiler::linker(common, unit, &arguments)?]);
    }
    if arguments.native_cpu {
        let cpu = common.tools.native_cpu().map_err(Reason::Unreadable)?;
        add("cpu", &[cpu.to_string()]);
    }
    let files = match &unit.source {
        Source::Unpacked { identity, .. } => {
            add("source", std::slice::from_ref(identity));
            Vec::new()
        }
        Source::Mutable { root } => {
            add("source", &["mutable".to_owned()]);
            let listed = package::list(root, &unit.excluded, &common.digests)?;
            hashed.extend(
                listed
                    .iter()
                    .map(|file| (root.join(&file.path), file.digest)),
            );
            listed
        }
    };
    let hashes = |incremental: bool| {
        let mut ingredients = ingredients.clone();
        let word = if incremental { "yes" } else { "no" };
        ingredients.insert("incremental".to_owned(), Digest::of(word.as_bytes()));
        finish(ingredients, files.clone())
    };
    Ok(Summary {
        hashes: hashes(arguments.incremental),
        not_incremental: arguments.incremental.then(|| hashes(false)),
        hashed: hashed.into(),
        remapped: arguments.remapped,
        impure_macros: powers.is_impure(),
    })
}

fn finish(ingredients: BTreeMap<String, Digest>, files: Vec<FileDigest>) -> Hashes {
    let lines: Vec<String> = ingredients
        .iter()
        .map(|(name, d)| format!("{name} {d}"))
        .collect();
    let action = Digest::of(encode(&lines).as_bytes());
    let mut key = vec![action.to_string()];
    key.extend(
        files
            .iter()
            .map(|file| format!("{} {}", file.digest, file.path)),
    );
    Hashes {
        key: Digest::of(encode(&key).as_bytes()),
        action,
        ingredients,
        files,
    }
}

/// Writes lines so that different lists never give equal text: each with its length in front.
fn encode(lines: &[String]) -> String {
    lines
        .iter()
        .map(|line| format!("{}:{line}\n", line.len()))
        .collect()
}

fn dependencies(common: &Common, unit: &Unit) -> Result<Vec<String>, Reason> {
    let mut lines = Vec::with_capacity(unit.dependencies.len());
    for dependency in &unit.dependencies {
        let path = &dependency.path;
        let digest = common
            .digests
            .once(path)
            .map_err(|e| Reason::Unreadable(format!("`{}`: {e}", path.display())))?
            .digest;
        lines.push(format!(
            "{} {} {digest}",
            dependency.crate_id, dependency.role
        ));
    }
    lines.sort();
    // Names are unique, so that no dependency can hide another.
    let names: BTreeSet<_> = unit
        .dependencies
        .iter()
        .map(|d| (&d.crate_id, d.role))
        .collect();
    if names.len() < lines.len() {
        return Err(Reason::AmbiguousDependency);
    }
    Ok(lines)
}

/// Files that arguments name: all but the dependencies that Cargo knows.
fn named_files(common: &Common, unit: &Unit, arguments: &Arguments) -> Result<Vec<String>, Reason> {
    let absolute = |path: &PathBuf| unit.cwd.join(path);
    let foreign = arguments.externs.iter().map(absolute).filter(|file| {
        let stem = file.with_extension("");
        !unit
            .dependencies
            .iter()
            .any(|known| known.path.with_extension("") == stem)
    });
    let files = arguments.files.iter().map(absolute).chain(foreign);
    files
        .map(|file| Ok(once(common, &file)?.to_string()))
        .collect()
}

/// The role of a dependency that is a macro library.
pub const MACRO: &str = "macro";

fn once(common: &Common, path: &Path) -> Result<Digest, Reason> {
    let hashed = common
        .digests
        .input(path)
        .map_err(|e| Reason::Unreadable(format!("`{}`: {e}", path.display())))?;
    Ok(hashed.digest)
}

#[cfg(test)]
mod tests;
