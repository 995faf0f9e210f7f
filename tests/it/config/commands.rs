//! Commands: how they are written, and where programs are found.

use std::path::PathBuf;

use cargo_test_support::paths;
use cargo_test_support::prelude::*;

use super::program;
use crate::support::{Counts, Hook, Hooked, Text, assert_one_warning, path_with, prints};

const TEST_HOOK: &str = env!("CARGO_BIN_EXE_test-hook");

/// Returns the test hook's arguments, as words.
fn arguments() -> Vec<String> {
    let path = |name: &str| paths::root().join(name).display().to_string();
    [
        "--store".to_owned(),
        path("store"),
        "--log".to_owned(),
        path("hook.log"),
    ]
    .to_vec()
}

/// Puts a copy of the test hook somewhere else.
fn copied(place: &str) -> PathBuf {
    let copy = paths::root().join(place);
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::copy(TEST_HOOK, &copy).unwrap();
    copy
}

/// Builds twice; the hook is asked for the program, and knows it the second time.
#[track_caller]
fn assert_works(config: &str) {
    let p = program();
    let hook = Hook::new();
    Hook::configure(config);
    for (restored, compiled) in [(0, 1), (1, 0)] {
        p.wipe();
        p.hooked("build").counts(restored, compiled).run();
        assert_eq!(hook.take_log().asked(), ["foo bin"]);
        assert_eq!(prints(&p.bin("foo")), "3");
    }
}

#[cargo_test]
fn an_array_is_a_command() {
    let mut words = vec![TEST_HOOK.to_owned()];
    words.extend(arguments());
    assert_works(&format!(
        "[hooks]\nbefore-build = {words:?}\nafter-build = {words:?}\n"
    ));
}

#[cargo_test]
fn a_string_is_a_command() {
    let line = format!("{TEST_HOOK} {}", arguments().join(" "));
    assert_works(&format!(
        "[hooks]\nbefore-build = {line:?}\nafter-build = {line:?}\n"
    ));
}

#[cargo_test]
fn an_argument_with_a_space_stays_one() {
    let hook = Hook::new().flag("name", "a hook with spaces");
    let p = program();
    p.hooked("build").counts(0, 1).run();
    p.wipe();
    let restored = "    Restored foo v0.1.0 ([ROOT]/foo) (a hook with spaces)";
    p.hooked("build -v")
        .counts(1, 0)
        .with_stderr_contains(restored)
        .run();
    drop(hook);
}

#[cargo_test]
fn a_relative_program_is_relative_to_the_configuration() {
    copied("tools/my-hook");
    let mut words = vec!["tools/my-hook".to_owned()];
    words.extend(arguments());
    assert_works(&format!(
        "[hooks]\nbefore-build = {words:?}\nafter-build = {words:?}\n"
    ));
}

#[cargo_test]
fn a_plain_name_is_looked_for_on_the_path() {
    let copy = copied("bin/my-own-hook");
    let p = program();
    let hook = Hook::new();
    let mut words = vec!["my-own-hook".to_owned()];
    words.extend(arguments());
    Hook::configure(&format!("[hooks]\nbefore-build = {words:?}\n"));
    p.hooked("build")
        .env("PATH", path_with(copy.parent().unwrap()))
        .counts(0, 1)
        .run();
    assert_eq!(hook.take_log().asked(), ["foo bin"]);
}

#[cargo_test]
fn an_unknown_shipped_hook_is_named() {
    let p = program();
    Hook::configure("[hooks]\nbefore-build = 'cargo:nobody'\nafter-build = 'cargo:nobody'\n");
    let errors = p.hooked("build").counts(0, 1).run().errors();
    assert_one_warning(&errors, "cargo:nobody", "foo v0.1.0", "");
    assert_eq!(prints(&p.bin("foo")), "3");
}

