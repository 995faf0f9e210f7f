//! The side of the protocol that Cargo uses: [`Client`] starts a hook, speaks with it, and turns
//! whatever goes wrong into an [`Error`].
//!
//! A client is shared by all threads that build. Their requests go to one process and are answered
//! in any order, if the hook is [concurrent](Capability::Concurrent); to up to [`Options::jobs`]
//! processes with one request at a time each, if it is not. Processes are started when they are
//! needed, and a process that broke the protocol is killed: the next request starts a fresh one. It
//! is for the caller to decide when to give up on a hook.
//!
//! A hook's standard error goes to `tracing`, as debug messages of the target `cargo::hooks`.
//!
//! Should Cargo itself be interrupted or killed, its end of the pipes closes, and the hooks see the
//! end of their standard input: they exit. (Ctrl-C in a terminal also reaches them directly.)
//!
//! Invariant: no call blocks for longer than its timeout allows on a hook that does nothing, does
//! not read, or is stopped. Invariant: nothing here judges an entry; that is Cargo's business.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::wire::{AfterBuild, Answer, BeforeBuild, Begin, Capability, End, Request, Summary};

mod dispatch;
mod end;
mod error;
mod pool;
mod process;
mod reply;
mod slot;

use dispatch::encode;
pub use error::Error;
use pool::Pool;
use reply::Kind;

/// The longest line that is read from a hook, in bytes. One that goes on ends the process.
pub const MAX_LINE: usize = 64 << 20;

/// How to start a hook.
///
/// `--cargo-plugin` is not among `args`: the client puts it before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program: a path, or a name to be looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments after `--cargo-plugin`.
    pub args: Vec<OsString>,
    /// Its working directory; absent: that of this process.
    pub cwd: Option<PathBuf>,
    /// Environment variables that are set, or removed if there is no value, for it.
    pub env: Vec<(OsString, Option<OsString>)>,
}

impl Command {
    /// Returns the command that `words` are, as in `hooks.before-build`: for hooks that start other hooks.
    /// `cargo:NAME`, and a plain name, is first looked for beside the running program. None if there is no word.
    pub fn of_words(words: impl IntoIterator<Item = OsString>) -> Option<Command> {
        let mut words = words.into_iter();
        let first = words.next().filter(|it| !it.is_empty())?;
        let shipped = first.to_str().and_then(|it| it.strip_prefix("cargo:"));
        let name = shipped.map_or_else(
            || PathBuf::from(&first),
            |name| PathBuf::from(format!("cargo-hook-{name}{}", std::env::consts::EXE_SUFFIX)),
        );
        let this = std::env::current_exe().ok();
        let beside = this.map(|it| it.with_file_name(&name));
        let is_plain = name.components().count() == 1;
        let program = match beside {
            Some(beside) if is_plain && beside.is_file() => beside,
            _ => name,
        };
        Some(Command {
            program,
            args: words.collect(),
            cwd: None,
            env: Vec::new(),
        })
    }
}

/// How to deal with a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// If no line comes from a process for so long while a request waits for it, it has failed.
    pub timeout: Duration,
    /// How many processes of a hook that is not concurrent may run. Zero counts as one.
    pub jobs: usize,
}

/// A hook: what was configured, and the processes that run of it.
///
/// All methods may be called from many threads at once and block the calling one. Dropping the
/// client kills whatever still runs; [`Client::end`] is the polite way.
pub struct Client(Arc<Pool>);

impl Client {
    /// Returns a client for the hook `command`. Starts nothing.
    pub fn new(command: Command, options: Options) -> Client {
        Client(Pool::new(command, options))
    }

    /// Returns the name of the hook: the one in its hello, or, before that, the program's file stem.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Starts the first process, reads its hello, and sends `begin` if it has
    /// [`Capability::Session`]. `v` and `id` are set here, also for all other requests.
    ///
    /// # Errors
    ///
    /// If that process cannot be started or fails. Later requests start another.
    pub fn begin(&self, begin: Begin) -> Result<(), Error> {
        self.begin_as(unsent(Request::Begin(begin))?)
    }

    /// As [`Client::begin`], with a `begin` request as it came, whatever else is in it.
    ///
    /// # Errors
    ///
    /// As [`Client::begin`].
    pub fn begin_as(&self, begin: Value) -> Result<(), Error> {
        self.0.begin(begin)
    }

