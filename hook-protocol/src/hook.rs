//! What a hook is, for those who write one in Rust: the trait [`Hook`] and what its methods return.
//!
//! Invariant: a hook never sees a line, an id or a version; and it cannot break the protocol, since
//! its errors and panics become answers.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use crate::wire::{AfterBuild, BeforeBuild, Begin, Candidate, Capability, Summary};

mod serve;

pub use serve::{main, serve};

/// Any error. Its causes travel with it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A program that supplies build artifacts, or keeps them, or both.
///
/// Methods are called from several threads at once, but `begin` before all others and `end` after
/// all others. An `Err` is shown as a warning and costs time only: Cargo builds the unit itself.
pub trait Hook: Send + Sync {
    /// Returns the name under which Cargo speaks of the hook: 1 to 64 bytes.
    fn name(&self) -> &str;

    /// Returns what Cargo is told in the hello: by default everything. A hook that implements only one
    /// of [`before_build`](Hook::before_build) and [`after_build`](Hook::after_build) leaves the
    /// other out here, and is not asked in vain.
    fn capabilities(&self) -> Vec<Capability> {
        use Capability::*;
        vec![BeforeBuild, AfterBuild, Session, Concurrent]
    }

    /// A build begins.
    ///
    /// # Errors
    ///
    /// If the hook cannot work. Cargo does not go on with this process.
    fn begin(&self, begin: &Begin) -> Result<(), BoxError> {
        let _ = begin;
        Ok(())
    }

    /// Looks for the outputs of a unit that is about to be built.
    ///
    /// # Errors
    ///
    /// If looking fails. That there is nothing is no error, but [`Lookup::Miss`].
    fn before_build(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        let _ = request;
        Err(NotSupported.into())
    }

    /// Looks again for what [`before_build`](Hook::before_build) has returned as [`Lookup::Wait`]. Called on
    /// a thread of its own: it may take its time, but not longer than [`Begin::timeout_ms`] allows.
    ///
    /// # Errors
    ///
    /// If looking fails.
    fn wait(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        let _ = request;
        Err(NotSupported.into())
    }

    /// Keeps the outputs of a unit that was built. The files exist until this returns.
    ///
    /// # Errors
    ///
    /// If keeping fails. Not to want them is no error, but [`Keep::Declined`].
    fn after_build(&self, request: AfterBuild) -> Result<Keep, BoxError> {
        let _ = request;
        Err(NotSupported.into())
    }

    /// The build has ended: time to flush. Not called if Cargo was interrupted.
    ///
    /// # Errors
    ///
    /// If something could not be flushed.
    fn end(&self, summary: &Summary) -> Result<(), BoxError> {
        let _ = summary;
        Ok(())
    }
}

/// The outcome of [`Hook::before_build`].
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// Results that may fit, best first. None at all counts as a miss.
    Hit(Vec<Candidate>),
    /// There is none; why, in a few words.
    Miss(String),
    /// There may be one soon: [`Hook::wait`] is to be called with the request, while others are answered.
    Wait(Box<BeforeBuild>),
}

/// The outcome of [`Hook::after_build`].
#[derive(Debug, Clone, PartialEq)]
pub enum Keep {
    /// The outputs are kept. For files of the request the map may name another path where the same
    /// bytes now lie, immutable: Cargo may replace its own file by a link to it.
    Stored(BTreeMap<String, PathBuf>),
    /// The outputs are not kept; why, in a few words.
    Declined(String),
}

/// The error of a method that a hook does not implement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hook does not answer such requests")]
pub struct NotSupported;
