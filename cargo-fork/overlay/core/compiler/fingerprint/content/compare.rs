//! Comparing variables and dependencies of a unit whose files are as they were.

use std::collections::HashMap;
use std::path::PathBuf;

use cargo_hooks_engine::freshness::{Phase, Record};
use filetime::FileTime;

use super::{Content, Known, watch};
use crate::CARGO_ENV;
use crate::core::Package;
use crate::core::compiler::fingerprint::{Fingerprint, FsStatus, StaleItem};
use crate::core::compiler::{BuildRunner, Unit};
use crate::util::GlobalContext;
use crate::util::errors::CargoResult;

/// Compares a unit with its record. If it is fresh, that is noted.
pub(super) fn compare(
    build_runner: &BuildRunner<'_, '_>,
    content: &Content,
    unit: &Unit,
    known: &Known,
    fingerprint: &Fingerprint,
    record: &Record,
) -> CargoResult<FsStatus> {
    if let Some(item) = changed_variable(build_runner.bcx.gctx, unit, record)? {
        return Ok(FsStatus::StaleItem(item));
    }
    let mut deps = fingerprint.deps.iter().map(|dep| &dep.fingerprint);
    if let Some(dep) = deps.find(|dep| !dep.fs_status.up_to_date()) {
        return Ok(FsStatus::StaleDepFingerprint { unit: dep.index });
    }
    let freshness = &content.freshness;
    let changed = freshness.changed_dependency(&known.unit, record, Phase::Planning);
    // What cannot be read counts as changed.
    if let Some(at) = changed.unwrap_or(Some(0)) {
        let unit = known.dependencies.get(at);
        return Ok(
            unit.map_or(FsStatus::Stale, |&unit| FsStatus::StaleDepFingerprint {
                unit,
            }),
        );
    }
    let mut mtimes = output_times(content, known);
    if let Some(newer) = newer_dependency(fingerprint, &mtimes) {
        // To a Cargo that goes by times the unit would look older than what it was made of. That is from
        // before its files were looked at.
        watch::renew(freshness, &known.unit, newer, false, unit.is_local());
        mtimes = output_times(content, known);
    }
    freshness.accept(&known.unit);
    Ok(FsStatus::UpToDate { mtimes })
}

/// Returns when the outputs of a unit were written.
fn output_times(content: &Content, known: &Known) -> HashMap<PathBuf, FileTime> {
    let times = content.freshness.times(&known.unit).into_iter();
    times
        .map(|(path, time)| (path, FileTime::from_system_time(time)))
        .collect()
}

/// Returns the newest time of what dependencies left, if that is newer than all outputs of the unit.
fn newer_dependency(
    fingerprint: &Fingerprint,
    mtimes: &HashMap<PathBuf, FileTime>,
) -> Option<FileTime> {
    let times = fingerprint.deps.iter().filter_map(|dep| {
        let FsStatus::UpToDate { mtimes } = &dep.fingerprint.fs_status else {
            return None;
        };
        let is_used = |path: &PathBuf| {
            !dep.only_requires_rmeta || path.extension().is_some_and(|it| it == "rmeta")
        };
        let times = mtimes.iter().filter(|(path, _)| is_used(path));
        times.map(|(_, time)| *time).max()
    });
    times
        .max()
        .filter(|newest| mtimes.values().all(|own| own < newest))
}

/// Returns the first variable that is not as the unit saw it.
fn changed_variable(
    gctx: &GlobalContext,
    unit: &Unit,
    record: &Record,
) -> CargoResult<Option<StaleItem>> {
    for (var, previous) in &record.env {
        let current = variable(gctx, &unit.pkg, var)?;
        if current != *previous {
            return Ok(Some(StaleItem::ChangedEnv {
                var: var.clone(),
                previous: previous.clone(),
                current,
            }));
        }
    }
    Ok(None)
}

/// Returns what a compiler of this build would see of a variable: what the manifest gives, this Cargo's
/// own path, what the configuration sets, or else the environment.
fn variable(gctx: &GlobalContext, package: &Package, name: &str) -> CargoResult<Option<String>> {
    if let Some(value) = package.manifest().metadata().env_var(name) {
        return Ok(Some(value.into_owned()));
    }
    if name == CARGO_ENV {
        return Ok(gctx.cargo_exe()?.to_str().map(str::to_owned));
    }
    Ok(match gctx.env_config()?.get(name) {
        Some(value) => value.to_str().map(str::to_owned),
        None => gctx.get_env(name).ok().map(str::to_owned),
    })
}
