//! A checkout that is built in one of the two modes, and ways to change it that leave nothing about times
//! to chance.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, ProjectBuilder, execs, paths, process};

use super::outcome::{Built, Outcome, fresh};
use crate::support::{hooked_in, prints};

/// What `build.fingerprint` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Mtime,
    Content,
}

impl Mode {
    /// Returns the value of `build.fingerprint`, which also names the folder of the mode's checkouts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Mode::Mtime => "mtime",
            Mode::Content => "content",
        }
    }

    /// Returns what is expected in this mode.
    pub(super) fn either<T>(self, mtime: T, content: T) -> T {
        match self {
            Mode::Mtime => mtime,
            Mode::Content => content,
        }
    }
}

/// Does the same in either mode.
pub(super) fn both(mut play: impl FnMut(Mode)) {
    for mode in [Mode::Mtime, Mode::Content] {
        eprintln!("In the mode `{}`:", mode.name());
        play(mode);
    }
}

/// The time of every file of a new checkout: years before its first build.
pub(super) const PAST: u64 = 1_000_000_000;
/// Another time, before that.
pub(super) const BEFORE_PAST: u64 = PAST - 1_000_000;
/// Another time, between that and today.
pub(super) const AFTER_PAST: u64 = PAST + 1_000_000;
/// A time in a far future.
pub(super) const FUTURE: u64 = 4_000_000_000;

/// Returns a time in seconds since 1970.
pub(super) fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A folder in which is built.
pub(super) struct Checkout {
    pub(super) mode: Mode,
    root: PathBuf,
    command: RefCell<String>,
    variables: RefCell<Vec<(String, String)>>,
}

impl Checkout {
    /// Makes a checkout named `foo`, whose files and folders are all from the past.
    pub(super) fn new(
        mode: Mode,
        files: impl FnOnce(ProjectBuilder) -> ProjectBuilder,
    ) -> Checkout {
        let root = paths::root().join(mode.name()).join("foo");
        let checkout = Checkout::at(mode, &files(ProjectBuilder::new(root)).build().root());
        if !checkout.path("Cargo.lock").exists() {
            checkout.cargo("generate-lockfile --quiet").run();
        }
        checkout.age();
        checkout
    }

    /// Takes a folder as it is.
    pub(super) fn at(mode: Mode, root: &Path) -> Checkout {
        Checkout {
            mode,
            root: root.to_owned(),
            command: RefCell::new("build".to_owned()),
            variables: RefCell::new(Vec::new()),
        }
    }

    /// Returns the path of a file.
    pub(super) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// Returns the only file that a pattern names.
    #[track_caller]
    pub(super) fn only(&self, pattern: &str) -> PathBuf {
        let mut found = self.all(pattern);
        assert_eq!(found.len(), 1, "one file for `{pattern}`: {found:?}");
        found.remove(0)
    }

    /// Returns the files that a pattern names, sorted. A `*` stands for a part of one name.
    pub(super) fn all(&self, pattern: &str) -> Vec<PathBuf> {
        let mut found = vec![self.root.clone()];
        for part in pattern.split('/') {
            found = found.iter().flat_map(|dir| named(dir, part)).collect();
        }
        found
    }

    /// Has another command from now on: the default is `build`.
    pub(super) fn use_command(&self, line: &str) {
        *self.command.borrow_mut() = line.to_owned();
    }

    /// Sets a variable for every process from now on.
    pub(super) fn set(&self, variable: &str, value: impl AsRef<Path>) {
        self.unset(variable);
        let value = value.as_ref().to_str().unwrap().to_owned();
        let mut variables = self.variables.borrow_mut();
        variables.push((variable.to_owned(), value));
    }

    /// Forgets a variable.
    pub(super) fn unset(&self, variable: &str) {
        let mut variables = self.variables.borrow_mut();
        variables.retain(|(name, _)| name != variable);
    }

    /// Edits or adds a file, as an editor does: its time is now.
    pub(super) fn edit(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Edits a file in place, and gives it a time.
    pub(super) fn edit_at(&self, name: &str, text: &str, seconds: u64) {
        self.edit(name, text);
        set_time(&self.path(name), time(seconds));
    }

    /// Edits a file in place so that its size and its time stay.
    #[track_caller]
    pub(super) fn edit_in_secret(&self, name: &str, text: &str) {
        let path = self.path(name);
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.len(), text.len() as u64, "the size stays");
        fs::write(&path, text).unwrap();
        set_time(&path, metadata.modified().unwrap());
    }

