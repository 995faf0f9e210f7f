//! Counters: what happened in all sessions since the cache was last cleared.

use std::fs::{self, File};
use std::io::Write;
use std::ops::AddAssign;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::layout::Layout;

/// What happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Counters {
    /// Sessions that asked or told anything.
    pub sessions: u64,
    /// Questions for which there was at least one result with the same key.
    pub hits: u64,
    /// Questions for which there was none.
    pub misses: u64,
    /// Results that were kept.
    pub stored: u64,
    /// Results that were not.
    pub declined: u64,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Counters) {
        self.sessions += other.sessions;
        self.hits += other.hits;
        self.misses += other.misses;
        self.stored += other.stored;
        self.declined += other.declined;
    }
}

/// Returns the counters: all zero, if there are none or they cannot be read.
pub fn read(layout: &Layout) -> Counters {
    let bytes = fs::read(layout.counters()).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Adds what happened in a session.
///
/// The lock is held for the time of reading and writing a small file. A file system that cannot lock
/// may lose a session's numbers; nothing else depends on them.
///
/// # Errors
///
/// If the counters cannot be written.
pub fn add(layout: &Layout, session: Counters) -> anyhow::Result<()> {
    // Creates the folders, too, if need be.
    let mut file = layout.temporary()?;
    let path = layout.counters_lock();
    let lock = File::options().create(true).append(true).open(&path);
    let lock = lock.with_context(|| format!("failed to open `{}`", path.display()))?;
    let _ = lock.lock();
    let mut counters = read(layout);
    counters += session;
    let json = serde_json::to_vec(&counters).context("failed to encode the counters")?;
    file.write_all(&json)
        .context("failed to write the counters")?;
    layout.keep(file.into_temp_path(), &layout.counters())
}
