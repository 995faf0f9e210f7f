//! [`Job`]: the three calls that a unit's job makes.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use cargo_hooks_engine::before::Clock;
use cargo_hooks_engine::env::Environment;
use cargo_hooks_engine::unit::{Command, Unit as Snapshot};
use cargo_hooks_engine::{Question, Reason, Session, Verdict};
use cargo_util::{ProcessBuilder, paths};
use filetime::FileTime;
use hook_protocol::wire::{self, Step, Unshared};

use super::{Hooks, remap, snapshot};
use crate::core::compiler::fingerprint::content::{Watch, clock};
use crate::core::compiler::job_queue::lookup::Decision;
use crate::core::compiler::{
    BuildRunner, BuildScriptOutputs, BuildScripts, Executor, JobState, ManifestErrorContext,
    OutputOptions, Unit, Work, fingerprint, replay_output_cache,
};
use crate::util::errors::CargoResult;

/// Our part in the job of one unit. Without hooks and content fingerprints it does nothing.
pub(crate) struct Job {
    /// Freshness by content.
    watch: Option<Watch>,
    /// Shows the messages of a unit that is not compiled, as those of a fresh one are shown.
    replay: Option<Work>,
    hook: Option<Inner>,
}

struct Inner {
    session: Arc<Session>,
    id: wire::Unit,
    /// What is asked for; taken when it was.
    snapshot: Option<Result<Snapshot, Reason>>,
    env: Arc<BTreeMap<String, String>>,
    /// What build scripts said, and which of them the unit links.
    scripts: Option<(Arc<Mutex<BuildScriptOutputs>>, Arc<BuildScripts>)>,
    dep_info: DepInfo,
    /// How paths are translated back, if the compiler was told other names.
    shown_places: Option<Arc<Vec<(String, String)>>>,
    question: Option<Box<Question>>,
    began: Instant,
    wrote_to_stdout: Cell<bool>,
}

/// What Cargo needs to translate rustc's list of inputs into its own.
struct DepInfo {
    rustc: PathBuf,
    cargo: PathBuf,
    cwd: PathBuf,
    package: PathBuf,
    build_dir: PathBuf,
    fingerprint_dir: PathBuf,
    is_local: bool,
    env_config: Arc<HashMap<String, OsString>>,
}

impl Job {
    /// Takes what the job needs, on the main thread. `rustc` lacks what build scripts will add.
    pub(crate) fn new(
        build_runner: &mut BuildRunner<'_, '_>,
        unit: &Unit,
        exec: &dyn Executor,
        rustc: &ProcessBuilder,
        rustc_dep_info: &Path,
    ) -> CargoResult<Job> {
        let cargo = fingerprint::dep_info_loc(build_runner, unit);
        let build_runner = &*build_runner;
        let watch = Watch::new(build_runner, unit)?;
        let hook = match &build_runner.hooks {
            Some(hooks) => Some(Inner::new(
                build_runner,
                hooks,
                unit,
                exec,
                rustc,
                rustc_dep_info,
                cargo,
            )?),
            None => None,
        };
        let may_show = watch.is_some() || hook.is_some();
        let replay = || {
            replay_output_cache(
                unit.pkg.package_id(),
                ManifestErrorContext::new(build_runner, unit),
                &unit.target,
                build_runner.files().message_cache_path(unit),
                OutputOptions::for_fresh(build_runner, unit),
            )
        };
        Ok(Job {
            watch,
            replay: may_show.then(replay),
            hook,
        })
    }

    /// Decides, now that `rustc` is complete, what is to be done. True if the unit need not be compiled:
    /// it is kept as it is, or restored; all is in place, and its messages were shown. Until this returns
    /// no output of the unit was touched otherwise.
    pub(crate) fn restores(
        &mut self,
        state: &JobState<'_, '_>,
        rustc: &ProcessBuilder,
    ) -> CargoResult<bool> {
        let is_done = self.decides(state, rustc)?;
        if is_done && let Some(replay) = self.replay.take() {
            replay.call(state)?;
        }
        Ok(is_done)
    }

