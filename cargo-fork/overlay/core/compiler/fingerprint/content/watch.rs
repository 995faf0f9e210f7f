//! [`Watch`]: a unit while it is built.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use cargo_hooks_engine::before::{Before, Clock};
use cargo_hooks_engine::files::{self, Stat};
use cargo_hooks_engine::freshness::{self, Change, Facts, Freshness};
use cargo_util::paths;
use filetime::FileTime;

use super::reading::{Reading, given, reading};
use crate::core::compiler::job_queue::lookup::Decision;
use crate::core::compiler::{
    BuildRunner, ManifestErrorContext, OutputOptions, Unit, Work, hooks, replay_output_cache,
};
use crate::util::errors::CargoResult;

/// A unit while it is built. It may move to the thread of a job.
pub(crate) struct Watch {
    freshness: Arc<Freshness>,
    unit: Arc<freshness::Unit>,
    is_provisional: bool,
    reading: Reading,
    facts: Facts,
    /// The file of the fingerprint, and the compiler's messages: of a unit that may be kept both go only
    /// when it is not.
    hash: PathBuf,
    messages: PathBuf,
    /// The folder in which the file system's clock is read.
    fingerprint_dir: PathBuf,
    /// What the unit may read: its package, if that can change, and what build scripts left.
    package: Option<PathBuf>,
    folders: Vec<PathBuf>,
    /// How people know the unit, and the folder in whose terms its files are named to them.
    shown: String,
    workspace: PathBuf,
    before: Option<Arc<Before>>,
}

impl Watch {
    /// Takes what is needed, on the main thread; `None` if times decide on freshness.
    pub(crate) fn new(
        build_runner: &BuildRunner<'_, '_>,
        unit: &Unit,
    ) -> CargoResult<Option<Watch>> {
        let Some(content) = &build_runner.content else {
            return Ok(None);
        };
        let Some(known) = content.known(build_runner, unit)? else {
            return Ok(None);
        };
        let files = build_runner.files();
        let fingerprint = &build_runner.fingerprints[unit];
        let is_provisional = content.asks(unit);
        let mut folders: Vec<PathBuf> = Vec::new();
        for dep in build_runner.unit_deps(unit) {
            let dep = content.known(build_runner, &dep.unit)?;
            folders.extend(dep.and_then(|dep| dep.unit.out_dir.clone()));
        }
        let target = unit.target.description_named();
        Ok(Some(Watch {
            freshness: content.freshness.clone(),
            unit: known.unit.clone(),
            is_provisional,
            reading: reading(build_runner, unit, known, fingerprint),
            facts: given(content, unit, fingerprint),
            hash: files.fingerprint_file_path(unit, ""),
            messages: files.message_cache_path(unit),
            fingerprint_dir: files.fingerprint_dir(unit),
            package: unit.is_local().then(|| unit.pkg.root().to_path_buf()),
            folders,
            shown: format!("{} ({target})", unit.pkg),
            workspace: build_runner.bcx.ws.root().to_path_buf(),
            before: None,
        }))
    }

    /// Returns whether it is open whether the unit must be built.
    pub(crate) fn is_provisional(&self) -> bool {
        self.is_provisional
    }

    /// Decides, now that its dependencies are complete, whether a unit is kept as it is. If not, what
    /// vouches for it goes, before anything else of it is touched.
    pub(crate) fn keeps(&mut self) -> CargoResult<bool> {
        if self.is_provisional {
            let clock = self.clock()?;
            if self.freshness.is_kept(&self.unit).unwrap_or(false) {
                // What it was made of was looked at after that: what changes from now on is newer.
                let now = FileTime::from_system_time(clock.now());
                renew(
                    &self.freshness,
                    &self.unit,
                    now,
                    true,
                    self.package.is_some(),
                );
                self.freshness.accept(&self.unit);
                return Ok(true);
            }
            if self.hash.exists() {
                paths::write(&self.hash, b"")?;
            }
            let _ = std::fs::remove_file(&self.messages);
        }
        self.freshness.release(&self.unit);
        Ok(false)
    }

    /// Reads the clock of the build directory's file system.
    pub(crate) fn clock(&self) -> CargoResult<Clock> {
        clock(&self.fingerprint_dir)
    }

