//! Precedence: the nearest definition is the whole command, never a part of one.

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, paths};

use super::program;
use crate::support::{Counts, Hook, Hooked};

/// Writes a file that configures a hook of this name, and leaves the others alone.
fn configure_at(file: &str, name: &str) {
    let shared = std::fs::read_to_string(paths::root().join(".cargo/config.toml")).unwrap();
    let command = Hook::named(name).command();
    Hook::configure(&shared);
    let file = paths::root().join(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, format!("[hooks]\nbefore-build = {command}\n")).unwrap();
}

/// Builds twice; the second time the program is restored by `name`, started once for each build.
#[track_caller]
fn assert_serves(p: &Project, hook: &Hook, line: &str, vars: &[(&str, &str)], name: &str) {
    p.wipe();
    let restored = format!("    Restored foo v0.1.0 ([ROOT]/foo) ({name})");
    let mut build = p.hooked(line);
    for (variable, value) in vars {
        build.env(variable, value);
    }
    build.counts(1, 0).with_stderr_contains(restored).run();
    let log = hook.take_log();
    assert_eq!(log.count("start"), 1, "{log:#?}");
}

#[cargo_test]
fn the_nearest_definition_wins() {
    let p = program();
    let hook = Hook::named("far");
    p.hooked("build").counts(0, 1).run();
    hook.take_log();

    configure_at("home/.cargo/config.toml", "home");
    assert_serves(&p, &hook, "build -v", &[], "far");
    // Not in the package itself, of which every file counts.
    configure_at(".cargo/config.toml", "above");
    assert_serves(&p, &hook, "build -v", &[], "above");

    let words: Vec<String> = serde_json::from_str(&Hook::named("variable").command()).unwrap();
    configure_at(".cargo/config.toml", "above");
    let command = words.join(" ");
    let variable = [("CARGO_HOOKS_BEFORE_BUILD", command.as_str())];
    assert_serves(&p, &hook, "build -v", &variable, "variable");

    let file = paths::root().join("argument.toml");
    configure_at("argument.toml", "argument");
    let line = format!("build -v --config {}", file.display());
    assert_serves(&p, &hook, &line, &variable, "argument");
}

#[cargo_test]
fn the_home_serves_where_nothing_is_nearer() {
    let p = program();
    let hook = Hook::named("first");
    p.hooked("build").counts(0, 1).run();
    hook.take_log();
    configure_at("home/.cargo/config.toml", "home");
    Hook::configure("");
    assert_serves(&p, &hook, "build -v", &[], "home");
}

#[cargo_test]
fn lists_are_not_joined() {
    let p = program();
    let hook = Hook::new();
    // Joined in either order, one would get the other's words.
    let home = paths::cargo_home().join("config.toml");
    std::fs::create_dir_all(home.parent().unwrap()).unwrap();
    std::fs::write(
        &home,
        "[hooks]\nbefore-build = ['/nowhere', '--bad-flag', 'x']\n",
    )
    .unwrap();
    p.change_file(".cargo/config.toml", "[hooks]\nmode = 'use'\n");
    p.hooked("build")
        .counts(0, 1)
        .with_stderr_does_not_contain("[WARNING] [..]")
        .run();
    let log = hook.take_log();
    assert_eq!((log.count("start"), log.asked().len()), (1, 1));
    p.wipe();
    p.hooked("build")
        .counts(1, 0)
        .with_stderr_does_not_contain("[WARNING] [..]")
        .run();
}

#[cargo_test]
fn commands_of_two_files_are_not_joined() {
    let p = program();
    let hook = Hook::new();
    let home = paths::cargo_home().join("config.toml");
    std::fs::create_dir_all(home.parent().unwrap()).unwrap();
    let bad = "['/nowhere', '--bad-flag', 'x']";
    let table = format!("[hooks]\nbefore-build = {bad}\nafter-build = {bad}\nmode = 'use'\n");
    std::fs::write(&home, table).unwrap();
    // The order in which Cargo merges keys changes from run to run.
    for _ in 0..5 {
        p.wipe();
        p.hooked("build")
            .with_stderr_does_not_contain("[WARNING] [..]")
            .run();
        let log = hook.take_log();
        assert_eq!((log.count("start"), log.asked().len()), (1, 1));
    }
}

#[cargo_test]
fn a_string_and_an_array_may_meet() {
    let p = program();
    let hook = Hook::new();
    let home = paths::cargo_home().join("config.toml");
    std::fs::create_dir_all(home.parent().unwrap()).unwrap();
    std::fs::write(&home, "[hooks]\nbefore-build = '/nowhere'\n").unwrap();
    p.hooked("build")
        .counts(0, 1)
        .with_stderr_does_not_contain("[WARNING] [..]")
        .run();
    assert_eq!(hook.take_log().asked().len(), 1);
}
