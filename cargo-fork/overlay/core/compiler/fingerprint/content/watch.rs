//! [`Watch`]: a unit while it is built.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use cargo_hooks_engine::before::{Before, Clock};
use cargo_hooks_engine::depinfo;
use cargo_hooks_engine::files::Stat;
use cargo_hooks_engine::freshness::{self, Change, Facts, Freshness};
use cargo_util::paths;
use hook_protocol::Digest;

use super::package::{names, reads_package};
use super::{Content, Known, own};
use crate::core::compiler::custom_build::BuildDeps;
use crate::core::compiler::fingerprint::{Checksum, Fingerprint, parse_dep_info};
use crate::core::compiler::job_queue::lookup::Decision;
use crate::core::compiler::{
    BuildRunner, BuildScriptOutputs, ManifestErrorContext, OutputOptions, Unit, UnitHash, Work,
    replay_output_cache,
};
use crate::util::errors::CargoResult;
use crate::util::path_args;

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

/// Where it is told what a unit read.
#[derive(Clone)]
enum Reading {
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
                renew(&self.freshness, &self.unit, clock);
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

/// Gives the files of a unit new times: what is kept must not look older than what it was made of to a
/// Cargo that goes by times. All of that was looked at after `clock` was read, or has not changed since it
/// was last; what changes from now on is newer.
pub(super) fn renew(freshness: &Freshness, unit: &freshness::Unit, clock: Clock) {
    let now = filetime::FileTime::from_system_time(clock.now());
    let outputs = unit.outputs.iter().map(|(output, _)| output);
    for path in outputs.chain([&unit.reference]) {
        paths::set_file_time_no_err(path, now);
    }
    freshness.move_times(unit);
}

/// Watches work that reads no list of inputs: running a build script, or documenting. `fresh` is what is
/// done if it need not be done.
pub(crate) fn wrap(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    dirty: Work,
    fresh: Work,
) -> CargoResult<Work> {
    let Some(mut watch) = Watch::new(build_runner, unit)? else {
        return Ok(dirty);
    };
    Ok(Work::new(move |state| {
        if watch.keeps()? {
            state.decide(Decision::Kept)?;
            return fresh.call(state);
        }
        if watch.is_provisional() {
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
    wrap(build_runner, unit, dirty, fresh)
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
fn given(content: &Content, unit: &Unit, fingerprint: &Fingerprint) -> Facts {
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

fn reading(
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
    fn facts(&self, given: &Facts) -> io::Result<Facts> {
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
