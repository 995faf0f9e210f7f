//! Hooks: programs that supply a unit's outputs before it is built, and keep them after.
//!
//! This is the glue between Cargo and `cargo-hooks-engine`, which does the work and knows none of
//! Cargo's types. On the main thread a plain [snapshot](snapshot) of each dirty unit is taken; the
//! unit's job then makes three calls: [`Job::restores`] before anything is touched, [`Job::shown`] for
//! each line of the compiler, [`Job::built`] after.
//!
//! Invariant: without a configured hook nothing here has an effect.
//!
//! Invariant: `Unit`, `Package` and `GlobalContext` do not reach a job.

pub mod answers;
mod cleaned;
pub(crate) mod config;
mod edits;
mod job;
pub(crate) mod remap;
mod report;
mod run;
mod snapshot;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Context as _;
use cargo_hooks_engine::Session;
use cargo_hooks_engine::files::FileDigests;
use cargo_hooks_engine::key::Common;
use cargo_hooks_engine::mentions::Mentions;
use cargo_hooks_engine::roots::Roots;
use cargo_hooks_engine::salt::Salt;
use cargo_hooks_engine::tools::Tools;
use cargo_hooks_engine::unit::Dependency;
use cargo_hooks_engine::verified::Verified;
use hook_protocol::Digest;
use hook_protocol::wire::Begin;

pub use self::cleaned::clean;
pub(crate) use self::job::Job;
pub use self::report::{report_doc, show, summary};
pub(crate) use self::run::RunJob;
use crate::core::PackageId;
use crate::core::compiler::fingerprint::content::Content;
use crate::core::compiler::{BuildContext, BuildRunner, CompileKind, CompileMode, Unit};
use crate::util::errors::CargoResult;

/// The folder in Cargo's home in which is kept what holds for all build directories.
const MEMORY: &str = ".hooks";

/// The hooks of one build.
pub struct Hooks {
    session: Arc<Session>,
    remap: bool,
    places: Roots,
    /// The flags that rename places, the shortest path first: the last flag that matches counts.
    remap_args: Vec<String>,
    /// The places, and the names that compilers are told for them, in this order.
    renamed: Arc<[(String, String)]>,
    build_scripts: config::BuildScripts,
    /// The packages of the workspace.
    members: Arc<[PathBuf]>,
    outputs: OnceCell<Arc<[PathBuf]>>,
    shown_places: Arc<Vec<(String, String)>>,
    excluded: Arc<[PathBuf]>,
    cleaned: cleaned::Cleaned,
    edits: edits::Edits,
    env: Arc<BTreeMap<String, String>>,
    /// `hooks.salt`.
    salt: Salt,
    /// The libraries that a unit can reach, for each unit that was looked at.
    reachable: RefCell<HashMap<Unit, Rc<Vec<Unit>>>>,
    /// The files of units on which others depend, by whether these need metadata only.
    dependencies: RefCell<HashMap<(Unit, bool), Vec<Arc<Dependency>>>>,
    /// The units for which a hook is asked before they get a job slot.
    asked: RefCell<HashSet<Unit>>,
    /// The units of each package that are not compiled incrementally.
    not_incremental: HashMap<PackageId, Vec<Unit>>,
}

