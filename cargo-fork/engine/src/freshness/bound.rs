//! The paths on which a unit depends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::make::Facts;
use super::node::Phase;
use super::{Freshness, Unit};
use crate::macros;

impl Freshness {
    /// Returns the paths on which a unit depends: those of places that a variable held which it used for
    /// more than to name files, and all if a macro or a script may have learnt them otherwise.
    pub(super) fn bound(
        &self,
        unit: &Unit,
        facts: &Facts,
        phase: Phase,
    ) -> BTreeMap<String, String> {
        let is_told = unit.reaches(phase).knows_places;
        if facts.is_local && (unit.node.is_run() || is_told) {
            return unit.places.all();
        }
        let mut bound = BTreeMap::new();
        for (name, value) in &facts.seen_env {
            let Some(value) = value else { continue };
            let mentioned = unit.places.mentioned(value);
            if !mentioned.is_empty() && !self.names_only_files(unit, facts, name) {
                bound.extend(mentioned);
            }
        }
        bound
    }

    /// Returns the path for which a unit was built that is to be adopted, if that is not the one where it is
    /// now, and the unit may depend on it.
    pub(super) fn foreign(&self, unit: &Unit, facts: &Facts) -> Option<PathBuf> {
        if let Some(folder) = &unit.out_dir {
            // Cargo notes where a build script ran.
            let noted =
                std::fs::read_to_string(unit.reference.with_file_name("root-output")).ok()?;
            let is_foreign = facts.is_local && Path::new(&noted) != folder;
            return is_foreign.then(|| noted.into());
        }
        let mut values = facts.seen_env.iter().filter_map(|(name, value)| {
            let value = Path::new(value.as_ref()?);
            (macros::is_place(name) && value.is_absolute()).then_some((name, value))
        });
        let is_foreign = |(name, value): &(&String, &Path)| {
            let value = value.to_string_lossy();
            unit.places.mentioned(&value).is_empty() && !self.names_only_files(unit, facts, name)
        };
        values
            .find(is_foreign)
            .map(|(_, value)| value.to_path_buf())
    }

    fn names_only_files(&self, unit: &Unit, facts: &Facts, name: &str) -> bool {
        self.mentions
            .names_only_files(name, &facts.sources, unit.libraries())
    }
}