    fn decides(&mut self, state: &JobState<'_, '_>, rustc: &ProcessBuilder) -> CargoResult<bool> {
        let Job { watch, hook, .. } = self;
        if let Some(watch) = watch
            && watch.keeps()?
        {
            state.decide(Decision::Kept)?;
            return Ok(true);
        }
        match (hook, watch) {
            (Some(hook), watch) => hook.asks(state, rustc, watch.as_mut()),
            (None, Some(watch)) => {
                if watch.is_provisional() {
                    state.decide(Decision::Build)?;
                }
                let clock = watch.clock()?;
                watch.look(clock);
                Ok(false)
            }
            (None, None) => Ok(false),
        }
    }

    /// Returns a line of the compiler as it is to be shown and kept.
    pub(crate) fn shown<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let places = self
            .hook
            .as_ref()
            .and_then(|hook| hook.shown_places.as_ref());
        match places.and_then(|places| remap::show(line, places)) {
            Some(shown) => Cow::Owned(shown),
            None => Cow::Borrowed(line),
        }
    }

    /// Takes note of a line on the compiler's standard output, which no entry holds.
    pub(crate) fn stdout<'a>(&self, line: &'a str) -> &'a str {
        if let Some(hook) = &self.hook {
            hook.wrote_to_stdout.set(true);
        }
        line
    }

    /// Records what was built, when dep-info is translated, and offers it to the hook.
    pub(crate) fn built(&mut self) {
        let is_stable = self.watch.as_mut().is_none_or(Watch::built);
        let Some(hook) = &mut self.hook else { return };
        let Some(question) = hook.question.take() else {
            return;
        };
        let why = if hook.wrote_to_stdout.get() {
            Reason::WroteToStdout
        } else if !is_stable {
            Reason::InputChanged("a file of the unit".to_owned())
        } else {
            return hook.session.store(question, hook.began.elapsed());
        };
        hook.session.report(Unshared {
            unit: hook.id.clone(),
            step: Step::Stored,
            why,
        });
    }
}

impl Inner {
    fn new(
        build_runner: &BuildRunner<'_, '_>,
        hooks: &Hooks,
        unit: &Unit,
        exec: &dyn Executor,
        rustc: &ProcessBuilder,
        rustc_dep_info: &Path,
        cargo: PathBuf,
    ) -> CargoResult<Inner> {
        let gctx = build_runner.bcx.gctx;
        let cwd = rustc.get_cwd().unwrap_or_else(|| gctx.cwd()).to_path_buf();
        let snapshot = snapshot::take(build_runner, hooks, unit, exec, &cwd, rustc_dep_info)?;
        if snapshot.is_ok() {
            hooks.asked.borrow_mut().insert(unit.clone());
        }
        let remapped = remap::is_remapped(build_runner, unit);
        let scripts = build_runner.build_scripts.get(unit).map(|scripts| {
            let outputs = Arc::clone(&build_runner.build_script_outputs);
            (outputs, scripts.clone())
        });
        Ok(Inner {
            session: hooks.session.clone(),
            id: snapshot::id(build_runner, unit),
            snapshot: Some(snapshot),
            env: hooks.env.clone(),
            scripts,
            dep_info: DepInfo {
                rustc: rustc_dep_info.to_path_buf(),
                cargo,
                cwd,
                package: unit.pkg.root().to_path_buf(),
                build_dir: build_runner.bcx.ws.build_dir().into_path_unlocked(),
                fingerprint_dir: build_runner.files().fingerprint_dir(unit),
                is_local: unit.is_local(),
                env_config: Arc::clone(gctx.env_config()?),
            },
            shown_places: remapped.then(|| hooks.shown_places.clone()),
            question: None,
            began: Instant::now(),
            wrote_to_stdout: Cell::new(false),
        })
    }

