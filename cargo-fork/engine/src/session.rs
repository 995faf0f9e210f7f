//! [`Session`]: the hooks of one build, from the first question to the last answer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hook_protocol::client::Command;
use hook_protocol::wire::{Begin, Summary, Unshared};

use crate::Reason;
use crate::ancestry::Bound;

use crate::gate::{Entered, Gate};
use crate::key::Common;
use crate::place::{Placer, Placing};
use crate::side::Side;
use crate::stores::Stores;
use crate::unit::{Output, Subject, Unit};

/// How long the end of a failed build may take if a hook still owes answers.
const GRACE: Duration = Duration::from_secs(2);

/// A hook as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// What the user calls it, such as `cargo:local-cache`.
    pub name: String,
    /// What is started.
    pub command: Command,
}

/// Where a hook failed that failed at the end.
const AT_END: &str = "at the end of the build";

/// What the user configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// The hook that is asked before a unit is built.
    pub before: Option<Hook>,
    /// The hook that is told after a unit was built.
    pub after: Option<Hook>,
    /// Build everything, and replace what is stored.
    pub refresh: bool,
    /// A failing hook fails the build.
    pub required: bool,
    /// How long a hook may make no progress, and how long the end of a build may take.
    pub timeout: Duration,
    /// How many jobs run at once.
    pub jobs: usize,
    /// Whether outputs may become hard links: not where times decide on freshness, for a link has the time of
    /// what it is a link to.
    pub links: bool,
    /// Whether the checkout is at the commit at which the build directory was built last: what is dirty was edited.
    pub is_same_commit: bool,
}

/// A hook failed that is configured as required.
#[derive(Debug, thiserror::Error)]
#[error("hook `{hook}` failed {at}")]
pub struct Failure {
    /// The hook.
    pub hook: String,
    /// Where: for which unit, or at the end of the build.
    pub at: String,
    /// What went wrong.
    #[source]
    pub cause: Cause,
}

/// What went wrong with a hook.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub String);

/// The hooks of one build. Starts no process before the first question.
pub struct Session {
    pub(crate) common: Common,
    pub(crate) config: Config,
    pub(crate) before: Option<Arc<Side>>,
    pub(crate) after: Option<Arc<Side>>,
    pub(crate) begin: Begin,
    pub(crate) cancelled: AtomicBool,
    pub(crate) placer: Placer,
    pub(crate) bound: Bound,
    gate: Gate,
    pub(crate) stores: Stores,
    failure: Mutex<Option<Failure>>,
    unshared: Mutex<Reports>,
    counts: Counts,
}

/// Counts of a build, by unit.
#[derive(Default)]
struct Counts {
    restored: AtomicU64,
    compiled: AtomicU64,
    ran: AtomicU64,
    not_offered: AtomicU64,
}

/// The units in which hooks had no part.
#[derive(Default)]
struct Reports {
    /// Those that were not taken yet.
    new: Vec<Unshared>,
    /// What the hooks are told of at the end.
    told: Vec<Unshared>,
}

/// How many units a build consisted of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Units whose outputs a hook supplied.
    pub restored: u64,
    /// Units that were compiled.
    pub compiled: u64,
    /// Build scripts that ran.
    pub ran: u64,
}

impl Session {
    /// Prepares the hooks of a build. `begin` is what they are told first.
    pub fn new(config: Config, common: Common, begin: Begin) -> Session {
        let side = |hook: &Hook| Arc::new(Side::new(hook, config.timeout, config.jobs));
        let before = config.before.as_ref().map(side);
        // The same command on both sides is one process.
        let after = if config.before == config.after {
            before.clone()
        } else {
            config.after.as_ref().map(side)
        };
        let begin = Begin {
            timeout_ms: config.timeout.as_millis().try_into().ok(),
            ..begin
        };
        Session {
            common,
            before,
            after,
            begin,
            cancelled: AtomicBool::new(false),
            placer: Placer::default(),
            bound: Bound::default(),
            gate: Gate::new(config.jobs.max(2)),
            stores: Stores::default(),
            failure: Mutex::default(),
            unshared: Mutex::default(),
            counts: Counts::default(),
            config,
        }
    }

