//! The hash summary of a unit: ingredients, `action` and `key`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hook_protocol::Digest;
use hook_protocol::wire::{FileDigest, Hashes};

use crate::Reason;
use crate::args::{Arguments, understand};
use crate::files::FileDigests;
use crate::macros::Macros;
use crate::mentions::Mentions;
use crate::needed::Search;
use crate::package::{self, Source};
use crate::run::Scripts;
use crate::salt::Salt;
use crate::tools::Tools;
use crate::unit::{Command, Subject, Unit};
use crate::verified::Verified;

pub(crate) mod compiler;
pub(crate) mod macro_inputs;
pub(crate) mod native;

/// Part of every key. It moves with each change of what enters a key or of how it is written, so that
/// results of another version are never found.
const KEY_VERSION: &str = "cargo-hooks 3";

/// What the keys of all units of a build have in common.
pub struct Common {
    /// The digests of files.
    pub digests: Arc<FileDigests>,
    /// What macro libraries may read.
    pub macros: Macros,
    /// Which libraries mention a variable.
    pub mentions: Mentions,
    /// What is known of build scripts.
    pub scripts: Scripts,
    /// The identities of tools.
    pub tools: Tools,
    /// What is known of the files that hooks supply.
    pub verified: Verified,
    /// `rustc -vV`.
    pub rustc_version: String,
    /// The sysroot of the compiler.
    pub sysroot: PathBuf,
    /// The triple of this machine.
    pub host: String,
}

/// The hash summary of a unit, and what else was learnt on the way.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The summary of the unit as it would be compiled.
    pub hashes: Hashes,
    /// The summary of the same unit compiled without `-C incremental`, if it would be compiled with.
    /// Its results serve as well, and are the ones that other machines have.
    pub not_incremental: Option<Hashes>,
    /// The files whose content is in the action, with their digests.
    pub hashed: Arc<[(PathBuf, Digest)]>,
    /// Whether the compiler is told other names for this machine's places.
    pub remapped: bool,
    /// Whether a macro that the unit can reach may read what nobody told it.
    pub impure_macros: bool,
    /// Whether the unit may read files of its package that the compiler does not report: macros do, and
    /// linkers that are given instructions.
    pub reads_package: bool,
    /// Whether a macro that the unit can reach may read variables.
    pub macros_read_env: bool,
    /// What binds the unit to this checkout, if its action is another in each.
    pub bound_by: Option<String>,
    /// Where the linker looks for libraries; none if nothing is linked.
    pub(crate) search: Option<Search>,
}

/// Computes the hash summary of a unit.
///
/// # Errors
///
/// The [`Reason`] for which the unit cannot be offered.
pub fn summarise(common: &Common, unit: &Unit, command: &Command) -> Result<Summary, Reason> {
    let subject = &unit.subject;
    let arguments = understand(&command.args, &subject.roots)?;
    let mut hashed = Vec::new();
    let mut ingredients = Ingredients::new(subject);
    ingredients.add("args", &arguments.kept);
    ingredients.add("remap", &[arguments.remapped.to_string()]);
    let env = command.env.lines(&subject.roots, command.is_clippy());
    ingredients.add("env", &env);
    ingredients.add("rustc", &[compiler::compiler(common, subject, command)?]);
    ingredients.add("deps", &dependencies(common, unit)?);
    ingredients.add("files", &named_files(common, unit, &arguments)?);
    let powers = macro_inputs::powers(common, unit)?;
    let mut bound_by = None;
    if powers.reads_env {
        let variables = macro_inputs::variables(common, unit, command)?;
        let values = variables.values.iter();
        let lines: Vec<String> = values.map(|(name, it)| format!("{name}={it}")).collect();
        ingredients.add("macro-env", &lines);
        bound_by = variables.bound_by;
    }
    if powers.reads_files {
        let files = macro_inputs::files(common, unit, command, &mut hashed)?;
        ingredients.add("macro-files", &files);
        let commit = macro_inputs::checked_out(common, unit, &command.env)?;
        ingredients.add("macro-vcs", &[commit]);
    }
    let native = native::inputs(common, unit, &arguments, &mut hashed)?;
    ingredients.add("native", &native);
    if unit.links {
        ingredients.add("linker", &[compiler::linker(common, unit, &arguments)?]);
    }
    if arguments.native_cpu {
        let cpu = common.tools.native_cpu().map_err(Reason::Unreadable)?;
        ingredients.add("cpu", &[cpu.to_string()]);
    }
    let files = ingredients.add_source(common, subject)?;
    let hashes = |incremental: bool| {
        let mut ingredients = ingredients.clone();
        let word = if incremental { "yes" } else { "no" };
        ingredients.add("incremental", &[word.to_owned()]);
        ingredients.finish(files.clone())
    };
    let instructs_linker = arguments.kept.iter().any(|arg| arg.contains("link-arg"));
    Ok(Summary {
        hashes: hashes(arguments.incremental),
        not_incremental: arguments.incremental.then(|| hashes(false)),
        hashed: hashed.into(),
        remapped: arguments.remapped,
        impure_macros: powers.is_impure(),
        reads_package: powers.reads_files || instructs_linker,
        macros_read_env: powers.reads_env,
        bound_by,
        search: unit.links.then(|| Search {
            linker: arguments.linker.as_deref().unwrap_or("cc").to_owned(),
            folders: arguments
                .search_dirs
                .iter()
                .map(|dir| subject.cwd.join(dir))
                .collect(),
        }),
    })
}

