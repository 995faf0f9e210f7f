//! [`Unit`]: everything that Cargo knows about a unit before it runs, taken on its main thread.
//!
//! Plain data that may move to any thread. It holds no type of Cargo's.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use hook_protocol::Digest;
use hook_protocol::wire::{self, Role};

use crate::env::Environment;
use crate::package::Source;
use crate::roots::Roots;
use crate::salt::Salt;

#[cfg(test)]
pub(crate) mod fixture;

/// What units of every kind have: who they are, and where they are built.
#[derive(Debug, Clone)]
pub struct Subject {
    /// How people and statistics know the unit.
    pub id: wire::Unit,
    /// Facts about the unit that Cargo knows by name and its command line may not tell, such as
    /// whether it is for the host: all of them enter the key.
    pub facts: BTreeMap<&'static str, String>,
    /// The names of this machine's places, the unit's own included.
    pub roots: Roots,
    /// Where the sources are.
    pub source: Source,
    /// Folders inside a package that are not part of it: build and target directory.
    pub excluded: Arc<[PathBuf]>,
    /// The working directory of the compiler or script.
    pub cwd: PathBuf,
    /// The root of the workspace: macros and scripts may read what lies there.
    pub workspace: PathBuf,
    /// The packages of the workspace.
    pub members: Arc<[PathBuf]>,
    /// The build directory: what build scripts left there enters by content.
    pub build_dir: PathBuf,
    /// Whether what is restored may be as old as what was stored, and need not be newer than the checkout:
    /// nothing of it, or of what it depends on, is compared with sources of the checkout by the times of
    /// both.
    pub may_be_old: bool,
    /// `hooks.salt`.
    pub salt: Salt,
    /// Whether the user has cleaned the package, to have it built anew.
    pub is_cleaned: bool,
}

impl Subject {
    /// Returns the package, if it can change.
    pub(crate) fn mutable_package(&self) -> Option<&Path> {
        match &self.source {
            Source::Mutable { root } => Some(root),
            Source::Unpacked { .. } => None,
        }
    }

    /// Says in messages where a hook failed.
    pub(crate) fn at(&self) -> String {
        format!("for `{}`", shown(&self.id))
    }
}

/// Names a unit in messages, as Cargo names targets.
pub fn shown(id: &wire::Unit) -> String {
    let target = match id.target_kind.as_str() {
        "lib" | "proc-macro" => "lib".to_owned(),
        "custom-build" => "build script".to_owned(),
        kind => format!("{kind} \"{}\"", id.target),
    };
    let mode = match id.mode.as_str() {
        "test" if target == "lib" => " test",
        RUN => " run",
        DOC => " doc",
        _ => "",
    };
    format!("{} v{} ({target}{mode})", id.package, id.version)
}

/// The [`mode`](wire::Unit::mode) of the run of a build script.
pub const RUN: &str = "run-build-script";

/// The [`mode`](wire::Unit::mode) of documentation.
pub const DOC: &str = "doc";

/// A unit that is compiled.
#[derive(Debug, Clone)]
pub struct Unit {
    /// What it has in common with units of other kinds.
    pub subject: Subject,
    /// The folder of the outputs.
    pub output_dir: PathBuf,
    /// The outputs that Cargo expects.
    pub outputs: Vec<Output>,
    /// Every file of the dependencies, transitively, that the compiler may load. Units share them: in a large
    /// build there are millions of such pairs.
    pub dependencies: Vec<Arc<Dependency>>,
    /// Where rustc writes its list of inputs.
    pub dep_info: PathBuf,
    /// Where Cargo keeps the compiler's messages.
    pub message_cache: PathBuf,
    /// Whether it was built in this build directory before.
    pub was_built: bool,
    /// Whether the unit is linked by a linker.
    pub links: bool,
    /// Native libraries that dependencies ask for, as build scripts write them: whoever links must
    /// find them too.
    pub native_libs: Vec<String>,
}

impl Unit {
    /// Returns whether a file may be shared with a store and other build directories, as one file: nobody edits it in
    /// place. Libraries are replaced by renaming; compiled build scripts are Cargo's own, run by it alone, and it
    /// removes one before a linker writes another.
    pub(crate) fn may_share(&self, output: &Output) -> bool {
        let is_script = self.subject.id.target_kind == "custom-build" && output.role == Role::Link;
        output.is_library() || is_script
    }
}

/// A file that a unit produces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The file.
    pub path: PathBuf,
    /// What it is for.
    pub role: Role,
}

impl Output {
    /// Returns the name of the file in the output folder.
    pub fn name(&self) -> Option<&str> {
        self.path.file_name()?.to_str()
    }

    /// Returns whether nobody edits the file in place: the compiler replaces it by renaming, and only
    /// compilers read it.
    pub(crate) fn is_library(&self) -> bool {
        let extension = self.path.extension().and_then(|it| it.to_str());
        self.is_required() && matches!(extension, Some("rlib" | "rmeta"))
    }

    /// Returns whether a result without this file is incomplete.
    pub fn is_required(&self) -> bool {
        matches!(self.role, Role::Link | Role::Metadata)
    }
}

/// A file of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Names the crate uniquely in the build: name, version and metadata hash.
    pub crate_id: String,
    /// The package, if it is one of crates.io: there a name stands for what its owner published.
    pub published: Option<String>,
    /// What the compiler uses it for: `metadata`, `link` or `macro`.
    pub role: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What stands for it in a key, once it is complete.
    pub line: OnceLock<String>,
}

impl Dependency {
    /// Returns what stands for the file in a key: who it is, and its digest, which is taken once for all units that
    /// have the dependency.
    ///
    /// # Errors
    ///
    /// If there is no digest.
    pub(crate) fn line(
        &self,
        digest: impl FnOnce(&Path) -> io::Result<Digest>,
    ) -> io::Result<&str> {
        if let Some(line) = self.line.get() {
            return Ok(line);
        }
        let line = format!("{} {} {}", self.crate_id, self.role, digest(&self.path)?);
        Ok(self.line.get_or_init(|| line))
    }
}

/// The compiler process of a unit, with all arguments, also those that build scripts added.
#[derive(Debug, Clone)]
pub struct Command {
    /// The programs that are started, the outermost wrapper first, the compiler last.
    pub programs: Vec<PathBuf>,
    /// The arguments of the compiler.
    pub args: Vec<String>,
    /// Its environment.
    pub env: Environment,
}

impl Command {
    /// Returns whether the compiler remembers what it did for the next time.
    pub(crate) fn is_incremental(&self) -> bool {
        self.args.iter().any(|arg| arg.starts_with("incremental="))
    }

    /// Returns whether clippy checks the unit.
    pub fn is_clippy(&self) -> bool {
        self.programs.iter().any(|program| is_clippy(program))
    }
}

/// Returns whether a program is clippy's driver.
pub(crate) fn is_clippy(program: &Path) -> bool {
    program
        .file_stem()
        .is_some_and(|stem| stem == "clippy-driver")
}
