//! Judging a unit by its record.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::change::Change;
use super::effect::effect;
use super::record::{Around, Found, Input, Output, Record, Reference, Stamp};
use super::{Freshness, Known, Unit, Verdict, nanos};
use super::{make, mark};
use crate::files::{self, FileDigests, Hashed, Stat};
use crate::listing;

impl Freshness {
    /// Judges a unit by its record, without its dependencies. Nothing is written.
    pub(super) fn judge(&self, unit: &Unit, stats: &Stats) -> Known {
        let mut known = Known {
            record: None,
            is_stale: false,
            verdict: Verdict::Unknown,
            times: Vec::new(),
        };
        let mut record = match Record::read(&unit.record) {
            Found::Nothing => return known,
            Found::Record(record) if record.unit == unit.node.id => *record,
            Found::Damaged | Found::Record(_) => {
                known.verdict = Verdict::Changed(Change::Damaged);
                return known;
            }
        };
        match self.outputs(unit, &mut record, &mut known) {
            Ok(true) => {}
            Ok(false) => return known,
            Err(change) => known.verdict = Verdict::Changed(change),
        }
        if let Verdict::Unknown = known.verdict {
            known.verdict = match self.inputs(unit, &mut record, stats, &mut known.is_stale) {
                Ok(()) => Verdict::Unchanged,
                Err(change) => Verdict::Changed(change),
            };
        }
        known.record = Some(Arc::new(record));
        known
    }

    /// Checks the outputs; false if the record is not one of them.
    fn outputs(&self, unit: &Unit, record: &mut Record, known: &mut Known) -> Result<bool, Change> {
        let mut recorded = HashMap::new();
        for (at, output) in record.outputs.iter().enumerate() {
            recorded.insert(unit.places.path(&output.path), at);
        }
        let mut stats = Vec::with_capacity(unit.outputs.len());
        for (path, counts) in &unit.outputs {
            if *counts && !recorded.contains_key(path) {
                return Ok(false);
            }
            let Ok(stat) = Stat::of(path) else {
                return Err(Change::NoOutput { path: path.clone() });
            };
            known
                .times
                .extend(stat.modified.map(|time| (path.clone(), time)));
            stats.push(stat);
        }
        let reference = Reference::of(&unit.reference);
        let is_ours = reference.is_some()
            && (reference == record.reference
                || unit.is_marked && mark::is(&unit.reference, &record.run)
                || self.has_effect(unit, record));
        let proves = unit.outputs.iter().all(|(_, counts)| *counts) && !unit.outputs.is_empty();
        if reference.is_none() || !is_ours && !proves {
            return Ok(false);
        }
        for ((path, _), stat) in unit.outputs.iter().zip(stats) {
            let Some(&at) = recorded.get(path) else {
                continue;
            };
            match output(path, &stat, &mut record.outputs[at]) {
                Err(Change::Output { .. }) if !is_ours => return Ok(false),
                checked => known.is_stale |= checked?,
            }
        }
        known.is_stale |= record.reference != reference;
        record.reference = reference;
        Ok(true)
    }

    /// Checks whether the run of a build script still has the effect that is recorded.
    fn has_effect(&self, unit: &Unit, record: &Record) -> bool {
        let Some(folder) = &unit.out_dir else {
            return false;
        };
        record.effect.is_some()
            && effect(&unit.reference, folder, &record.run, |path| {
                Ok(files::hash(path)?.digest)
            })
            .ok()
                == record.effect
    }

    /// Checks the inputs, and takes note of them as they are now.
    fn inputs(
        &self,
        unit: &Unit,
        record: &mut Record,
        stats: &Stats,
        is_stale: &mut bool,
    ) -> Result<(), Change> {
        if let Some(path) = &record.unstable {
            let path = unit.places.path(path);
            return Err(Change::Unstable { path });
        }
        if let Some(path) = &record.missing {
            let path = unit.places.path(path);
            return Err(Change::Missing { path });
        }
        for (place, path) in &record.bound {
            if !unit.places.is(place, path) {
                let from = path.into();
                return Err(Change::Moved { from });
            }
        }
        for folder in &record.folders {
            let path = unit.places.path(&folder.path);
            match listing::list(&path, &unit.places.excluded()) {
                Ok(now) if now.digest == folder.listing && now.by_times == folder.by_times => {}
                Ok(_) => return Err(Change::Listing { path }),
                Err(_) => return Err(Change::Missing { path }),
            }
        }
        *is_stale |= self.absent(unit, record, stats)?;
        let made = record.made;
        let mut hashed_any = false;
        for input in &mut record.inputs {
            let path = unit.places.path(&input.path);
            hashed_any |= self.input(path, input, made, stats)?;
        }
        if hashed_any {
            *is_stale = true;
            record.made = self.clock().and_then(|clock| nanos(clock.now()));
        }
        Ok(())
    }

