//! Freshness by content: what a unit was made of, and whether that is still so.
//!
//! When a unit was built, a [`record`] of it is written beside its fingerprint: every input, output and
//! dependency with metadata and digest. A later build compares metadata, for equality and never for
//! order, and reads a file only where these differ or were too young to tell; if its content is the same
//! the record is refreshed, so that the build after that is fast again.
//!
//! | Question | Answer |
//! |---|---|
//! | Did an input change? | Size, times and inode equal, and *settled* when they were noted: no. Another size: yes. Else its content tells. |
//! | Did an output change? | The same without the time of change, which moves with every hard link. Only of what dependents use: people strip and sign programs, which need only exist. |
//! | Did a dependency change? | The digests of all that the unit may load of it tell ([`node`]), never a time. A unit whose dependencies were rebuilt to the same is kept. |
//! | Did the unit move? | If it may hold the path of its package, build directory or workspace, these must be the same. |
//! | Whose is the record? | It holds for the outputs of one build: the file that Cargo writes last (list of inputs, output of a script) has the size and time that are noted, or a [`mark`]; or all outputs have their digests. Else another Cargo built the unit since, and is believed once by its times. |
//!
//! **Folders.** The times of a folder decide nothing. A folder that a build script declares is its sorted
//! listing (names, kinds, executable bits, targets of links) and the content of its files. A module that
//! moves (`foo.rs` to `foo/mod.rs`) is a missing input; one that appears beside another, which the
//! compiler refuses as ambiguous, is noticed because for each `foo.rs` the absence of `foo/mod.rs` is
//! noted, and the reverse. A file that a macro finds by listing a folder is not noticed, as little as by
//! upstream: only `proc_macro::tracked_path` or a build script could tell of it.
//!
//! Invariant: a record that is damaged, of another version or of another unit is never a reason to call a
//! unit fresh.
//!
//! Invariant: nothing here changes what another Cargo reads.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use crate::before::{Before, Clock};
use crate::files::{FileDigests, Hashed, Stat};
use crate::gate::Gate;
use crate::mentions::Mentions;
use crate::package;

mod bound;
mod change;
mod effect;
mod judge;
mod make;
mod mark;
pub mod node;
mod place;
mod record;
mod unit;

use judge::Stats;

pub use crate::listing::names;
pub use change::Change;
pub use make::Facts;
pub use node::{Edge, Kind, Node, Phase};
pub use place::{Folder, Places};
pub use record::Record;
pub use unit::Unit;

/// What the record of a unit says.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// There is no record, or it is not one of these outputs.
    Unknown,
    /// Outputs and inputs are as they are recorded. Of dependencies nothing is said.
    Unchanged,
    /// Something is not.
    Changed(Change),
}

/// What is known of a unit in this build.
struct Known {
    record: Option<Arc<Record>>,
    /// The record has to be written again.
    is_stale: bool,
    verdict: Verdict,
    /// When the outputs were written.
    times: Vec<(PathBuf, SystemTime)>,
}

impl Known {
    /// Writes the record, if it saves the next build work.
    fn refresh(&mut self, path: &Path) {
        if let Some(record) = self.record.as_ref().filter(|_| self.is_stale) {
            // One that cannot be written costs that work again, and no more.
            self.is_stale = record.write(path).is_err();
        }
    }
}

/// The freshness of the units of one build.
pub struct Freshness {
    digests: Arc<FileDigests>,
    build_dir: PathBuf,
    /// Units that may be kept are asked about without a job slot.
    gate: Gate,
    clock: OnceLock<io::Result<Clock>>,
    mentions: Mentions,
    known: Mutex<HashMap<PathBuf, Known>>,
    notes: Mutex<Vec<String>>,
}

