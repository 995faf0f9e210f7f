//! [`Unit`]: a unit, as far as its freshness is concerned.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::node::{Edge, Node, Phase, Scripts};
use super::place::Places;
use super::record::Nature;

/// A unit, as far as its freshness is concerned.
#[derive(Debug)]
pub struct Unit {
    /// The file of its record.
    pub record: PathBuf,
    /// The file that Cargo writes when it has built the unit: by it a record is told to be its.
    pub reference: PathBuf,
    /// Whether that file can bear a mark.
    pub is_marked: bool,
    /// The places in whose terms paths are recorded.
    pub places: Places,
    /// The outputs, and of each whether dependents use it, so that its content counts.
    pub outputs: Vec<(PathBuf, bool)>,
    /// The outputs as others depend on them.
    pub node: Arc<Node>,
    /// The dependencies.
    pub edges: Vec<Edge>,
    /// Where the unit, if it is the run of a build script, leaves files.
    pub out_dir: Option<PathBuf>,
}

impl Unit {
    /// Returns what of build scripts counts for the unit.
    pub(super) fn scripts(&self, assembles: bool, phase: Phase) -> Scripts {
        if self.reaches(phase).impure {
            Scripts::Run
        } else if self.node.is_library() && !assembles {
            Scripts::Effect
        } else {
            Scripts::Inputs
        }
    }

    /// Returns what the macros that the unit uses may read.
    pub(super) fn reaches(&self, phase: Phase) -> Nature {
        let edges = self.edges.iter();
        edges.fold(Default::default(), |all: Nature, edge| {
            all.and(edge.node.reaches(phase))
        })
    }

    /// Returns every library of which a macro may be used in the unit.
    pub(super) fn libraries(&self) -> Vec<PathBuf> {
        let mut found = BTreeMap::new();
        for edge in &self.edges {
            edge.node.libraries(&mut found);
        }
        found.into_values().flatten().collect()
    }
}
