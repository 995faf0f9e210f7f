//! Making the record of a unit that was built.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use hook_protocol::Digest;

use super::effect::effect;
use super::mark;
use super::record::{Around, Folder, Input, Nature, Output, Record, Reference, Stamp};
use super::{Freshness, Phase, Unit, nanos};
use crate::before::{Before, Clock};
use crate::files::{Hashed, Stat, hash};
use crate::inputs::{has_assembly, twin};
use crate::{listing, macros};

/// What Cargo knows of a unit that was built.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What it knows of the unit itself, as a hash.
    pub own: String,
    /// The files that the unit read, or must not change; with the digest of what was read, where the
    /// compiler tells.
    pub files: Vec<(PathBuf, Option<Digest>)>,
    /// Folders that a build script declares.
    pub folders: Vec<PathBuf>,
    /// The variables that decide on freshness.
    pub env: Vec<(String, Option<String>)>,
    /// Every variable that the compiler says it looked at, with the value that it saw.
    pub seen_env: Vec<(String, Option<String>)>,
    /// Whether the package is at a place of its own, which scripts and macros may have learnt.
    pub is_local: bool,
    /// The folder above which nothing is expected to be moved while the unit is built.
    pub within: PathBuf,
    /// What Cargo's fingerprint says of the package, where it reads all of it, and the names of its files.
    pub package: Option<(String, Digest)>,
    /// Every file that the compiler says it read.
    pub sources: Vec<PathBuf>,
}

impl Facts {
    /// Returns whether a file of the unit may be read by an assembler; so it is if that is not known.
    fn assembles(&self) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|source| has_assembly(source))
    }
}

impl Freshness {
    /// Makes the record of a unit that was built; `before` is what was there when that began, if it was
    /// in this build.
    pub(super) fn make(
        &self,
        unit: &Unit,
        before: Option<&Before>,
        facts: Facts,
        phase: Phase,
    ) -> io::Result<Record> {
        let adopted = self.clock();
        let clock = before.map(Before::clock).or(adopted);
        let run = new_run();
        if unit.is_marked {
            // One that cannot be marked is told by its time alone.
            let _ = mark::set(&unit.reference, &run);
        }
        let mut record = Record {
            unit: unit.node.id.clone(),
            own: facts.own.clone(),
            run: run.clone(),
            reference: None,
            made: clock.and_then(|clock| nanos(clock.now())),
            unstable: None,
            missing: None,
            bound: self.bound(unit, &facts, phase),
            env: facts.env.clone(),
            inputs: Vec::new(),
            folders: Vec::new(),
            absent: Vec::new(),
            around: Vec::new(),
            outputs: Vec::new(),
            dependencies: Vec::new(),
            assembles: false,
            effect: None,
            package: facts.package.clone(),
            nature: nature(unit)?,
        };
        self.make_inputs(unit, before, clock, &facts, &mut record)?;
        self.make_outputs(unit, &mut record, phase)?;
        record.reference = Reference::of(&unit.reference);
        record.assembles = unit.edges.iter().any(|edge| edge.node.is_run()) && facts.assembles();
        let scripts = unit.scripts(record.assembles, phase);
        for edge in &unit.edges {
            let digest = edge.digest(&self.digests, scripts, phase)?;
            record.dependencies.push((edge.node.id.clone(), digest));
        }
        Ok(record)
    }

