//! [`Pool`]: the processes of one hook, and which request waits for which of them.
//!
//! One mutex guards it all. It is held while a process is started, but never while one is waited
//! for and never while a line is parsed. The life of a process:
//!
//! ```text
//! started ── hello ──> (begin ── ready ──>) ready ──> ... ──> ended by `end`
//!    │                                        │
//!    ├── broke the protocol, too slow ────────┤──> killed; everyone who waits gets the error
//!    └── closed a pipe ───────────────────────┘    one-shot that has answered: retired, and who
//!                                                  waits asks another; else as above
//! ```
//!
//! An error that comes while nobody waits is given to whoever asks next: no failure goes unseen.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::Process;
use super::reply::Kind;
use super::slot::{Answered, Pending, Reply, Slot};
use super::{Command, Error, Options};
use crate::lock;
use crate::wire::{Answer, Capability, Hello, PROTOCOL_VERSION};

/// Stands for the id of the request that a hello answers. Requests count from 1.
pub(super) const HELLO: u64 = 0;

pub(super) struct Pool {
    command: Command,
    options: Options,
    next_id: AtomicU64,
    pub(super) state: Mutex<State>,
    /// Signalled whenever a process becomes ready, idle or gone, and when the phase changes.
    pub(super) changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// Nobody wants an answer to a lookup any more.
    pub(super) lookups_cancelled: bool,
    /// The request that begins a session, without version and id.
    begin: Option<Value>,
    /// The first hello. Those of further processes must say the same.
    pub(super) hello: Option<Hello>,
    pub(super) slots: BTreeMap<u64, Slot>,
    /// One-shot processes that have answered and hung up, and may still clean up.
    pub(super) retired: Vec<Process>,
    next_slot: u64,
    /// An error that nobody waited for.
    pub(super) fault: Option<Error>,
    failed_starts: u64,
    start_error: Option<Error>,
    /// How many threads are inside [`Pool::ask`].
    pub(super) asking: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    New,
    Running,
    /// No request is accepted any more; those under way go on.
    Ending,
    /// Those that were still under way get an error.
    Ended,
    Cancelled,
}

impl State {
    fn has(&self, capability: Capability) -> bool {
        self.hello
            .as_ref()
            .is_some_and(|hello| hello.capabilities.contains(&capability))
    }

    pub(super) fn is_session(&self) -> bool {
        self.has(Capability::Session)
    }

    fn is_cancelled(&self, kind: Kind) -> bool {
        self.phase == Phase::Cancelled || self.lookups_cancelled && kind == Kind::BeforeBuild
    }
}

