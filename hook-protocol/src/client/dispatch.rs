//! What becomes of a line, or of the end, of a process: the receiving half of [`Pool`].

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use super::pool::{HELLO, Phase, Pool, State};
use super::process::Event;
use super::reply::{self, Kind};
use super::slot::{Answered, Pending, Reply};
use super::{Error, excerpt};
use crate::lock;
use crate::wire::{Answer, Hello};

/// How much of a line is logged.
const LOGGED: usize = 2000;

impl Pool {
    /// Deals with `event` of the process `number`. Called by that process's own threads.
    pub(super) fn on_event(&self, number: u64, event: Event) {
        match event {
            Event::Line(line) => {
                if let Err(error) = self.on_line(number, &line) {
                    self.fail(number, error);
                }
            }
            Event::TooLong => self.fail(number, Error::TooLong),
            Event::Closed => self.on_closed(number),
        }
    }

    fn on_line(&self, number: u64, line: &[u8]) -> Result<(), Error> {
        let greets = {
            let mut state = lock(&self.state);
            let Some(slot) = state.slots.get_mut(&number) else {
                return Ok(());
            };
            slot.last_line = Instant::now();
            slot.waiting.contains_key(&HELLO)
        };
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        tracing::debug!(target: "cargo::hooks", "{} > {}", self.name(), excerpt(line, LOGGED));
        if greets {
            self.on_hello(number, reply::hello(line)?)
        } else {
            let (id, outcome) = reply::response(line)?;
            self.on_response(number, id, outcome, line)
        }
    }

    fn on_hello(&self, number: u64, hello: Hello) -> Result<(), Error> {
        let mut state = lock(&self.state);
        let first = state.hello.get_or_insert_with(|| hello.clone());
        if *first != hello {
            let reason = "it differs from that of the first process".to_owned();
            return Err(Error::Hello {
                reason,
                line: format!("{hello:?}"),
            });
        }
        state.settle(number, HELLO, Ok(Answer::Ready), &[])
    }

    fn on_response(
        &self,
        number: u64,
        id: u64,
        outcome: Result<Answer, Error>,
        line: &[u8],
    ) -> Result<(), Error> {
        lock(&self.state).settle(number, id, outcome, line)?;
        self.changed.notify_all();
        Ok(())
    }

    /// A pipe of the process is closed. That is the right of a one-shot hook that has answered.
    fn on_closed(&self, number: u64) {
        let mut state = lock(&self.state);
        let one_shot = state.hello.is_some() && !state.is_session();
        let Some(slot) = state.slots.get_mut(&number) else {
            return;
        };
        if one_shot && slot.served {
            let Some(slot) = state.slots.remove(&number) else {
                return;
            };
            for waiting in slot.waiting.into_values() {
                let _ = waiting.reply.send(Reply::Again);
            }
            slot.process.close_stdin();
            state.retired.push(slot.process);
            drop(state);
            self.changed.notify_all();
        } else {
            slot.ready = false;
            let process = slot.process.clone();
            drop(state);
            let status = process.wait_briefly();
            let stderr = process.stderr();
            self.fail(number, Error::Exited { status, stderr });
        }
    }

    /// Kills the process `number`, and gives `error` to everyone who waits for it, or else to whoever
    /// asks next.
    pub(super) fn fail(&self, number: u64, error: Error) {
        let mut state = lock(&self.state);
        let Some(mut slot) = state.slots.remove(&number) else {
            return;
        };
        if slot.waiting.is_empty() && state.phase == Phase::Running {
            state.fault.get_or_insert(error.clone());
        }
        drop(state);
        tracing::debug!(target: "cargo::hooks", "{} failed: {error}", self.name());
        slot.process.kill();
        slot.give_up(&error);
        self.changed.notify_all();
    }
}

impl State {
    /// Sends a request to the process `number` and no other.
    pub(super) fn expect(
        &mut self,
        number: u64,
        kind: Kind,
        id: u64,
        request: &Value,
    ) -> Result<Pending, Error> {
        let line = encode(request)?;
        match self.slots.get_mut(&number) {
            Some(slot) => Ok(slot.expect(number, kind, id, Some(line))),
            None => Err(self.fault.take().unwrap_or(Error::Cancelled)),
        }
    }

    /// Gives the outcome of request `id` to the thread that waits for it.
    fn settle(
        &mut self,
        number: u64,
        id: u64,
        outcome: Result<Answer, Error>,
        line: &[u8],
    ) -> Result<(), Error> {
        let Some(slot) = self.slots.get_mut(&number) else {
            return Ok(());
        };
        let waiting = slot.waiting.get(&id).ok_or(Error::UnknownId { id })?;
        if let Ok(answer) = &outcome {
            reply::check(waiting.kind, answer)?;
        }
        if let Some(waiting) = slot.waiting.remove(&id) {
            let is_forwarded = waiting.kind == Kind::Forwarded;
            let raw = || is_forwarded.then(|| reply::raw(line)).flatten();
            let outcome = outcome.map(|answer| Answered { answer, raw: raw() });
            let _ = waiting.reply.send(Reply::Outcome(outcome));
        }
        slot.served = id != HELLO;
        Ok(())
    }
}

/// Returns `request` as a line.
pub(super) fn encode(request: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut line = serde_json::to_vec(request).map_err(|error| Error::Encode(error.into()))?;
    tracing::debug!(target: "cargo::hooks", "< {}", excerpt(&line, LOGGED));
    line.push(b'\n');
    Ok(line)
}
