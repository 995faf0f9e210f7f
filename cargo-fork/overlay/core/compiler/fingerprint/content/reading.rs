//! [`Reading`]: where it is told what a unit read.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use cargo_hooks_engine::depinfo;
use cargo_hooks_engine::freshness::Facts;
use hook_protocol::Digest;

use super::package::{names, reads_package};
use super::{Content, Known, own};
use crate::core::compiler::custom_build::BuildDeps;
use crate::core::compiler::fingerprint::{Checksum, Fingerprint, parse_dep_info};
use crate::core::compiler::{BuildRunner, BuildScriptOutputs, Unit, UnitHash};
use crate::util::errors::CargoResult;
use crate::util::path_args;

/// Where it is told what a unit read.
#[derive(Clone)]
pub(super) enum Reading {
    /// In the compiler's list of inputs, as Cargo has translated it.
    DepInfo {
        cargo: PathBuf,
        rustc: PathBuf,
        cwd: PathBuf,
        package: PathBuf,
        build_dir: PathBuf,
    },
    /// In what a build script says.
    Script {
        outputs: Arc<Mutex<BuildScriptOutputs>>,
        metadata: UnitHash,
        stdout: PathBuf,
    },
    /// Nowhere: it may be the whole package.
    Package,
}

/// Returns all that is known of a unit that another Cargo built.
pub(super) fn facts(
    build_runner: &BuildRunner<'_, '_>,
    content: &Content,
    unit: &Unit,
    known: &Known,
    fingerprint: &Fingerprint,
) -> CargoResult<Facts> {
    let given = given(content, unit, fingerprint);
    if unit.mode.is_run_custom_build() {
        return Ok(declared(given, &build_runner.build_explicit_deps[unit]));
    }
    let facts = reading(build_runner, unit, known, fingerprint).facts(&given);
    facts.with_context(|| format!("failed to read the inputs of `{}`", unit.pkg))
}

/// Returns what is known of a unit without reading anything.
pub(super) fn given(content: &Content, unit: &Unit, fingerprint: &Fingerprint) -> Facts {
    let mut facts = Facts {
        own: own(fingerprint),
        is_local: unit.is_local(),
        within: unit.pkg.root().to_path_buf(),
        ..Facts::default()
    };
    if let Some(files) = content.packages.borrow().get(unit)
        && let Some(text) = reads_package(fingerprint)
    {
        facts.package = Some((text, names(files, unit.pkg.root())));
        facts.files = files.iter().map(|path| (path.clone(), None)).collect();
    }
    facts
}

pub(super) fn reading(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    known: &Known,
    fingerprint: &Fingerprint,
) -> Reading {
    if unit.mode.is_run_custom_build() {
        return Reading::Script {
            outputs: Arc::clone(&build_runner.build_script_outputs),
            metadata: build_runner.get_run_build_script_metadata(unit),
            stdout: known.unit.reference.clone(),
        };
    }
    if reads_package(fingerprint).is_some() {
        return Reading::Package;
    }
    let files = build_runner.files();
    let crate_name = unit.target.crate_name();
    let rustc = match files.metadata(unit).c_extra_filename() {
        Some(hash) => format!("{crate_name}-{hash}.d"),
        None => format!("{crate_name}.d"),
    };
    Reading::DepInfo {
        cargo: files.fingerprint_file_path(unit, "dep-"),
        rustc: files.output_dir(unit).join(rustc),
        cwd: path_args(build_runner.bcx.ws, unit).1,
        package: unit.pkg.root().to_path_buf(),
        build_dir: build_runner.bcx.ws.build_dir().into_path_unlocked(),
    }
}

impl Reading {
    /// Returns what the unit read, with what is known of it anyway.
    pub(super) fn facts(&self, given: &Facts) -> io::Result<Facts> {
        let mut facts = given.clone();
        match self {
            Reading::Package => {}
            Reading::Script {
                outputs,
                metadata,
                stdout,
            } => {
                let outputs = outputs.lock().expect("no build script panics with it");
                let deps = BuildDeps::new(stdout, outputs.get(*metadata));
                facts = declared(facts, &deps);
            }
            Reading::DepInfo {
                cargo,
                rustc,
                cwd,
                package,
                build_dir,
            } => {
                let info = parse_dep_info(package, build_dir, cargo).map_err(io::Error::other)?;
                let info = info.ok_or(io::ErrorKind::InvalidData)?;
                // What another Cargo left may lack it.
                let raw = std::fs::read_to_string(rustc).unwrap_or_default();
                let raw = depinfo::parse(&raw).unwrap_or_default();
                facts.env = info.env;
                facts.seen_env = raw.env;
                facts.sources = raw.files.iter().map(|file| cwd.join(file)).collect();
                facts.files = as_given(info.files, &facts.sources);
            }
        }
        Ok(facts)
    }
}

/// Returns the files that decide on freshness, as Cargo has them, under the names by which the compiler
/// reached them: these lead through links that can be turned.
fn as_given(
    files: HashMap<PathBuf, Option<(u64, Checksum)>>,
    sources: &[PathBuf],
) -> Vec<(PathBuf, Option<Digest>)> {
    let kept = immutable_places();
    let is_kept = |path: &Path| kept.iter().any(|place| path.starts_with(place));
    let mut given: HashMap<PathBuf, Vec<&PathBuf>> = HashMap::new();
    for source in sources.iter().filter(|source| !is_kept(source)) {
        let canonical = source.canonicalize().unwrap_or_else(|_| source.clone());
        given.entry(canonical).or_default().push(source);
    }
    let mut out = Vec::new();
    for (path, checksum) in files.into_iter().filter(|(path, _)| !is_kept(path)) {
        let digest = checksum.and_then(|(_, checksum)| reported(checksum));
        let canonical = path.canonicalize().unwrap_or_else(|_| path.clone());
        match given.get(&canonical) {
            Some(names) => out.extend(names.iter().map(|name| ((*name).clone(), digest))),
            None => out.push((path, digest)),
        }
    }
    out
}

/// Adds what a build script declares. Without a declaration it is the package, which is known.
fn declared(mut facts: Facts, deps: &BuildDeps) -> Facts {
    if deps.rerun_if_changed.is_empty() && deps.rerun_if_env_changed.is_empty() {
        return facts;
    }
    facts.package = None;
    facts.files.clear();
    let kept = immutable_places();
    for path in &deps.rerun_if_changed {
        let path = facts.within.join(path);
        if kept.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        if path.is_dir() {
            facts.folders.push(path);
        } else {
            facts.files.push((path, None));
        }
    }
    facts
}

/// The folders in which upstream takes files to be what they were.
fn immutable_places() -> Vec<PathBuf> {
    let home = home::cargo_home();
    home.iter()
        .flat_map(|home| [home.join("git"), home.join("registry")])
        .collect()
}

/// Returns a digest that the compiler reports of what it read, if it is one of ours.
fn reported(checksum: Checksum) -> Option<Digest> {
    checksum.to_string().strip_prefix("blake3=")?.parse().ok()
}
