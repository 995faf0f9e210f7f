//! Deleting everything, while builds may be running.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;

use crate::layout::Layout;

/// Deletes all that the cache holds.
///
/// Everything goes at one moment, by a rename; only then deleting begins. A build that stores at that
/// moment begins anew, one that was just told of a file that is gone compiles.
///
/// # Errors
///
/// If something cannot be renamed or deleted.
pub fn clear(layout: &Layout) -> anyhow::Result<()> {
    let (versioned, trash) = (layout.versioned(), layout.trash());
    match fs::rename(&versioned, &trash) {
        Ok(()) => delete(&trash),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => {
            Err(error).with_context(|| format!("failed to rename `{}`", versioned.display()))
        }
    }
}

fn delete(dir: &Path) -> anyhow::Result<()> {
    // A build that had a folder open may still create files in it.
    let mut outcome = Ok(());
    for _ in 0..10 {
        outcome = fs::remove_dir_all(dir);
        match &outcome {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            _ => break,
        }
    }
    outcome.with_context(|| format!("failed to delete `{}`", dir.display()))
}
