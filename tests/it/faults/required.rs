//! A required hook's failure fails the build.

use cargo_test_support::prelude::*;
use hooked_tests::Fault;

use super::{filled, library_and_program};
use crate::support::{Counts, Hook, Hooked, Text, prints};

#[track_caller]
fn assert_fails(p: &cargo_test_support::Project, words: &[&str]) {
    let run = p
        .hooked("build")
        .with_status(101)
        .with_stderr_contains("[ERROR] [..]")
        .run();
    let errors = run.errors();
    let error = &errors[errors.find("error:").unwrap()..];
    for word in words {
        assert!(
            error.contains(word),
            "`{word}` is not in the error: {errors}"
        );
    }
    assert!(
        !errors.contains("warning: hook"),
        "an error is no warning too: {errors}"
    );
}

#[cargo_test]
fn before_a_build() {
    let p = filled();
    Hook::new()
        .fault(Fault::Errs)
        .flag("unit", "foo")
        .setting("required = true");
    assert_fails(
        &p,
        &[
            "hook `test-hook` failed for `foo v0.1.0",
            "no luck",
            "out of luck",
        ],
    );
    assert!(!p.bin("foo").exists(), "nothing is compiled instead");

    // Nothing is lost.
    Hook::new();
    p.hooked("build").counts(1, 0).run();
    assert_eq!(prints(&p.bin("foo")), "3");
}

#[cargo_test]
fn after_a_build() {
    let p = library_and_program();
    let hook = Hook::new();
    let hook_fails = Hook::new()
        .fault(Fault::Errs)
        .flag("at", "after-build")
        .flag("unit", "foo")
        .setting("required = true");
    assert_fails(
        &p,
        &[
            "hook `test-hook` failed for `foo v0.1.0",
            "no luck",
            "out of luck",
        ],
    );
    assert_eq!(hook_fails.take_log().told(), ["bar lib", "foo bin"]);
    drop(hook);

    // What was compiled is good, and is not compiled again.
    Hook::new();
    p.hooked("build").fresh().run();
    assert_eq!(prints(&p.bin("foo")), "3");
}

#[cargo_test]
fn a_result_that_cannot_be_used() {
    let p = filled();
    Hook::new()
        .fault(Fault::WrongDigest)
        .flag("unit", "foo")
        .setting("required = true");
    assert_fails(
        &p,
        &[
            "hook `test-hook` failed for `foo v0.1.0",
            "does not have the digest",
        ],
    );
}

#[cargo_test]
fn a_program_that_does_not_exist() {
    let p = library_and_program();
    Hook::configure("[hooks]\nbefore-build = '/nowhere/hook'\nrequired = true\n");
    assert_fails(
        &p,
        &[
            "hook `/nowhere/hook` failed for `",
            "failed to start `/nowhere/hook`",
        ],
    );
}

#[cargo_test]
fn a_hook_that_hangs() {
    let p = filled();
    Hook::new()
        .fault(Fault::Hangs)
        .flag("unit", "foo")
        .setting("required = true\ntimeout = '2s'");
    assert_fails(
        &p,
        &["hook `test-hook` failed for `foo v0.1.0", "no answer for 2"],
    );
}

#[cargo_test]
fn a_hook_that_exits_at_once() {
    let p = filled();
    Hook::new()
        .fault(Fault::ExitsAtOnce)
        .setting("required = true");
    assert_fails(&p, &["test-hook` failed for `", "the process ended"]);
}

#[cargo_test]
fn a_miss_is_no_failure() {
    let p = library_and_program();
    let _hook = Hook::new().setting("required = true");
    p.hooked("build").counts(0, 2).run();
    p.wipe();
    p.hooked("build").counts(2, 0).run();
}
