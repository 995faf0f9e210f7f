//! What must not matter: presentation, parallelism, and places.

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder, paths, project, registry};

use crate::support::{Counts, Hook, Hooked, Text, checkouts, cycle, package, prints};

fn library_and_program(p: ProjectBuilder) -> ProjectBuilder {
    p.file(
        "Cargo.toml",
        &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
    )
    .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
    .file("bar/Cargo.toml", &package("bar", ""))
    .file("bar/src/lib.rs", "pub fn n() -> u32 { let unused = 1; 3 }")
}

/// Builds the second checkout in another way; all is restored, with the same keys.
#[track_caller]
fn assert_does_not_matter(line: &str, prepare: impl Fn(&Project, &mut Execs)) {
    let (one, two) = checkouts(library_and_program);
    let hook = Hook::new();
    one.hooked("build").counts(0, 2).run();
    let cold = hook.take_log();
    let mut build = two.hooked(line);
    prepare(&two, &mut build);
    // With colour the last line is not what `counts` expects.
    build
        .with_stderr_contains("[..](2 restored, 0 compiled)")
        .run();
    let warm = hook.take_log();
    for unit in ["bar lib", "foo bin"] {
        assert_eq!(cold.key_of(unit), warm.key_of(unit));
    }
}

#[cargo_test]
fn the_number_of_jobs_does_not_matter() {
    assert_does_not_matter("build -j1", |_, _| {});
}

#[cargo_test]
fn formats_do_not_matter() {
    assert_does_not_matter("build --message-format=json", |_, _| {});
}

#[cargo_test]
fn short_messages_do_not_matter() {
    assert_does_not_matter("build --message-format=short", |_, _| {});
}

#[cargo_test]
fn colour_and_width_do_not_matter() {
    assert_does_not_matter("build --color always -v", |_, execs| {
        execs
            .env("__CARGO_TEST_TTY_WIDTH_DO_NOT_USE_THIS", "40")
            .env("TERM", "xterm-256color");
    });
}

#[cargo_test]
fn the_build_directory_does_not_matter() {
    let elsewhere = paths::root().join("b");
    assert_does_not_matter("build", |_, execs| {
        execs.env("CARGO_TARGET_DIR", &elsewhere);
    });
    assert_eq!(prints(&elsewhere.join("debug/foo")), "3");
}

#[cargo_test]
fn a_build_directory_within_a_package_does_not_matter() {
    assert_does_not_matter("build", |p, execs| {
        execs.env("CARGO_TARGET_DIR", p.root().join("bar/src/out"));
    });
}

#[cargo_test]
fn version_control_does_not_matter() {
    assert_does_not_matter("build", |p, _| {
        p.change_file(".git/HEAD", "ref: refs/heads/other\n");
        p.change_file("bar/.git", "gitdir: /nowhere\n");
    });
}

#[cargo_test]
fn other_ways_to_say_the_same_do_not_matter() {
    assert_does_not_matter("build --bins --offline --locked --keep-going", |p, _| {
        p.hooked("generate-lockfile --offline").run();
    });
}

#[cargo_test]
fn a_linked_checkout_does_not_matter() {
    let (one, _) = checkouts(library_and_program);
    let hook = Hook::new();
    cycle(&hook, "build").cold(&one, 2);
    #[cfg(unix)]
    std::os::unix::fs::symlink(one.root(), paths::root().join("linked")).unwrap();
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(one.root(), paths::root().join("linked")).unwrap();
    one.wipe();
    crate::support::hooked_in(&paths::root().join("linked"), "build")
        .counts(2, 0)
        .run();
    assert_eq!(prints(&one.bin("foo")), "3");
}

#[cargo_test]
fn the_home_does_not_matter() {
    registry::Package::new("bar", "1.0.0")
        .file("src/lib.rs", "pub fn place() -> &'static str { file!() }")
        .publish();
    let p = project()
        .file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
        .file(
            "src/main.rs",
            "fn main() { println!(\"{}\", bar::place()); }",
        )
        .build();
    let hook = Hook::new();
    cycle(&hook, "build").cold(&p, 2);
    let printed = prints(&p.bin("foo"));
    let home = paths::root().join("another/home");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::copy(
        paths::cargo_home().join("config.toml"),
        home.join("config.toml"),
    )
    .unwrap();
    p.wipe();
    p.hooked("build")
        .env("CARGO_HOME", &home)
        .env("HOME", &home)
        .counts(2, 0)
        .run();
    assert_eq!(prints(&p.bin("foo")), printed);
}

#[cargo_test]
fn messages_in_another_format_are_shown() {
    let (one, two) = checkouts(library_and_program);
    let _hook = Hook::new();
    let warning = "unused variable: `unused`";
    one.hooked("build")
        .counts(0, 2)
        .with_stderr_contains(format!("[WARNING] {warning}"))
        .run();
    let json = two
        .hooked("build --message-format=json")
        .counts(2, 0)
        .run()
        .output();
    assert!(json.contains(warning), "{json}");
}
