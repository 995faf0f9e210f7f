//! The hash summary of a unit: ingredients, `action` and `key`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hook_protocol::Digest;
use hook_protocol::wire::{FileDigest, Hashes};
use walkdir::WalkDir;

use crate::args::{Arguments, NativeLib, understand};
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
    /// Whether the compiler is told other names for this machine's places.
    pub remapped: bool,
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
        remapped: arguments.remapped,
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
        let libraries = common.sysroot.join("lib/rustlib").join(triple).join("lib");
        libraries.is_dir()
    });
    let mut out = common
        .tools
        .compiler(&common.rustc_version, &common.sysroot, &targets)
        .map_err(Reason::Unreadable)?
        .to_string();
    let (program, wrappers) = command
        .programs
        .split_last()
        .expect("a command has a program");
    // What stands in for rustc may add to its arguments.
    let program = common.tools.program(program).map_err(Reason::Unreadable)?;
    out.push_str(&format!(" {program}"));
    for wrapper in wrappers {
        let stem = wrapper.file_stem().unwrap_or_default().to_string_lossy();
        if !matches!(&*stem, "clippy-driver" | "sccache") {
            return Err(Reason::UnknownDriver(wrapper.display().to_string()));
        }
        let digest = common.tools.program(wrapper).map_err(Reason::Unreadable)?;
        out.push_str(&format!(" {stem} {digest}"));
        if is_clippy(wrapper) {
            out.push_str(&clippy_configuration(common, unit)?);
            // With `--no-deps` clippy is silent about every other package.
            if command.env.get("CARGO_PRIMARY_PACKAGE").is_some() {
                out.push_str(" primary");
            }
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
    for dir in &arguments.dependency_dirs {
        if !unit.cwd.join(dir).starts_with(&unit.build_dir) {
            return Err(Reason::UnknownArgument(format!(
                "-L dependency={}",
                dir.display()
            )));
        }
    }
    let mut found = BTreeSet::new();
    let mut wanted = arguments.native_libs.clone();
    if unit.links {
        wanted.extend(unit.native_libs.iter().map(|lib| NativeLib::parse(lib)));
    }
    for dir in &arguments.search_dirs {
        let dir = unit.cwd.join(dir);
        // A build script's folder is searched for whatever a dependency, or the linker, asks for.
        if dir.starts_with(&unit.build_dir) {
            found.extend(libraries_in(&dir, NATIVE));
        } else {
            found.extend(libraries_in(&dir, CRATES));
            found.extend(
                wanted
                    .iter()
                    .flat_map(|lib| lib.file_names())
                    .map(|file| dir.join(file)),
            );
        }
    }
    let linker = arguments.linker.as_deref().unwrap_or("cc");
    for lib in wanted.iter().filter(|_| unit.links) {
        // What no folder has, the linker finds in its own.
        let files = lib.file_names();
        if !found
            .iter()
            .any(|path| path.is_file() && files.iter().any(|f| path.ends_with(f)))
        {
            let found_by_linker = common.tools.library(linker, &files);
            found.insert(found_by_linker.ok_or_else(|| Reason::Unreadable(format!("{lib:?}")))?);
        }
    }
    for path in found.into_iter().filter(|path| path.is_file()) {
        let digest = once(common, &path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        lines.push(format!("{name} {digest}"));
        hashed.push((path, digest));
    }
    Ok(lines)
}

/// Endings of files that a linker may take from a folder.
const NATIVE: &[&str] = &[
    ".a", ".so", ".dylib", ".dll", ".lib", ".o", ".obj", ".tbd", ".ld", ".x", ".rlib", ".rmeta",
];

/// Endings of crates.
const CRATES: &[&str] = &[".rlib", ".rmeta"];

/// Returns the files of a folder with one of these endings.
fn libraries_in(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        endings.iter().any(|end| name.ends_with(end)) || endings == NATIVE && name.contains(".so.")
    };
    // A folder that a script names need not exist.
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(is_library)
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
    let is_host = unit.id.platform == "host" || unit.id.platform == common.host;
    // The linker that rustc chooses for a foreign target is not known here.
    let linker = match arguments.linker.as_deref() {
        Some(linker) => linker,
        None if is_host => "cc",
        None => return Err(Reason::UnknownLinker(unit.id.platform.clone())),
    };
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
        .input(path)
        .map_err(|e| Reason::Unreadable(format!("`{}`: {e}", path.display())))?;
    Ok(hashed.digest)
}

#[cfg(test)]
mod tests;
