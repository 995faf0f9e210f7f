//! Builds that were killed, and what they leave behind.

use std::process::Stdio;

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, retry};
use hooked_tests::Fault;

use super::{filled, library_and_program};
use crate::support::{Counts, Hook, Hooked, prints};

/// Starts a build, waits until the hook's log says so, and kills Cargo.
fn kill_when(p: &Project, hook: &Hook, is_time: impl Fn(&str) -> bool) {
    let mut build = p.hooked("build").build_command();
    let mut cargo = build
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    retry(300, || is_time(&hook.read_log()).then_some(()));
    cargo.kill().unwrap();
    cargo.wait().unwrap();
}

#[cargo_test]
fn killed_while_it_asks() {
    let p = filled();
    let hook = Hook::new().fault(Fault::Hangs).flag("unit", "foo");
    hook.take_log();
    kill_when(&p, &hook, |log| log.contains("\"target-kind\":\"bin\""));
    let _hook = Hook::new();
    p.hooked("build").run();
    assert_eq!(prints(&p.bin("foo")), "3");
    p.hooked("build").fresh().run();
}

#[cargo_test]
fn killed_while_it_tells() {
    let p = library_and_program();
    let hook = Hook::new()
        .fault(Fault::Hangs)
        .flag("at", "after-build")
        .flag("unit", "foo");
    kill_when(&p, &hook, |log| {
        let after = log
            .lines()
            .filter(|line| line.contains("\"kind\":\"after-build\""));
        after
            .into_iter()
            .any(|line| line.contains("\"target-kind\":\"bin\""))
    });
    let _hook = Hook::new();
    p.hooked("build").run();
    assert_eq!(prints(&p.bin("foo")), "3");
    p.wipe();
    p.hooked("build").run();
    assert_eq!(prints(&p.bin("foo")), "3");
    p.hooked("build").fresh().run();
}

#[cargo_test]
fn killed_while_it_places() {
    let p = filled();
    let _hook = Hook::new();
    p.hooked("build").counts(2, 0).run();

    // What a kill between two renames leaves: a part of the outputs, one of them from before, a
    // temporary file, and no fingerprint.
    let mut libraries = p.glob("target/debug/deps/libbar-*.rlib");
    let library = libraries.next().unwrap().unwrap();
    std::fs::write(&library, "half a library").unwrap();
    std::fs::write(library.with_file_name(".hook-a1b2c3"), "half a copy").unwrap();
    for name in ["bar", "foo"] {
        for dir in p.glob(format!("target/debug/.fingerprint/{name}-*")) {
            dir.unwrap().rm_rf();
        }
    }
    p.bin("foo").rm_rf();
    p.hooked("build").counts(2, 0).run();
    assert_eq!(prints(&p.bin("foo")), "3");
    assert_ne!(
        std::fs::read(&library).unwrap(),
        b"half a library",
        "repaired"
    );
    p.hooked("build").fresh().run();
}

#[cargo_test]
fn a_lost_output_is_restored() {
    let p = filled();
    let _hook = Hook::new();
    p.hooked("build").counts(2, 0).run();
    for program in p.glob("target/debug/deps/foo-*") {
        program.unwrap().rm_rf();
    }
    p.bin("foo").rm_rf();
    p.hooked("build").counts(1, 0).run();
    assert_eq!(prints(&p.bin("foo")), "3");
}