impl Hooks {
    /// Reads the configuration; `None` if no hook is configured. Starts nothing.
    fn new(bcx: &BuildContext<'_, '_>, digests: &Arc<FileDigests>) -> CargoResult<Option<Hooks>> {
        let links = Content::decides(bcx, true)?;
        let Some(mut settings) = config::load(bcx.gctx, bcx.jobs(), links)? else {
            return Ok(None);
        };
        let edits = edits::Edits::load(bcx.ws);
        settings.engine.is_same_commit = edits.is_same_commit();
        let build_dir = bcx.ws.build_dir().into_path_unlocked();
        let target_dir = bcx.ws.target_dir().into_path_unlocked();
        let memory = bcx.gctx.home().as_path_unlocked().join(MEMORY);
        let common = Common {
            digests: digests.clone(),
            macros: Default::default(),
            mentions: Mentions::new(bcx.ws.root().to_path_buf()),
            scripts: Default::default(),
            tools: Tools::new(memory.join("tools.json")),
            verified: Verified::new(memory.join("verified"), settings.verifies_always),
            rustc_version: bcx.rustc().verbose_version.clone(),
            sysroot: bcx.target_data.info(CompileKind::Host).sysroot.clone(),
            host: bcx.host_triple().to_string(),
        };
        let lockfile = bcx.ws.lock_root().into_path_unlocked().join("Cargo.lock");
        let begin = Begin {
            v: 0,
            id: 0,
            workspace: bcx.ws.root().to_path_buf(),
            build_dir: build_dir.clone(),
            lockfile: Digest::of_file(&lockfile).ok(),
            host: bcx.host_triple().to_string(),
            jobs: bcx.jobs(),
            timeout_ms: None,
            cargo: crate::version().to_string(),
        };
        let mut pairs = remap::pairs(bcx);
        let shown_places = Arc::new(remap::shown(&pairs));
        pairs.sort_by_key(|(from, _)| from.len());
        let flag = |(from, to): &(String, String)| format!("--remap-path-prefix={from}={to}");
        let env = bcx
            .gctx
            .env()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut not_incremental: HashMap<_, Vec<_>> = HashMap::new();
        for unit in bcx.unit_graph.keys().filter(|it| !it.profile.incremental) {
            let units = not_incremental.entry(unit.pkg.package_id());
            units.or_default().push(unit.clone());
        }
        Ok(Some(Hooks {
            session: Arc::new(Session::new(settings.engine, common, begin)),
            remap: settings.remap,
            places: remap::places(bcx),
            remap_args: pairs.iter().map(flag).collect(),
            renamed: pairs.into(),
            build_scripts: settings.build_scripts,
            members: bcx.ws.members().map(|it| it.root().to_path_buf()).collect(),
            outputs: OnceCell::new(),
            shown_places,
            excluded: [build_dir, target_dir].into(),
            cleaned: cleaned::Cleaned::load(bcx.ws),
            edits,
            salt: Salt::new(&settings.salt),
            env: Arc::new(env.collect()),
            reachable: RefCell::default(),
            dependencies: RefCell::default(),
            asked: RefCell::default(),
            not_incremental,
        }))
    }

    /// Returns whether a hook is asked for the unit before it gets a job slot.
    pub fn asks(&self, unit: &Unit) -> bool {
        self.asked.borrow().contains(unit)
    }

    /// Every output of this build.
    fn outputs(&self, build_runner: &BuildRunner<'_, '_>) -> CargoResult<Arc<[PathBuf]>> {
        if let Some(known) = self.outputs.get() {
            return Ok(known.clone());
        }
        let mut files = Vec::new();
        for unit in build_runner
            .bcx
            .unit_graph
            .keys()
            .filter(|unit| is_rustc(unit))
        {
            for output in build_runner.outputs(unit)?.iter() {
                files.push(output.path.clone());
                files.extend(output.hardlink.clone());
            }
        }
        Ok(self.outputs.get_or_init(|| files.into()).clone())
    }

    /// The hooks' side of the build.
    pub fn session(&self) -> &Session {
        &self.session
    }
}

/// Reads what is configured: the hooks, and whether content decides on freshness.
pub fn configured(bcx: &BuildContext<'_, '_>) -> CargoResult<(Option<Hooks>, Option<Rc<Content>>)> {
    let digests = Arc::default();
    let hooks = Hooks::new(bcx, &digests)?;
    let content = Content::new(bcx, &digests, hooks.is_some())?;
    Ok((hooks, content))
}

/// Adds the flags by which the compiler leaves this machine's paths out of its outputs.
pub fn add_remap_args(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    cmd: &mut cargo_util::ProcessBuilder,
) {
    if let Some(hooks) = &build_runner.hooks
        && remap::is_remapped(build_runner, unit)
    {
        cmd.args(&hooks.remap_args);
    }
}

/// Waits until everything is stored and the hooks have ended. Called while the build directory is
/// locked, whatever became of the build: afterwards nothing of a hook is pending.
pub fn settle(build_runner: &BuildRunner<'_, '_>, built: CargoResult<()>) -> CargoResult<()> {
    let Some(hooks) = &build_runner.hooks else {
        show(build_runner)?;
        return built;
    };
    let settled = hooks.session.settle(built.is_ok());
    show(build_runner)?;
    built?;
    hooks.cleaned.forget()?;
    hooks.edits.built()?;
    settled.context("a required hook failed")
}

/// Returns whether the unit is one that rustc compiles.
fn is_rustc(unit: &Unit) -> bool {
    matches!(
        unit.mode,
        CompileMode::Test | CompileMode::Build | CompileMode::Check { .. }
    )
}
