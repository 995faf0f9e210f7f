//! Putting supplied files in place: verified, and never half.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hook_protocol::wire::EntryFile;

use crate::files::{Hashed, hash};

/// The files of one hit, on their way to their places.
///
/// Each is copied to a temporary name beside its place and verified there: what is verified is what
/// stays. Only when all are there are they renamed. Dropped before that, they are removed.
pub(crate) struct Placing {
    staged: Vec<Staged>,
}

struct Staged {
    temporary: tempfile::TempPath,
    place: PathBuf,
    hashed: Hashed,
}

impl Placing {
    /// Begins with no file.
    pub(crate) fn new() -> Placing {
        Placing { staged: Vec::new() }
    }

    /// Copies `source` beside `place`, and checks that it is the file that `expected` describes.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, in a few words.
    pub(crate) fn stage(
        &mut self,
        source: &Path,
        place: &Path,
        expected: &EntryFile,
    ) -> Result<(), String> {
        let shown = || format!("`{}`", source.display());
        if !source.is_absolute() {
            return Err(format!("{} is not an absolute path", shown()));
        }
        // Looked at before it is opened: opening a pipe would wait, and a link leads anywhere.
        let metadata = source
            .symlink_metadata()
            .map_err(|e| format!("{}: {e}", shown()))?;
        if !metadata.is_file() {
            return Err(format!("{} is not an ordinary file", shown()));
        }
        if metadata.len() != expected.size {
            let (size, wanted) = (metadata.len(), expected.size);
            return Err(format!("{} has {size} bytes, not {wanted}", shown()));
        }
        let temporary = copy(source, place, expected.executable)
            .map_err(|e| format!("failed to copy {}: {e}", shown()))?;
        let hashed = hash(&temporary).map_err(|e| format!("{}: {e}", shown()))?;
        if hashed.digest != expected.digest {
            return Err(format!(
                "{} does not have the digest {}",
                shown(),
                expected.digest
            ));
        }
        self.staged.push(Staged {
            temporary,
            place: place.to_path_buf(),
            hashed,
        });
        Ok(())
    }

    /// Renames every file to its place, and returns the places with their digests.
    ///
    /// # Errors
    ///
    /// If renaming fails. Files that were renamed before stay; no fingerprint vouches for them.
    pub(crate) fn finish(self) -> io::Result<Vec<(PathBuf, Hashed)>> {
        let mut out = Vec::with_capacity(self.staged.len());
        for Staged {
            temporary,
            place,
            hashed,
        } in self.staged
        {
            temporary.persist(&place).map_err(|error| error.error)?;
            out.push((place, hashed));
        }
        Ok(out)
    }
}

impl Default for Placing {
    fn default() -> Placing {
        Placing::new()
    }
}

/// Copies a file to a temporary name beside `place`. The copy shares storage with the original where
/// the file system can (the standard library asks the kernel to copy), and has the permissions that a
/// compiler or linker would have given it: the mode of the original says nothing.
///
/// A program is copied by another process: a file that this one has open for writing is so too, for a
/// moment, in every process that another thread starts just then, and cannot be executed as long.
fn copy(source: &Path, place: &Path, executable: bool) -> io::Result<tempfile::TempPath> {
    let mut from = File::open(source)?;
    let dir = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let made = tempfile::Builder::new()
        .prefix(".hook-")
        .make_in(dir, |path| {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt;
                options.mode(if executable { 0o777 } else { 0o666 });
            }
            options.open(path)
        })?;
    let (mut to, temporary) = made.into_parts();
    if executable {
        let permissions = to.metadata()?.permissions();
        drop(to);
        if copied_by_process(source, &temporary)? {
            std::fs::set_permissions(&temporary, permissions)?;
            return Ok(temporary);
        }
        to = OpenOptions::new().write(true).open(&temporary)?;
    }
    io::copy(&mut from, &mut to)?;
    Ok(temporary)
}

/// Copies a file by `cp`, to a new file in the place of `to`; false if there is no such program.
fn copied_by_process(source: &Path, to: &Path) -> io::Result<bool> {
    if !cfg!(unix) {
        return Ok(false);
    }
    std::fs::remove_file(to)?;
    let mut cp = Command::new("cp");
    let status = cp
        .arg("--")
        .args([source, to])
        .stderr(Stdio::null())
        .status();
    if status.is_ok_and(|status| status.success()) {
        return Ok(true);
    }
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(to)?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use hook_protocol::Digest;
    use hook_protocol::wire::Role;

    use super::*;

    fn described(content: &str, executable: bool) -> EntryFile {
        EntryFile {
            role: Role::Link,
            digest: Digest::of(content.as_bytes()),
            size: content.len() as u64,
            executable,
            placeholders: false,
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_appear_together_and_whole() {
        let store = tempfile::tempdir().unwrap();
        let target = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            fs::write(store.path().join(name), name).unwrap();
        }
        fs::write(target.path().join("a"), "old").unwrap();
        let mut placing = Placing::new();
        for name in ["a", "b"] {
            let (source, place) = (store.path().join(name), target.path().join(name));
            placing
                .stage(&source, &place, &described(name, name == "b"))
                .unwrap();
        }
        assert_eq!(fs::read_to_string(target.path().join("a")).unwrap(), "old");
        placing.finish().unwrap();
        assert_eq!(names(target.path()), ["a", "b"]);
        assert_eq!(fs::read_to_string(target.path().join("a")).unwrap(), "a");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |name| {
                fs::metadata(target.path().join(name))
                    .unwrap()
                    .permissions()
                    .mode()
            };
            assert_eq!(mode("a") & 0o111, 0);
            assert_ne!(
                mode("b") & 0o100,
                0,
                "the mode in the store does not matter"
            );
        }
    }

    #[test]
    fn a_wrong_file_leaves_nothing() {
        let store = tempfile::tempdir().unwrap();
        let target = tempfile::tempdir().unwrap();
        fs::write(store.path().join("a"), "good").unwrap();
        let place = target.path().join("a");
        for (source, expected) in [
            (store.path().join("a"), described("evil", false)),
            (store.path().join("a"), described("longer", false)),
            (store.path().join("gone"), described("good", false)),
            (store.path().to_path_buf(), described("good", false)),
            (PathBuf::from("a"), described("good", false)),
        ] {
            let mut placing = Placing::new();
            let error = placing.stage(&source, &place, &expected).unwrap_err();
            drop(placing);
            assert_eq!(names(target.path()), [] as [&str; 0], "{error}");
        }
    }

    #[test]
    fn dropped_before_the_end_leaves_nothing() {
        let store = tempfile::tempdir().unwrap();
        let target = tempfile::tempdir().unwrap();
        fs::write(store.path().join("a"), "good").unwrap();
        let mut placing = Placing::new();
        let place = target.path().join("a");
        placing
            .stage(&store.path().join("a"), &place, &described("good", false))
            .unwrap();
        drop(placing);
        assert_eq!(names(target.path()), [] as [&str; 0]);
    }
}
