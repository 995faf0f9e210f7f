//! What the tests add to `cargo-test-support`: the fork's `cargo`, a hook that can be asked what it was
//! asked, counters, and the cycle that every test of restoring goes through.

mod artifacts;
mod cycle;
pub(crate) mod hook;
mod shipped;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder, RawOutput, execs, paths, process};

pub(crate) use self::artifacts::{artifacts, assert_same};
pub(crate) use self::cycle::{Cycle, cycle};
pub(crate) use self::hook::Hook;
pub(crate) use self::shipped::{SHIPPED, cached, shipped_cache};

/// Returns the fork's `cargo`.
pub(crate) fn cargo() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/hooked/bin/cargo");
    let path = std::env::var_os("HOOKED_CARGO").map_or(built, PathBuf::from);
    let path = path.with_extension(std::env::consts::EXE_EXTENSION);
    path.canonicalize().unwrap_or_else(|error| {
        panic!(
            "there is no cargo at `{}` ({error}): run `cargo xtask test`",
            path.display()
        )
    })
}

/// Runs the fork's `cargo` in a folder.
pub(crate) fn hooked_in(dir: &Path, line: &str) -> Execs {
    let mut process = process(cargo());
    process.cwd(dir).arg_line(line);
    execs().with_process_builder(process)
}

/// Returns the manifest of a package with whatever follows its first table.
pub(crate) fn package(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{rest}\n")
}

/// Returns the manifest of a workspace without a package of its own.
pub(crate) fn workspace(members: &[&str]) -> String {
    format!("[workspace]\nmembers = {members:?}\nresolver = \"3\"\n")
}

/// Makes two checkouts of the same files, at different depths.
pub(crate) fn checkouts(files: impl Fn(ProjectBuilder) -> ProjectBuilder) -> (Project, Project) {
    let at = |place: &str| files(ProjectBuilder::new(paths::root().join(place))).build();
    (at("one"), at("a/deeper/place/two"))
}

/// Projects, built with the fork.
pub(crate) trait Hooked {
    /// Runs the fork's `cargo` in the project.
    fn hooked(&self, line: &str) -> Execs;

    /// Removes the target directory.
    fn wipe(&self);
}

impl Hooked for Project {
    fn hooked(&self, line: &str) -> Execs {
        hooked_in(&self.root(), line)
    }

    fn wipe(&self) {
        self.build_dir().rm_rf();
    }
}

/// Expectations about the last line of a build.
pub(crate) trait Counts {
    /// Expects that so many units were restored and compiled, and that no build script ran.
    fn counts(&mut self, restored: usize, compiled: usize) -> &mut Self;

    /// Expects that so many units were restored and compiled, and that so many build scripts ran.
    fn counts_with_runs(&mut self, restored: usize, compiled: usize, ran: usize) -> &mut Self;

    /// Expects that nothing was restored or compiled, and that no build script ran.
    fn fresh(&mut self) -> &mut Self;
}

impl Counts for Execs {
    fn counts(&mut self, restored: usize, compiled: usize) -> &mut Self {
        self.counts_with_runs(restored, compiled, 0)
    }

    fn counts_with_runs(&mut self, restored: usize, compiled: usize, ran: usize) -> &mut Self {
        let scripts = match ran {
            0 => String::new(),
            1 => ", 1 build script run".to_owned(),
            ran => format!(", {ran} build scripts run"),
        };
        let end = format!("({restored} restored, {compiled} compiled{scripts})");
        self.with_stderr_contains(format!("[FINISHED] `[..]` profile [..] in [..]s {end}"))
    }

    fn fresh(&mut self) -> &mut Self {
        // A wildcard would swallow counts, but only an `s` can be the end of a line without.
        self.with_stderr_contains("[FINISHED] `[..]` profile [..] in [..]s")
            .with_stderr_does_not_contain("[..] restored, [..] compiled[..]")
    }
}

/// The output of a process as text.
pub(crate) trait Text {
    /// Returns what it wrote to standard error.
    fn errors(&self) -> String;

    /// Returns what it wrote to standard output.
    fn output(&self) -> String;
}

impl Text for RawOutput {
    fn errors(&self) -> String {
        String::from_utf8(self.stderr.clone()).unwrap()
    }

    fn output(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }
}

/// Runs a program of a project, and returns what it prints.
pub(crate) fn prints(program: &Path) -> String {
    execs()
        .with_process_builder(process(program))
        .run()
        .output()
        .trim_end()
        .to_owned()
}

/// Returns the search path of a test's processes with another folder in front.
pub(crate) fn path_with(dir: &Path) -> OsString {
    let path = process("cargo").get_env("PATH").unwrap();
    std::env::join_paths(
        [dir.to_path_buf()]
            .into_iter()
            .chain(std::env::split_paths(&path)),
    )
    .unwrap()
}

/// Returns whether a program is there. If not, says that the test is skipped.
pub(crate) fn has(program: &str) -> bool {
    let output = std::process::Command::new(program)
        .arg("--version")
        .output();
    let is_there = output.is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: there is no `{program}`");
    }
    is_there
}

/// Runs a process that must not take longer, and returns its exit status and what it said.
#[track_caller]
pub(crate) fn run_within(limit: Duration, mut execs: Execs) -> (Option<i32>, String) {
    let errors = paths::root().join("stderr");
    let mut command = execs.build_command();
    command
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&errors).unwrap());
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > limit {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!(
                "not done after {limit:?}: {}",
                std::fs::read_to_string(errors).unwrap()
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    (status.code(), std::fs::read_to_string(errors).unwrap())
}

/// Asserts that exactly one line warns, and that it names the hook, the unit and the cause. A hook that
/// has not said hello goes by its program, of which `hook` is the end.
#[track_caller]
pub(crate) fn assert_one_warning(errors: &str, hook: &str, unit: &str, cause: &str) {
    let is_warning = |line: &&str| line.starts_with("warning:");
    let warnings: Vec<&str> = errors.lines().filter(is_warning).collect();
    assert_eq!(
        warnings.len(),
        1,
        "one warning, not these: {warnings:#?} in\n{errors}"
    );
    let named = warnings[0]
        .strip_prefix("warning: hook `")
        .and_then(|rest| rest.split('`').next());
    assert!(
        named.is_some_and(|name| name.ends_with(hook)),
        "not `{hook}`: {}",
        warnings[0]
    );
    for word in [unit, cause] {
        assert!(
            warnings[0].contains(word),
            "`{word}` is not in `{}`",
            warnings[0]
        );
    }
}
