//! Mistakes: each is named with its file and its key.

use cargo_test_support::prelude::*;

use super::program;
use crate::support::{Counts, Hook, Hooked, Text, package};

/// The table has these lines besides a good hook; the build fails, and says all of `words`.
#[track_caller]
fn assert_error(lines: &str, words: &[&str]) {
    let p = program();
    let _hook = Hook::new().setting(lines);
    let errors = p
        .hooked("build")
        .with_status(101)
        .with_stderr_contains("[ERROR] [..]")
        .run()
        .errors();
    let file = ".cargo/config.toml";
    for word in words.iter().chain([&file]) {
        assert!(errors.contains(word), "`{word}` is not in {errors}");
    }
}

#[cargo_test]
fn an_unknown_key_is_unused() {
    let p = program();
    let _hook = Hook::new().setting("befor-build = 'typo'");
    let unused = "[WARNING] unused config key `hooks.befor-build` in `[ROOT]/.cargo/config.toml`";
    p.hooked("build")
        .counts(0, 1)
        .with_stderr_contains(unused)
        .run();
}

#[cargo_test]
fn a_wrong_type_is_an_error() {
    assert_error(
        "enabled = 'maybe'",
        &["hooks.enabled", "expected true/false, but found a string"],
    );
    assert_error(
        "required = 1",
        &["hooks.required", "expected true/false, but found a integer"],
    );
    assert_error(
        "mode = true",
        &["hooks.mode", "expected a string, but found a boolean"],
    );
    assert_error(
        "timeout = 60",
        &["hooks.timeout", "expected a string, but found a integer"],
    );
    assert_error("salt = []", &["hooks.salt", "expected a string"]);
    let expected = "expected a boolean or a list of packages";
    assert_error("build-scripts = 3", &["hooks.build-scripts", expected]);
    assert_error("build-scripts = 'foo'", &["hooks.build-scripts", expected]);
    assert_error("build-scripts = [3]", &["hooks.build-scripts"]);
}

#[cargo_test]
fn a_command_of_a_wrong_type_is_an_error() {
    let p = program();
    for (value, found) in [("3", "a integer"), ("[3]", "")] {
        Hook::configure(&format!("[hooks]\nbefore-build = {value}\n"));
        let run = p
            .hooked("build")
            .with_status(101)
            .with_stderr_contains("[ERROR] [..]")
            .run();
        let errors = run.errors();
        for word in ["hooks.before-build", found, ".cargo/config.toml"] {
            assert!(errors.contains(word), "`{word}` is not in {errors}");
        }
    }
}

#[cargo_test]
fn a_table_of_a_wrong_type_is_an_error() {
    let p = program();
    Hook::configure("hooks = 'yes'\n");
    let errors = p
        .hooked("build")
        .with_status(101)
        .with_stderr_contains("[ERROR] [..]")
        .run()
        .errors();
    for word in ["`hooks`", ".cargo/config.toml"] {
        assert!(errors.contains(word), "`{word}` is not in {errors}");
    }
}

#[cargo_test]
fn an_unknown_mode_is_an_error() {
    assert_error(
        "mode = 'never'",
        &["`never`", "hooks.mode", "`use` or `refresh`"],
    );
}

#[cargo_test]
fn a_time_that_is_none_is_an_error() {
    for time in [
        "soon",
        "",
        "0s",
        "-1s",
        "1 fortnight",
        "99999999999999999999s",
        "1.5s",
    ] {
        let value = format!("`{time}`");
        assert_error(
            &format!("timeout = '{time}'"),
            &[&value, "hooks.timeout", "such as `60s`"],
        );
    }
}

#[cargo_test]
fn a_mistake_in_the_environment_names_the_variable() {
    let p = program();
    let _hook = Hook::new();
    for (name, value) in [
        ("CARGO_HOOKS_ENABLED", "maybe"),
        ("CARGO_HOOKS_MODE", "never"),
        ("CARGO_HOOKS_TIMEOUT", "soon"),
        ("CARGO_HOOKS_REQUIRED", "3"),
    ] {
        let run = p
            .hooked("build")
            .env(name, value)
            .with_status(101)
            .with_stderr_contains("[ERROR] [..]")
            .run();
        assert!(
            run.errors().contains(name),
            "`{name}` is not in {}",
            run.errors()
        );
    }
}

#[cargo_test]
fn a_mistake_is_an_error_for_every_command_that_builds() {
    let p = program();
    let _hook = Hook::new().setting("mode = 'never'");
    for line in ["check", "run", "test", "install --path ."] {
        p.hooked(line)
            .with_status(101)
            .with_stderr_contains("[..]hooks.mode[..]")
            .run();
    }
    p.hooked("metadata --no-deps --format-version 1").run();
}

#[cargo_test]
fn times_have_units() {
    let p = program();
    for time in ["500ms", "60s", "60", "5m"] {
        let _hook = Hook::new().setting(&format!("timeout = '{time}'"));
        p.hooked("build").run();
    }
}

#[cargo_test]
fn a_manifest_configures_no_hook() {
    let p = program();
    let hook = Hook::new();
    let table = format!("[hooks]\nbefore-build = {}\n", hook.command());
    Hook::configure("");
    p.change_file("Cargo.toml", &package("foo", &table));
    p.hooked("build")
        .fresh()
        .with_stderr_contains("[WARNING] unused manifest key: hooks")
        .run();
    p.wipe();
    let metadata = format!(
        "[package.metadata.hooks]\nbefore-build = {}\n",
        hook.command()
    );
    p.change_file("Cargo.toml", &package("foo", &metadata));
    p.hooked("build").fresh().run();
    assert_eq!(hook.take_log().count("start"), 0);
}

#[cargo_test]
fn a_dependency_configures_no_hook() {
    let p = program();
    let hook = Hook::new();
    let table = format!("[hooks]\nbefore-build = {}\n", hook.command());
    Hook::configure("");
    p.change_file(
        "Cargo.toml",
        &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
    );
    p.change_file("bar/Cargo.toml", &package("bar", ""));
    p.change_file("bar/src/lib.rs", "");
    p.change_file("bar/.cargo/config.toml", &table);
    p.hooked("build").fresh().run();
    assert_eq!(hook.take_log().count("start"), 0);
}
