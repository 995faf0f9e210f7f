//! What a compiled build script may do, as far as the program tells.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hook_protocol::Digest;
use memchr::memmem;

use super::system::innermost;
use crate::Reason;
use crate::key::Common;
use crate::program::Program;
use crate::tools::Words;

/// What is known of build scripts in one build.
#[derive(Default)]
pub struct Scripts {
    read: Mutex<HashMap<PathBuf, Arc<Script>>>,
    library: OnceLock<Library>,
    /// What scripts left for others, by their folders.
    pub(super) supplied: Mutex<HashMap<PathBuf, Digest>>,
}

/// What every script has from the standard library.
#[derive(Debug)]
pub(super) struct Library {
    /// Words in which names of programs occur.
    pub(super) words: Words,
    /// Places on this machine.
    pub(super) places: BTreeSet<PathBuf>,
}

/// A build script, compiled.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) digest: Digest,
    pub(crate) program: Program,
}

impl Script {
    /// Reads a script, or the library of a macro, unless it is known.
    ///
    /// # Errors
    ///
    /// [`Reason::Unreadable`].
    pub(crate) fn read(common: &Common, path: &Path) -> Result<Arc<Script>, Reason> {
        let lock = || {
            common
                .scripts
                .read
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = lock().get(path) {
            return Ok(known.clone());
        }
        let unreadable = |error| Reason::Unreadable(format!("`{}`: {error}", path.display()));
        let digest = common.digests.program(path).map_err(unreadable)?.digest;
        let program = Program::read(path).map_err(unreadable)?;
        let script = Arc::new(Script { digest, program });
        lock().insert(path.to_path_buf(), script.clone());
        Ok(script)
    }

    /// Returns whether the script has one of `words`.
    pub(super) fn mentions(&self, words: &[&str]) -> bool {
        words
            .iter()
            .any(|word| memmem::find(&self.program.text, word.as_bytes()).is_some())
    }
}

impl Scripts {
    /// Forgets a script whose key is known: its texts are large, and a build has many.
    pub(super) fn forget(&self, path: &Path) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.remove(path);
    }

    /// Returns what is in the texts of the standard library.
    pub(super) fn library(&self, common: &Common) -> &Library {
        self.library.get_or_init(|| {
            let folder = common
                .sysroot
                .join("lib/rustlib")
                .join(&common.host)
                .join("lib");
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let is_library = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with("libstd-") && !name.ends_with("meta") && !name.ends_with("rlib")
            };
            let library = entries.map(|entry| entry.path()).find(is_library);
            let library = library.and_then(|path| Program::read(&path).ok());
            let text = library.map(|it| it.text).unwrap_or_default();
            Library {
                words: common.tools.words(&text),
                places: innermost(&text),
            }
        })
    }
}
