//! [`Placer`]: how a file comes to its place, without copying bytes where that may be.

use std::collections::HashSet;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempPath;

use super::Sharing;
use crate::verified::node;

/// A way for a file to come to its place without its bytes being copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    /// Another file, whose storage is shared until one of them is written to.
    Reflink,
    /// Another name of the same file.
    HardLink,
}

/// What placing remembers during a build.
#[derive(Default)]
pub(crate) struct Placer {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Ways that failed between two devices: each is tried once.
    failed: HashSet<(Way, u64, u64)>,
    /// Programs that this process has written: device and inode.
    programs: HashSet<(u64, u64)>,
    /// The permissions of a new file: of one that is no program, and of a program.
    permissions: [Option<Permissions>; 2],
}

/// What is to be made of a file.
#[derive(Clone, Copy)]
pub(super) struct How {
    pub(super) executable: bool,
    pub(super) sharing: Sharing,
    pub(super) keeps_time: bool,
}

impl Placer {
    /// Makes sure that a program can be started. One that this process has written is, for a moment, open for
    /// writing in every process that another thread starts just then, and cannot be executed as long (`Text file
    /// busy`); so it is replaced by a copy that another process makes.
    ///
    /// # Errors
    ///
    /// If it cannot be replaced.
    pub(crate) fn make_startable(&self, program: &Path) -> io::Result<()> {
        let metadata = fs::metadata(program)?;
        let is_ours = node(&metadata).is_some_and(|it| self.state().programs.contains(&it));
        if !is_ours {
            return Ok(());
        }
        let (_, temporary) = new_file(program, true)?;
        fs::remove_file(&temporary)?;
        let mut cp = Command::new("cp");
        let cp = cp.arg("-p").arg("--").args([program, &*temporary]);
        if cp.stderr(Stdio::null()).status()?.success() {
            temporary.persist(program).map_err(|error| error.error)?;
        }
        Ok(())
    }

    /// Makes a temporary file beside `place` from `source`.
    pub(super) fn bring(
        &self,
        source: &Path,
        metadata: &Metadata,
        place: &Path,
        how: How,
    ) -> io::Result<TempPath> {
        match self.share(source, metadata, place, how) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            shared => return shared,
        }
        let (mut to, temporary) = new_file(place, how.executable)?;
        io::copy(&mut File::open(source)?, &mut to)?;
        self.finish(to, metadata, how)?;
        Ok(temporary)
    }

    /// The same, without copying its bytes.
    pub(super) fn share(
        &self,
        source: &Path,
        metadata: &Metadata,
        place: &Path,
        how: How,
    ) -> io::Result<TempPath> {
        if let Some(temporary) = self.reflink(source, metadata, place, how)? {
            return Ok(temporary);
        }
        let link = match how.sharing {
            Sharing::Linked => self.hard_link(source, metadata, place, how.executable)?,
            Sharing::Own => None,
        };
        link.ok_or(io::ErrorKind::Unsupported.into())
    }

    fn reflink(
        &self,
        source: &Path,
        metadata: &Metadata,
        place: &Path,
        how: How,
    ) -> io::Result<Option<TempPath>> {
        let Some(devices) = self.devices(Way::Reflink, metadata, place)? else {
            return Ok(None);
        };
        let (to, temporary) = new_file(place, how.executable)?;
        if share_storage(&File::open(source)?, &to).is_err() {
            self.state()
                .failed
                .insert((Way::Reflink, devices.0, devices.1));
            return Ok(None);
        }
        self.finish(to, metadata, how)?;
        Ok(Some(temporary))
    }

    fn hard_link(
        &self,
        source: &Path,
        metadata: &Metadata,
        place: &Path,
        executable: bool,
    ) -> io::Result<Option<TempPath>> {
        let Some(devices) = self.devices(Way::HardLink, metadata, place)? else {
            return Ok(None);
        };
        // A link has those that the builder had whose file it is.
        if metadata.permissions() != self.permissions(place, executable)? {
            return Ok(None);
        }
        let dir = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let link = |to: &Path| fs::hard_link(source, to);
        match temporary().make_in(dir, link) {
            Ok(made) => Ok(Some(made.into_temp_path())),
            // The next file may have fewer links.
            Err(error) if error.kind() == io::ErrorKind::TooManyLinks => Ok(None),
            Err(_) => {
                self.state()
                    .failed
                    .insert((Way::HardLink, devices.0, devices.1));
                Ok(None)
            }
        }
    }

    /// Returns the permissions that a new library or program has beside `place`, found out by making a file.
    fn permissions(&self, place: &Path, executable: bool) -> io::Result<Permissions> {
        if let Some(known) = &self.state().permissions[usize::from(executable)] {
            return Ok(known.clone());
        }
        let (file, _temporary) = new_file(place, executable)?;
        let found = file.metadata()?.permissions();
        self.state().permissions[usize::from(executable)] = Some(found.clone());
        Ok(found)
    }

    /// Returns between which devices a file is brought; none if this way has failed between them.
    fn devices(&self, way: Way, source: &Metadata, place: &Path) -> io::Result<Option<(u64, u64)>> {
        let dir = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let nodes = node(source).zip(node(&fs::metadata(dir)?));
        let devices = nodes.map(|((from, _), (to, _))| (from, to));
        Ok(devices.filter(|(from, to)| !self.state().failed.contains(&(way, *from, *to))))
    }

    /// Completes a file that was written.
    fn finish(&self, file: File, original: &Metadata, how: How) -> io::Result<()> {
        if how.keeps_time {
            file.set_modified(original.modified()?)?;
        }
        if how.executable
            && let Some(node) = node(&file.metadata()?)
        {
            self.state().programs.insert(node);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hook-");
    builder
}

/// Creates a temporary file beside `place`, with the permissions that a compiler or linker would give it: the
/// mode of what is in a store says nothing.
fn new_file(place: &Path, executable: bool) -> io::Result<(File, TempPath)> {
    let dir = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let create = |path: &Path| {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(if executable { 0o777 } else { 0o666 });
        }
        options.open(path)
    };
    Ok(temporary().make_in(dir, create)?.into_parts())
}

/// Makes a new file a reflink of another.
#[cfg(target_os = "linux")]
fn share_storage(from: &File, to: &File) -> io::Result<()> {
    Ok(rustix::fs::ioctl_ficlone(to, from)?)
}

#[cfg(not(target_os = "linux"))]
fn share_storage(_: &File, _: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
impl Placer {
    /// Returns whether files were to become hard links, and could not.
    pub(super) fn has_no_links(&self) -> bool {
        self.has_failed(Way::HardLink)
    }

    /// Returns whether files were to share storage otherwise, and could not.
    pub(super) fn has_no_reflinks(&self) -> bool {
        self.has_failed(Way::Reflink)
    }

    fn has_failed(&self, way: Way) -> bool {
        self.state()
            .failed
            .iter()
            .any(|(failed, ..)| *failed == way)
    }
}
