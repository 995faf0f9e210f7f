//! Files as hooks keep them: checked against what their entry says, and never seen half written.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::Digest;
use crate::wire::EntryFile;

/// How much is read at once.
const PIECE: usize = 1 << 16;

/// Checks that the file at `path` has the size and the digest of `entry`.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidData`] if it has others, or is no ordinary file, and whatever error reading gives.
pub fn check(path: &Path, entry: &EntryFile) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() || metadata.len() != entry.size {
        return Err(differs(path));
    }
    match Digest::of_file(path)? == entry.digest {
        true => Ok(()),
        false => Err(differs(path)),
    }
}

/// Copies the file at `from` to `to`, while checking that it has the size and the digest of `entry`. What is at
/// `to` is replaced, by renaming: nobody sees a part of a file. Folders are made as needed.
///
/// # Errors
///
/// [`io::ErrorKind::InvalidData`] if the file has other bytes than the entry says, and whatever error copying
/// gives. Nothing has changed at `to` then.
pub fn copy(from: &Path, to: &Path, entry: &EntryFile) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut new = temporary_beside(to, entry.executable)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let read = source.read(&mut piece)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        if size > entry.size {
            return Err(differs(from));
        }
        hasher.update(&piece[..read]);
        new.write_all(&piece[..read])?;
    }
    if size != entry.size || Digest::from_bytes(*hasher.finalize().as_bytes()) != entry.digest {
        return Err(differs(from));
    }
    new.persist(to)?;
    Ok(())
}

/// Writes a small file, such as an entry: whole or not at all. Folders are made as needed.
///
/// # Errors
///
/// Whatever error writing gives.
pub fn write(to: &Path, content: &[u8]) -> io::Result<()> {
    let mut new = temporary_beside(to, false)?;
    new.write_all(content)?;
    new.persist(to)?;
    Ok(())
}

/// Creates a file with the permissions that any new file has: those who may read the folder may read it, and Cargo may
/// link to it.
fn temporary_beside(path: &Path, executable: bool) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = if executable { 0o777 } else { 0o666 };
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    let _ = executable;
    builder.tempfile_in(folder)
}

fn differs(path: &Path) -> io::Error {
    let what = format!("`{}` has other bytes than its entry says", path.display());
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Role;

    fn entry(content: &str) -> EntryFile {
        EntryFile {
            role: Role::Link,
            digest: Digest::of(content.as_bytes()),
            size: content.len() as u64,
            executable: false,
            placeholders: false,
        }
    }

    #[test]
    fn only_what_the_entry_says_is_copied() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("a/b/to"));
        fs::write(&from, "content").unwrap();
        copy(&from, &to, &entry("content")).unwrap();
        check(&to, &entry("content")).unwrap();
        for other in ["CONTENT", "content and more", ""] {
            let error = copy(&from, &to, &entry(other)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{other}");
            let error = check(&to, &entry(other)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{other}");
        }
        assert_eq!(fs::read_to_string(&to).unwrap(), "content");
        let left = fs::read_dir(dir.path().join("a/b")).unwrap().count();
        assert_eq!(left, 1, "nothing temporary stays");
        assert!(copy(&dir.path().join("nothing"), &to, &entry("")).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn permissions_are_those_of_new_files() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::write(&from, "x").unwrap();
        copy(&from, &to, &entry("x")).unwrap();
        assert_eq!(mode(&to), mode(&from));
        let program = EntryFile {
            executable: true,
            ..entry("x")
        };
        copy(&from, &to, &program).unwrap();
        let may_be_read = mode(&from) & 0o444;
        assert_eq!(mode(&to), mode(&from) | may_be_read >> 2);
    }

    #[test]
    fn what_is_written_replaces_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("entry.json");
        for content in ["one", "two"] {
            write(&to, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&to).unwrap(), content);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
