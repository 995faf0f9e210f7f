//! The content of a package: which files belong to it, and whether they can change.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hook_protocol::wire::FileDigest;
use walkdir::{DirEntry, WalkDir};

use crate::Reason;
use crate::files::{FileDigests, Stat};

/// Where a package's sources come from, as far as their content is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Cargo itself unpacked the sources below `root` and then wrote `marker`. `identity` names their
    /// content: the checksum from the lock file, or a git revision.
    Unpacked {
        /// The folder that Cargo unpacked into.
        root: PathBuf,
        /// Names the content, such as `sha256:…` or `git:REVISION:FOLDER`.
        identity: String,
        /// When all was unpacked. What is newer was edited.
        unpacked: SystemTime,
    },
    /// The sources below `root` can change at any time.
    Mutable {
        /// The folder of the package's manifest.
        root: PathBuf,
    },
}

impl Source {
    /// Returns a source that Cargo unpacked, if `marker` still has the times of that moment. Copied or
    /// restored with its times, it says nothing of the other files, and they count one by one.
    pub fn unpacked(root: PathBuf, identity: String, marker: &Path) -> Source {
        let stat = Stat::of(marker).ok();
        let original = stat.filter(|stat| {
            let unpacked = stat.modified.map(|modified| modified + MARKING);
            unpacked.is_some_and(|unpacked| stat.is_older_than(unpacked))
        });
        match original.and_then(|stat| stat.modified) {
            Some(unpacked) => Source::Unpacked {
                root,
                identity,
                unpacked,
            },
            None => Source::Mutable { root },
        }
    }

    /// Returns the folder of the package.
    pub fn root(&self) -> &Path {
        match self {
            Source::Unpacked { root, .. } | Source::Mutable { root } => root,
        }
    }

    /// Checks that no file of a package that Cargo unpacked was edited: then its identity stands for all that
    /// may be read in it.
    ///
    /// # Errors
    ///
    /// [`Reason::EditedSource`].
    pub fn check_unpacked(&self) -> Result<(), Reason> {
        let Source::Unpacked { root, .. } = self else {
            return Ok(());
        };
        match walk(root, &[]).find(|path| !self.vouches_for(path)) {
            Some(path) => Err(Reason::EditedSource(format!("`{}`", path.display()))),
            None => Ok(()),
        }
    }

    /// Returns whether `path` is a file that Cargo unpacked and nobody edited since, so that the
    /// identity stands for its content.
    pub fn vouches_for(&self, path: &Path) -> bool {
        let Source::Unpacked { root, unpacked, .. } = self else {
            return false;
        };
        // The moment when all other files were there already.
        let unpacked = *unpacked;
        path.starts_with(root)
            && Stat::of(path)
                .is_ok_and(|stat| stat.is_older_than(unpacked + Duration::from_nanos(1)))
    }
}

/// How long after its content the other times of a marker may have been set.
const MARKING: Duration = Duration::from_secs(2);

/// The most files of one package that go into a key.
pub const MAX_FILES: usize = 20_000;

/// The most bytes of one package that go into a key.
pub const MAX_BYTES: u64 = 1 << 30;

/// Returns every file of the package at `root` with its digest, sorted by path. Paths are relative to
/// `root`, with `/` between components.
///
/// This is a superset of what `cargo package --list` would name: files that git ignores and hidden
/// files are in, because a macro or a build script may read them, and because the list must not depend
/// on the presence of `.git`. Not in are `.git`, nested packages, folders marked as caches with
/// `CACHEDIR.TAG` (every build directory of Cargo is), and the folders in `excluded`.
///
/// # Errors
///
/// If a file cannot be read, or if there are more than [`MAX_FILES`] or [`MAX_BYTES`].
pub fn list(
    root: &Path,
    excluded: &[PathBuf],
    digests: &FileDigests,
) -> Result<Vec<FileDigest>, Reason> {
    list_where(root, digests, |entry| belongs(entry, excluded))
}

