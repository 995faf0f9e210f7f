//! Every way to switch hooks off.

use cargo_test_support::Execs;
use cargo_test_support::prelude::*;

use super::program;
use crate::support::{Counts, Hook, Hooked};

/// Builds with a good hook, and something that switches it off.
#[track_caller]
fn assert_off(settings: &str, line: &str, prepare: impl Fn(&mut Execs)) {
    let p = program();
    let hook = Hook::new().setting(settings);
    let mut build = p.hooked(line);
    prepare(&mut build);
    build.fresh().run();
    assert_eq!(hook.take_log().count("start"), 0, "no hook is started");
}

#[cargo_test]
fn by_a_setting() {
    assert_off("enabled = false", "build", |_| {});
}

#[cargo_test]
fn by_a_variable() {
    assert_off("", "build", |execs| {
        execs.env("CARGO_HOOKS_ENABLED", "false");
    });
}

#[cargo_test]
fn by_an_argument() {
    assert_off("", "build --config hooks.enabled=false", |_| {});
}

#[cargo_test]
fn by_empty_commands() {
    let p = program();
    let hook = Hook::new();
    for empty in ["[]", "''", "['']"] {
        Hook::configure(&format!(
            "[hooks]\nbefore-build = {empty}\nafter-build = {empty}\n"
        ));
        p.wipe();
        p.hooked("build").fresh().run();
    }
    assert_eq!(hook.take_log().count("start"), 0);
}

#[cargo_test]
fn by_empty_variables() {
    assert_off("", "build", |execs| {
        execs
            .env("CARGO_HOOKS_BEFORE_BUILD", "")
            .env("CARGO_HOOKS_AFTER_BUILD", "");
    });
}

#[cargo_test]
fn by_empty_commands_of_a_nearer_file() {
    let p = program();
    let hook = Hook::new();
    p.change_file(
        ".cargo/config.toml",
        "[hooks]\nbefore-build = []\nafter-build = []\n",
    );
    p.hooked("build").fresh().run();
    assert_eq!(hook.take_log().count("start"), 0);
}

#[cargo_test]
fn one_side_alone() {
    let p = program();
    let hook = Hook::new();
    let empty_before = |execs: &mut Execs| {
        execs.env("CARGO_HOOKS_BEFORE_BUILD", "");
    };
    let mut build = p.hooked("build");
    empty_before(&mut build);
    build.counts(0, 1).run();
    let log = hook.take_log();
    assert_eq!((log.asked().len(), log.told().len()), (0, 1), "only told");
    p.wipe();
    p.hooked("build")
        .env("CARGO_HOOKS_AFTER_BUILD", "")
        .counts(1, 0)
        .run();
    p.change_file("src/main.rs", "fn main() { println!(\"4\"); }");
    p.hooked("build")
        .env("CARGO_HOOKS_AFTER_BUILD", "")
        .counts(0, 1)
        .run();
    let log = hook.take_log();
    assert_eq!((log.asked().len(), log.told().len()), (2, 0), "only asked");
}

#[cargo_test]
fn by_what_the_hook_can_do() {
    let p = program();
    let hook = Hook::new().flag("capabilities", "after-build,session");
    p.hooked("build").counts(0, 1).run();
    let log = hook.take_log();
    assert_eq!((log.asked().len(), log.told().len()), (0, 1), "only told");
    let hook = Hook::new().flag("capabilities", "before-build,session");
    p.wipe();
    p.hooked("build").counts(1, 0).run();
    p.change_file("src/main.rs", "fn main() { println!(\"4\"); }");
    p.hooked("build").counts(0, 1).run();
    let log = hook.take_log();
    assert_eq!((log.asked().len(), log.told().len()), (2, 0), "only asked");
}