    /// Asks the hook. True if the unit is restored.
    fn asks(
        &mut self,
        state: &JobState<'_, '_>,
        rustc: &ProcessBuilder,
        watch: Option<&mut Watch>,
    ) -> CargoResult<bool> {
        // Before the first input is hashed: what is edited from now on is newer.
        let clock = clock(&self.dep_info.fingerprint_dir)?;
        let snapshot = self.snapshot.take().expect("a job asks once");
        let asked = snapshot.and_then(|snapshot| Ok((snapshot, self.command(rustc)?)));
        let verdict = match asked {
            Err(reason) => Verdict::Build {
                reason,
                question: None,
            },
            Ok((mut snapshot, command)) => {
                snapshot.native_libs = self.native_libs();
                self.session.ask(snapshot, command, clock)?
            }
        };
        let restored = match verdict {
            Verdict::Restored { hook } => {
                self.dep_info.translate(rustc, clock)?;
                if let Some(watch) = watch {
                    watch.was_restored(clock);
                    watch.built();
                }
                state.decide(Decision::Restored { hook })?;
                true
            }
            Verdict::Build { reason, question } => {
                let offered = question.is_some();
                let before = question.as_ref().map(|question| question.before());
                self.question = question;
                self.session.report(not_restored(&self.id, reason, offered));
                state.decide(Decision::Compile { offered })?;
                match (watch, before) {
                    (Some(watch), Some(before)) => watch.looked(before),
                    (Some(watch), None) => watch.look(clock),
                    (None, _) => {}
                }
                false
            }
            Verdict::Cancelled => anyhow::bail!("the build has failed meanwhile"),
        };
        self.began = Instant::now();
        Ok(restored)
    }

    /// Returns the native libraries that the unit's build scripts and those of its dependencies name.
    /// Only now, when all of them have run, is that known.
    fn native_libs(&self) -> Vec<String> {
        let Some((outputs, scripts)) = &self.scripts else {
            return Vec::new();
        };
        let outputs = outputs.lock().expect("no build script panics with it");
        let linked = scripts
            .to_link
            .iter()
            .filter_map(|(_, metadata)| outputs.get(*metadata));
        linked
            .flat_map(|output| output.library_links.iter().cloned())
            .collect()
    }

    /// Splits a command line into the programs and the arguments of the compiler.
    fn command(&self, rustc: &ProcessBuilder) -> Result<Command, Reason> {
        let args: Vec<String> = rustc
            .get_args()
            .map(|arg| text(arg))
            .collect::<Result<_, Reason>>()?;
        // Cargo's own first argument; what comes before it are wrapped programs.
        let first = args
            .iter()
            .position(|arg| arg == "--crate-name")
            .unwrap_or(0);
        let mut programs = vec![PathBuf::from(rustc.get_program())];
        programs.extend(args[..first].iter().map(PathBuf::from));
        Ok(Command {
            programs,
            args: args[first..].to_vec(),
            env: environment(rustc, &self.env)?,
        })
    }
}

fn text(text: &OsStr) -> Result<String, Reason> {
    let utf8 = text.to_str().map(str::to_owned);
    utf8.ok_or_else(|| Reason::NotUtf8(text.to_string_lossy().into_owned()))
}

/// Returns the environment of a process that inherits `inherited`.
pub(super) fn environment(
    process: &ProcessBuilder,
    inherited: &Arc<BTreeMap<String, String>>,
) -> Result<Environment, Reason> {
    let mut command = BTreeMap::new();
    for (name, value) in process.get_envs() {
        let value = value.as_deref().map(text).transpose()?;
        command.insert(name.clone(), value);
    }
    Ok(Environment {
        command,
        inherited: inherited.clone(),
    })
}

/// Describes a unit that is built: no hook was asked for it, or what it had was not used.
pub(super) fn not_restored(unit: &wire::Unit, why: Reason, offered: bool) -> Unshared {
    Unshared {
        unit: unit.clone(),
        step: if offered {
            Step::Restored
        } else {
            Step::Offered
        },
        why,
    }
}

impl DepInfo {
    /// Translates rustc's list of inputs, as is done after a compilation.
    fn translate(&self, rustc: &ProcessBuilder, clock: Clock) -> CargoResult<()> {
        fingerprint::translate_dep_info(
            &self.rustc,
            &self.cargo,
            &self.cwd,
            &self.package,
            &self.build_dir,
            rustc,
            self.is_local,
            &self.env_config,
        )?;
        let started = FileTime::from_system_time(clock.now());
        paths::set_file_time_no_err(&self.cargo, started);
        Ok(())
    }
}