    /// Checks that nothing has appeared that would have mattered. True if it had to be looked for.
    fn absent(&self, unit: &Unit, record: &mut Record, stats: &Stats) -> Result<bool, Change> {
        let is_as_it_was = |around: &Around| {
            let stat = stats.of(unit.places.path(&around.path)).0;
            around.settled && stat.is_some_and(|stat| Stamp::from(&stat) == around.stamp)
        };
        let is_watched = record.absent.is_empty() || !record.around.is_empty();
        if is_watched && record.around.iter().all(is_as_it_was) {
            return Ok(false);
        }
        let clock = self.clock();
        let mut absent = record.absent.iter().map(|path| unit.places.path(path));
        if let Some(path) = absent.find(|path| path.exists()) {
            return Err(Change::Appeared { path });
        }
        record.around = make::around(unit, &record.absent, clock);
        Ok(true)
    }

    /// Checks an input, and takes note of it as it is now. True if it had to be read.
    fn input(
        &self,
        path: PathBuf,
        input: &mut Input,
        made: Option<i64>,
        stats: &Stats,
    ) -> Result<bool, Change> {
        let (stat, path) = stats.of(path);
        let Some(stat) = stat else {
            return Err(Change::Missing { path });
        };
        if input.settled && Stamp::from(&stat) == input.stamp {
            return Ok(false);
        }
        if stat.size != input.stamp.size() {
            return Err(Change::Content { path });
        }
        // The clock before the content: what is edited from now on is newer than it.
        let clock = self.clock();
        let Some(hashed) = stats.hashed(&path, &self.digests) else {
            return Err(Change::Missing { path });
        };
        if hashed.digest != input.digest {
            return Err(Change::Content { path });
        }
        let stamp = Stamp::from(&hashed.stat);
        // A stamp that was there long ago has been left alone since, whatever clock it is by.
        let is_known_long = stamp == input.stamp
            && clock
                .zip(made)
                .and_then(|(clock, made)| nanos(clock.now())?.checked_sub(made))
                .is_some_and(|age| age >= LONG);
        input.settled = is_known_long || clock.is_some_and(|clock| clock.is_settled(&hashed.stat));
        input.stamp = stamp;
        Ok(true)
    }
}

/// Checks an output, and takes note of it as it is now. True if it had to be read.
fn output(path: &Path, stat: &Stat, output: &mut Output) -> Result<bool, Change> {
    if Stamp::from(stat).is_same_output(&output.stamp) {
        return Ok(false);
    }
    let is_same = stat.size == output.stamp.size();
    match files::hash(path) {
        Ok(hashed) if is_same && hashed.digest == output.digest => {
            output.stamp = Stamp::from(&hashed.stat);
            Ok(true)
        }
        _ => Err(Change::Output {
            path: path.to_path_buf(),
        }),
    }
}

/// What the file system says of files, asked once for each: the units of a package share most of theirs.
#[derive(Default)]
pub(super) struct Stats {
    known: Mutex<HashMap<OsString, Option<Stat>>>,
    hashed: Mutex<HashMap<PathBuf, Option<Hashed>>>,
}

impl Stats {
    /// Returns the metadata of a file, `None` if there is none, and its path again.
    fn of(&self, path: PathBuf) -> (Option<Stat>, PathBuf) {
        let path = path.into_os_string();
        if let Some(known) = self.lock().get(&path) {
            return (*known, path.into());
        }
        let stat = Stat::of(Path::new(&path)).ok();
        self.lock().insert(path.clone(), stat);
        (stat, path.into())
    }

    /// Returns the digest of a file; `None` if it cannot be read.
    fn hashed(&self, path: &Path, digests: &FileDigests) -> Option<Hashed> {
        let known = || self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hashed) = known().get(path) {
            return *hashed;
        }
        let hashed = digests.input(path).ok();
        known().insert(path.to_path_buf(), hashed);
        hashed
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OsString, Option<Stat>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two seconds: longer than any file system's clock stands still.
const LONG: i64 = 2_000_000_000;