impl Freshness {
    /// Begins a build.
    pub fn new(digests: Arc<FileDigests>, build_dir: PathBuf, jobs: usize) -> Freshness {
        Freshness {
            digests,
            build_dir,
            gate: Gate::new(jobs.max(2)),
            clock: OnceLock::new(),
            mentions: Mentions::new(PathBuf::new()),
            known: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// Judges units by their records, on so many threads; `progress` is told now and then how many are
    /// done. Records are refreshed where that saves work. Of units without a record, which times will judge, everything is hashed that a record needs.
    pub fn load(&self, units: &[Arc<Unit>], threads: usize, mut progress: impl FnMut(usize)) {
        let next = AtomicUsize::new(0);
        let stats = Stats::default();
        let work = |progress: &mut dyn FnMut(usize)| {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(unit) = units.get(at) else { break };
                let mut known = self.judge(unit, &stats);
                match &known.verdict {
                    Verdict::Unknown => self.hash_outputs(unit),
                    Verdict::Unchanged => known.refresh(&unit.record),
                    Verdict::Changed(_) => {}
                }
                self.lock().insert(unit.record.clone(), known);
                progress(at);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(units.len()) {
                scope.spawn(|| work(&mut |_| {}));
            }
            work(&mut progress);
        });
    }

    /// Hashes what a unit left. What cannot be read is found again by who needs it.
    fn hash_outputs(&self, unit: &Unit) {
        let outputs = unit.outputs.iter().filter(|(_, counts)| *counts);
        let outputs = outputs.map(|(output, _)| output.clone());
        let folder = unit.out_dir.iter();
        let files = folder.flat_map(|folder| package::walk(folder, &[]));
        for file in outputs.chain(files) {
            let _ = self.digests.once(&file);
        }
    }

    /// Returns what the record of a unit says, and the record.
    pub fn verdict(&self, unit: &Unit) -> (Verdict, Option<Arc<Record>>) {
        match self.lock().get(&unit.record) {
            Some(known) => (known.verdict.clone(), known.record.clone()),
            None => (Verdict::Unknown, None),
        }
    }

    /// Returns when the outputs of a unit were written that has a record.
    pub fn times(&self, unit: &Unit) -> Vec<(PathBuf, SystemTime)> {
        let known = self.lock();
        known
            .get(&unit.record)
            .map_or_else(Vec::new, |known| known.times.clone())
    }

    /// Returns the first dependency that is not as it was when the unit was built; `None` if all are.
    ///
    /// # Errors
    ///
    /// If the output of a dependency cannot be read.
    pub fn changed_dependency(
        &self,
        unit: &Unit,
        record: &Record,
        phase: Phase,
    ) -> io::Result<Option<usize>> {
        let scripts = unit.scripts(record.assembles, phase);
        for (at, edge) in unit.edges.iter().enumerate() {
            let now = edge.digest(&self.digests, scripts, phase)?;
            if record.dependency(&edge.node.id) != Some(now) {
                return Ok(Some(at));
            }
        }
        let is_complete = record.dependencies.len() == unit.edges.len();
        Ok((!is_complete).then_some(0))
    }

    /// Takes note that a unit is fresh by its record, which is refreshed if that saves work.
    pub fn accept(&self, unit: &Unit) {
        let record = match self.lock().get_mut(&unit.record) {
            Some(known) => {
                known.refresh(&unit.record);
                known.record.clone()
            }
            None => None,
        };
        if let Some(record) = record {
            unit.node.settle(&record, unit, &self.digests);
        }
    }

    /// Judges again, now that the dependencies are complete, whether what an earlier build left of a unit
    /// is what building it would give. Nothing is changed by this.
    ///
    /// # Errors
    ///
    /// If the output of a dependency cannot be read.
    pub fn is_kept(&self, unit: &Unit) -> io::Result<bool> {
        let _place = self.gate.enter();
        let known = self.judge(unit, &Stats::default());
        let Known {
            verdict: Verdict::Unchanged,
            record: Some(record),
            ..
        } = &known
        else {
            return Ok(false);
        };
        let changed = self.changed_dependency(unit, record, Phase::Building)?;
        let holds = changed.is_none();
        if holds {
            self.lock().insert(unit.record.clone(), known);
        }
        Ok(holds)
    }

    /// Takes note that the files of a unit have new times.
    pub fn move_times(&self, unit: &Unit) {
        if let Some(known) = self.lock().get_mut(&unit.record)
            && let Some(record) = &known.record
        {
            let mut record = Record::clone(record);
            record.reference = record::Reference::of(&unit.reference);
            for (path, time) in &mut known.times {
                *time = Stat::of(path)
                    .ok()
                    .and_then(|stat| stat.modified)
                    .unwrap_or(*time);
            }
            for output in &mut record.outputs {
                if let Ok(stat) = Stat::of(&unit.places.path(&output.path)) {
                    output.stamp = record::Stamp::from(&stat);
                }
            }
            known.record = Some(Arc::new(record));
            known.is_stale = true;
        }
    }

    /// Begins to build a unit: its record goes. One that cannot be removed will not be one of what is built.
    pub fn release(&self, unit: &Unit) {
        if std::fs::remove_file(&unit.record).is_err() {
            let _ = std::fs::remove_dir_all(&unit.record);
        }
        unit.node.release();
        for (output, _) in &unit.outputs {
            self.digests.forget(output);
        }
    }

    /// Looks at what a unit may read before it is built: below `folders`, and wherever it read before; of
    /// a unit of which that is not known, in its whole `package`.
    pub fn look<'a>(
        &self,
        unit: &Unit,
        clock: Clock,
        package: Option<&'a Path>,
        folders: impl IntoIterator<Item = &'a Path>,
    ) -> Before {
        let known = self.lock().remove(&unit.record);
        let record = known.and_then(|known| known.record);
        let inputs = record.iter().flat_map(|record| &record.inputs);
        let files: Vec<PathBuf> = inputs.map(|input| self.recall(unit, input)).collect();
        // Where times are those of another clock, they tell nothing of a file that is first learnt of.
        let is_timed = |file: &PathBuf| Stat::of(file).is_ok_and(|stat| clock.rules(&stat));
        let is_known = record.is_some() && files.iter().all(is_timed);
        let folders = package.filter(|_| !is_known).into_iter().chain(folders);
        Before::look(
            clock,
            folders,
            &unit.places.excluded(),
            files,
            &self.digests,
        )
    }

