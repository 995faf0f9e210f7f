//! `build.fingerprint = "content"`: freshness by content, with metadata as the fast path.
//!
//! This is the glue between [`Fingerprint`] and `cargo_hooks_engine::freshness`, which has the rules and
//! the format of the records. A record lies beside the fingerprint of its unit, as `content-…`.
//!
//! ```text
//! plan    check()     each unit by its record, dependencies first; without one, once, by its times
//!         decide()    dirty only because of a dependency: provisional, nothing is touched yet
//! build   Watch       provisional: kept if it turns out that nothing it used has changed
//!                     else built, watched, and recorded
//! ```
//!
//! Upstream's own fingerprint, a hash and a JSON file, is written as always and holds nothing of this:
//! stock Cargo on the same build directory sees what it would have left itself.
//!
//! Invariant: with `build.fingerprint = "mtime"` nothing here has an effect.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use cargo_hooks_engine::files::FileDigests;
use cargo_hooks_engine::freshness::{Change, Freshness, Verdict};
use cargo_util::paths;

use super::{DirtyReason, Fingerprint, FsStatus, StaleItem};
use crate::core::compiler::{BuildContext, BuildRunner, Unit};
use crate::util::errors::CargoResult;
use crate::util::{self, Progress, ProgressStyle};

mod compare;
mod describe;
mod package;
mod reading;
mod watch;

pub use self::describe::Known;
pub(super) use self::package::package;
pub(crate) use self::watch::{Watch, clock, wrap, wrap_doc};

/// How Cargo tells whether a unit is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// By the times of files, as upstream does.
    Mtime,
    /// By the content of files.
    Content,
}

/// Freshness by content, in one build.
pub struct Content {
    freshness: Arc<Freshness>,
    units: OnceCell<HashMap<Unit, Known>>,
    /// The files of packages of which Cargo's fingerprint reads all.
    packages: RefCell<HashMap<Unit, Vec<PathBuf>>>,
    /// What has changed in them.
    changes: RefCell<HashMap<Unit, Change>>,
    provisional: RefCell<HashSet<Unit>>,
}

impl Content {
    /// Reads the configuration; `None` if times decide. With `hooks`, content does by default.
    pub fn new(
        bcx: &BuildContext<'_, '_>,
        digests: &Arc<FileDigests>,
        hooks: bool,
    ) -> CargoResult<Option<Rc<Content>>> {
        if !Content::decides(bcx, hooks)? {
            return Ok(None);
        }
        let build_dir = bcx.ws.build_dir().into_path_unlocked();
        let jobs = bcx.jobs() as usize;
        Ok(Some(Rc::new(Content {
            freshness: Arc::new(Freshness::new(digests.clone(), build_dir, jobs)),
            units: OnceCell::new(),
            packages: RefCell::default(),
            changes: RefCell::default(),
            provisional: RefCell::default(),
        })))
    }

    /// Reads the configuration: whether content decides, and not times.
    pub fn decides(bcx: &BuildContext<'_, '_>, hooks: bool) -> CargoResult<bool> {
        let default = if hooks {
            Method::Content
        } else {
            Method::Mtime
        };
        let method = bcx.gctx.build_config()?.fingerprint.unwrap_or(default);
        let unstable = bcx.gctx.cli_unstable();
        // These have ways of their own to know what is fresh, and when.
        let has_other = unstable.checksum_freshness || unstable.fine_grain_locking;
        Ok(method == Method::Content && !has_other)
    }

    /// Returns whether a unit may be kept, and is asked about before it gets a job slot.
    pub fn asks(&self, unit: &Unit) -> bool {
        self.provisional.borrow().contains(unit)
    }

    /// Takes what is to be told with `-v` of units that changed while they were built.
    pub fn take_notes(&self) -> Vec<String> {
        self.freshness.take_notes()
    }

    /// Returns what the engine knows of a unit; all of them are judged when the first is asked for.
    fn known(
        &self,
        build_runner: &BuildRunner<'_, '_>,
        unit: &Unit,
    ) -> CargoResult<Option<&Known>> {
        if self.units.get().is_none() {
            let units = describe::all(build_runner)?;
            let judged: Vec<_> = units.values().map(|known| known.unit.clone()).collect();
            let gctx = build_runner.bcx.gctx;
            let mut progress = Progress::with_style("Checking", ProgressStyle::Ratio, gctx);
            let threads = build_runner.bcx.jobs() as usize;
            self.freshness.load(&judged, threads, |done| {
                // What cannot be shown is no reason not to build.
                let _ = progress.tick(done, judged.len(), ": content of inputs");
            });
            let _ = self.units.set(units);
        }
        Ok(self.units.get().and_then(|units| units.get(unit)))
    }
}

