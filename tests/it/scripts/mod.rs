//! Runs of build scripts: what one came to is restored in another checkout if nothing differs that the
//! script could have learnt of, and the script runs in every other case.
//!
//! Every test builds two checkouts, and looks at what the program prints in each.

mod archives;
mod commands;
mod declared;
mod direct;
mod failing;
mod folder;
mod linked;
mod machine;
mod made_up;
mod messages;
mod outside;
mod settings;
mod vcs;

use std::path::PathBuf;

use cargo_test_support::{Execs, Project};

use crate::support::{Counts, Text, cached, prints};

/// How many units are restored and compiled, and how many build scripts run.
type Numbers = (usize, usize, usize);

/// Builds with the shipped cache and `-v`, and expects these numbers, and that the program `foo` prints
/// this. Returns what was said.
#[track_caller]
fn assert_builds(p: &Project, numbers: Numbers, printed: &str) -> String {
    assert_builds_with(p, |_| {}, numbers, printed)
}

/// Does the same with a process that is prepared. The build after it has nothing to do.
#[track_caller]
fn assert_builds_with(
    p: &Project,
    prepare: impl Fn(&mut Execs),
    numbers: Numbers,
    printed: &str,
) -> String {
    let said = assert_builds_once(p, &prepare, numbers, printed);
    let mut again = cached(p, "build");
    prepare(&mut again);
    again.fresh().run();
    said
}

/// Does the same, and expects nothing of the build after it.
#[track_caller]
fn assert_builds_once(
    p: &Project,
    prepare: impl Fn(&mut Execs),
    (restored, compiled, ran): Numbers,
    printed: &str,
) -> String {
    let mut build = cached(p, "build -v");
    prepare(&mut build);
    let said = build
        .counts_with_runs(restored, compiled, ran)
        .run()
        .errors();
    assert_eq!(prints(&p.bin("foo")), printed, "{said}");
    said
}

/// Expects that something was said, and was said of the run of the script of `foo`.
#[track_caller]
fn assert_said(said: &str, verb: &str, reason: &str) {
    let line = format!("{verb} foo v0.1.0 (build script run): {reason}");
    assert!(said.contains(&line), "`{line}` is not in {said}");
}

/// Returns the `OUT_DIR` of a package.
#[track_caller]
fn out_dir(p: &Project, package: &str) -> PathBuf {
    let pattern = format!("target/debug/build/{package}-*/out");
    let mut found = p.glob(pattern).map(|path| path.unwrap());
    let dir = found.next().expect("a build script has a folder");
    assert_eq!(found.next(), None, "one folder");
    dir
}
