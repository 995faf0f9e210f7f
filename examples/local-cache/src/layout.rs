//! Where everything lies, and how files come to be there.
//!
//! ```text
//! ROOT/
//! ├── CACHEDIR.TAG
//! ├── v1/
//! │   ├── blobs/ab/HEX                  a file, named by the digest of its content
//! │   ├── actions/ab/HEX/HEX.json       a result: named by its action, then by its entry
//! │   ├── counters.json                 what happened so far
//! │   ├── counters.lock                 held while that is rewritten
//! │   ├── gc.stamp                      when it was last looked whether there is too much
//! │   ├── flights/HEX                   locked while the result with this key is being built
//! │   └── tmp/ANY                       what is being written
//! └── trash-ANY/                        a `v1` that is being deleted
//!
//! HEX     = 64 lower-case hexadecimal digits of a BLAKE3 digest; `ab` are its first two
//! result  = { "version": 1, "duration-ms": NUMBER, "stamps": { NAME: NUMBER }, "entry": ENTRY }
//! stamps  = when the blob of each file was written last, in nanoseconds since 1970
//! ENTRY   = as Cargo wrote it; the digest in the name is that of its compact JSON
//! ```
//!
//! `v1` is the version of all of this: a program that knows another one uses another folder.
//!
//! Every file is written below `tmp` and then renamed, so that what has a name is whole; a result is
//! written after its blobs. Readers take no lock. They must expect that anything may be gone: blobs
//! of a result (skip it), the folder of an action (a miss), and `v1` itself (`clear` renames it
//! away). What a killed process leaves in `tmp`, `flights` and `trash-*` is deleted a day later.
//!
//! Nothing is synced to the disk. After a power loss a file may have its name, but not its content;
//! Cargo checks digests before it uses anything.
//!
//! The root is made accessible to its owner only; files inside have the ordinary mode of the user's
//! umask, since Cargo may later link to them. Who wants to share a cache creates its root himself.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use hook_protocol::Digest;
use tempfile::{NamedTempFile, TempPath};

/// The name of the folder inside the user's cache folder.
const NAME: &str = "cargo-local-cache";

/// Overrides where the cache lies.
pub const DIR_VARIABLE: &str = "CARGO_LOCAL_CACHE_DIR";

/// The version of the layout, and the name of its folder.
const VERSION: &str = "v1";

/// How old something unfinished must be to be regarded as left behind: older than any build that
/// may still be writing it.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

/// Marks a folder for backup programs, see <https://bford.info/cachedir/>.
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This folder is the shared build cache of Cargo's `local-cache` hook.\n";

/// The paths of a cache.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Returns the layout below `root`. Touches nothing.
    pub fn new(root: impl Into<PathBuf>) -> Layout {
        Layout { root: root.into() }
    }

    /// Returns the layout of the user's cache: in [`DIR_VARIABLE`], or else in the folder that the
    /// platform has for such things.
    ///
    /// # Errors
    ///
    /// If the environment names neither.
    pub fn of_user() -> anyhow::Result<Layout> {
        let root = root(
            |name| std::env::var_os(name).filter(|it| !it.is_empty()),
            std::env::home_dir(),
        )
        .with_context(|| format!("failed to find a cache folder: set `{DIR_VARIABLE}`"))?;
        let root = std::path::absolute(&root)
            .with_context(|| format!("failed to make `{}` absolute", root.display()))?;
        Ok(Layout { root })
    }

    /// Returns the folder of it all.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of this version of the layout.
    pub fn versioned(&self) -> PathBuf {
        self.root.join(VERSION)
    }

    /// Returns the folder of all blobs.
    pub fn blobs(&self) -> PathBuf {
        self.versioned().join("blobs")
    }

    /// Returns where the blob with this digest lies.
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        below(self.blobs(), digest)
    }

    /// Returns the folder of all actions.
    pub fn actions(&self) -> PathBuf {
        self.versioned().join("actions")
    }

    /// Returns the folder of the results of an action.
    pub fn action(&self, action: &Digest) -> PathBuf {
        below(self.actions(), action)
    }

    /// Returns where the result of `action` with this entry lies.
    pub fn result(&self, action: &Digest, entry: &Digest) -> PathBuf {
        self.action(action).join(format!("{}.json", entry.to_hex()))
    }

    /// Returns where the counters lie.
    pub fn counters(&self) -> PathBuf {
        self.versioned().join("counters.json")
    }

    /// Returns the file that is locked while the counters are rewritten.
    pub fn counters_lock(&self) -> PathBuf {
        self.versioned().join("counters.lock")
    }

    /// Returns a new file below `tmp`, deleted when dropped unless it is [kept](Layout::keep).
    ///
    /// # Errors
    ///
    /// If the file or the folders above it cannot be created.
    pub fn temporary(&self) -> anyhow::Result<NamedTempFile> {
        let dir = self.tmp();
        let create = || {
            let mut builder = tempfile::Builder::new();
            builder.rand_bytes(12);
            #[cfg(unix)]
            builder
                .permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
            builder.tempfile_in(&dir)
        };
        let file = match create() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.create_root()?;
                create_dir(&dir)?;
                create()
            }
            other => other,
        };
        file.with_context(|| format!("failed to create a file in `{}`", dir.display()))
    }

    /// Returns another name for the file at `source`, below `tmp`; none if it cannot have one there.
    pub fn link(&self, source: &Path) -> Option<TempPath> {
        let link = || {
            let make = |to: &Path| fs::hard_link(source, to);
            tempfile::Builder::new()
                .rand_bytes(12)
                .make_in(self.tmp(), make)
        };
        let made = match link() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.create_root().ok()?;
                create_dir(&self.tmp()).ok()?;
                link()
            }
            other => other,
        };
        made.ok().map(NamedTempFile::into_temp_path)
    }

    /// Returns the file that is locked while the result with `key` is being built.
    pub fn flight(&self, key: &Digest) -> PathBuf {
        self.flights().join(key.to_hex())
    }

    /// Opens that file; none if it cannot be made.
    pub fn open_flight(&self, key: &Digest) -> Option<File> {
        let open = || {
            let mut options = File::options();
            options.create(true).append(true).open(self.flight(key))
        };
        match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.create_root().ok()?;
                create_dir(&self.flights()).ok()?;
                open().ok()
            }
            other => other.ok(),
        }
    }

    fn flights(&self) -> PathBuf {
        self.versioned().join("flights")
    }

    fn tmp(&self) -> PathBuf {
        self.versioned().join("tmp")
    }

    /// Gives `file` its name, in place of what had it before.
    ///
    /// # Errors
    ///
    /// If the file cannot be renamed or the folder of `path` cannot be created.
    pub fn keep(&self, file: TempPath, path: &Path) -> anyhow::Result<()> {
        if let Some(dir) = path.parent().filter(|dir| !dir.exists()) {
            create_dir(dir)?;
        }
        file.persist(path)
            .with_context(|| format!("failed to rename a file to `{}`", path.display()))?;
        Ok(())
    }

    /// Returns a name for a [`Layout::versioned`] that is to be deleted.
    pub fn trash(&self) -> PathBuf {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        self.root
            .join(format!("trash-{}-{}", std::process::id(), now.as_nanos()))
    }

    /// Deletes what processes that were killed have left behind. Does what it can.
    pub fn tidy(&self) {
        let is_old = |path: &Path| {
            let modified = fs::symlink_metadata(path).and_then(|it| it.modified());
            modified.is_ok_and(|it| it.elapsed().is_ok_and(|age| age > LEFT_BEHIND))
        };
        let unfinished = files(&self.tmp()).chain(files(&self.flights()));
        for path in unfinished.filter(|path| is_old(path)) {
            let _ = fs::remove_file(path);
        }
        let is_trash = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"trash-"))
        };
        for path in files(&self.root)
            .filter(is_trash)
            .filter(|path| is_old(path))
        {
            let _ = fs::remove_dir_all(path);
        }
    }

    fn create_root(&self) -> anyhow::Result<()> {
        if self.root.exists() {
            return Ok(());
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&self.root)
            .with_context(|| format!("failed to create `{}`", self.root.display()))?;
        // Of use to others only: no reason to fail.
        let _ = fs::write(self.root.join("CACHEDIR.TAG"), TAG);
        Ok(())
    }
}