/// What goes into an action, by name.
#[derive(Debug, Clone)]
pub(crate) struct Ingredients {
    salt: Salt,
    digests: BTreeMap<String, Digest>,
}

impl Ingredients {
    /// Begins with what units of every kind have.
    pub(crate) fn new(subject: &Subject) -> Ingredients {
        let mut out = Ingredients {
            salt: subject.salt,
            digests: BTreeMap::new(),
        };
        out.add("version", &[KEY_VERSION.to_owned()]);
        let facts = subject.facts.iter();
        let mut facts: Vec<String> = facts.map(|(name, fact)| format!("{name}={fact}")).collect();
        let cwd = subject.roots.normalise(&subject.cwd.to_string_lossy());
        facts.push(format!("cwd={cwd}"));
        out.add("unit", &facts);
        out
    }

    /// Adds one. Lines are encoded so that different lists never are equal.
    pub(crate) fn add(&mut self, name: &str, lines: &[impl AsRef<str>]) {
        let digest = self.salt.digest(&encode(lines));
        let earlier = self.digests.insert(name.to_owned(), digest);
        assert!(earlier.is_none(), "the ingredient `{name}` was added twice");
    }

    /// Adds the identity of the sources, and returns the files of a package that can change: with
    /// placeholders, these go into the key and not into the action.
    pub(crate) fn add_source(
        &mut self,
        common: &Common,
        subject: &Subject,
    ) -> Result<Vec<FileDigest>, Reason> {
        match &subject.source {
            Source::Unpacked { identity, .. } => {
                self.add("source", std::slice::from_ref(identity));
                Ok(Vec::new())
            }
            Source::Mutable { root } => {
                self.add("source", &["mutable".to_owned()]);
                let listed = package::list(root, &subject.excluded, &common.digests)?;
                let named = |file: FileDigest| FileDigest {
                    path: format!("{{package}}/{}", file.path.replace('{', "{{")),
                    ..file
                };
                Ok(listed.into_iter().map(named).collect())
            }
        }
    }

    /// Returns the summary.
    pub(crate) fn finish(self, files: Vec<FileDigest>) -> Hashes {
        let ingredients = self.digests;
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
}

/// Writes lines so that different lists never give equal text: each with its length in front.
fn encode(lines: &[impl AsRef<str>]) -> String {
    let mut out = String::new();
    for line in lines {
        let line = line.as_ref();
        let _ = writeln!(out, "{}:{line}", line.len());
    }
    out
}

fn dependencies<'a>(common: &Common, unit: &'a Unit) -> Result<Vec<&'a str>, Reason> {
    let mut lines = Vec::with_capacity(unit.dependencies.len());
    for dependency in &unit.dependencies {
        let path = &dependency.path;
        let digest = |path: &Path| Ok(common.digests.once(path)?.digest);
        let line = dependency.line(digest);
        lines.push(line.map_err(|e| Reason::Unreadable(format!("`{}`: {e}", path.display())))?);
    }
    lines.sort_unstable();
    // Names are unique, so that no dependency can hide another.
    let names = lines
        .iter()
        .map(|line| line.rsplit_once(' ').map(|it| it.0));
    if names
        .clone()
        .zip(names.skip(1))
        .any(|(one, next)| one == next)
    {
        return Err(Reason::AmbiguousDependency);
    }
    Ok(lines)
}

/// Files that arguments name: all but the dependencies that Cargo knows.
fn named_files(common: &Common, unit: &Unit, arguments: &Arguments) -> Result<Vec<String>, Reason> {
    let absolute = |path: &PathBuf| unit.subject.cwd.join(path);
    let foreign = arguments.externs.iter().map(absolute).filter(|file| {
        let is_it =
            |known: &Path| known.file_stem() == file.file_stem() && known.parent() == file.parent();
        !unit.dependencies.iter().any(|known| is_it(&known.path))
    });
    let files = arguments.files.iter().map(absolute).chain(foreign);
    files
        .map(|file| Ok(once(common, &file)?.to_string()))
        .collect()
}

/// The role of a dependency that is a macro library.
pub const MACRO: &str = "macro";

pub(crate) fn once(common: &Common, path: &Path) -> Result<Digest, Reason> {
    let hashed = common
        .digests
        .input(path)
        .map_err(|e| Reason::Unreadable(format!("`{}`: {e}", path.display())))?;
    Ok(hashed.digest)
}

#[cfg(test)]
mod tests;