/// Finds out whether a unit is fresh, as far as files tell. False if times decide: upstream's check is
/// to do it.
pub(super) fn check(
    build_runner: &mut BuildRunner<'_, '_>,
    unit: &Unit,
    fingerprint: &mut Fingerprint,
) -> CargoResult<bool> {
    let Some(content) = build_runner.content.clone() else {
        return Ok(false);
    };
    let Some(known) = content.known(build_runner, unit)? else {
        return Ok(false);
    };
    if known.is_overridden {
        let local = fingerprint.local.get_mut().expect("no job has it yet");
        let effect = format!("{local:?}");
        known
            .unit
            .node
            .replace(hook_protocol::Digest::of(effect.as_bytes()));
        return Ok(false);
    }
    let changed = content.changes.borrow().get(unit).cloned();
    let status = match (changed, content.freshness.verdict(&known.unit)) {
        (Some(change), _) | (None, (Verdict::Changed(change), _)) => stale(change),
        (None, (Verdict::Unknown, _) | (Verdict::Unchanged, None)) => {
            by_time(build_runner, &content, unit, known, fingerprint)?;
            return Ok(true);
        }
        (None, (Verdict::Unchanged, Some(record))) => {
            compare::compare(build_runner, &content, unit, known, fingerprint, &record)?
        }
    };
    fingerprint.fs_status = status;
    Ok(true)
}

fn stale(change: Change) -> FsStatus {
    let item = match change {
        Change::NoOutput { path } => StaleItem::FailedToReadMetadata { path },
        Change::Missing { path } => StaleItem::MissingFile { path },
        change => StaleItem::Content(change),
    };
    item.log();
    FsStatus::StaleItem(item)
}

/// Judges a unit that another Cargo built, once, by its times; if it is fresh, it has a record from now
/// on.
fn by_time(
    build_runner: &mut BuildRunner<'_, '_>,
    content: &Content,
    unit: &Unit,
    known: &Known,
    fingerprint: &mut Fingerprint,
) -> CargoResult<()> {
    let gctx = build_runner.bcx.gctx;
    let build_root = super::build_root(build_runner);
    fingerprint.check_filesystem(
        &mut build_runner.mtime_cache,
        &mut build_runner.checksum_cache,
        &unit.pkg,
        &build_root,
        gctx.cargo_exe()?,
        gctx,
    )?;
    let hash = build_runner.files().fingerprint_file_path(unit, "");
    if !fingerprint.fs_status.up_to_date() {
        return Ok(());
    }
    let written = paths::read(&hash).unwrap_or_default();
    if written.is_empty() {
        fingerprint.fs_status = stale(Change::Incomplete);
    } else if written == util::to_hex(fingerprint.hash_u64()) {
        let facts = reading::facts(build_runner, content, unit, known, fingerprint);
        let adopted = facts.and_then(|facts| Ok(content.freshness.adopt(&known.unit, facts)?));
        match adopted {
            Ok(None) => {}
            Ok(Some(moved)) => fingerprint.fs_status = stale(moved),
            Err(error) => tracing::debug!("failed to record {}: {error:#}", unit.pkg),
        }
    }
    Ok(())
}

/// Completes the reason for which a unit is dirty, and decides whether it is so for good: not if only a
/// dependency is the reason, and what was left of the unit may turn out to be what building it would give.
pub(super) fn decide(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    fingerprint: &Fingerprint,
    force: bool,
    reason: Option<DirtyReason>,
) -> CargoResult<Option<DirtyReason>> {
    let (Some(content), Some(reason)) = (&build_runner.content, &reason) else {
        return Ok(reason);
    };
    if let (DirtyReason::PrecalculatedComponentsChanged { .. }, Some(change)) =
        (reason, content.changes.borrow_mut().remove(unit))
    {
        return Ok(Some(DirtyReason::FsStatusOutdated(stale(change))));
    }
    // All is as it was recorded, but nothing vouches for the outputs.
    if let DirtyReason::NothingObvious = reason {
        return Ok(Some(DirtyReason::FsStatusOutdated(stale(
            Change::Incomplete,
        ))));
    }
    let is_dependency = matches!(
        reason,
        DirtyReason::UnitDependencyInfoChanged { .. }
            | DirtyReason::FsStatusOutdated(FsStatus::StaleDepFingerprint { .. })
    ) && matches!(
        fingerprint.fs_status,
        FsStatus::UpToDate { .. } | FsStatus::StaleDepFingerprint { .. }
    );
    let is_same = || -> CargoResult<bool> {
        let Some(known) = content.known(build_runner, unit)? else {
            return Ok(false);
        };
        let (verdict, record) = content.freshness.verdict(&known.unit);
        let is_unchanged = matches!(verdict, Verdict::Unchanged);
        Ok(is_unchanged && record.is_some_and(|it| it.own == own(fingerprint)))
    };
    if is_dependency && !force && is_same()? {
        content.provisional.borrow_mut().insert(unit.clone());
    }
    Ok(Some(reason.clone()))
}

/// Returns whether it is still open whether a unit must be built.
pub fn is_provisional(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> bool {
    let content = build_runner.content.as_ref();
    content.is_some_and(|content| content.asks(unit))
}

/// Hashes what decides how a unit is built: all of its fingerprint but the files and the dependencies'
/// own fingerprints.
fn own(fingerprint: &Fingerprint) -> String {
    let Fingerprint {
        rustc,
        features,
        declared_features,
        target,
        profile,
        path,
        deps,
        rustflags,
        config,
        compile_kind,
        ..
    } = fingerprint;
    let deps: Vec<_> = deps
        .iter()
        .map(|dep| (dep.pkg_id, dep.name, dep.public))
        .collect();
    let own = (
        (rustc, features, declared_features, target, profile, path),
        (deps, rustflags, config, compile_kind),
    );
    util::to_hex(util::hash_u64(own))
}
