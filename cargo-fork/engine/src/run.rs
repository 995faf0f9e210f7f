//! Runs of build scripts as units: asking for one, and keeping what it came to.
//!
//! A script tells Cargo what it read, and its silence is trusted for one checkout. Sharing extends that
//! trust to checkouts that differ in what no script declares, so more enters the key: the script itself,
//! all files of a package that can change, what the script may have learnt from the environment, the
//! programs that it may start, and what they may find on this machine. A script that may read version
//! control runs in every checkout; its own program is restored, and where it comes to the same, what
//! depends on it is restored too.
//!
//! ```text
//! ask     key ── hook ──┬── a result: the folder is replaced as a whole, instructions are told again
//!                       └── none: look around, run, look again
//! store   the folder was empty, nothing else was written, no input changed: an entry
//! ```
//!
//! A file that is text is kept with placeholders for paths of this machine, and written with those of
//! the place where it is used. Any other file that holds such a path binds the result to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hook_protocol::Digest;
use hook_protocol::wire::{Hashes, Inputs};

use crate::before::Before;
use crate::env::Environment;
use crate::package::Source;
use crate::unit::Subject;

mod ask;
mod compiler_flags;
mod key;
mod outside;
pub(crate) mod script;
mod store;
mod system;
mod tree;
mod variables;
pub(crate) mod vcs;

pub use script::Scripts;
pub use vcs::{commit, is_vcs_crate};

/// The run of a build script, as Cargo knows it before.
#[derive(Debug, Clone)]
pub struct Run {
    /// What it has in common with units of other kinds. The folder of the script is among the roots.
    pub subject: Subject,
    /// The script, compiled.
    pub script: PathBuf,
    /// `OUT_DIR`.
    pub out_dir: PathBuf,
    /// Where Cargo keeps what the script printed.
    pub stdout: PathBuf,
    /// Where Cargo keeps what it printed on standard error.
    pub stderr: PathBuf,
    /// Its main source.
    pub source: PathBuf,
    /// The native library that the package links to.
    pub links: Option<String>,
    /// The runs of packages that link to native libraries and on which this one depends, transitively.
    pub supplies: Vec<Supply>,
    /// A dependency of the script that is known to read version control.
    pub vcs_dependency: Option<String>,
    /// Whether the package is one of the user's: not from a registry or a repository elsewhere.
    pub is_local: bool,
    /// The folder of the profile, in which `OUT_DIR` lies, and most outputs.
    pub profile_dir: PathBuf,
    /// Every output of this build.
    pub outputs: Arc<[PathBuf]>,
    /// The names by which compilers know this machine's places, the shortest path first; none if they are
    /// not to be told.
    pub renamed: Arc<[(String, String)]>,
    /// The variables in which C compilers are told these names.
    pub flags: Vec<String>,
}

/// What another build script left for this one.
#[derive(Debug, Clone)]
pub struct Supply {
    /// Names the package uniquely in the build.
    pub package: String,
    /// Its sources, to which it may refer.
    pub source: Source,
    /// Its `OUT_DIR`.
    pub out_dir: PathBuf,
    /// Where Cargo keeps what it printed.
    pub stdout: PathBuf,
}

/// What a build script declares.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// Files and folders: what it said with `rerun-if-changed`, relative to the package or absolute.
    pub paths: Vec<PathBuf>,
    /// Variables: what it said with `rerun-if-env-changed`.
    pub variables: Vec<String>,
}

/// A question about a run, to be completed by [`Session::store_run`](crate::Session::store_run).
pub struct Question {
    run: Run,
    env: Environment,
    summary: Summary,
    before: Arc<Before>,
    /// What lies around `OUT_DIR`, and whether that was empty.
    around: Option<outside::Around>,
    /// Whether a hook is told of the result.
    is_told: bool,
}

impl Question {
    /// Looks around, now that the script is about to run: what is there already, it did not write.
    pub fn begin(&mut self) {
        self.around = self.is_told.then(|| outside::Around::look(&self.run));
    }
}

/// The hash summary of a run, and what else was learnt on the way.
#[derive(Debug)]
struct Summary {
    hashes: Hashes,
    /// The files whose content is in the action, with their digests.
    hashed: Vec<(PathBuf, Digest)>,
    /// Whether the script may use the network.
    uses_network: bool,
}

/// What a run came to, before it is kept.
struct Outcome {
    inputs: Inputs,
    tree: tree::Captured,
}

/// The names of what a script printed, in an entry.
const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

/// The folder in an entry in which the files of `OUT_DIR` lie.
const OUT_DIR: &str = "out-dir";

/// Returns the name in an entry for a file of `OUT_DIR`; `None` if it is not UTF-8.
fn entry_name(relative: &Path) -> Option<String> {
    let mut name = OUT_DIR.to_owned();
    for part in relative {
        name.push('/');
        name.push_str(part.to_str()?);
    }
    Some(name)
}