    /// Takes note of the digest of what a unit read before, so that a script which writes its own input
    /// anew can be shown to have written the same.
    fn recall(&self, unit: &Unit, input: &record::Input) -> PathBuf {
        let path = unit.places.path(&input.path);
        match Stat::of(&path) {
            Ok(stat) if input.settled && record::Stamp::from(&stat) == input.stamp => {
                let hashed = Hashed {
                    digest: input.digest,
                    stat,
                    at: Instant::now(),
                    settled: true,
                };
                self.digests.set(&path, hashed);
            }
            // One that cannot be read now counts as one that is not known.
            _ => drop(self.digests.input(&path)),
        }
        path
    }

    /// Records a unit that was built. Returns the input, if there is one, that cannot be shown to be what
    /// was built: then the unit is used in this build, and not fresh in the next.
    ///
    /// # Errors
    ///
    /// If something cannot be read or written: then there is no record.
    pub fn finish(
        &self,
        unit: &Unit,
        before: &Before,
        facts: Facts,
    ) -> io::Result<Option<PathBuf>> {
        let record = self.make(unit, Some(before), facts, Phase::Building)?;
        let unstable = record.unstable.as_ref().map(|path| unit.places.path(path));
        unit.node.settle(&record, unit, &self.digests);
        record.write(&unit.record)?;
        Ok(unstable)
    }

    /// Records a unit that another Cargo built, and that is fresh by its times. Returns the path for which
    /// it was built, if it depends on that and is elsewhere now: then it is not fresh.
    ///
    /// # Errors
    ///
    /// If something cannot be read or written: then there is no record.
    pub fn adopt(&self, unit: &Unit, facts: Facts) -> io::Result<Option<Change>> {
        if let Some(from) = self.foreign(unit, &facts) {
            return Ok(Some(Change::Moved { from }));
        }
        let record = self.make(unit, None, facts, Phase::Planning)?;
        unit.node.settle(&record, unit, &self.digests);
        record.write(&unit.record)?;
        Ok(None)
    }

    /// The digests of this build's files.
    pub fn digests(&self) -> &FileDigests {
        &self.digests
    }

    /// Keeps something to be told with `-v`.
    pub fn note(&self, note: String) {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(note);
    }

    /// Takes what is to be told with `-v`.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns a time of the build directory's file system, taken once: what was hashed, was hashed
    /// after it.
    fn clock(&self) -> Option<Clock> {
        let clock = self.clock.get_or_init(|| {
            let probe = tempfile::NamedTempFile::new_in(&self.build_dir)?;
            Ok(Clock::of(&Stat::of(probe.path())?))
        });
        clock.as_ref().ok().copied()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nanoseconds since 1970; `None` for a time that does not fit.
fn nanos(time: SystemTime) -> Option<i64> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    since.as_nanos().try_into().ok()
}

#[cfg(test)]
mod tests;
