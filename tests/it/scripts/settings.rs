//! `hooks.build-scripts`: of which packages the runs are shared.

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder};

use super::{assert_builds, assert_builds_with};
use crate::support::{checkouts, package, shipped_cache};

/// Two checkouts of a program and a library, each with a script.
fn two_scripts() -> (Project, Project) {
    let script = "fn main() { println!(\"cargo::rustc-env=RESULT=3\"); }";
    checkouts(|p: ProjectBuilder| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("build.rs", script)
        .file(
            "src/main.rs",
            "fn main() { println!(\"{} {}\", env!(\"RESULT\"), bar::n()); }",
        )
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/build.rs", script)
        .file(
            "bar/src/lib.rs",
            "pub fn n() -> &'static str { env!(\"RESULT\") }",
        )
    })
}

/// Builds both checkouts; these packages' scripts run in both, for the reason that they are excluded.
#[track_caller]
fn assert_excludes(prepare: impl Fn(&mut Execs), packages: &[&str]) {
    let (one, two) = two_scripts();
    let ran = packages.len();
    let first = assert_builds_with(&one, &prepare, (0, 4, 2), "3 3");
    let second = assert_builds_with(&two, &prepare, (6 - ran, 0, ran), "3 3");
    for said in [first, second] {
        for package in ["foo", "bar"] {
            let line = format!("Missed {package} v0.1.0 (build script run): excluded\n");
            assert_eq!(said.contains(&line), packages.contains(&package), "{said}");
        }
    }
}

#[cargo_test]
fn all_runs_are_shared_if_nobody_says_otherwise() {
    for setting in ["", "build-scripts = true\n", "build-scripts = []\n"] {
        if !shipped_cache(&format!("{setting}salt = {setting:?}")) {
            return;
        }
        assert_excludes(|_| {}, &[]);
    }
}

#[cargo_test]
fn no_run_is_shared_if_they_are_off() {
    if shipped_cache("build-scripts = false") {
        assert_excludes(|_| {}, &["foo", "bar"]);
    }
}

#[cargo_test]
fn a_list_excludes_packages() {
    if shipped_cache("build-scripts = ['bar', 'baz']") {
        assert_excludes(|_| {}, &["bar"]);
    }
}

#[cargo_test]
fn runs_are_switched_off_in_the_environment() {
    if shipped_cache("") {
        let off = |execs: &mut Execs| {
            execs.env("CARGO_HOOKS_BUILD_SCRIPTS", "false");
        };
        assert_excludes(off, &["foo", "bar"]);
    }
}

#[cargo_test]
fn an_excluded_run_is_not_kept() {
    if !shipped_cache("build-scripts = ['foo']") {
        return;
    }
    let (one, two) = two_scripts();
    assert_builds(&one, (0, 4, 2), "3 3");
    shipped_cache("");
    assert_builds(&two, (5, 0, 1), "3 3");
}