    /// Looks at what the unit may read, before it is built.
    pub(crate) fn look(&mut self, clock: Clock) {
        let folders = self.folders.iter().map(PathBuf::as_path);
        let package = self.package.as_deref();
        let before = self.freshness.look(&self.unit, clock, package, folders);
        self.before = Some(Arc::new(before));
    }

    /// Takes what was there before from one who looked already.
    pub(crate) fn looked(&mut self, before: Arc<Before>) {
        self.before = Some(before);
    }

    /// Takes note that all that was read is known by now: the unit was restored.
    pub(crate) fn was_restored(&mut self, clock: Clock) {
        let digests = self.freshness.digests();
        self.before = Some(Arc::new(Before::look(clock, [], &[], [], digests)));
    }

    /// Records the unit, which was built. False if an input is known not to be what was built.
    pub(crate) fn built(&mut self) -> bool {
        let before = self.before.take().expect("looked at before it is built");
        let recorded = self
            .reading
            .facts(&self.facts)
            .and_then(|facts| self.freshness.finish(&self.unit, &before, facts));
        match recorded {
            Ok(None) => true,
            Ok(Some(path)) => {
                let path = path.strip_prefix(&self.workspace).unwrap_or(&path);
                let what = Change::Unstable {
                    path: path.to_path_buf(),
                };
                self.freshness.note(format!("{}: {what}", self.shown));
                false
            }
            // Without a record times decide, as they do for what another Cargo built.
            Err(error) => {
                tracing::debug!("failed to record {}: {error}", self.shown);
                true
            }
        }
    }
}

/// Reads the clock of a file system, by a file that Cargo writes for that.
pub(crate) fn clock(dir: &Path) -> CargoResult<Clock> {
    paths::set_invocation_time(dir)?;
    let path = dir.join("invoked.timestamp");
    let stat = Stat::of(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
    Ok(Clock::of(&stat))
}

/// Gives the outputs of a unit a time: what is kept must not look older than what it was made of to a Cargo
/// that goes by times. With `inputs` its list of inputs too: a script may have written these anew. An output
/// that is not of the workspace and has other names may be a file of a store, whose time stays.
pub(super) fn renew(
    freshness: &Freshness,
    unit: &freshness::Unit,
    time: FileTime,
    inputs: bool,
    is_local: bool,
) {
    let outputs = unit.outputs.iter().map(|(output, _)| output);
    let written = outputs.filter(|path| is_local || !files::has_other_names(path));
    for path in written.chain(inputs.then_some(&unit.reference)) {
        paths::set_file_time_no_err(path, time);
    }
    freshness.move_times(unit);
}

/// Watches work that reads no list of inputs: running a build script, or documenting. `fresh` is what is
/// done if it need not be done. Of scripts, where there are hooks, `dirty` itself reports what it decides.
pub(crate) fn wrap(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    dirty: Work,
    fresh: Work,
) -> CargoResult<Work> {
    let Some(mut watch) = Watch::new(build_runner, unit)? else {
        return Ok(dirty);
    };
    let hooks_decide = build_runner.hooks.is_some() && unit.mode.is_run_custom_build();
    Ok(Work::new(move |state| {
        if watch.keeps()? {
            state.decide(Decision::Kept)?;
            return fresh.call(state);
        }
        if watch.is_provisional() && !hooks_decide {
            state.decide(Decision::Build)?;
        }
        let clock = watch.clock()?;
        watch.look(clock);
        dirty.call(state)?;
        watch.built();
        Ok(())
    }))
}

/// Watches the documenting of a unit.
pub(crate) fn wrap_doc(
    dirty: Work,
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
) -> CargoResult<Work> {
    let fresh = replay_output_cache(
        unit.pkg.package_id(),
        ManifestErrorContext::new(build_runner, unit),
        &unit.target,
        build_runner.files().message_cache_path(unit),
        OutputOptions::for_fresh(build_runner, unit),
    );
    let report = hooks::report_doc(build_runner, unit);
    let dirty = report.then(dirty);
    wrap(build_runner, unit, dirty, fresh)
}
