//! The paths on which a unit depends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::make::Facts;
use super::node::Phase;
use super::{Freshness, Unit};
use crate::{env_use, macros};

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

    /// Returns whether a variable that holds a path was used only to name files that were read.
    fn names_only_files(&self, unit: &Unit, facts: &Facts, name: &str) -> bool {
        if name.starts_with("CARGO_BIN_EXE_") || facts.sources.is_empty() {
            return false;
        }
        // What cannot be read as text can be included only as data, and uses nothing.
        let texts: Vec<String> = facts
            .sources
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok())
            .collect();
        env_use::only_names_files(name, texts.iter().map(String::as_str))
            && !self.mentions.any(unit.libraries(), name)
    }
}
