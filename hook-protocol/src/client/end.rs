//! How a session ends: politely, within a time, or at once.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::Error;
use super::pool::{Phase, Pool};
use super::process::Process;
use super::reply::Kind;
use super::slot::{Pending, Reply};
use crate::lock;

impl Pool {
    /// Ends all processes, after each has answered `end`, a request without version and id.
    pub(super) fn end(&self, end: &Value, within: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + within;
        if !self.close(deadline)? {
            return Ok(());
        }
        let mut outcome = lock(&self.state).fault.take().map_or(Ok(()), Err);
        let mut keep = |later: Result<(), Error>| {
            if outcome.is_ok() {
                outcome = later;
            }
        };
        for pending in self.tell_end(end) {
            keep(
                pending
                    .and_then(|it| self.wait_for_answer(&it, Some(deadline)))
                    .map(drop),
            );
        }
        let processes = self.take_processes(&Error::NotRunning);
        for process in &processes {
            process.close_stdin();
        }
        for process in processes {
            let left = deadline.saturating_duration_since(Instant::now());
            if process.wait(left).is_none() {
                let stderr = process.stderr();
                process.kill();
                keep(Err(Error::Timeout {
                    after: within,
                    stderr,
                }));
            }
        }
        outcome
    }

    pub(super) fn cancel(&self) {
        lock(&self.state).phase = Phase::Cancelled;
        for process in self.take_processes(&Error::Cancelled) {
            process.kill();
        }
    }

    /// Drops the open lookups. Their answers may still come, and are ignored. A hook that is not
    /// ready yet serves nothing else, and is cancelled altogether.
    pub(super) fn cancel_lookups(&self) {
        let mut state = lock(&self.state);
        state.lookups_cancelled = true;
        let ready = state.slots.values().any(|slot| slot.ready);
        for slot in state.slots.values() {
            for waiting in slot.waiting.values() {
                if waiting.kind == Kind::BeforeBuild {
                    let _ = waiting.reply.send(Reply::Outcome(Err(Error::Cancelled)));
                }
            }
        }
        // A one-shot hook has no process between two requests, and serves on.
        let greeted = state.hello.is_some();
        let unused = !ready && !greeted && state.phase == Phase::Running;
        drop(state);
        self.changed.notify_all();
        if unused {
            self.cancel();
        }
    }

    /// Accepts no further request, and waits for those under way. Returns whether there is
    /// anything to end.
    fn close(&self, deadline: Instant) -> Result<bool, Error> {
        let mut state = lock(&self.state);
        match state.phase {
            Phase::Running => state.phase = Phase::Ending,
            Phase::New | Phase::Ending | Phase::Ended => {
                state.phase = Phase::Ended;
                return Ok(false);
            }
            Phase::Cancelled => return Err(Error::Cancelled),
        }
        while state.asking > 0 && state.phase == Phase::Ending {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        if state.phase == Phase::Cancelled {
            return Err(Error::Cancelled);
        }
        // Who still waits for a process would start another in place of one that fails to end.
        state.phase = Phase::Ended;
        drop(state);
        self.changed.notify_all();
        Ok(true)
    }

    /// Sends `end` to every process that has a session.
    fn tell_end(&self, end: &Value) -> Vec<Result<Pending, Error>> {
        let mut state = lock(&self.state);
        if !state.is_session() {
            return Vec::new();
        }
        let ready = state.slots.iter().filter(|(_, slot)| slot.ready);
        let ready: Vec<u64> = ready.map(|(number, _)| *number).collect();
        let tell = |number| {
            let (id, end) = self.stamped(end.clone());
            state.expect(number, Kind::End, id, &end)
        };
        ready.into_iter().map(tell).collect()
    }

    /// Takes all processes out, so that nothing that they do is noted any more. Whoever waits for
    /// them gets `error`.
    fn take_processes(&self, error: &Error) -> Vec<Process> {
        let mut state = lock(&self.state);
        let mut slots = std::mem::take(&mut state.slots);
        let mut processes = std::mem::take(&mut state.retired);
        drop(state);
        for slot in slots.values_mut() {
            slot.give_up(error);
        }
        processes.extend(slots.into_values().map(|slot| slot.process));
        self.changed.notify_all();
        processes
    }
}
