//! Judging a unit by its record.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::change::Change;
use super::effect::effect;
use super::record::{Around, Found, Input, Output, Record, Reference, Stamp};
use super::{Freshness, Known, Unit, Verdict, nanos};
use super::{listing, make, mark};
use crate::files::{self, Stat};

impl Freshness {
    /// Judges a unit by its record, without its dependencies. Nothing is written.
    pub(super) fn judge(&self, unit: &Unit, stats: &Stats) -> Known {
        let known = |record, is_stale, verdict| Known {
            record,
            is_stale,
            verdict,
        };
        if std::fs::metadata(&unit.fingerprint).is_ok_and(|it| it.len() == 0) {
            return known(None, false, Verdict::Changed(Change::Incomplete));
        }
        let record = match Record::read(&unit.record) {
            Found::Nothing => return known(None, false, Verdict::Unknown),
            Found::Damaged => return known(None, false, Verdict::Changed(Change::Damaged)),
            Found::Record(record) if record.unit == unit.node.id => *record,
            Found::Record(_) => return known(None, false, Verdict::Changed(Change::Damaged)),
        };
        let mut fresh = record.clone();
        match self.outputs(unit, &mut fresh) {
            Ok(true) => {}
            Ok(false) => return known(None, false, Verdict::Unknown),
            Err(change) => return known(Some(Arc::new(record)), false, Verdict::Changed(change)),
        }
        match self.inputs(unit, &mut fresh, stats) {
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
        let is_ours = reference.is_some()
            && (reference == record.reference
                || unit.is_marked && mark::is(&unit.reference, &record.run)
                || self.has_effect(unit, record));
        let proves = unit.outputs.iter().all(|(_, counts)| *counts) && !unit.outputs.is_empty();
        if reference.is_none() || !is_ours && !proves {
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
            && effect(&unit.reference, folder, &record.run, |path| {
                Ok(files::hash(path)?.digest)
            })
            .ok()
                == record.effect
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

    fn inputs(&self, unit: &Unit, record: &mut Record, stats: &Stats) -> Result<(), Change> {
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
        self.absent(unit, record, stats)?;
        let made = record.made;
        let mut hashed_any = false;
        for input in &mut record.inputs {
            let path = unit.places.path(&input.path);
            hashed_any |= self.input(&path, input, made, stats)?;
        }
        if hashed_any {
            record.made = self.clock().and_then(|clock| nanos(clock.now()));
        }
        Ok(())
    }

    /// Checks that nothing has appeared that would have mattered.
    fn absent(&self, unit: &Unit, record: &mut Record, stats: &Stats) -> Result<(), Change> {
        let is_as_it_was = |around: &Around| {
            let stat = stats.of(&unit.places.path(&around.path));
            around.settled && stat.is_some_and(|stat| Stamp::from(&stat) == around.stamp)
        };
        let is_watched = record.absent.is_empty() || !record.around.is_empty();
        if is_watched && record.around.iter().all(is_as_it_was) {
            return Ok(());
        }
        let clock = self.clock();
        let mut absent = record.absent.iter().map(|path| unit.places.path(path));
        if let Some(path) = absent.find(|path| path.exists()) {
            return Err(Change::Appeared { path });
        }
        record.around = make::around(unit, &record.absent, clock);
        Ok(())
    }

    /// Checks an input, and takes note of it as it is now. True if it had to be read.
    fn input(
        &self,
        path: &Path,
        input: &mut Input,
        made: Option<i64>,
        stats: &Stats,
    ) -> Result<bool, Change> {
        let missing = || Change::Missing {
            path: path.to_path_buf(),
        };
        let changed = || Change::Content {
            path: path.to_path_buf(),
        };
        let stat = stats.of(path).ok_or_else(missing)?;
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

/// What the file system says of files, asked once for each: the units of a package share most of theirs.
#[derive(Default)]
pub(super) struct Stats(Mutex<HashMap<OsString, Option<Stat>>>);

impl Stats {
    /// Returns the metadata of a file; `None` if there is none.
    fn of(&self, path: &Path) -> Option<Stat> {
        if let Some(known) = self.lock().get(path.as_os_str()) {
            return *known;
        }
        let stat = Stat::of(path).ok();
        self.lock().insert(path.as_os_str().to_owned(), stat);
        stat
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OsString, Option<Stat>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two seconds: longer than any file system's clock stands still.
const LONG: i64 = 2_000_000_000;
