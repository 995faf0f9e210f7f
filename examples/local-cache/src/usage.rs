//! What the cache holds, found out by looking.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::layout::{Layout, files, nested};

/// What the cache holds. Approximate while builds run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Actions that have results.
    pub actions: u64,
    /// Results.
    pub results: u64,
    /// Blobs.
    pub blobs: u64,
    /// The length of all blobs and results.
    pub bytes: u64,
}

impl Usage {
    /// Returns what the cache holds.
    pub fn of(layout: &Layout) -> Usage {
        let mut usage = Usage::default();
        for path in nested(&layout.blobs()) {
            if let Some(length) = length(&path) {
                usage.blobs += 1;
                usage.bytes += length;
            }
        }
        for action in nested(&layout.actions()) {
            let lengths: Vec<u64> = files(&action).filter_map(|path| length(&path)).collect();
            usage.actions += u64::from(!lengths.is_empty());
            usage.results += lengths.len() as u64;
            usage.bytes += lengths.iter().sum::<u64>();
        }
        usage
    }
}

fn length(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path)
        .ok()
        .filter(|it| it.is_file())
        .map(|it| it.len())
}