    /// Renames another file with a time of its own over this one, as `mv`, `tar` and `rsync -a` do.
    pub(super) fn bring_in(&self, name: &str, text: &str, seconds: u64) {
        let other = paths::root().join("brought-in");
        fs::write(&other, text).unwrap();
        set_time(&other, time(seconds));
        fs::rename(other, self.path(name)).unwrap();
    }

    /// Gives a file the present time.
    pub(super) fn touch(&self, name: &str) {
        set_time(&self.path(name), SystemTime::now());
    }

    /// Gives every file and every folder of the sources the present time.
    pub(super) fn touch_all(&self) {
        set_times(&self.root, &SystemTime::now);
    }

    /// Gives every file and every folder of the sources a time in the past.
    pub(super) fn age(&self) {
        set_times(&self.root, &|| time(PAST));
    }

    /// Replaces every source by a new file with the same content, as a new clone has it.
    pub(super) fn clone_anew(&self) {
        replace_files(&self.root);
    }

    /// Runs a program in this folder.
    #[track_caller]
    pub(super) fn runs(&self, line: &str) {
        let mut words = line.split(' ');
        let mut process = process(words.next().unwrap());
        process.args(&words.collect::<Vec<_>>()).cwd(&self.root);
        execs().with_process_builder(process).run();
    }

    /// Removes a file or a folder.
    pub(super) fn remove(&self, name: &str) {
        self.path(name).rm_rf();
    }

    /// Renames a file, with whose time nothing happens.
    pub(super) fn rename(&self, from: &str, to: &str) {
        let to = self.path(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.path(from), to).unwrap();
    }

    /// Reads a file.
    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the fork's `cargo`, in this mode.
    pub(super) fn cargo(&self, line: &str) -> Execs {
        let mut execs = hooked_in(&self.root, line);
        // Not set is upstream's `mtime`.
        if self.mode == Mode::Content {
            execs.env("CARGO_BUILD_FINGERPRINT", self.mode.name());
        }
        for (name, value) in &*self.variables.borrow() {
            execs.env(name, value);
        }
        execs
    }

    /// Builds, and tells what was done.
    pub(super) fn build(&self) -> Built {
        let line = self.command.borrow().clone();
        Built::by(self.cargo(&line))
    }

    /// Builds, and expects that it succeeds.
    #[track_caller]
    pub(super) fn succeeds(&self, what: &str) {
        let what = format!("{}: {what}", self.mode.name());
        self.build().assert_succeeds(&what);
    }

    /// Builds, and expects that there is nothing to do.
    #[track_caller]
    pub(super) fn builds_nothing(&self, what: &str) {
        self.builds(what, fresh().restless());
    }

    /// Builds, and expects what is done and what the program prints then; the build after it has nothing
    /// to do.
    #[track_caller]
    pub(super) fn builds(&self, what: &str, outcome: Outcome) {
        let mode = self.mode.name();
        self.build().assert(&format!("{mode}: {what}"), &outcome);
        if let Some(printed) = &outcome.prints {
            assert_eq!(
                &self.prints(),
                printed,
                "{mode}: {what}: the program prints"
            );
        }
        if outcome.settles {
            let next = format!("{mode}: {what}, the build after it");
            self.build().assert(&next, &fresh());
        }
    }

    /// Returns what the program `foo` prints.
    pub(super) fn prints(&self) -> String {
        prints(&self.path("target/debug/foo"))
    }
}

/// Returns the entries of a folder whose names fit.
fn named(dir: &Path, pattern: &str) -> Vec<PathBuf> {
    let Some((start, end)) = pattern.split_once('*') else {
        return Vec::from_iter(Some(dir.join(pattern)).filter(|path| path.exists()));
    };
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let middle = name.strip_prefix(start).and_then(|it| it.strip_suffix(end));
        middle.is_some()
    });
    found.sort();
    found
}

/// Gives a file or a folder a time.
pub(super) fn set_time(path: &Path, time: SystemTime) {
    File::open(path).unwrap().set_modified(time).unwrap();
}

/// Gives everything in a folder a time, with folders after what they hold.
pub(super) fn set_times(path: &Path, time: &dyn Fn() -> SystemTime) {
    if path.is_symlink() {
        return;
    }
    for entry in sources(path) {
        set_times(&entry, time);
    }
    set_time(path, time());
}

fn replace_files(path: &Path) {
    if path.is_dir() {
        for entry in sources(path) {
            replace_files(&entry);
        }
    } else {
        let text = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Returns what a folder holds, but for a build directory and what belongs to git.
fn sources(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| !path.ends_with(".git") && !path.ends_with("target"));
    found
}
