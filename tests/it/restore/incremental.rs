//! Incremental compilation, which is the default for the members of a workspace.

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder, git};

use crate::support::{Counts, Cycle, Hook, Hooked, checkouts, cycle, package, prints, workspace};

fn members(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &workspace(&["a", "b"]))
        .file("a/Cargo.toml", &package("a", ""))
        .file("a/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .file(
            "b/Cargo.toml",
            &package("b", "[dependencies]\na = { path = '../a' }"),
        )
        .file("b/src/main.rs", r#"fn main() { println!("{}", a::n()); }"#)
}

/// The default of the profile `dev`, which the environment of tests switches off.
fn incremental(hook: &Hook) -> Cycle<'_> {
    cycle(hook, "build").prepared(|execs| {
        execs.env_remove("CARGO_INCREMENTAL");
    })
}

#[cargo_test]
fn incremental_members_restore_in_a_second_checkout() {
    let (one, two) = checkouts(members);
    let hook = Hook::new();
    incremental(&hook).across(&one, &two, 2);
    assert_eq!(prints(&two.bin("b")), "3");
}

#[cargo_test]
fn results_that_are_not_incremental_serve_an_incremental_build() {
    let (one, two) = checkouts(members);
    let hook = Hook::new();
    cycle(&hook, "build").cold(&one, 2);
    incremental(&hook).warm(&two, 2);
    assert_eq!(prints(&two.bin("b")), "3");
    incremental(&hook).fresh(&two);
}

#[cargo_test]
fn incremental_results_do_not_serve_others() {
    let (one, two) = checkouts(members);
    let hook = Hook::new();
    incremental(&hook).cold(&one, 2);
    two.hooked("build").counts(0, 2).run();
    assert_eq!(prints(&two.bin("b")), "3");
}

#[cargo_test]
fn a_restored_checkout_is_edited_incrementally() {
    let (one, two) = checkouts(members);
    let hook = Hook::new();
    incremental(&hook).cold(&one, 2);
    incremental(&hook).warm(&two, 2);
    for n in [4, 5] {
        two.change_file("a/src/lib.rs", &format!("pub fn n() -> u32 {{ {n} }}"));
        two.hooked("build").env_remove("CARGO_INCREMENTAL").run();
        assert_eq!(prints(&two.bin("b")), n.to_string());
    }
    // Back to what is known.
    two.change_file("a/src/lib.rs", "pub fn n() -> u32 { 3 }");
    two.hooked("build")
        .env_remove("CARGO_INCREMENTAL")
        .counts(2, 0)
        .run();
    assert_eq!(prints(&two.bin("b")), "3");
    incremental(&hook).fresh(&two);
}

#[cargo_test]
fn a_release_build_shares_with_an_incremental_one_in_one_direction() {
    let hook = Hook::new();
    let with = |value: &'static str| {
        cycle(&hook, "build --release").prepared(move |execs| {
            execs.env("CARGO_INCREMENTAL", value);
        })
    };
    let (one, two) = checkouts(members);
    with("0").cold(&one, 2);
    with("1").warm(&two, 2);
    assert_eq!(prints(&two.release_bin("b")), "3");
    with("1").fresh(&two);

    // What was compiled incrementally serves only incremental builds.
    hook.forget_everything();
    for p in [&one, &two] {
        p.wipe();
    }
    with("1").cold(&one, 2);
    with("0").cold(&two, 2);
    assert_eq!(prints(&two.release_bin("b")), "3");
    for (p, value) in [(&one, "0"), (&two, "1")] {
        p.wipe();
        with(value).warm(p, 2);
        assert_eq!(prints(&p.release_bin("b")), "3");
    }
}

#[cargo_test]
fn a_hook_is_told_what_is_not_for_other_machines() {
    let (p, _) = checkouts(members);
    let hook = Hook::new();
    for (line, value, is_local) in [
        ("build", "0", false),
        ("build", "1", true),
        ("build --release", "0", false),
        ("build --release", "1", true),
    ] {
        p.wipe();
        hook.forget_everything();
        p.hooked(line).env("CARGO_INCREMENTAL", value).run();
        let log = hook.take_log();
        let told: Vec<_> = log.of_kind("after-build").collect();
        assert_eq!(told.len(), 2);
        for request in told {
            let entry = &request["entry"];
            let said = entry["local-only"].as_bool().unwrap_or_default();
            assert_eq!(said, is_local, "`{line}` with {value}: {entry}");
        }
    }
}

/// At every edit there is a result that nobody else will come by: keeping each would slow down the one who edits.
#[cargo_test]
fn only_the_first_incremental_result_is_stored() {
    let (one, two) = checkouts(members);
    let hook = Hook::new();
    incremental(&hook).cold(&one, 2);
    hook.take_log();
    one.change_file("a/src/lib.rs", "pub fn n() -> u32 { 4 }");
    let edited = |p: &Project| {
        let mut build = p.hooked("build -v");
        build.env_remove("CARGO_INCREMENTAL").counts(0, 2);
        build
    };
    edited(&one)
        .with_stderr_contains("    Unshared a v0.1.0 (lib): edited")
        .run();
    let log = hook.take_log();
    assert_eq!(log.told(), [] as [String; 0]);
    // What is asked for is not what would be kept; nobody is to wait for it.
    let is_built = log.of_kind("before-build").map(|it| it["is-built"] == true);
    assert_eq!(is_built.filter(|it| *it).count(), 0);
    two.change_file("a/src/lib.rs", "pub fn n() -> u32 { 4 }");
    edited(&two).run();
    let log = hook.take_log();
    assert_eq!(log.told().len(), 2, "the first in this build directory");
    let is_built = log.of_kind("before-build").map(|it| it["is-built"] == true);
    assert_eq!(is_built.filter(|it| *it).count(), 2);
    assert_eq!(prints(&two.bin("b")), "4");
}

/// While the checkout stays at a commit, what is dirty was edited. When it moves, others may have built what
/// it moved to.
#[cargo_test]
fn an_edit_asks_nobody_and_another_commit_does() {
    let (one, _) = checkouts(|p| members(p).file(".gitignore", "target"));
    let repository = git::init(&one.root());
    let commit = || {
        git::add(&repository);
        git::commit(&repository);
    };
    commit();
    let hook = Hook::new();
    incremental(&hook).cold(&one, 2);
    let build = |n: u32, asked: usize| {
        hook.take_log();
        one.change_file("a/src/lib.rs", &format!("pub fn n() -> u32 {{ {n} }}"));
        let mut build = one.hooked("build");
        build.env_remove("CARGO_INCREMENTAL").counts(0, 2).run();
        let log = hook.take_log();
        assert_eq!(log.asked().len(), asked, "{n}");
        assert_eq!(log.told(), [] as [String; 0], "{n}");
        assert_eq!(prints(&one.bin("b")), n.to_string());
    };
    build(4, 0);
    build(5, 0);
    commit();
    // For what is not incremental, and for what is.
    build(6, 4);
    build(7, 0);
}
