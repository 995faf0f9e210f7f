//! Hooks in other languages, and those that are no ordinary cache, in a build.

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, paths};
use serde_json::Value;

use super::{UNITS, configure, script, shipped, two_projects};
use crate::support::{Counts, Hooked, Text, prints};

/// Gives a build the stores of the test.
fn with_stores(mut execs: Execs) -> Execs {
    for variable in [
        "PYTHON_CACHE_DIR",
        "SHELL_CACHE_DIR",
        "DEPENDENCY_BUNDLE_DIR",
    ] {
        execs.env(variable, paths::root().join("store"));
    }
    execs.env("BUILD_LOG", paths::root().join("log"));
    execs
}

#[track_caller]
fn restores() {
    let (one, two) = two_projects();
    with_stores(one.hooked("build"))
        .counts_with_runs(0, UNITS, 1)
        .run();
    let errors = with_stores(two.hooked("build"))
        .counts(UNITS + 1, 0)
        .run()
        .errors();
    assert!(!errors.contains("warning:"), "{errors}");
    assert_eq!(prints(&two.bin("foo")), "3");
    with_stores(two.hooked("build")).fresh().run();
}

#[cargo_test]
fn the_cache_in_python_restores() {
    if let Some(hook) = script("examples/python-cache/cargo_python_cache.py", "python3") {
        configure(&[hook.to_str().unwrap()]);
        restores();
    }
}

#[cargo_test]
fn the_cache_in_shell_restores() {
    if let Some(hook) = script("hook-protocol/examples/shell-cache/hook.sh", "jq") {
        configure(&[hook.to_str().unwrap()]);
        restores();
    }
}

#[cargo_test]
fn the_log_tells_what_was_built() {
    if shipped("cargo-hook-build-log").is_none() {
        return;
    }
    configure(&["cargo:build-log"]);
    let (one, _) = two_projects();
    with_stores(one.hooked("build")).run();
    let log = std::fs::read_to_string(paths::root().join("log")).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let count = |event: &str| lines.iter().filter(|it| it["event"] == event).count();
    assert_eq!(count("built"), UNITS + 1, "{log}");
    // Members are built incrementally: each is asked for without that as well.
    assert!(count("asked") > UNITS, "{log}");
    assert_eq!(lines.last().unwrap()["summary"]["compiled"], UNITS);
}

/// Packages of the workspace are no dependencies; what a registry has is, and is tested with a directory that
/// stands for one: the bundle then declines all, since such sources can be edited.
#[cargo_test]
fn the_bundle_leaves_members_alone() {
    if shipped("cargo-hook-dependency-bundle").is_none() {
        return;
    }
    configure(&["cargo:dependency-bundle"]);
    let (one, two) = two_projects();
    with_stores(one.hooked("build"))
        .counts_with_runs(0, UNITS, 1)
        .run();
    with_stores(two.hooked("build"))
        .counts_with_runs(0, UNITS, 1)
        .run();
    assert_eq!(prints(&two.bin("foo")), "3");
}

/// A dependency from a registry comes back from the one archive of the lock file.
#[cargo_test]
fn the_bundle_restores_dependencies() {
    if shipped("cargo-hook-dependency-bundle").is_none() {
        return;
    }
    cargo_test_support::registry::Package::new("baz", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { 5 }")
        .publish();
    configure(&["cargo:dependency-bundle"]);
    let (one, two) = crate::support::checkouts(|p| {
        p.file(
            "Cargo.toml",
            &crate::support::package("foo", "[dependencies]\nbaz = '1'"),
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", baz::n()); }")
    });
    with_stores(one.hooked("build")).counts(0, 2).run();
    let store = paths::root().join("store");
    let archives = std::fs::read_dir(&store).unwrap().count();
    assert_eq!(
        archives, 2,
        "one archive with its lock, and no folder of a build"
    );
    with_stores(two.hooked("build")).counts(1, 1).run();
    assert_eq!(prints(&two.bin("foo")), "5");
    with_stores(two.hooked("build")).fresh().run();
    two.wipe();
    with_stores(two.hooked("build")).counts(1, 1).run();
}
