//! [`Node`]: a unit as others depend on it, and the digest of all that they may load of it.
//!
//! A unit may load more of its dependencies than those that it names: rustc reads the metadata of the
//! whole closure and runs macros that others export again, looks for native libraries wherever a build
//! script of the closure says, and a linker is given everything. So the digest of a dependency covers what
//! lies below it: `.rmeta` files, or for linking all outputs; macro libraries; and what build scripts came
//! to. A macro library has what it was made of inside it.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use hook_protocol::Digest;

use super::Unit;
use super::effect::Effect;
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
    /// Which build of the unit it is.
    run: String,
    effect: Option<Effect>,
    inputs: Digest,
    nature: Nature,
}

/// What of a build script's run counts for a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scripts {
    /// That it ran: a macro that the unit can reach may have read anything.
    Run,
    /// What it came to, and what it had read: linkers and assemblers read files that no compiler reports,
    /// and a script that declares one wants it to be read again.
    Inputs,
    /// What it came to.
    Effect,
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
    /// Returns the digest of all that the unit above may load.
    pub(super) fn digest(
        &self,
        digests: &FileDigests,
        scripts: Scripts,
        phase: Phase,
    ) -> io::Result<Digest> {
        let node = &self.node;
        match (&node.kind, scripts) {
            (Kind::Run, Scripts::Run) => node.run(),
            (Kind::Run, Scripts::Effect) => Ok(node.effect()?.0.own),
            (Kind::Run, Scripts::Inputs) => {
                let (effect, inputs) = node.effect()?;
                let lines = &mut [effect.own.to_string(), inputs.to_string()];
                Ok(summary("script", lines))
            }
            _ if self.metadata_only => node.metadata(digests, phase),
            _ => node.all(digests, phase),
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
            run: effect.to_string(),
            effect: Some(Effect {
                own: effect,
                linked: effect,
            }),
            inputs: effect,
            nature: Nature::default(),
        });
    }

    /// Takes note that the unit is built anew: what is known of it is true no more.
    pub(super) fn release(&self) {
        *self.done() = None;
    }

    /// Returns whether the unit is the run of a build script.
    pub fn is_run(&self) -> bool {
        self.kind == Kind::Run
    }

    /// Collects the libraries of which a macro may be used in a unit above, by name.
    pub(super) fn libraries(&self, found: &mut BTreeMap<String, Option<PathBuf>>) {
        if found.contains_key(&self.id) {
            return;
        }
        let file = match &self.kind {
            Kind::Library { metadata, outputs } => metadata.as_ref().or(outputs.first()),
            Kind::Program { path, is_macro } => is_macro.then_some(path),
            Kind::Run | Kind::Opaque => None,
        };
        found.insert(self.id.clone(), file.cloned());
        if self.is_library() {
            for edge in &self.edges {
                edge.node.libraries(found);
            }
        }
    }

    /// Returns whether the unit is compiled, and not linked or run.
    pub(super) fn is_library(&self) -> bool {
        matches!(self.kind, Kind::Library { .. })
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
            run: record.run.clone(),
            effect: record.effect,
            inputs: record.inputs_digest(),
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

    fn run(&self) -> io::Result<Digest> {
        let done = self.done();
        let done = done.as_ref().ok_or_else(|| not_known(&self.id))?;
        Ok(Digest::of(format!("run {}", done.run).as_bytes()))
    }

    /// Returns what a build script's run came to, and the digest of what it had read.
    fn effect(&self) -> io::Result<(Effect, Digest)> {
        let done = self.done();
        let done = done.as_ref();
        let found = done.and_then(|done| Some((done.effect?, done.inputs)));
        found.ok_or_else(|| not_known(&self.id))
    }

    fn metadata(&self, digests: &FileDigests, phase: Phase) -> io::Result<Digest> {
        let file = match &self.kind {
            Kind::Run => return Ok(self.effect()?.0.linked),
            Kind::Library {
                metadata: Some(file),
                ..
            } => file,
            _ => return self.all(digests, phase),
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
                let (effect, inputs) = self.effect()?;
                summary("run", &mut [effect.linked.to_string(), inputs.to_string()])
            }
            Kind::Opaque => self.run()?,
        };
        Ok(*self.known(phase).all.get_or_init(|| digest))
    }

    fn known(&self, phase: Phase) -> &Closure {
        &self.known[phase as usize]
    }

    /// Whether the unit matters to a compiler that reads metadata.
    fn is_loaded(&self) -> bool {
        matches!(self.kind, Kind::Library { .. } | Kind::Run) || self.as_macro().is_some()
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
