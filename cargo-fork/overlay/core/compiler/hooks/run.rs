//! [`RunJob`]: the calls that the job of a build script's run makes.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::time::Instant;

use cargo_hooks_engine::run::{self, Declared, Question, Run, Supply};
use cargo_hooks_engine::unit::Subject;
use cargo_hooks_engine::{Reason, Session, Verdict};
use cargo_util::{ProcessBuilder, paths};
use hook_protocol::wire;

use super::{Hooks, job, snapshot};
use crate::core::compiler::fingerprint::content::clock;
use crate::core::compiler::job_queue::lookup::Decision;
use crate::core::compiler::{BuildOutput, BuildRunner, JobState, Unit};
use crate::util::errors::CargoResult;

/// Our part in the run of one build script. Without hooks it does nothing.
pub(crate) struct RunJob(Option<Inner>);

struct Inner {
    session: Arc<Session>,
    id: wire::Unit,
    /// What is asked for; taken when it was.
    snapshot: Option<Result<Run, Reason>>,
    env: Arc<BTreeMap<String, String>>,
    /// The folder in which the file system's clock is read.
    fingerprint_dir: PathBuf,
    stdout: PathBuf,
    stderr: PathBuf,
    question: Option<Box<Question>>,
    began: Instant,
}

impl RunJob {
    /// Takes what the job needs, on the main thread. `cmd` lacks what other scripts will add.
    pub(crate) fn new(
        build_runner: &BuildRunner<'_, '_>,
        unit: &Unit,
        cmd: &ProcessBuilder,
        out_dir: &Path,
    ) -> CargoResult<RunJob> {
        let Some(hooks) = &build_runner.hooks else {
            return Ok(RunJob(None));
        };
        let (stdout, stderr) = printed(build_runner, unit);
        let snapshot = take(
            build_runner,
            hooks,
            unit,
            Path::new(cmd.get_program()),
            out_dir,
        )?;
        if snapshot.is_ok() {
            hooks.asked.borrow_mut().insert(unit.clone());
        }
        Ok(RunJob(Some(Inner {
            session: hooks.session.clone(),
            id: snapshot::id(build_runner, unit),
            snapshot: Some(snapshot),
            env: hooks.env.clone(),
            fingerprint_dir: build_runner.files().fingerprint_dir(unit),
            stdout,
            stderr,
            question: None,
            began: Instant::now(),
        })))
    }

    /// Decides, now that `cmd` is complete, whether the script must run. If not, its folder is in place, and
    /// what it printed is returned. If so, `cmd` may be told more.
    pub(crate) fn restores(
        &mut self,
        state: &JobState<'_, '_>,
        cmd: &mut ProcessBuilder,
    ) -> CargoResult<Option<Output>> {
        match &mut self.0 {
            Some(inner) => inner.asks(state, cmd),
            None => Ok(None),
        }
    }

    /// Offers what the script came to, which has just ended, to the hook.
    pub(crate) fn ran(&mut self, output: &BuildOutput) {
        if let Some(inner) = &mut self.0
            && let Some(question) = inner.question.take()
        {
            let declared = Declared {
                paths: output.rerun_if_changed.clone(),
                variables: output.rerun_if_env_changed.clone(),
            };
            inner
                .session
                .store_run(question, &declared, inner.began.elapsed());
        }
    }
}

impl Inner {
    fn asks(
        &mut self,
        state: &JobState<'_, '_>,
        cmd: &mut ProcessBuilder,
    ) -> CargoResult<Option<Output>> {
        // Before the first input is hashed: what is edited from now on is newer.
        let clock = clock(&self.fingerprint_dir)?;
        let snapshot = self.snapshot.take().expect("a job asks once");
        let asked = snapshot.and_then(|run| Ok((run, job::environment(cmd, &self.env)?)));
        let verdict = match asked {
            Err(reason) => Verdict::Build {
                reason,
                question: None,
            },
            Ok((mut run, env)) => {
                for (name, value) in self.session.compiler_flags(&run, &env) {
                    cmd.env(&name, &value);
                    run.flags.push(name);
                }
                self.session.ask_run(run, env, clock)?
            }
        };
        match verdict {
            Verdict::Restored { hook } => {
                let output = Output {
                    status: Default::default(),
                    stdout: paths::read_bytes(&self.stdout)?,
                    stderr: paths::read_bytes(&self.stderr)?,
                };
                state.decide(Decision::Restored { hook })?;
                Ok(Some(output))
            }
            Verdict::Build { reason, question } => {
                let offered = question.is_some();
                self.question = question;
                self.session
                    .report(job::not_restored(&self.id, reason, offered));
                state.decide(Decision::Compile { offered })?;
                if let Some(question) = &mut self.question {
                    question.begin();
                }
                self.began = Instant::now();
                Ok(None)
            }
            Verdict::Cancelled => anyhow::bail!("the build has failed meanwhile"),
        }
    }
}

