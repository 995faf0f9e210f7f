//! [`Slot`]: one process, and the requests that wait for it.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

use serde_json::Value;

use super::Error;
use super::process::Process;
use super::reply::Kind;
use crate::wire::Answer;

/// A process and who waits for it.
pub(super) struct Slot {
    pub(super) process: Process,
    /// Whether it may be sent requests.
    pub(super) ready: bool,
    /// Whether it has answered one.
    pub(super) served: bool,
    pub(super) last_line: Instant,
    pub(super) waiting: BTreeMap<u64, Waiting>,
}

pub(super) struct Waiting {
    pub(super) kind: Kind,
    pub(super) reply: Sender<Reply>,
}

pub(super) enum Reply {
    Outcome(Result<Answered, Error>),
    /// The process ended as a one-shot hook may. Another must be asked.
    Again,
}

/// An answer, and for a request that was [forwarded](Kind::Forwarded) also what stood in the line.
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) raw: Option<Value>,
}

/// A request that was sent.
pub(super) struct Pending {
    pub(super) slot: u64,
    pub(super) since: Instant,
    pub(super) replies: Receiver<Reply>,
}

impl Slot {
    pub(super) fn new(process: Process) -> Slot {
        let (last_line, waiting) = (Instant::now(), BTreeMap::new());
        Slot {
            process,
            ready: false,
            served: false,
            last_line,
            waiting,
        }
    }

    /// Notes that somebody waits for the answer to request `id`, and sends `line` if there is one.
    /// `slot` is the number of this slot.
    pub(super) fn expect(
        &mut self,
        slot: u64,
        kind: Kind,
        id: u64,
        line: Option<Vec<u8>>,
    ) -> Pending {
        let (reply, replies) = mpsc::channel();
        self.waiting.insert(id, Waiting { kind, reply });
        if let Some(line) = line {
            self.process.send(line);
        }
        Pending {
            slot,
            since: Instant::now(),
            replies,
        }
    }

    /// Gives `error` to everyone who waits.
    pub(super) fn give_up(&mut self, error: &Error) {
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            let _ = waiting.reply.send(Reply::Outcome(Err(error.clone())));
        }
    }
}
