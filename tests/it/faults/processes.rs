//! Hooks that do not live as they should.

use std::time::{Duration, Instant};

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, paths, project};
use hooked_tests::Fault;

use super::{assert_survives, filled, library_and_program};
use crate::support::{
    Counts, Hook, Hooked, Text, assert_one_warning, package, prints, run_within, workspace,
};

#[cargo_test]
fn a_hook_that_exits_at_once() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::ExitsAtOnce);
    // Whichever unit is the first to ask.
    assert_survives(&p, " v0.1.0", (0, 2), "the process ended");
}

#[cargo_test]
fn a_hook_that_says_no_hello() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::NoHello).setting("timeout = '2s'");
    assert_survives(&p, " v0.1.0", (0, 2), "no answer for 2");
}

#[cargo_test]
fn a_hook_of_another_version() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::OtherVersion);
    assert_survives(&p, " v0.1.0", (0, 2), "it speaks version 2 of the protocol");
}

#[cargo_test]
fn a_hook_that_says_hello_in_english() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::PlainHello);
    assert_survives(&p, " v0.1.0", (0, 2), "the first line is not a hello");
}

#[cargo_test]
fn a_hook_that_exits_in_the_middle() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::Exits).flag("unit", "foo");
    assert_survives(&p, "foo v0.1.0", (1, 1), "the process ended");
}

#[cargo_test]
fn a_hook_that_exits_in_the_middle_of_a_line() {
    let p = filled();
    let _hook = Hook::new().fault(Fault::HalfLine).flag("unit", "foo");
    assert_survives(&p, "foo v0.1.0", (1, 1), "");
}

#[cargo_test]
fn a_hook_that_hangs() {
    let p = filled();
    let _hook = Hook::new()
        .fault(Fault::Hangs)
        .flag("unit", "foo")
        .setting("timeout = '2s'");
    assert_survives(&p, "foo v0.1.0", (1, 1), "no answer for 2");
}

#[cargo_test]
fn a_hook_that_hangs_at_the_beginning() {
    let p = filled();
    let _hook = Hook::new()
        .fault(Fault::Hangs)
        .flag("at", "begin")
        .setting("timeout = '2s'");
    assert_survives(&p, " v0.1.0", (0, 2), "no answer for 2");
}

#[cargo_test]
fn a_hook_that_hangs_at_the_end() {
    let p = filled();
    let _hook = Hook::new()
        .fault(Fault::Hangs)
        .flag("at", "end")
        .setting("timeout = '2s'");
    assert_survives(&p, "end of the build", (2, 0), "no answer for");
}

#[cargo_test]
fn a_hook_that_never_answers_what_it_is_told() {
    let p = library_and_program();
    let hook = Hook::new()
        .fault(Fault::Hangs)
        .flag("at", "after-build")
        .setting("timeout = '2s'");
    let began = Instant::now();
    let errors = p
        .hooked("run")
        .counts(0, 2)
        .with_stdout_data("3\n")
        .run()
        .errors();
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "took {:?}",
        began.elapsed()
    );
    assert_one_warning(&errors, "test-hook", " v0.1.0", "no answer");
    assert!(hook.take_log().count("after-build") >= 1);
    p.hooked("build").fresh().run();
}

#[cargo_test]
fn a_program_that_does_not_exist() {
    let p = library_and_program();
    Hook::configure("[hooks]\nbefore-build = '/nowhere/hook'\nafter-build = '/nowhere/hook'\n");
    let errors = p.hooked("build").counts(0, 2).run().errors();
    assert_one_warning(
        &errors,
        "hook",
        " v0.1.0",
        "failed to start `/nowhere/hook`",
    );
    assert_eq!(prints(&p.bin("foo")), "3");
    p.hooked("build").fresh().run();
}

#[cargo_test(ignore_windows = "every file is executable")]
fn a_program_that_is_not_executable() {
    let p = library_and_program();
    let file = paths::root().join("no-program");
    std::fs::write(&file, "#!/bin/sh\n").unwrap();
    Hook::configure(&format!("[hooks]\nbefore-build = {file:?}\n"));
    let errors = p.hooked("build").counts(0, 2).run().errors();
    assert_one_warning(&errors, "no-program", " v0.1.0", "failed to start");
    assert_eq!(prints(&p.bin("foo")), "3");
}

/// Builds a workspace in which `slow` gets no answer for ten minutes, and something else fails.
#[track_caller]
fn assert_does_not_wait(p: &Project, fault: Fault, failure: &str) -> String {
    let hook = Hook::new()
        .fault(fault)
        .flag("unit", "slow")
        .setting("timeout = '600s'");
    let mut build = p.hooked("build");
    build.env("TEST_ROOT", paths::root());
    let (code, errors) = run_within(Duration::from_secs(30), build);
    assert_eq!(code, Some(101));
    assert!(errors.contains(failure), "{errors}");
    assert!(
        hook.take_log().asked().contains(&"slow lib".to_owned()),
        "it was asked"
    );
    errors
}