/// Lists the files of a workspace: as [`list`], but with the packages in it, whether they are members or not.
/// Only other working trees of a repository are not part of it.
///
/// # Errors
///
/// As those of [`list`].
pub(crate) fn list_workspace(
    root: &Path,
    excluded: &[PathBuf],
    digests: &FileDigests,
) -> Result<Vec<FileDigest>, Reason> {
    list_where(root, digests, |entry| {
        is_content(entry, excluded)
            && !(entry.file_type().is_dir() && is_worktree(entry.path()) && entry.depth() > 0)
    })
}

fn list_where(
    root: &Path,
    digests: &FileDigests,
    belongs: impl Fn(&DirEntry) -> bool,
) -> Result<Vec<FileDigest>, Reason> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        Reason::Unreadable(format!("`{}`: {error}", path.display()))
    };
    let mut out = Vec::new();
    let mut bytes = 0;
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(&belongs) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if is_dangling(&error) => {
                out.extend(dangling(root, error.path().unwrap_or(root))?);
                continue;
            }
            Err(error) => return Err(unreadable(error.path().unwrap_or(root), &error)),
        };
        if !entry.file_type().is_file() {
            continue;
        }
        let hashed = digests
            .input(entry.path())
            .map_err(|e| unreadable(entry.path(), &e))?;
        bytes += hashed.stat.size;
        out.push(FileDigest {
            path: relative(root, entry.path())?,
            digest: hashed.digest,
        });
        if out.len() > MAX_FILES || bytes > MAX_BYTES {
            return Err(Reason::PackageTooLarge(format!(
                "`{}` has over {MAX_FILES} files or {} MiB",
                root.display(),
                MAX_BYTES >> 20
            )));
        }
    }
    Ok(out)
}

/// Returns every file below `root` that [`list`] would list, in no order; what cannot be read is left
/// out.
pub fn walk(root: &Path, excluded: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    let walk = WalkDir::new(root).follow_links(true).into_iter();
    walk.filter_entry(|entry| belongs(entry, excluded))
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(DirEntry::into_path)
}

/// Returns whether an entry is part of a package: not what [`is_content`] says is none, and no package in it.
fn belongs(entry: &DirEntry, excluded: &[PathBuf]) -> bool {
    let is_package = || entry.file_type().is_dir() && entry.path().join("Cargo.toml").exists();
    is_content(entry, excluded) && (entry.depth() == 0 || !is_package())
}

/// Returns whether an entry is something that people wrote: no folder of git's, and none for what is built.
fn is_content(entry: &DirEntry, excluded: &[PathBuf]) -> bool {
    if entry.depth() == 0 {
        return true;
    }
    let path = entry.path();
    let is_built = || excluded.iter().any(|dir| dir == path) || path.join("CACHEDIR.TAG").exists();
    entry.file_name() != ".git" && !(entry.file_type().is_dir() && is_built())
}

/// Returns whether a folder is one of several working trees of a repository (`git worktree add`): another checkout.
fn is_worktree(folder: &Path) -> bool {
    let git = folder.join(".git");
    git.is_file()
        && std::fs::read_to_string(git).is_ok_and(|text| {
            let folder = text.strip_prefix("gitdir:").map(str::trim).map(Path::new);
            let parent = folder.and_then(Path::parent).and_then(Path::file_name);
            parent.is_some_and(|name| name == "worktrees")
        })
}

/// A link whose target does not exist is part of the package all the same: it may come to exist.
fn is_dangling(error: &walkdir::Error) -> bool {
    error
        .io_error()
        .is_some_and(|e| e.kind() == io::ErrorKind::NotFound)
        && error.path().is_some_and(|path| path.is_symlink())
}

fn dangling(root: &Path, path: &Path) -> Result<Option<FileDigest>, Reason> {
    let Ok(target) = std::fs::read_link(path) else {
        return Ok(None);
    };
    let text = format!("link to {}", target.display());
    let digest = hook_protocol::Digest::of(text.as_bytes());
    Ok(Some(FileDigest {
        path: relative(root, path)?,
        digest,
    }))
}