    /// Counts a unit whose outputs a hook supplied.
    pub fn count_restored(&self) {
        self.counts.restored.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a unit that is compiled; `offered` tells whether a hook could have supplied it.
    pub fn count_compiled(&self, offered: bool) {
        self.counts.compiled.fetch_add(1, Ordering::Relaxed);
        if !offered {
            self.counts.not_offered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a build script that runs; `offered` tells whether a hook could have supplied what it does.
    pub fn count_ran(&self, offered: bool) {
        self.counts.ran.fetch_add(1, Ordering::Relaxed);
        if !offered {
            self.counts.not_offered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many units there were so far.
    pub fn counted(&self) -> Counted {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            restored: load(&self.counts.restored),
            compiled: load(&self.counts.compiled),
            ran: load(&self.counts.ran),
        }
    }

    /// Takes the warnings that came up since the last call: at most one for each hook.
    pub fn take_warnings(&self) -> Vec<String> {
        self.sides()
            .filter_map(|side| side.take_warning())
            .collect()
    }

    /// Notes that hooks had no part in a unit.
    pub fn report(&self, unshared: Unshared) {
        let mut reports = self.reports();
        if !matches!(unshared.why, Reason::Missing(_) | Reason::Declined(_)) {
            reports.told.push(unshared.clone());
        }
        reports.new.push(unshared);
    }

    /// Takes what was noted since the last call.
    pub fn take_unshared(&self) -> Vec<Unshared> {
        std::mem::take(&mut self.reports().new)
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        self.unshared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops every open question at once: the build has failed. Stores go on.
    pub fn cancel_lookups(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.before.iter().for_each(|side| side.cancel_lookups());
    }

    /// Waits until every store is settled and the hooks have ended, `timeout` in all.
    ///
    /// # Errors
    ///
    /// If a required hook failed to store something.
    pub fn settle(&self, success: bool) -> Result<(), Failure> {
        // A hook that leaves a question open when the build fails must not delay the error.
        let gave_up = self.cancelled.load(Ordering::Relaxed);
        let limit = if gave_up {
            self.config.timeout.min(GRACE)
        } else {
            self.config.timeout
        };
        let deadline = Instant::now() + limit;
        if !self.stores.wait(deadline) {
            let took = limit.as_secs_f32();
            let cause = format!("it has not taken what was built within {took:.1} s");
            // What is required is kept for the return below.
            let _ = self
                .after
                .as_ref()
                .map(|side| self.fail(side, AT_END, &cause));
            self.sides().for_each(|side| side.cancel());
        }
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let summary = Summary {
            success,
            restored: load(&self.counts.restored),
            compiled: load(&self.counts.compiled),
            ran: load(&self.counts.ran),
            not_offered: load(&self.counts.not_offered),
            unshared: std::mem::take(&mut self.reports().told),
        };
        for side in self.sides() {
            if side.has_begun() {
                let left = deadline.saturating_duration_since(Instant::now());
                let ended = side.end(summary.clone(), left);
                // A hook that owes answers to a failed build is not given the time to end well.
                if let Err(cause) = ended
                    && !gave_up
                {
                    let _ = self.fail(side, AT_END, &cause);
                }
            }
            side.cancel();
        }
        self.common.tools.save();
        self.common.verified.save();
        match self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn sides(&self) -> impl Iterator<Item = &Arc<Side>> {
        let second = self.after.as_ref().filter(|after| {
            !self
                .before
                .as_ref()
                .is_some_and(|before| Arc::ptr_eq(before, after))
        });
        self.before.iter().chain(second)
    }

    /// Takes note that a hook failed: a warning, or, if it is required, an error.
    pub(crate) fn fail(&self, side: &Side, at: &str, cause: &str) -> Result<(), Failure> {
        if !self.config.required {
            side.warn(at, cause);
            return Ok(());
        }
        let failure = || Failure {
            hook: side.name(),
            at: at.to_owned(),
            cause: Cause(cause.to_owned()),
        };
        // A lookup reports its failure itself; a store has only the end of the build for it.
        let mut kept = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert_with(failure);
        Err(failure())
    }

    /// Returns whether a hook that is asked is told, too.
    pub(crate) fn tells(&self, asked: &Side) -> bool {
        self.after
            .as_deref()
            .is_some_and(|told| std::ptr::eq(told, asked))
    }

    /// Begins to put files of a unit in place.
    pub(crate) fn place(&self, subject: &Subject) -> Placing<'_> {
        self.placer.begin(&self.common.verified, subject.may_be_old)
    }

    /// Returns whether a file may be a hard link, wherever it is built.
    pub(crate) fn linkable(&self, unit: &Unit, name: &str) -> bool {
        let is_named = |output: &&Output| output.name() == Some(name);
        let output = unit.outputs.iter().find(is_named);
        self.config.links && output.is_some_and(|it| unit.may_share(it))
    }

    /// Waits for a place among those that may use processor and disk now.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.gate.enter()
    }

    /// Runs `store` on a thread of its own kind, off the critical path.
    pub(crate) fn store_later(self: &Arc<Self>, store: impl FnOnce(&Session) + Send + 'static) {
        Stores::push(self, Box::new(store));
    }
}
