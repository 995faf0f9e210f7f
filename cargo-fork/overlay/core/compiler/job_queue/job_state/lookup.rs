//! Units that are asked for before they get a job slot.
//!
//! ```text
//! ready ── asked ──┬── restored ── active ── finished
//!                  └── missed ── pending ── active ── finished
//! ```
//!
//! An asked unit has a thread, but neither a job slot nor a token: what the thread does is mostly
//! waiting. It reports its decision and then waits for the main thread, which lets it go on at once if
//! the unit was restored, and when there is a slot if it must be compiled. Until then it sends no other
//! message, so that a failed build can abandon it without a trace.

use std::cell::Cell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use super::super::{DrainState, JobId, Message};
use super::JobState;
use crate::core::compiler::fingerprint::content;
use crate::core::compiler::job_queue::{Artifact, Freshness, Job, Work};
use crate::core::compiler::{BuildRunner, Unit, hooks};
use crate::util::errors::CargoResult;

/// What is to be done with a unit.
pub enum Decision {
    /// Its outputs are in place.
    Restored {
        /// The hook that supplied them.
        hook: String,
    },
    /// They are there already: they are what an earlier build left, and nothing they were made of has
    /// changed.
    Kept,
    /// It is built, and no hook was asked.
    Build,
    /// It is compiled, or, if it is a build script, run.
    Compile {
        /// Whether a hook could have supplied it.
        offered: bool,
    },
}

/// A job's part of the lookup. Empty for a job that has its slot from the beginning.
#[derive(Default)]
pub(super) struct Lookup {
    go: Option<Receiver<()>>,
    restored: Cell<bool>,
    kept: Cell<bool>,
}

impl JobState<'_, '_> {
    /// Reports the decision, and waits until the job may go on.
    pub fn decide(&self, decision: Decision) -> CargoResult<()> {
        self.lookup
            .restored
            .set(matches!(decision, Decision::Restored { .. }));
        self.lookup.kept.set(matches!(decision, Decision::Kept));
        self.messages.push(Message::Decided(self.id, decision));
        if let Some(go) = &self.lookup.go
            && go.recv().is_err()
        {
            anyhow::bail!("the build has failed meanwhile");
        }
        Ok(())
    }

    /// Returns whether a hook supplied the outputs.
    pub fn is_restored(&self) -> bool {
        self.lookup.restored.get()
    }

    /// Returns whether nothing was built.
    pub fn is_fresh(&self) -> bool {
        self.lookup.restored.get() || self.lookup.kept.get()
    }
}

/// The main thread's part.
#[derive(Default)]
pub(in super::super) struct Lookups {
    asked: HashMap<JobId, Asked>,
    /// Units that are to be compiled, on their way to the pending queue.
    missed: VecDeque<(Unit, Job, usize)>,
    /// The threads of those units.
    waiting: HashMap<Unit, (JobId, Sender<()>)>,
    abandoned: HashSet<JobId>,
    /// Units that are ready, and for which there are threads enough already.
    held: VecDeque<(Unit, Job, usize)>,
}

/// How many threads may ask, or wait for a slot, at a time. Most of what they do is waiting, so that
/// there may be many; but a process has only so many.
const MAX_THREADS: usize = 200;

struct Asked {
    unit: Unit,
    freshness: Freshness,
    priority: usize,
    go: Sender<()>,
}

