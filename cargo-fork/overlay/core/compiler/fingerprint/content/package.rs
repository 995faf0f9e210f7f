//! Packages of which a fingerprint reads every file: those of build scripts that declare nothing, and
//! those that are documented.

use std::path::{Path, PathBuf};

use cargo_hooks_engine::freshness::{self, Change, Verdict};
use hook_protocol::Digest;

use crate::core::compiler::fingerprint::{self, Fingerprint, LocalFingerprint};
use crate::core::compiler::{BuildRunner, Unit};
use crate::core::{Package, SourceId};
use crate::sources::PathSource;
use crate::util::GlobalContext;
use crate::util::errors::CargoResult;

/// Returns what a fingerprint says of the whole package of a unit. While its files are as they were
/// recorded that is what it said then, and not the newest of today's times.
pub(in super::super) fn package(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
) -> CargoResult<String> {
    let upstream = || fingerprint::pkg_fingerprint(build_runner.bcx, &unit.pkg);
    let id = unit.pkg.package_id().source_id();
    let Some(content) = build_runner.content.as_ref().filter(|_| id.is_path()) else {
        return upstream();
    };
    let Some(known) = content.known(build_runner, unit)? else {
        return upstream();
    };
    let files = list(build_runner.bcx.gctx, &unit.pkg, id)?;
    let names = names(&files, unit.pkg.root());
    content.packages.borrow_mut().insert(unit.clone(), files);
    let (verdict, record) = content.freshness.verdict(&known.unit);
    let recorded = record.as_ref().and_then(|record| record.package.as_ref());
    let change = match (recorded, verdict) {
        (None, _) | (_, Verdict::Unknown) => return upstream(),
        (Some((_, known)), _) if *known != names => Change::Listing {
            path: PathBuf::new(),
        },
        (Some((fingerprint, _)), Verdict::Unchanged) => return Ok(fingerprint.clone()),
        (_, Verdict::Changed(change)) => change,
    };
    content.changes.borrow_mut().insert(unit.clone(), change);
    upstream()
}

fn list(gctx: &GlobalContext, package: &Package, id: SourceId) -> CargoResult<Vec<PathBuf>> {
    let source = PathSource::new(package.root(), id, gctx);
    let files = source.list_files(package)?.into_iter();
    let files = files.map(|entry| entry.into_path_buf());
    Ok(files.filter(|path| path.is_file()).collect())
}

pub(super) fn names(files: &[PathBuf], root: &Path) -> Digest {
    let relative = |path: &'_ PathBuf| path.strip_prefix(root).unwrap_or(path).to_path_buf();
    let files: Vec<_> = files.iter().map(relative).collect();
    freshness::names(files.iter().map(PathBuf::as_path))
}

/// Returns whether the fingerprint of a unit is made of its whole package.
pub(super) fn reads_package(fingerprint: &Fingerprint) -> Option<String> {
    let local = fingerprint.local.lock().expect("no job panics with it");
    local.iter().find_map(|local| match local {
        LocalFingerprint::Precalculated(text) => Some(text.clone()),
        _ => None,
    })
}