    /// Returns whether the hook said, in its hello, that it has `capability`.
    pub fn has(&self, capability: Capability) -> bool {
        self.0.has(capability)
    }

    /// Asks for the outputs of a unit. The answer is [`Answer::Hit`] or [`Answer::Miss`], and a hit
    /// has at least one candidate.
    ///
    /// # Errors
    ///
    /// If the hook fails, says so, or lacks [`Capability::BeforeBuild`].
    pub fn before_build(&self, mut request: BeforeBuild) -> Result<Answer, Error> {
        self.0.need(Capability::BeforeBuild)?;
        (request.v, request.id) = self.0.stamp();
        let (id, line) = (request.id, encode(&Request::BeforeBuild(request))?);
        Ok(self.0.ask(Kind::BeforeBuild, id, &line)?.answer)
    }

    /// Tells of a unit that was built. The answer is [`Answer::Stored`] or [`Answer::Declined`].
    ///
    /// # Errors
    ///
    /// If the hook fails, says so, or lacks [`Capability::AfterBuild`].
    pub fn after_build(&self, mut request: AfterBuild) -> Result<Answer, Error> {
        self.0.need(Capability::AfterBuild)?;
        (request.v, request.id) = self.0.stamp();
        let (id, line) = (request.id, encode(&Request::AfterBuild(request))?);
        Ok(self.0.ask(Kind::AfterBuild, id, &line)?.answer)
    }

    /// Passes on a request as it came, of whatever kind and whatever is in it, and returns the answer, what
    /// stands behind `Ok`, as it comes. For hooks that stand between Cargo and other hooks: what they do
    /// not know reaches those who may. Version and id are set here. Whether the answer fits the request is
    /// for who made that to judge.
    ///
    /// # Errors
    ///
    /// If the hook fails, says so, or lacks the capability for a request of that kind.
    pub fn forward(&self, request: Value) -> Result<Value, Error> {
        match request["kind"].as_str() {
            Some("before-build") => self.0.need(Capability::BeforeBuild)?,
            Some("after-build") => self.0.need(Capability::AfterBuild)?,
            _ => {}
        }
        let (id, request) = self.0.stamped(request);
        let line = encode(&request)?;
        Ok(self
            .0
            .ask(Kind::Forwarded, id, &line)?
            .raw
            .unwrap_or_default())
    }

    /// Ends the session: waits for the requests of other threads, tells `summary` to hooks with
    /// [`Capability::Session`], waits until they are done, closes their standard input and waits
    /// until they have exited. What still runs after `within` is killed.
    ///
    /// # Errors
    ///
    /// If a process fails, or takes longer than `within`; also if a process failed earlier without
    /// any request noticing.
    pub fn end(&self, summary: Summary, within: Duration) -> Result<(), Error> {
        let end = End {
            v: 0,
            id: 0,
            summary,
        };
        self.end_as(unsent(Request::End(end))?, within)
    }

    /// As [`Client::end`], with an `end` request as it came, whatever else is in it.
    ///
    /// # Errors
    ///
    /// As [`Client::end`].
    pub fn end_as(&self, end: Value, within: Duration) -> Result<(), Error> {
        self.0.end(&end, within)
    }

    /// Drops every open question: each waiting and each later [`Client::before_build`] returns
    /// [`Error::Cancelled`] at once. All else goes on, and the hook is not told.
    pub fn cancel_lookups(&self) {
        self.0.cancel_lookups();
    }

    /// Gives up: every waiting and every later call returns [`Error::Cancelled`] at once, and all
    /// processes are killed.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// Returns a request that is sent later, and then gets a version and an id.
fn unsent(request: Request) -> Result<Value, Error> {
    serde_json::to_value(request).map_err(|error| Error::Encode(error.into()))
}

/// Returns the beginning of `line` for people: valid, and at most `limit` bytes long.
fn excerpt(line: &[u8], limit: usize) -> String {
    let cut = &line[..line.len().min(limit)];
    let mut text = String::from_utf8_lossy(cut).trim_end().to_owned();
    text.retain(|c| !c.is_control());
    if line.len() > limit {
        text.push('…');
    }
    text
}
