//! The hash summary of a unit: ingredients, `action` and `key`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hook_protocol::Digest;
use hook_protocol::wire::{FileDigest, Hashes};
use walkdir::WalkDir;

use crate::args::{Arguments, understand};
use crate::files::FileDigests;
use crate::memory::Memory;
use crate::package::{self, Source};
use crate::reason::Reason;
use crate::tools::Tools;
use crate::unit::{Command, Unit, is_clippy};

/// Part of every key. It moves with each change of what enters a key or of how it is written, so that
/// results of another version are never found.
const KEY_VERSION: &str = "cargo-hooks 1";

/// What the keys of all units of a build have in common.
pub struct Common {
    /// The digests of files.
    pub digests: FileDigests,
    /// The digests of outputs that earlier builds left in the build directory.
    pub outputs: Memory,
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
    add("rustc", &[compiler(common, unit, command)?]);
    add("deps", &dependencies(common, unit)?);
    add("files", &named_files(common, unit, &arguments)?);
    add(
        "native",
        &native_inputs(common, unit, command, &arguments, &mut hashed)?,
    );
    if unit.links {
        add("linker", &[linker(common, unit, &arguments)?]);
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

fn compiler(common: &Common, unit: &Unit, command: &Command) -> Result<String, Reason> {
    let mut targets = vec![common.host.as_str()];
    if unit.id.platform != "host" {
        targets.push(&unit.id.platform);
    }
    targets.retain(|triple| {
        common
            .sysroot
            .join("lib/rustlib")
            .join(triple)
            .join("lib")
            .is_dir()
    });
    let mut out = common
        .tools
        .compiler(&common.rustc_version, &common.sysroot, &targets)
        .map_err(Reason::Unreadable)?
        .to_string();
    let (_, wrappers) = command
        .programs
        .split_last()
        .expect("a command has a program");
    for wrapper in wrappers {
        let stem = wrapper.file_stem().unwrap_or_default().to_string_lossy();
        if !matches!(&*stem, "clippy-driver" | "sccache") {
            return Err(Reason::UnknownDriver(wrapper.display().to_string()));
        }
        let digest = common.tools.program(wrapper).map_err(Reason::Unreadable)?;
        out.push_str(&format!(" {stem} {digest}"));
        if is_clippy(wrapper) {
            out.push_str(&clippy_configuration(common, unit)?);
        }
    }
    Ok(out)
}

/// Clippy reads the nearest configuration file above the package; one that is added later counts too.
fn clippy_configuration(common: &Common, unit: &Unit) -> Result<String, Reason> {
    for dir in unit.source.root().ancestors() {
        for name in [".clippy.toml", "clippy.toml"] {
            let path = dir.join(name);
            if path.is_file() {
                let hashed = once(common, &path)?;
                return Ok(format!(" configured {hashed}"));
            }
        }
    }
    Ok(" not configured".to_owned())
}

fn dependencies(common: &Common, unit: &Unit) -> Result<Vec<String>, Reason> {
    let mut lines = Vec::with_capacity(unit.dependencies.len());
    for dependency in &unit.dependencies {
        let path = &dependency.path;
        let digest = common
            .digests
            .once_by(path, |path| common.outputs.file(path))
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

fn named_files(common: &Common, unit: &Unit, arguments: &Arguments) -> Result<Vec<String>, Reason> {
    let absolute = arguments.files.iter().map(|file| unit.cwd.join(file));
    absolute
        .map(|file| Ok(once(common, &file)?.to_string()))
        .collect()
}

/// What build scripts supply, and what else `-L` and `-l` find. The files of `OUT_DIR` that a unit
/// includes are among its recorded inputs; a macro may read others without telling.
fn native_inputs(
    common: &Common,
    unit: &Unit,
    command: &Command,
    arguments: &Arguments,
    hashed: &mut Vec<(PathBuf, Digest)>,
) -> Result<Vec<String>, Reason> {
    let mut lines = Vec::new();
    for dir in command.env.out_dirs().filter(|_| unit.uses_macros) {
        for (path, digest) in tree(common, dir)? {
            let name = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy();
            lines.push(format!("{name} {digest}"));
            hashed.push((path, digest));
        }
    }
    for dir in &arguments.search_dirs {
        let dir = unit.cwd.join(dir);
        // A build script's folder is searched for whatever a dependency, or the linker, asks for.
        let found = if dir.starts_with(&unit.build_dir) {
            libraries_in(&dir)
        } else {
            named_libraries(&dir, &arguments.native_libs)
        };
        for path in found {
            let digest = once(common, &path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            lines.push(format!("{name} {digest}"));
            hashed.push((path, digest));
        }
    }
    Ok(lines)
}

/// Returns the files of a folder that a linker may take, in the order of their names.
fn libraries_in(dir: &Path) -> Vec<PathBuf> {
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let known = [
            ".a", ".so", ".dylib", ".dll", ".lib", ".o", ".obj", ".tbd", ".ld", ".x",
        ];
        path.is_file() && (known.iter().any(|end| name.ends_with(end)) || name.contains(".so."))
    };
    // A folder that a script names need not exist.
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut out: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(is_library)
        .collect();
    out.sort();
    out
}

fn named_libraries(dir: &Path, names: &[String]) -> Vec<PathBuf> {
    let files = names.iter().flat_map(|name| {
        [
            format!("lib{name}.a"),
            format!("lib{name}.so"),
            format!("lib{name}.dylib"),
            format!("{name}.lib"),
        ]
    });
    files
        .map(|file| dir.join(file))
        .filter(|path| path.is_file())
        .collect()
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

fn linker(common: &Common, unit: &Unit, arguments: &Arguments) -> Result<String, Reason> {
    let default = if unit.id.platform == "host" { "cc" } else { "" };
    let linker = arguments.linker.as_deref().unwrap_or(default);
    if linker.is_empty() {
        // rustc chooses the linker of a foreign target: often its own, sometimes `cc`.
        let own = common.tools.linker("cc", arguments.fuse_ld.as_deref());
        return Ok(own.map_or_else(|_| "none".to_owned(), |digest| digest.to_string()));
    }
    let linker = if linker.contains('/') {
        unit.cwd.join(linker).to_string_lossy().into_owned()
    } else {
        linker.to_owned()
    };
    let digest = common
        .tools
        .linker(&linker, arguments.fuse_ld.as_deref())
        .map_err(Reason::Unreadable)?;
    Ok(digest.to_string())
}

fn once(common: &Common, path: &Path) -> Result<Digest, Reason> {
    let hashed = common
        .digests
        .once(path)
        .map_err(|e| Reason::Unreadable(format!("`{}`: {e}", path.display())))?;
    Ok(hashed.digest)
}

#[cfg(test)]
mod tests;