fn relative(root: &Path, path: &Path) -> Result<String, Reason> {
    let path = path.strip_prefix(root).unwrap_or(path);
    let text = path
        .to_str()
        .ok_or_else(|| Reason::NotUtf8(path.display().to_string()))?;
    Ok(if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn package(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        dir
    }

    fn paths(dir: &Path, excluded: &[PathBuf]) -> Vec<String> {
        let listed = list(dir, excluded, &FileDigests::default()).unwrap();
        listed.into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn hidden_and_ignored_files_are_in_and_other_packages_are_out() {
        let dir = package(&[
            ".env",
            ".git/HEAD",
            ".gitignore",
            "Cargo.toml",
            "assets/ignored.bin",
            "build/out.o",
            "nested/Cargo.toml",
            "nested/src/lib.rs",
            "src/lib.rs",
            "target/CACHEDIR.TAG",
            "target/debug/a",
        ]);
        assert_eq!(
            paths(dir.path(), &[dir.path().join("build")]),
            [
                ".env",
                ".gitignore",
                "Cargo.toml",
                "assets/ignored.bin",
                "src/lib.rs"
            ]
        );
    }

    #[test]
    fn the_list_does_not_depend_on_git() {
        let with = package(&["Cargo.toml", "src/lib.rs", ".git/HEAD"]);
        let worktree = package(&["Cargo.toml", "src/lib.rs", ".git"]);
        let without = package(&["Cargo.toml", "src/lib.rs"]);
        assert_eq!(paths(with.path(), &[]), paths(without.path(), &[]));
        assert_eq!(paths(worktree.path(), &[]), paths(without.path(), &[]));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_once() {
        let dir = package(&["Cargo.toml", "src/lib.rs"]);
        let shared = package(&["a.rs"]);
        std::os::unix::fs::symlink(shared.path(), dir.path().join("shared")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("gone")).unwrap();
        assert_eq!(
            paths(dir.path(), &[]),
            ["Cargo.toml", "gone", "shared/a.rs", "src/lib.rs"]
        );
        std::os::unix::fs::symlink("..", dir.path().join("src/up")).unwrap();
        let error = list(dir.path(), &[], &FileDigests::default()).unwrap_err();
        assert_eq!(
            error.name(),
            "unreadable",
            "a cycle is not a package that can be listed"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_copied_source_is_not_as_it_was_unpacked() {
        let dir = package(&["src/lib.rs", ".cargo-ok"]);
        let marker = dir.path().join(".cargo-ok");
        let source = || Source::unpacked(dir.path().to_path_buf(), "sha256:0".to_owned(), &marker);
        assert!(matches!(source(), Source::Unpacked { .. }));
        let past = std::time::SystemTime::now() - Duration::from_secs(60);
        let file = fs::File::options().write(true).open(&marker).unwrap();
        file.set_modified(past).unwrap();
        assert!(matches!(source(), Source::Mutable { .. }));
    }

    #[test]
    fn an_edited_file_is_not_vouched_for() {
        let dir = package(&["src/lib.rs", ".cargo-ok"]);
        let file = |name: &str| dir.path().join(name);
        let later = SystemTime::now() + Duration::from_secs(5);
        let source = Source::Unpacked {
            root: dir.path().to_path_buf(),
            identity: "sha256:0".to_owned(),
            unpacked: later,
        };
        assert!(source.vouches_for(&file("src/lib.rs")));
        let edited = later + std::time::Duration::from_secs(5);
        fs::File::options()
            .write(true)
            .open(file("src/lib.rs"))
            .unwrap()
            .set_modified(edited)
            .unwrap();
        assert!(!source.vouches_for(&file("src/lib.rs")));
        assert!(!source.vouches_for(&file("src/gone.rs")));
        assert!(!source.vouches_for(Path::new("/elsewhere")));
    }
}