#[cargo_test]
fn an_impossible_shipped_hook_is_an_error() {
    let p = program();
    for name in ["cargo:", "cargo:../evil"] {
        Hook::configure(&format!("[hooks]\nbefore-build = '{name}'\n"));
        let run = p
            .hooked("build")
            .with_status(101)
            .with_stderr_contains("[ERROR] [..]")
            .run();
        let errors = run.errors();
        assert!(errors.contains(&format!("`{name}`")), "{errors}");
        assert!(
            errors.contains(".cargo/config.toml"),
            "names the file: {errors}"
        );
    }
}

#[cargo_test]
fn one_command_for_both_sides_is_one_process() {
    let p = program();
    let hook = Hook::new();
    p.hooked("build").counts(0, 1).run();
    let log = hook.take_log();
    for kind in ["start", "begin", "before-build", "after-build", "end"] {
        assert_eq!(log.count(kind), 1, "{kind} in {log:#?}");
    }
}

#[cargo_test]
fn two_commands_are_two_processes() {
    let p = program();
    let (one, two) = (Hook::named("one"), Hook::named("two"));
    Hook::configure(&format!(
        "[hooks]\nbefore-build = {}\nafter-build = {}\n",
        one.command(),
        two.command()
    ));
    p.hooked("build").counts(0, 1).run();
    let log = one.take_log();
    for kind in ["start", "begin", "end"] {
        assert_eq!(log.count(kind), 2, "{kind} in {log:#?}");
    }
    assert_eq!(log.asked(), log.told());
    p.wipe();
    p.hooked("build -v")
        .counts(1, 0)
        .with_stderr_contains("    Restored foo [..] (one)")
        .run();
    assert_eq!(
        two.take_log().count("start"),
        1,
        "there is nothing to tell the other"
    );
}

#[cargo_test]
fn begin_and_end_tell_of_the_build() {
    let p = program();
    let hook = Hook::new();
    p.hooked("build -j2").counts(0, 1).run();
    let log = hook.take_log();
    let begin = log.of_kind("begin").next().unwrap();
    assert_eq!(begin["v"], 1);
    assert_eq!(begin["workspace"], p.root().to_str().unwrap());
    assert_eq!(begin["build-dir"], p.build_dir().to_str().unwrap());
    assert_eq!(begin["jobs"], 2);
    assert_eq!(begin["host"], cargo_test_support::rustc_host());
    let lockfile = hook_protocol::Digest::of(p.read_lockfile().as_bytes());
    assert_eq!(begin["lockfile"], lockfile.to_string());
    let end = &log.of_kind("end").next().unwrap()["summary"];
    assert_eq!(
        (&end["success"], &end["restored"], &end["compiled"]),
        (&true.into(), &0.into(), &1.into())
    );

    p.wipe();
    p.change_file("src/main.rs", "fn main() { broken }");
    p.hooked("build")
        .with_status(101)
        .with_stderr_contains("[ERROR] [..]")
        .run();
    let log = hook.take_log();
    assert_eq!(
        log.of_kind("end").next().unwrap()["summary"]["success"],
        false
    );
}

#[cargo_test]
fn a_request_tells_what_is_asked() {
    let p = program();
    let hook = Hook::new();
    p.hooked("build --release").counts(0, 1).run();
    let log = hook.take_log();
    let (before, after) = (
        log.of_kind("before-build").next().unwrap(),
        log.of_kind("after-build").next().unwrap(),
    );
    let unit = &before["unit"];
    for (field, value) in [
        ("package", "foo"),
        ("version", "0.1.0"),
        ("target", "foo"),
        ("target-kind", "bin"),
        ("mode", "build"),
        ("profile", "release"),
        ("platform", "host"),
    ] {
        assert_eq!(unit[field], value, "{field}");
    }
    assert_eq!(before["hashes"], after["hashes"]);
    let text = before.to_string();
    assert!(
        !text.contains(paths::root().to_str().unwrap()),
        "a path in {text}"
    );
    let outputs: Vec<&str> = before["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    for output in outputs {
        assert!(after["files"][output].as_str().unwrap().ends_with(output));
        assert!(after["entry"]["files"][output]["digest"].is_string());
    }
}
