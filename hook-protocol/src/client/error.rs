//! [`Error`]: everything that can go wrong between Cargo and a hook, as the caller sees it.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use crate::wire::{Capability, HookError, PROTOCOL_VERSION};

/// Why a request has no answer.
///
/// Except for [`Error::Hook`], [`Error::Encode`] and [`Error::NotRunning`] the process that is to
/// blame is already killed, all requests that waited for it got the same error, and a later request
/// starts a fresh process. None of them says which hook failed: [`Client::name`] does.
///
/// [`Client::name`]: super::Client::name
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program could not be started: it is missing, not executable, or its folder is gone.
    #[error("failed to start `{}`", program.display())]
    Start {
        /// The program, as it was configured.
        program: PathBuf,
        /// What the operating system says.
        source: Arc<io::Error>,
    },
    /// The process ended, or closed its standard input or output, before it had answered.
    #[error("the process {} before it answered{}", ended(*status), quoted(stderr))]
    Exited {
        /// How it ended; absent if it still ran.
        status: Option<ExitStatus>,
        /// The last lines it wrote to its standard error.
        stderr: String,
    },
    /// Nothing came from the process for the time that [`Options::timeout`] allows, or the end of
    /// the session took longer than was allowed.
    ///
    /// [`Options::timeout`]: super::Options::timeout
    #[error("no answer for {:.1} s{}", after.as_secs_f32(), quoted(stderr))]
    Timeout {
        /// How long it was waited for.
        after: Duration,
        /// The last lines it wrote to its standard error.
        stderr: String,
    },
    /// The first line is not a [`Hello`](crate::wire::Hello) that can be used.
    #[error("the first line is not a hello: {reason}: `{line}`")]
    Hello {
        /// What is wrong with it.
        reason: String,
        /// The beginning of the line.
        line: String,
    },
    /// The hook speaks none of the versions of the protocol that this crate speaks.
    #[error(
        "it speaks version {} of the protocol; Cargo speaks {PROTOCOL_VERSION}",
        listed(offered)
    )]
    Version {
        /// The versions that its hello names.
        offered: Vec<u64>,
    },
    /// A line is not a response, or is one that contradicts itself.
    #[error("malformed line: {reason}: `{line}`")]
    Malformed {
        /// What is wrong with it.
        reason: String,
        /// The beginning of the line.
        line: String,
    },
    /// A line is longer than [`MAX_LINE`](super::MAX_LINE).
    #[error("a line is longer than {} MiB", super::MAX_LINE >> 20)]
    TooLong,
    /// A response to a request that is not waiting: never sent, or answered before.
    #[error("an answer to request {id}, which is not waiting for one")]
    UnknownId {
        /// The id of the response.
        id: u64,
    },
    /// A response of a kind that does not belong to the request.
    #[error("the answer `{found}` does not belong to a `{request}` request")]
    WrongAnswer {
        /// The kind of the request.
        request: &'static str,
        /// The kind of the answer.
        found: &'static str,
    },
    /// The hook answered with an error.
    #[error("{}", told(.0))]
    Hook(HookError),
    /// The request cannot be expressed in JSON: a path is not Unicode.
    #[error("the request cannot be sent")]
    Encode(#[source] Arc<serde_json::Error>),
    /// [`Client::cancel`](super::Client::cancel) was called.
    #[error("cancelled")]
    Cancelled,
    /// The call came before `begin` or after `end`.
    #[error("there is no session: the call came before its beginning or after its end")]
    NotRunning,
    /// The hook's hello lacks a capability that the call needs.
    #[error("the hook does not answer such requests")]
    NotCapable(Capability),
}

fn ended(status: Option<ExitStatus>) -> String {
    match status {
        Some(status) => format!("ended ({status})"),
        None => "closed a pipe".to_owned(),
    }
}

fn quoted(stderr: &str) -> String {
    match stderr.trim_end() {
        "" => String::new(),
        text => format!("\n--- stderr\n{text}"),
    }
}

fn listed(versions: &[u64]) -> String {
    let versions: Vec<String> = versions.iter().map(u64::to_string).collect();
    if versions.is_empty() {
        "none".to_owned()
    } else {
        versions.join(", ")
    }
}

fn told(error: &HookError) -> String {
    let mut text = error.message.clone();
    for cause in &error.caused_by {
        text.push_str(": ");
        text.push_str(cause);
    }
    text
}