/// A build script that waits until it sees what it waits for, and then does its work.
fn script_that_waits(until: &str, work: &str) -> String {
    format!(
        "fn main() {{
            let root = std::path::PathBuf::from(std::env::var(\"TEST_ROOT\").unwrap());
            let log = || std::fs::read_to_string(root.join(\"hook.log\")).unwrap_or_default();
            while !{{ {until} }} {{
                std::thread::sleep(std::time::Duration::from_millis(10));
            }}
            {work}
        }}"
    )
}

const SLOW_IS_ASKED_FOR: &str = "log().contains(\"\\\"package\\\":\\\"slow\\\"\")";

#[cargo_test]
fn a_failed_build_does_not_wait_for_an_answer() {
    let script = script_that_waits(SLOW_IS_ASKED_FOR, "panic!(\"no luck\")");
    let p = project()
        .file("Cargo.toml", &workspace(&["broken", "slow"]))
        .file("broken/Cargo.toml", &package("broken", ""))
        .file("broken/build.rs", &script)
        .file("broken/src/lib.rs", "")
        .file("slow/Cargo.toml", &package("slow", ""))
        .file("slow/src/lib.rs", "")
        .build();
    let failure = "failed to run custom build command for `broken";
    let errors = assert_does_not_wait(&p, Fault::Forgets, failure);
    assert!(
        !errors.contains("warning: hook"),
        "nobody asks any more: {errors}"
    );
}

#[cargo_test]
fn a_failed_build_does_not_wait_for_a_hook_that_hangs() {
    // The hook must answer for all but `slow` first: `gate` keeps that back until `broken` runs.
    let broken = script_that_waits(SLOW_IS_ASKED_FOR, "panic!(\"no luck\")").replace(
        "while",
        "std::fs::write(root.join(\"runs\"), \"\").unwrap(); while",
    );
    let p = project()
        .file("Cargo.toml", &workspace(&["broken", "gate", "slow"]))
        .file("broken/Cargo.toml", &package("broken", ""))
        .file("broken/build.rs", &broken)
        .file("broken/src/lib.rs", "")
        .file("gate/Cargo.toml", &package("gate", ""))
        .file(
            "gate/build.rs",
            &script_that_waits("root.join(\"runs\").exists()", ""),
        )
        .file("gate/src/lib.rs", "")
        .file(
            "slow/Cargo.toml",
            &package("slow", "[dependencies]\ngate = { path = '../gate' }"),
        )
        .file("slow/src/lib.rs", "")
        .build();
    let failure = "failed to run custom build command for `broken";
    let errors = assert_does_not_wait(&p, Fault::Hangs, failure);
    // It does not take what was built either, which is a failure.
    let warnings = errors
        .lines()
        .filter(|line| line.starts_with("warning: hook `test-hook`"));
    assert_eq!(warnings.count(), 1, "{errors}");
    assert!(
        !errors.contains("no answer for 0"),
        "it was given some time: {errors}"
    );
}

#[cargo_test]
fn a_hook_that_fails_again_and_again_is_left_alone() {
    // A chain, so that one question follows another.
    let mut p = project().file("Cargo.toml", &workspace(&["m0", "m1", "m2", "m3", "m4"]));
    for n in 0..5 {
        let needs = format!("[dependencies]\nm{} = {{ path = '../m{}' }}", n + 1, n + 1);
        let needs = if n < 4 { &needs } else { "" };
        p = p
            .file(
                format!("m{n}/Cargo.toml"),
                &package(&format!("m{n}"), needs),
            )
            .file(format!("m{n}/src/lib.rs"), "");
    }
    let p = p.build();
    let hook = Hook::new().fault(Fault::Errs);
    Hook::configure(&format!("[hooks]\nbefore-build = {}\n", hook.command()));
    let errors = p.hooked("build").counts(0, 5).run().errors();
    assert_one_warning(&errors, "test-hook", "m4 v0.1.0", "no luck: out of luck");
    assert_eq!(hook.take_log().asked(), ["m2 lib", "m3 lib", "m4 lib"]);
}

#[cargo_test]
fn a_hook_that_forgets_a_question() {
    let p = filled();
    let _hook = Hook::new()
        .fault(Fault::Forgets)
        .flag("unit", "foo")
        .setting("timeout = '2s'");
    assert_survives(&p, "foo v0.1.0", (1, 1), "no answer for 2");
}
