//! [`Subject`]: the hook under examination, and sessions with it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use hook_protocol::sample::{self, Sample};
use hook_protocol::wire::{Answer, Capability, Hello, Request, Response};
use serde_json::{Value, json};

use crate::process::{Broken, Process};

/// A hook that is examined.
pub struct Subject {
    command: Vec<OsString>,
    timeout: Duration,
    /// What it is told of lies here, in a folder with an odd name.
    folder: tempfile::TempDir,
    /// Tells the units of this examination from those of every other: the hook's store may be an old one.
    nonce: String,
    next: AtomicU32,
}

impl Subject {
    /// Examines the hook that `command` starts; nothing takes longer than `timeout`.
    ///
    /// # Errors
    ///
    /// If there is no place for files.
    pub fn new(command: Vec<OsString>, timeout: Duration) -> anyhow::Result<Subject> {
        let folder = tempfile::Builder::new()
            .prefix("hook check \u{e9}'")
            .tempdir()
            .context("failed to make a folder for what the hook is told of")?;
        let nonce = folder.path().file_name().unwrap_or_default();
        Ok(Subject {
            command,
            timeout,
            nonce: nonce.to_string_lossy().into_owned(),
            folder,
            next: AtomicU32::new(0),
        })
    }

    /// Returns a folder that nobody has used.
    pub fn new_folder(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.folder.path().join(format!("unit {number}"))
    }

    /// Returns a library that no hook has seen.
    ///
    /// # Errors
    ///
    /// If its files cannot be written.
    pub fn library(&self, source: &str) -> Result<Sample, Broken> {
        let folder = self.new_folder();
        let name = format!("sample-{}", folder.display());
        self.sample(Sample::library, &folder, &name, source)
    }

    /// Returns a library of the same name as another, made from other sources.
    ///
    /// # Errors
    ///
    /// If its files cannot be written.
    pub fn edited(&self, of: &Sample, source: &str) -> Result<Sample, Broken> {
        let name = of.unit.package.clone();
        self.sample(Sample::library, &self.new_folder(), &name, source)
    }

    /// Returns the run of a build script that no hook has seen.
    ///
    /// # Errors
    ///
    /// If its files cannot be written.
    pub fn script_run(&self, source: &str) -> Result<Sample, Broken> {
        let folder = self.new_folder();
        let name = format!("sample-{}", folder.display());
        self.sample(Sample::script_run, &folder, &name, source)
    }

    fn sample(
        &self,
        make: impl Fn(&Path, &str, &str) -> std::io::Result<Sample>,
        folder: &Path,
        name: &str,
        source: &str,
    ) -> Result<Sample, Broken> {
        // The name is part of all digests, and no file name.
        let plain = name.rsplit(' ').next().unwrap_or(name);
        let mut sample = make(folder, plain, &format!("{source} {}", self.nonce))
            .map_err(|error| format!("failed to write a sample: {error}"))?;
        let seed = format!("{}{plain}", self.nonce);
        let digest = |text: String| hook_protocol::Digest::of(text.as_bytes());
        sample.unit.package = name.to_owned();
        sample.entry.unit.package = name.to_owned();
        sample.hashes.action = digest(format!("{seed}{}", sample.hashes.action));
        sample.hashes.key = digest(format!("{seed}{}", sample.hashes.key));
        sample.entry.action = sample.hashes.action;
        sample.entry.key = sample.hashes.key;
        Ok(sample)
    }

    /// Starts a process, and reads nothing.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(&self) -> Result<Process, Broken> {
        Process::start(&self.command, self.timeout)
    }

    /// Starts a process, reads its hello, and begins a session if the hook has them.
    ///
    /// # Errors
    ///
    /// If one of these fails.
    pub fn session(&self) -> Result<Session<'_>, Broken> {
        let process = self.start()?;
        let hello = process.message()?;
        let hello: Hello = serde_json::from_value(hello)
            .map_err(|error| format!("the first message is no hello: {error}"))?;
        let mut session = Session {
            subject: self,
            process,
            hello,
            next_id: 1,
        };
        if session.has(Capability::Session) {
            let begin = Request::Begin(sample::begin(self.folder.path()));
            match session.ask(&begin)? {
                Ok(Answer::Ready) => {}
                other => return Err(format!("`begin` is answered with {other:?}")),
            }
        }
        Ok(session)
    }
}

/// A process that has said hello, and is ready.
pub struct Session<'a> {
    subject: &'a Subject,
    /// The process.
    pub process: Process,
    /// What it said first.
    pub hello: Hello,
    next_id: u64,
}

/// What a hook says to a request: an answer, or an error of its own.
pub type Said = Result<Answer, String>;