    fn make_inputs(
        &self,
        unit: &Unit,
        before: Option<&Before>,
        clock: Option<Clock>,
        facts: &Facts,
        record: &mut Record,
    ) -> io::Result<()> {
        let mut files: HashMap<PathBuf, Option<Digest>> = facts.files.iter().cloned().collect();
        for folder in &facts.folders {
            let listing = listing::list(folder, &unit.places.excluded())?;
            files.extend(listing.files.into_iter().map(|file| (file, None)));
            record.folders.push(Folder {
                path: name(unit, folder)?,
                listing: listing.digest,
                by_times: listing.by_times,
            });
        }
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort();
        for (path, reported) in files {
            let looked = self.look_after(&path, reported, before, &facts.within);
            let (hashed, is_stable) = match looked {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    record.missing = Some(name(unit, &path)?);
                    continue;
                }
                looked => looked?,
            };
            if !is_stable && record.unstable.is_none() {
                record.unstable = Some(name(unit, &path)?);
            }
            let settled = match before {
                Some(before) => before.is_settled(&hashed.stat),
                None => clock.is_some_and(|clock| clock.is_settled(&hashed.stat)),
            };
            if !unit.places.is_built(&path)
                && let Some(twin) = twin(&path).filter(|twin| !twin.exists())
            {
                record.absent.push(name(unit, &twin)?);
            }
            record.inputs.push(Input {
                path: name(unit, &path)?,
                stamp: Stamp::from(&hashed.stat),
                digest: hashed.digest,
                settled,
            });
        }
        record.around = around(unit, &record.absent, clock);
        Ok(())
    }

    /// Returns an input as it is now, and whether that is what was built.
    fn look_after(
        &self,
        path: &Path,
        reported: Option<Digest>,
        before: Option<&Before>,
        within: &Path,
    ) -> io::Result<(Hashed, bool)> {
        if let Some(reported) = reported {
            let now = hash(path)?;
            return Ok((now, now.digest == reported));
        }
        let Some(before) = before else {
            return Ok((self.digests.input(path)?, true));
        };
        if let Some(hashed) = before.unchanged(path, within, &self.digests) {
            return Ok((hashed, true));
        }
        Ok((hash(path)?, false))
    }

    fn make_outputs(&self, unit: &Unit, record: &mut Record, phase: Phase) -> io::Result<()> {
        for (path, _) in unit.outputs.iter().filter(|(_, counts)| *counts) {
            let hashed = self.digests.once(path)?;
            record.outputs.push(Output {
                path: name(unit, path)?,
                stamp: Stamp::from(&Stat::of(path)?),
                digest: hashed.digest,
            });
        }
        if let Some(folder) = &unit.out_dir {
            // While nothing is built, what was hashed by others is still so.
            let digest = |path: &Path| match phase {
                Phase::Planning => Ok(self.digests.once(path)?.digest),
                Phase::Building => Ok(hash(path)?.digest),
            };
            record.effect = Some(effect(&unit.reference, folder, &record.run, digest)?);
        }
        Ok(())
    }
}

fn name(unit: &Unit, path: &Path) -> io::Result<String> {
    let text = || format!("`{}` is not UTF-8", path.display());
    unit.places
        .name(path)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, text()))
}

/// Returns the innermost folder that exists around each of the files that do not; none if one of them
/// cannot be looked at.
pub(super) fn around(unit: &Unit, absent: &[String], clock: Option<Clock>) -> Vec<Around> {
    let mut folders = BTreeSet::new();
    for path in absent {
        let path = unit.places.path(path);
        let existing = path.ancestors().skip(1).find(|folder| folder.is_dir());
        match existing.and_then(|folder| unit.places.name(folder)) {
            Some(name) => folders.insert(name),
            None => return Vec::new(),
        };
    }
    let around = folders.into_iter().map(|path| {
        let stat = Stat::of(&unit.places.path(&path)).ok()?;
        Some(Around {
            path,
            stamp: Stamp::from(&stat),
            settled: clock.is_some_and(|clock| clock.is_settled(&stat)),
        })
    });
    around.collect::<Option<_>>().unwrap_or_default()
}

/// Names a build of a unit as no other is named, also by a clock that stands still.
fn new_run() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

fn nature(unit: &Unit) -> io::Result<Nature> {
    let Some(library) = unit.node.as_macro() else {
        return Ok(Nature::default());
    };
    let (powers, knows_places) = macros::judge_library(library)?;
    Ok(Nature {
        impure: powers.is_impure(),
        knows_places,
    })
}