/// Takes the snapshot of a run; a reason if no hook is asked for it.
fn take(
    build_runner: &BuildRunner<'_, '_>,
    hooks: &Hooks,
    unit: &Unit,
    script: &Path,
    out_dir: &Path,
) -> CargoResult<Result<Run, Reason>> {
    let bcx = build_runner.bcx;
    let package = unit.pkg.name();
    if hooks.build_scripts.excludes(&package) {
        return Ok(Err(Reason::Excluded));
    }
    if let Some(reason) = snapshot::unstable(build_runner, unit) {
        return Ok(Err(reason));
    }
    if unit.pkg.manifest().metabuild().is_some() {
        return Ok(Err(Reason::UnstableFeature("metabuild".to_owned())));
    }
    let (stdout, stderr) = printed(build_runner, unit);
    let subject = snapshot::subject(build_runner, hooks, unit);
    let roots = subject.roots.with("out-dir", out_dir);
    // PROFILE/build/PACKAGE-HASH/out, and PROFILE/build/PACKAGE/HASH/out
    let is_new = bcx.gctx.cli_unstable().build_dir_new_layout;
    let depth = if is_new { 4 } else { 3 };
    let profile_dir = out_dir.ancestors().nth(depth).unwrap_or(out_dir);
    let mut supplies = Vec::new();
    let mut seen = HashSet::new();
    supply(build_runner, unit, &mut seen, &mut supplies);
    Ok(Ok(Run {
        subject: Subject {
            roots,
            cwd: unit.pkg.root().to_path_buf(),
            ..subject
        },
        script: script.to_path_buf(),
        out_dir: out_dir.to_path_buf(),
        stdout,
        stderr,
        source: unit
            .target
            .src_path()
            .path()
            .map(Path::to_path_buf)
            .unwrap_or_default(),
        links: unit.pkg.manifest().links().map(str::to_owned),
        supplies,
        vcs_dependency: vcs_dependency(build_runner, unit),
        profile_dir: profile_dir.to_path_buf(),
        outputs: hooks.outputs(build_runner)?,
        is_local: unit.is_local(),
        renamed: if hooks.remap && bcx.build_config.primary_unit_rustc.is_none() {
            hooks.renamed.clone()
        } else {
            Arc::from([])
        },
        flags: Vec::new(),
    }))
}

/// Where Cargo keeps what a script printed.
fn printed(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> (PathBuf, PathBuf) {
    let root = build_runner.files().build_script_run_dir(unit);
    let is_new = build_runner.bcx.gctx.cli_unstable().build_dir_new_layout;
    let stdout = if is_new { "stdout" } else { "output" };
    (root.join(stdout), root.join("stderr"))
}

/// Gathers what other scripts leave for the one of `unit`, also through each other.
fn supply(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    seen: &mut HashSet<Unit>,
    out: &mut Vec<Supply>,
) {
    let files = build_runner.files();
    for dep in build_runner.unit_deps(unit) {
        let dep = &dep.unit;
        if !dep.mode.is_run_custom_build() || !seen.insert(dep.clone()) {
            continue;
        }
        let is_new = build_runner.bcx.gctx.cli_unstable().build_dir_new_layout;
        let out_dir = if is_new {
            files.out_dir_new_layout(dep)
        } else {
            files.build_script_out_dir(dep)
        };
        let hash = files.metadata(dep).c_metadata();
        out.push(Supply {
            package: format!("{}@{} {hash}", dep.pkg.name(), dep.pkg.version()),
            source: snapshot::source(build_runner, dep),
            out_dir,
            stdout: printed(build_runner, dep).0,
        });
        supply(build_runner, dep, seen, out);
    }
}

/// Returns a crate by which the script may read version control.
fn vcs_dependency(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> Option<String> {
    let mut seen = HashSet::new();
    let mut waiting: Vec<&Unit> = build_runner
        .unit_deps(unit)
        .iter()
        .map(|dep| &dep.unit)
        .collect();
    // Other scripts' runs are no part of this one.
    waiting.retain(|unit| !unit.mode.is_run_custom_build());
    while let Some(unit) = waiting.pop() {
        if !seen.insert(unit) {
            continue;
        }
        let name = unit.pkg.name();
        if !unit.target.is_custom_build() && run::is_vcs_crate(&name) {
            return Some(name.to_string());
        }
        let further = build_runner.unit_deps(unit).iter().map(|dep| &dep.unit);
        waiting.extend(further.filter(|unit| !unit.mode.is_run_custom_build()));
    }
    None
}