impl Session<'_> {
    /// Returns whether the hook says that it has a capability.
    pub fn has(&self, capability: Capability) -> bool {
        self.hello.capabilities.contains(&capability)
    }

    /// Sends a request with the next id, which is returned.
    pub fn send(&mut self, request: &Request) -> u64 {
        let request = serde_json::to_value(request).expect("paths of samples are Unicode");
        self.send_value(request)
    }

    /// Sends a request, whatever is in it, with the next id, which is returned.
    pub fn send_value(&mut self, mut request: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        request["v"] = json!(1);
        request["id"] = json!(id);
        self.process.send(&request);
        id
    }

    /// Reads the next response.
    ///
    /// # Errors
    ///
    /// If none comes, or something that is none.
    pub fn response(&self) -> Result<(u64, Said), Broken> {
        let message = self.process.message()?;
        let text = message.to_string();
        let response: Response = serde_json::from_value(message)
            .map_err(|error| format!("no response: {error}: `{text}`"))?;
        match (response.ok, response.err) {
            (Some(answer), None) => Ok((response.id, Ok(answer))),
            (None, Some(error)) => Ok((response.id, Err(format!("{error:?}")))),
            _ => Err(format!("not exactly one of `Ok` and `Err`: `{text}`")),
        }
    }

    /// Sends a request, and reads what the hook says to it. A one-shot hook that has exited is started again.
    ///
    /// # Errors
    ///
    /// If the response does not come, or is one to another request.
    pub fn ask(&mut self, request: &Request) -> Result<Said, Broken> {
        let request = serde_json::to_value(request).expect("paths of samples are Unicode");
        self.ask_value(request)
    }

    /// As [`Session::ask`], with whatever is in the request.
    ///
    /// # Errors
    ///
    /// As [`Session::ask`].
    pub fn ask_value(&mut self, request: Value) -> Result<Said, Broken> {
        let has_answered = self.next_id > 1;
        let is_one_shot = !self.has(Capability::Session);
        let id = self.send_value(request.clone());
        let response = match self.response() {
            Err(_) if is_one_shot && has_answered && self.process.exit().is_ok() => {
                *self = self.subject.session()?;
                return self.ask_value(request);
            }
            response => response?,
        };
        let (of, said) = response;
        if of != id {
            return Err(format!("an answer to {of} comes for {id}"));
        }
        Ok(said)
    }

    /// Asks for a unit.
    ///
    /// # Errors
    ///
    /// If the answer is neither a hit nor a miss.
    pub fn look_up(&mut self, sample: &Sample) -> Result<Option<Hit>, Broken> {
        match self.ask(&Request::BeforeBuild(sample.question()))? {
            Ok(Answer::Miss(_)) => Ok(None),
            Ok(Answer::Hit(hit)) => {
                let candidate = hit.candidates.into_iter().next();
                let candidate = candidate.ok_or("a hit without candidates")?;
                Ok(Some(Hit {
                    entry: candidate.entry.0,
                    files: candidate.files,
                }))
            }
            other => Err(format!("`before-build` is answered with {other:?}")),
        }
    }

    /// Tells of a unit that was built, and returns whether it is kept, and what was relocated.
    ///
    /// # Errors
    ///
    /// If the answer is neither `stored` nor `declined`.
    pub fn tell(&mut self, sample: &Sample) -> Result<Option<BTreeMap<String, PathBuf>>, Broken> {
        match self.ask(&Request::AfterBuild(sample.result()))? {
            Ok(Answer::Stored(stored)) => Ok(Some(stored.relocated)),
            Ok(Answer::Declined(_)) => Ok(None),
            other => Err(format!("`after-build` is answered with {other:?}")),
        }
    }

    /// Ends the session as Cargo does.
    ///
    /// # Errors
    ///
    /// If the hook does not answer, says more, or does not exit.
    pub fn end(mut self) -> Result<(), Broken> {
        if self.has(Capability::Session) {
            let end = json!({"kind": "end", "summary": {
                "success": true, "restored": 1, "compiled": 1, "ran": 0, "not-offered": 0,
            }});
            match self.ask_value(end)? {
                Ok(Answer::Done) => {}
                other => return Err(format!("`end` is answered with {other:?}")),
            }
        }
        self.process.hang_up().map(drop)
    }
}

/// The first candidate of a hit.
pub struct Hit {
    /// The entry as it came.
    pub entry: Value,
    /// The files.
    pub files: BTreeMap<String, PathBuf>,
}

impl Hit {
    /// Checks that it is the result of `sample`: the entry word for word, and every file with its bytes.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn check(&self, sample: &Sample) -> Result<(), Broken> {
        let expected = serde_json::to_value(&sample.entry).expect("an entry is JSON");
        if self.entry != expected {
            return Err(format!(
                "the entry is not as it was brought: `{}`",
                self.entry
            ));
        }
        for (name, file) in &sample.entry.files {
            let path = self.files.get(name);
            let path = path.ok_or_else(|| format!("no path for `{name}`"))?;
            check_path(path)?;
            hook_protocol::files::check(path, file)
                .map_err(|error| format!("what is supplied as `{name}` is not it: {error}"))?;
        }
        Ok(())
    }
}

/// Checks that a path is absolute and that of an ordinary file.
///
/// # Errors
///
/// What is wrong.
pub fn check_path(path: &Path) -> Result<(), Broken> {
    if !path.is_absolute() {
        return Err(format!("`{}` is not absolute", path.display()));
    }
    match fs::symlink_metadata(path) {
        Ok(it) if it.is_file() => Ok(()),
        Ok(_) => Err(format!("`{}` is no ordinary file", path.display())),
        Err(error) => Err(format!("`{}`: {error}", path.display())),
    }
}