impl<'gctx> DrainState<'gctx> {
    /// Returns the next job that needs a slot. Jobs for which a hook is asked first are started on the
    /// way, and come back here if they miss.
    pub(in super::super) fn next_job<'s>(
        &mut self,
        build_runner: &BuildRunner<'_, '_>,
        scope: &'s Scope<'s, '_>,
    ) -> Option<(Unit, Job, usize)> {
        if let Some(missed) = self.lookups.missed.pop_front() {
            return Some(missed);
        }
        loop {
            let has_room = self.lookups.asked.len() + self.lookups.waiting.len() < MAX_THREADS;
            let held = if has_room {
                self.lookups.held.pop_front()
            } else {
                None
            };
            if let Some((unit, job, priority)) = held {
                self.ask(unit, job, priority, build_runner, scope);
                continue;
            }
            let (unit, job, priority) = self.queue.dequeue()?;
            let is_asked = (build_runner.hooks.as_ref()).is_some_and(|hooks| hooks.asks(&unit))
                || content::is_provisional(build_runner, &unit);
            if !is_asked || job.freshness().is_fresh() {
                return Some((unit, job, priority));
            }
            self.lookups.held.push_back((unit, job, priority));
        }
    }

    fn ask<'s>(
        &mut self,
        unit: Unit,
        job: Job,
        priority: usize,
        build_runner: &BuildRunner<'_, '_>,
        scope: &'s Scope<'s, '_>,
    ) {
        let id = JobId(self.next_id);
        self.next_id = self.next_id.checked_add(1).expect("fewer jobs than ids");
        let (go, wait) = channel();
        let messages = self.messages.clone();
        let rmeta_required = build_runner.rmeta_required(&unit);
        let locks = build_runner.lock_manager.clone();
        let warnings = build_runner.bcx.gctx.warning_handling().unwrap_or_default();
        let freshness = job.freshness().clone();
        self.lookups.asked.insert(
            id,
            Asked {
                unit,
                freshness,
                priority,
                go,
            },
        );
        scope.spawn(move || {
            let mut state = JobState::new(id, messages, None, rmeta_required, locks, warnings);
            state.lookup.go = Some(wait);
            state.run_to_finish(job);
        });
    }

    /// Deals with a job's decision.
    pub(in super::super) fn decided(
        &mut self,
        build_runner: &BuildRunner<'_, '_>,
        id: JobId,
        decision: Decision,
    ) -> CargoResult<()> {
        let session = build_runner.hooks.as_ref().map(|hooks| hooks.session());
        let asked = self.lookups.asked.remove(&id);
        // The books first: should nobody read what is printed, the build ends in order.
        let said = match decision {
            Decision::Restored { hook } => {
                session.into_iter().for_each(|it| it.count_restored());
                let asked = asked.expect("what is restored was asked for");
                let (unit, is_last) = self.let_go(id, asked);
                is_last.then(|| ("Restored", format!("{} ({hook})", unit.pkg)))
            }
            Decision::Kept => {
                let asked = asked.expect("what is kept was asked for");
                let (unit, is_last) = self.let_go(id, asked);
                is_last.then(|| ("Fresh", unit.pkg.to_string()))
            }
            Decision::Build => {
                self.queue_missed(id, asked);
                None
            }
            Decision::Compile { offered } => {
                let unit = asked.as_ref().map(|asked| &asked.unit);
                let unit = unit.unwrap_or_else(|| &self.active[&id]);
                let is_run = unit.mode.is_run_custom_build();
                session.into_iter().for_each(|it| match is_run {
                    true => it.count_ran(offered),
                    false => it.count_compiled(offered),
                });
                self.queue_missed(id, asked);
                None
            }
        };
        hooks::show(build_runner)?;
        if let Some((verb, text)) = said {
            build_runner
                .bcx
                .gctx
                .shell()
                .verbose(|shell| shell.status(verb, &text))?;
        }
        Ok(())
    }

    /// Lets a unit go on that is not compiled. Returns it, and whether it is the one of its package that is
    /// printed: as `Fresh`, once, when nothing else of the package was.
    fn let_go(&mut self, id: JobId, asked: Asked) -> (Unit, bool) {
        let Asked { unit, go, .. } = asked;
        self.active.insert(id, unit.clone());
        let package = unit.pkg.package_id();
        *self.counts.get_mut(&package).expect("counted when queued") -= 1;
        // The job is gone only if it panicked, and then says so itself.
        let _ = go.send(());
        let is_last = self.counts[&package] == 0 && self.compiled.insert(package);
        (unit, is_last)
    }

    /// Queues a unit that must be built, if it has no slot yet.
    fn queue_missed(&mut self, id: JobId, asked: Option<Asked>) {
        if let Some(Asked {
            unit,
            freshness: Freshness::Dirty(why),
            priority,
            go,
        }) = asked
        {
            let stub = Job::new_dirty(Work::noop(), why);
            self.lookups.waiting.insert(unit.clone(), (id, go));
            self.lookups.missed.push_back((unit, stub, priority));
        }
    }

    /// Lets a unit that was asked for go on, now that it has a slot. False if it is another.
    pub(in super::super) fn resume(&mut self, unit: &Unit) -> bool {
        let Some((id, go)) = self.lookups.waiting.remove(unit) else {
            return false;
        };
        self.active.insert(id, unit.clone());
        let _ = go.send(());
        true
    }

    /// Returns whether a hook is being asked for anything.
    pub(in super::super) fn is_asking(&self) -> bool {
        let lookups = &self.lookups;
        !lookups.asked.is_empty() || !lookups.missed.is_empty() || !lookups.held.is_empty()
    }

    /// Drops every open question, because the build has failed.
    pub(in super::super) fn abandon_lookups(&mut self, build_runner: &BuildRunner<'_, '_>) {
        if !self.is_asking() && self.lookups.waiting.is_empty() {
            return;
        }
        if let Some(hooks) = &build_runner.hooks {
            hooks.session().cancel_lookups();
        }
        let lookups = &mut self.lookups;
        lookups.missed.clear();
        lookups.held.clear();
        lookups
            .abandoned
            .extend(lookups.asked.drain().map(|(id, _)| id));
        lookups
            .abandoned
            .extend(lookups.waiting.drain().map(|(_, (id, _))| id));
    }

    /// Returns whether an event is to be handled: not if it comes from a job that was abandoned.
    pub(in super::super) fn admits(&mut self, event: &Message) -> bool {
        match event {
            Message::Decided(id, _) => !self.lookups.abandoned.contains(id),
            Message::Finish(id, Artifact::All, _) => {
                // A job that fails before it has decided fails as one that runs.
                if let Some(asked) = self.lookups.asked.remove(id) {
                    self.active.insert(*id, asked.unit);
                }
                !self.lookups.abandoned.contains(id)
            }
            _ => true,
        }
    }
}