/// Returns the paths in `dir`: none, if it cannot be read.
pub(crate) fn files(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

/// Returns the paths in the folders in `dir`.
pub(crate) fn nested(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    files(dir).flat_map(|dir| files(&dir))
}

fn create_dir(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("failed to create `{}`", dir.display()))
}

fn below(dir: PathBuf, digest: &Digest) -> PathBuf {
    let hex = digest.to_hex();
    dir.join(&hex[..2]).join(hex)
}

/// Returns the root of the user's cache, given the environment.
fn root(var: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    if let Some(dir) = var(DIR_VARIABLE) {
        return Some(dir.into());
    }
    let caches = if cfg!(windows) {
        var("LOCALAPPDATA").map(PathBuf::from)
    } else {
        // The specification has relative paths ignored.
        var("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
            .or_else(|| {
                let name = if cfg!(target_os = "macos") {
                    "Library/Caches"
                } else {
                    ".cache"
                };
                home.map(|home| home.join(name))
            })
    };
    Some(caches?.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn root_follows_the_environment() {
        let find = |vars: &[(&str, &str)]| {
            let var = |name: &str| vars.iter().find(|it| it.0 == name).map(|it| it.1.into());
            root(var, Some("/home/me".into()))
        };
        let (ours, xdg) = (DIR_VARIABLE, "XDG_CACHE_HOME");
        assert_eq!(find(&[]), Some("/home/me/.cache/cargo-local-cache".into()));
        assert_eq!(find(&[(xdg, "/x")]), Some("/x/cargo-local-cache".into()));
        assert_eq!(
            find(&[(xdg, "x")]),
            Some("/home/me/.cache/cargo-local-cache".into())
        );
        assert_eq!(find(&[(xdg, "/x"), (ours, "/y")]), Some("/y".into()));
        assert_eq!(root(|_| None, None), None);
    }

    #[test]
    #[cfg(unix)]
    fn root_is_private_and_tagged() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path().join("a/b"));
        let file = layout.temporary().unwrap();
        assert_eq!(
            fs::metadata(layout.root()).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert!(layout.root().join("CACHEDIR.TAG").exists());
        let path = layout.blob(&Digest::of(b""));
        layout.keep(file.into_temp_path(), &path).unwrap();
        assert!(path.ends_with(
            "v1/blobs/af/af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        ));
        assert!(path.exists());
    }

    #[test]
    fn only_what_is_old_is_tidied() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let (old, new) = (layout.temporary().unwrap(), layout.temporary().unwrap());
        fs::create_dir(layout.trash()).unwrap();
        old.as_file()
            .set_modified(SystemTime::now() - 2 * LEFT_BEHIND)
            .unwrap();
        layout.tidy();
        assert!(!old.path().exists() && new.path().exists());
        assert_eq!(files(layout.root()).count(), 2);
    }
}