impl Pool {
    pub(super) fn new(command: Command, options: Options) -> Arc<Pool> {
        Arc::new(Pool {
            command,
            options,
            next_id: AtomicU64::new(HELLO + 1),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub(super) fn name(&self) -> String {
        let stem = || {
            self.command
                .program
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
        };
        lock(&self.state)
            .hello
            .as_ref()
            .map_or_else(|| stem().into_owned(), |it| it.name.clone())
    }

    pub(super) fn has(&self, capability: Capability) -> bool {
        lock(&self.state).has(capability)
    }

    pub(super) fn need(&self, capability: Capability) -> Result<(), Error> {
        let state = lock(&self.state);
        match &state.hello {
            Some(_) if !state.has(capability) => Err(Error::NotCapable(capability)),
            _ => Ok(()),
        }
    }

    /// Returns the version and the id of a new request.
    pub(super) fn stamp(&self) -> (u32, u64) {
        (
            PROTOCOL_VERSION,
            self.next_id.fetch_add(1, Ordering::Relaxed),
        )
    }

    /// Gives a request a version and an id, which is returned, too.
    pub(super) fn stamped(&self, mut request: Value) -> (u64, Value) {
        let (v, id) = self.stamp();
        if let Some(fields) = request.as_object_mut() {
            fields.insert("v".to_owned(), v.into());
            fields.insert("id".to_owned(), id.into());
        }
        (id, request)
    }

    pub(super) fn begin(self: &Arc<Pool>, begin: Value) -> Result<(), Error> {
        let mut state = lock(&self.state);
        match state.phase {
            Phase::New => state.phase = Phase::Running,
            Phase::Running => {}
            Phase::Ending | Phase::Ended => return Err(Error::NotRunning),
            Phase::Cancelled => return Err(Error::Cancelled),
        }
        state.begin = Some(begin);
        if state.slots.is_empty() {
            drop(self.start(state)?);
        }
        Ok(())
    }

    /// Sends a request to some process, and returns its answer.
    pub(super) fn ask(
        self: &Arc<Pool>,
        kind: Kind,
        id: u64,
        line: &[u8],
    ) -> Result<Answered, Error> {
        {
            let mut state = lock(&self.state);
            match state.phase {
                Phase::Running => state.asking += 1,
                Phase::New | Phase::Ending | Phase::Ended => return Err(Error::NotRunning),
                Phase::Cancelled => return Err(Error::Cancelled),
            }
        }
        let outcome = loop {
            let pending = match self.submit(kind, id, line) {
                Ok(pending) => pending,
                Err(error) => break Err(error),
            };
            match self.wait(&pending, None) {
                Reply::Outcome(outcome) => break outcome,
                Reply::Again => {}
            }
        };
        lock(&self.state).asking -= 1;
        self.changed.notify_all();
        outcome
    }

    /// Sends `line` to a process that may have it; starts one, or waits for one, if need be.
    fn submit(self: &Arc<Pool>, kind: Kind, id: u64, line: &[u8]) -> Result<Pending, Error> {
        let mut state = lock(&self.state);
        loop {
            if state.is_cancelled(kind) {
                return Err(Error::Cancelled);
            }
            if state.phase == Phase::Ended {
                return Err(Error::NotRunning);
            }
            if let Some(fault) = state.fault.take() {
                return Err(fault);
            }
            state
                .retired
                .retain(|process| process.wait(Duration::ZERO).is_none());
            let concurrent = state.has(Capability::Concurrent);
            let free = |slot: &Slot| slot.ready && (concurrent || slot.waiting.is_empty());
            if let Some((&number, slot)) = state.slots.iter_mut().find(|(_, slot)| free(slot)) {
                return Ok(slot.expect(number, kind, id, Some(line.to_vec())));
            }
            let limit = if concurrent {
                1
            } else {
                self.options.jobs.max(1)
            };
            if state.slots.len() < limit {
                state = self.start(state)?;
                continue;
            }
            let failed_starts = state.failed_starts;
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            if concurrent && state.failed_starts != failed_starts {
                // All who waited for the one process share its failure: were each to try again, a
                // hook that hangs at its start would cost each of them the whole timeout in turn.
                return Err(state.start_error.clone().unwrap_or(Error::NotRunning));
            }
        }
    }

    /// Starts a process and makes it ready.
    fn start<'a>(
        self: &'a Arc<Pool>,
        mut state: MutexGuard<'a, State>,
    ) -> Result<MutexGuard<'a, State>, Error> {
        let number = state.next_slot;
        state.next_slot += 1;
        tracing::debug!(target: "cargo::hooks", "start {:?}", self.command);
        let pool = Arc::clone(self);
        let started = Process::start(&self.command, move |event| pool.on_event(number, event));
        let outcome = match started {
            Ok(process) => {
                let slot = state.slots.entry(number).or_insert(Slot::new(process));
                let pending = slot.expect(number, Kind::Hello, HELLO, None);
                drop(state);
                let outcome = self.greet(number, &pending);
                state = lock(&self.state);
                outcome
            }
            Err(source) => {
                let program = self.command.program.clone();
                Err(Error::Start {
                    program,
                    source: Arc::new(source),
                })
            }
        };
        if let Err(error) = outcome {
            let slot = state.slots.remove(&number);
            state.failed_starts += 1;
            state.start_error = Some(error.clone());
            drop(state);
            if let Some(slot) = slot {
                slot.process.kill();
            }
            self.changed.notify_all();
            return Err(error);
        }
        if let Some(slot) = state.slots.get_mut(&number) {
            slot.ready = true;
        }
        self.changed.notify_all();
        Ok(state)
    }

    /// Waits for the hello of a process, and tells it that a session begins if it wants to know.
    fn greet(&self, number: u64, hello: &Pending) -> Result<(), Error> {
        self.wait_for_answer(hello, None)?;
        let mut state = lock(&self.state);
        if !state.is_session() {
            return Ok(());
        }
        let begin = state.begin.clone().ok_or(Error::NotRunning)?;
        let (id, begin) = self.stamped(begin);
        let pending = state.expect(number, Kind::Begin, id, &begin)?;
        drop(state);
        self.wait_for_answer(&pending, None)?;
        Ok(())
    }

    /// Waits for what becomes of a request: until `deadline` at the latest, if there is one.
    fn wait(&self, pending: &Pending, deadline: Option<Instant>) -> Reply {
        loop {
            let last_line = lock(&self.state)
                .slots
                .get(&pending.slot)
                .map(|slot| slot.last_line);
            let quiet = last_line
                .map_or(pending.since, |it| it.max(pending.since))
                .elapsed();
            let mut left = self.options.timeout.saturating_sub(quiet);
            if let Some(deadline) = deadline {
                left = left.min(deadline.saturating_duration_since(Instant::now()));
            }
            match pending.replies.recv_timeout(left) {
                Ok(reply) => return reply,
                Err(RecvTimeoutError::Disconnected) => {
                    return Reply::Outcome(Err(Error::Cancelled));
                }
                Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                    let process = lock(&self.state)
                        .slots
                        .get(&pending.slot)
                        .map(|it| it.process.clone());
                    let stderr = process.map(|it| it.stderr()).unwrap_or_default();
                    let after = pending.since.elapsed();
                    self.fail(pending.slot, Error::Timeout { after, stderr });
                    // Whoever failed the process has sent a reply, be it this thread or another.
                    return pending.replies.recv().unwrap_or(Reply::Again);
                }
                // A line may have come meanwhile, in answer to another request.
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// As [`Pool::wait`], for requests that only this one process can answer.
    pub(super) fn wait_for_answer(
        &self,
        pending: &Pending,
        deadline: Option<Instant>,
    ) -> Result<Answer, Error> {
        match self.wait(pending, deadline) {
            Reply::Outcome(outcome) => outcome.map(|it| it.answer),
            Reply::Again => Err(Error::Exited {
                status: None,
                stderr: String::new(),
            }),
        }
    }
}
