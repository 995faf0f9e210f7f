//! Marks: by which a unit's list of inputs is told to be of the build that a record describes, also when
//! the times of files were lost.
//!
//! The mark is behind what Cargo has written, which is all that a Cargo reads; one that builds the unit
//! again writes the file anew, without it.
//!
//! ```text
//! mark = "cargo-content " run      run: 32 hexadecimal digits
//! ```

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

const MAGIC: &str = "cargo-content ";

/// Marks a file, keeping its time.
///
/// # Errors
///
/// If it cannot be written.
pub(super) fn set(path: &Path, run: &str) -> io::Result<()> {
    let mut file = File::options().append(true).open(path)?;
    let modified = file.metadata()?.modified()?;
    file.write_all(format!("{MAGIC}{run}").as_bytes())?;
    file.set_modified(modified)
}

/// Returns whether a file has the mark of a build.
pub(super) fn is(path: &Path, run: &str) -> bool {
    let mark = format!("{MAGIC}{run}");
    std::fs::read(path).is_ok_and(|bytes| bytes.ends_with(mark.as_bytes()))
}
