//! Judging a unit by its record.

use std::path::Path;
use std::sync::Arc;

use super::change::Change;
use super::listing;
use super::make;
use super::record::{Found, Input, Output, Record, Reference, Stamp};
use super::{Freshness, Known, Unit, Verdict, nanos};
use crate::files::{self, Stat};

impl Freshness {
    /// Judges a unit by its record, without its dependencies. Nothing is written.
    pub(super) fn judge(&self, unit: &Unit) -> Known {
        let known = |record, is_stale, verdict| Known {
            record,
            is_stale,
            verdict,
        };
        let record = match Record::read(&unit.record) {
            Found::Nothing => return known(None, false, Verdict::Unknown),
            Found::Damaged => return known(None, false, Verdict::Changed(Change::Damaged)),
            Found::Record(record) => *record,
        };
        let mut fresh = record.clone();
        match self.outputs(unit, &mut fresh) {
            Ok(true) => {}
            Ok(false) => return known(None, false, Verdict::Unknown),
            Err(change) => return known(Some(Arc::new(record)), false, Verdict::Changed(change)),
        }
        match self.inputs(unit, &mut fresh) {
            Ok(()) => {
                let is_stale = fresh != record;
                known(Some(Arc::new(fresh)), is_stale, Verdict::Unchanged)
            }
            Err(change) => known(Some(Arc::new(record)), false, Verdict::Changed(change)),
        }
    }

    /// Checks the outputs; false if the record is not one of them.
    fn outputs(&self, unit: &Unit, record: &mut Record) -> Result<bool, Change> {
        for (path, counts) in &unit.outputs {
            let is_recorded = || {
                let mut outputs = record.outputs.iter();
                outputs.any(|output| unit.places.path(&output.path) == *path)
            };
            if *counts && !is_recorded() {
                return Ok(false);
            }
            if !counts && !path.exists() {
                return Err(Change::NoOutput { path: path.clone() });
            }
        }
        let reference = Reference::of(&unit.reference);
        let is_ours = reference.is_some() && reference == record.reference;
        let proves = !unit.outputs.is_empty() && unit.outputs.iter().all(|(_, counts)| *counts);
        if !is_ours && (reference.is_none() || !proves && !self.has_effect(unit, record)) {
            return Ok(false);
        }
        for output in &mut record.outputs {
            match self.output(unit, output) {
                Err(Change::Output { .. }) if !is_ours => return Ok(false),
                checked => checked?,
            }
        }
        record.reference = reference;
        Ok(true)
    }

    /// Checks whether the run of a build script still has the effect that is recorded.
    fn has_effect(&self, unit: &Unit, record: &Record) -> bool {
        let Some(folder) = &unit.out_dir else {
            return false;
        };
        record.effect.is_some()
            && make::effect(&unit.reference, folder, &record.built).ok() == record.effect
    }

    fn output(&self, unit: &Unit, output: &mut Output) -> Result<(), Change> {
        let path = unit.places.path(&output.path);
        let Ok(stat) = Stat::of(&path) else {
            return Err(Change::NoOutput { path });
        };
        if Stamp::from(&stat).is_same_output(&output.stamp) {
            return Ok(());
        }
        let is_same = stat.size == output.stamp.size();
        match files::hash(&path) {
            Ok(hashed) if is_same && hashed.digest == output.digest => {
                output.stamp = Stamp::from(&hashed.stat);
                Ok(())
            }
            _ => Err(Change::Output { path }),
        }
    }

    fn inputs(&self, unit: &Unit, record: &mut Record) -> Result<(), Change> {
        if let Some(path) = &record.unstable {
            let path = unit.places.path(path);
            return Err(Change::Unstable { path });
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
        if let Some(path) = record
            .absent
            .iter()
            .map(|path| unit.places.path(path))
            .find(|path| path.exists())
        {
            return Err(Change::Appeared { path });
        }
        let made = record.made;
        let mut hashed_any = false;
        for input in &mut record.inputs {
            hashed_any |= self.input(&unit.places.path(&input.path), input, made)?;
        }
        if hashed_any {
            record.made = self.clock().and_then(|clock| nanos(clock.now()));
        }
        Ok(())
    }

    /// Checks an input, and takes note of it as it is now. True if it had to be read.
    fn input(&self, path: &Path, input: &mut Input, made: Option<i64>) -> Result<bool, Change> {
        let missing = || Change::Missing {
            path: path.to_path_buf(),
        };
        let changed = || Change::Content {
            path: path.to_path_buf(),
        };
        let stat = Stat::of(path).map_err(|_| missing())?;
        if input.settled && Stamp::from(&stat) == input.stamp {
            return Ok(false);
        }
        if stat.size != input.stamp.size() {
            return Err(changed());
        }
        // The clock before the content: what is edited from now on is newer than it.
        let clock = self.clock();
        let hashed = self.digests.input(path).map_err(|_| missing())?;
        if hashed.digest != input.digest {
            return Err(changed());
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

/// Two seconds: longer than any file system's clock stands still.
const LONG: i64 = 2_000_000_000;
