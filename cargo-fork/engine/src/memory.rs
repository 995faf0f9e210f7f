//! [`Memory`]: what outlives a build: digests of files that are large and seldom change.
//!
//! A file is known by path, size, times and inode. One that was replaced without any of these changing
//! would not be noticed, so a file is remembered only when it has been left alone for a while, and
//! source files are never remembered: they are hashed by every build that needs them.
//!
//! Beside them are answers of programs, which count as long as what decides them is the same.
//!
//! The memory is one JSON file. What cannot be read is forgotten.
//!
//! ```text
//! {"format":1,"files":{PATH:{"stat":TEXT,"digest":DIGEST}},
//!  "programs":{PATH:{"decided-by":DIGEST,"answers":{QUESTION:TEXT}}}}
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use hook_protocol::Digest;
use serde::{Deserialize, Serialize};

use crate::files::{Hashed, Stat, hash};

/// The version of the file's format.
const FORMAT: u32 = 1;

/// Digests that outlive a build.
pub struct Memory {
    path: PathBuf,
    state: OnceLock<Mutex<State>>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct State {
    format: u32,
    files: BTreeMap<String, Remembered>,
    programs: BTreeMap<String, Answers>,
    #[serde(skip)]
    changed: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Remembered {
    stat: String,
    digest: Digest,
}

/// What a program answered.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Answers {
    decided_by: Digest,
    answers: BTreeMap<String, String>,
}

impl Memory {
    /// Uses the file at `path`, which is read when it is first needed.
    pub fn new(path: PathBuf) -> Memory {
        Memory {
            path,
            state: OnceLock::new(),
        }
    }

    /// Returns the digest of a file, from memory where its metadata is the same.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn file(&self, path: &Path) -> io::Result<Hashed> {
        let stat = Stat::of(path)?;
        let described = format!("{stat:?}");
        let key = path.to_string_lossy().into_owned();
        if let Some(known) = self.state().files.get(&key)
            && known.stat == described
        {
            return Ok(Hashed {
                digest: known.digest,
                stat,
                at: Instant::now(),
                settled: true,
            });
        }
        let hashed = hash(path)?;
        if hashed.stat == stat && hashed.settled {
            let mut state = self.state();
            let digest = hashed.digest;
            state.files.insert(
                key,
                Remembered {
                    stat: described,
                    digest,
                },
            );
            state.changed = true;
        }
        Ok(hashed)
    }

    /// Returns what a program answered to a question, if the same decided it.
    pub(crate) fn answer(
        &self,
        program: &Path,
        question: &str,
        decided_by: &Digest,
    ) -> Option<String> {
        let state = self.state();
        let known = state.programs.get(program.to_str()?)?;
        let is_same = known.decided_by == *decided_by;
        is_same.then(|| known.answers.get(question).cloned())?
    }

    /// Keeps what a program answered, and forgets what it answered when something else decided.
    pub(crate) fn remember(
        &self,
        program: &Path,
        question: &str,
        decided_by: &Digest,
        answer: &str,
    ) {
        let Some(program) = program.to_str() else {
            return;
        };
        let mut state = self.state();
        state.changed = true;
        let new = || Answers {
            decided_by: *decided_by,
            answers: BTreeMap::new(),
        };
        let known = state.programs.entry(program.to_owned());
        let known = known.or_insert_with(new);
        if known.decided_by != *decided_by {
            *known = new();
        }
        known.answers.insert(question.to_owned(), answer.to_owned());
    }

    /// Writes the memory, if there is anything new. Failing to is of no consequence.
    pub fn save(&self) {
        if self.state.get().is_none() {
            return;
        }
        let mut state = self.state();
        if !std::mem::take(&mut state.changed) {
            return;
        }
        state.format = FORMAT;
        state.files.retain(|path, _| Path::new(path).exists());
        state.programs.retain(|path, _| Path::new(path).exists());
        if let Err(error) = write_atomically(&self.path, &state) {
            tracing::debug!(target: "cargo::hooks", "failed to remember digests: {error}");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let load = || {
            let bytes = std::fs::read(&self.path).ok();
            let state = bytes.and_then(|bytes| serde_json::from_slice::<State>(&bytes).ok());
            Mutex::new(
                state
                    .filter(|state| state.format == FORMAT)
                    .unwrap_or_default(),
            )
        };
        self.state
            .get_or_init(load)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_atomically(path: &Path, state: &State) -> io::Result<()> {
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(dir)?;
    let file = tempfile::NamedTempFile::new_in(dir)?;
    serde_json::to_writer(io::BufWriter::new(&file), state)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn old_file(path: &Path, content: &str, age: u64) {
        std::fs::write(path, content).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age))
            .unwrap();
    }

    #[test]
    fn a_damaged_memory_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let (memory, file) = (dir.path().join("memory.json"), dir.path().join("file"));
        old_file(&file, "content", 100);
        for damaged in ["", "{", "{\"format\":99,\"files\":{}}", "[]", "null"] {
            std::fs::write(&memory, damaged).unwrap();
            let memory = Memory::new(memory.clone());
            assert_eq!(
                memory.file(&file).unwrap().digest,
                Digest::of(b"content"),
                "{damaged}"
            );
            memory.save();
        }
    }

    #[test]
    fn a_change_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, file) = (dir.path().join("memory.json"), dir.path().join("file"));
        for content in ["one", "two", "three"] {
            old_file(&file, content, 100);
            // Every build has a memory of its own, and leaves it to the next.
            let memory = Memory::new(path.clone());
            assert_eq!(
                memory.file(&file).unwrap().digest,
                Digest::of(content.as_bytes())
            );
            memory.save();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_young_file_is_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let (path, file) = (dir.path().join("memory.json"), dir.path().join("file"));
        // The time of the last change of metadata tells that it is young, whatever the other says.
        old_file(&file, "one", 100);
        let memory = Memory::new(path.clone());
        memory.file(&file).unwrap();
        memory.save();
        assert!(!path.exists());
    }
}
