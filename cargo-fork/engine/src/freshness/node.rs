//! [`Node`]: a unit as others depend on it, and the digest of all that they may load of it.
//!
//! A unit may load more of its dependencies than those that it names: rustc reads the metadata of the
//! whole closure and runs macros that others export again, and a linker is given everything. So the digest
//! of a dependency covers what lies below it: for metadata the `.rmeta` files and macro libraries, for
//! linking all outputs and what build scripts left. A macro library has what it was made of inside it.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use hook_protocol::Digest;

use super::Unit;
use super::record::{Nature, Record};
use crate::files::{FileDigests, Hashed, Stat};

/// What a unit is to those that depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A library: its metadata, if it has a file of its own, and what is linked.
    Library {
        /// The `.rmeta` file.
        metadata: Option<PathBuf>,
        /// All outputs.
        outputs: Vec<PathBuf>,
    },
    /// A library that the compiler runs, or the program of a build script.
    Program {
        /// Its file.
        path: PathBuf,
        /// Whether the compiler runs it.
        is_macro: bool,
    },
    /// A run of a build script.
    Run,
    /// Anything else: whenever it is built, it counts as changed.
    Opaque,
}

/// A unit as others depend on it.
#[derive(Debug)]
pub struct Node {
    /// The name by which records know the unit.
    pub id: String,
    kind: Kind,
    edges: Vec<Edge>,
    done: Mutex<Option<Done>>,
    known: [Closure; 2],
}

/// What was computed of a unit and all below it.
#[derive(Debug, Default)]
struct Closure {
    metadata: OnceLock<Digest>,
    all: OnceLock<Digest>,
    reaches: OnceLock<Nature>,
}

/// When something is asked of a dependency. What is true before anything is built need not be true of
/// what has been built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before anything is built: of units that are fresh.
    Planning,
    /// While units are built: of units that are complete.
    Building,
}

/// What is known when the unit was built, or found to be fresh.
#[derive(Debug, Clone)]
struct Done {
    built: String,
    effect: Option<Digest>,
    nature: Nature,
}

/// A dependency.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The unit on which another depends.
    pub node: Arc<Node>,
    /// Only its metadata are needed.
    pub metadata_only: bool,
}

impl Edge {
    /// Returns the digest of all that the unit above may load. If it may run macros that read what nobody
    /// tells, a build script that ran again counts as changed, whatever it left: they may read it.
    pub(super) fn digest(
        &self,
        digests: &FileDigests,
        impure: bool,
        phase: Phase,
    ) -> io::Result<Digest> {
        let node = &self.node;
        if node.kind == Kind::Run && impure {
            return node.built();
        }
        if self.metadata_only {
            node.metadata(digests, phase)
        } else {
            node.all(digests, phase)
        }
    }
}

impl Node {
    /// Describes a unit.
    pub fn new(id: String, kind: Kind, edges: Vec<Edge>) -> Node {
        Node {
            id,
            kind,
            edges,
            done: Mutex::default(),
            known: Default::default(),
        }
    }

    /// Takes note of a run that did not happen: the user's configuration has its `effect`.
    pub fn replace(&self, effect: Digest) {
        *self.done() = Some(Done {
            built: effect.to_string(),
            effect: Some(effect),
            nature: Nature::default(),
        });
    }

    /// Returns whether the unit is the run of a build script.
    pub fn is_run(&self) -> bool {
        self.kind == Kind::Run
    }

    /// Returns the library, if the compiler runs it.
    pub(super) fn as_macro(&self) -> Option<&PathBuf> {
        match &self.kind {
            Kind::Program { path, is_macro } => is_macro.then_some(path),
            _ => None,
        }
    }

    /// Takes note that the unit is as its record says.
    pub(super) fn settle(&self, record: &Record, unit: &Unit, digests: &FileDigests) {
        for output in &record.outputs {
            let path = unit.places.path(&output.path);
            if let Ok(stat) = Stat::of(&path) {
                let hashed = Hashed {
                    digest: output.digest,
                    stat,
                    at: Instant::now(),
                    settled: true,
                };
                digests.set(&path, hashed);
            }
        }
        *self.done() = Some(Done {
            built: record.built.clone(),
            effect: record.effect,
            nature: record.nature,
        });
    }

    /// Returns what the macros that can be reached may read together.
    pub(super) fn reaches(&self, phase: Phase) -> Nature {
        *self.known(phase).reaches.get_or_init(|| match &self.kind {
            Kind::Program { is_macro: true, .. } => {
                let done = self.done();
                // Of one that could not be looked at anything may be expected.
                done.as_ref().map_or(Nature::ANY, |done| done.nature)
            }
            Kind::Library { .. } => {
                let below = self.edges.iter().map(|edge| edge.node.reaches(phase));
                below.fold(Nature::default(), Nature::and)
            }
            _ => Nature::default(),
        })
    }

    fn built(&self) -> io::Result<Digest> {
        let done = self.done();
        let done = done.as_ref().ok_or_else(|| not_known(&self.id))?;
        Ok(Digest::of(format!("built {}", done.built).as_bytes()))
    }

    fn metadata(&self, digests: &FileDigests, phase: Phase) -> io::Result<Digest> {
        let Kind::Library {
            metadata: Some(file),
            ..
        } = &self.kind
        else {
            return self.all(digests, phase);
        };
        if let Some(known) = self.known(phase).metadata.get() {
            return Ok(*known);
        }
        let mut lines = vec![digests.once(file)?.digest.to_string()];
        for edge in self.edges.iter().filter(|edge| edge.node.is_loaded()) {
            lines.push(edge.node.metadata(digests, phase)?.to_string());
        }
        let known = &self.known(phase).metadata;
        Ok(*known.get_or_init(|| summary("metadata", &mut lines)))
    }

    fn all(&self, digests: &FileDigests, phase: Phase) -> io::Result<Digest> {
        if let Some(known) = self.known(phase).all.get() {
            return Ok(*known);
        }
        let digest = match &self.kind {
            Kind::Library { outputs, .. } => {
                let mut lines = Vec::new();
                for file in outputs {
                    lines.push(digests.once(file)?.digest.to_string());
                }
                for edge in &self.edges {
                    lines.push(edge.node.all(digests, phase)?.to_string());
                }
                summary("all", &mut lines)
            }
            Kind::Program { path, .. } => digests.once(path)?.digest,
            Kind::Run => {
                let effect = self.done().as_ref().and_then(|done| done.effect);
                effect.ok_or_else(|| not_known(&self.id))?
            }
            Kind::Opaque => self.built()?,
        };
        Ok(*self.known(phase).all.get_or_init(|| digest))
    }

    fn known(&self, phase: Phase) -> &Closure {
        &self.known[phase as usize]
    }

    /// Whether the compiler loads the unit where it reads metadata.
    fn is_loaded(&self) -> bool {
        matches!(self.kind, Kind::Library { .. }) || self.as_macro().is_some()
    }

    fn done(&self) -> MutexGuard<'_, Option<Done>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summary(kind: &str, lines: &mut [String]) -> Digest {
    lines.sort_unstable();
    Digest::of(format!("{kind}\n{}", lines.join("\n")).as_bytes())
}

fn not_known(id: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("`{id}` was not built"))
}
