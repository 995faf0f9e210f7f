//! [`Side`]: one hook of a build, and what became of it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hook_protocol::client::{Client, Error, Options};
use hook_protocol::wire::{Answer, Begin, Capability, Summary};

use crate::session::Hook;

/// After so many errors in a row a hook is not asked again in this build.
const ENOUGH: u32 = 3;

/// A hook that serves one side of a build, or both.
pub(crate) struct Side {
    /// The hook as it is configured: its name until it says another.
    configured: String,
    client: Client,
    begun: OnceLock<Result<(), Error>>,
    errors_in_a_row: AtomicU32,
    warned: AtomicBool,
    warning: Mutex<Option<String>>,
}

/// Why a hook gave no answer.
pub(crate) enum Silence {
    /// It failed; the text says how.
    Failed(String),
    /// It failed too often before, or could not be started.
    GivenUp,
    /// It does not serve this side.
    NotCapable,
    /// The build does not want the answer any more.
    Cancelled,
}

impl Side {
    pub(crate) fn new(hook: &Hook, timeout: Duration, jobs: usize) -> Side {
        Side {
            configured: hook.name.clone(),
            client: Client::new(hook.command.clone(), Options { timeout, jobs }),
            begun: OnceLock::new(),
            errors_in_a_row: AtomicU32::new(0),
            warned: AtomicBool::new(false),
            warning: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> String {
        if self.has_begun() {
            self.client.name()
        } else {
            self.configured.clone()
        }
    }

    /// Asks the hook, and starts it if nobody did before.
    pub(crate) fn ask(
        &self,
        begin: &Begin,
        capability: Capability,
        question: impl FnOnce(&Client) -> Result<Answer, Error>,
    ) -> Result<Answer, Silence> {
        let mut is_first = false;
        let begun = self.begun.get_or_init(|| {
            is_first = true;
            self.client.begin(begin.clone())
        });
        if let Err(error) = begun {
            let cancelled = matches!(error, Error::Cancelled);
            return Err(match (cancelled, is_first) {
                (true, _) => Silence::Cancelled,
                (false, true) => Silence::Failed(chain(error)),
                (false, false) => Silence::GivenUp,
            });
        }
        if self.has_given_up() {
            return Err(Silence::GivenUp);
        }
        if !self.client.has(capability) {
            return Err(Silence::NotCapable);
        }
        match question(&self.client) {
            Ok(answer) => Ok(answer),
            Err(Error::Cancelled) => Err(Silence::Cancelled),
            Err(error) => {
                self.count_error();
                Err(Silence::Failed(chain(&error)))
            }
        }
    }

    /// Counts an error that showed only after the answer: a file that is not what it should be.
    pub(crate) fn count_error(&self) {
        self.errors_in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes note of an answer that was good: errors before it are no row any more.
    pub(crate) fn count_success(&self) {
        self.errors_in_a_row.store(0, Ordering::Relaxed);
    }

    fn has_given_up(&self) -> bool {
        self.errors_in_a_row.load(Ordering::Relaxed) >= ENOUGH
    }

    /// Keeps the first failure of this build as the one warning of this hook.
    pub(crate) fn warn(&self, at: &str, cause: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            let text = format!("hook `{}` failed {at}: {cause}", self.name());
            *self.warning.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        }
    }

    /// Takes the warning that is to be shown now.
    pub(crate) fn take_warning(&self) -> Option<String> {
        self.warning
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(crate) fn has_begun(&self) -> bool {
        matches!(self.begun.get(), Some(Ok(())))
    }

    pub(crate) fn end(&self, summary: Summary, within: Duration) -> Result<(), String> {
        match self.client.end(summary, within) {
            Ok(()) | Err(Error::Cancelled) => Ok(()),
            Err(error) => Err(chain(&error)),
        }
    }

    /// Drops every question that is open. Stores go on.
    pub(crate) fn cancel_lookups(&self) {
        self.client.cancel_lookups();
    }

    pub(crate) fn cancel(&self) {
        self.client.cancel();
    }
}

/// Writes an error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        out.push_str(": ");
        out.push_str(&cause.to_string());
        source = cause.source();
    }
    out
}
