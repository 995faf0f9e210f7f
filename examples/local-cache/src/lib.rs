//! The shared local cache: a hook that keeps build artifacts as plain files in the user's cache
//! folder, for all checkouts, workspaces and toolchains on the machine.
//!
//! - [`layout`]: where everything lies. Begin there.
//! - [`blobs`]: files by digest; [`results`]: entries by action.
//! - [`hook`]: the answers to Cargo.
//! - [`flights`]: of builds that need the same unit at the same time, one builds it.
//! - [`gc`]: what goes when there is too much.
//! - [`counters`], [`usage`], [`clear`], [`dedupe`]: what the subcommands need.
//!
//! Invariant: no daemon and no database. Nobody waits for a lock but for the moment in which a session adds to the
//! counters, and, for a limited time, where waiting for a result is the point ([`flights`]). Whatever is found in the
//! folder may be broken: it is skipped, and never an error.

pub mod blobs;
pub mod clear;
pub mod counters;
pub mod dedupe;
pub mod flights;
pub mod gc;
pub mod hook;
pub mod layout;
pub mod results;
pub mod usage;
