//! Names, versions, features and wrappers: what may tell units apart, and what keeps one from being
//! offered.

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, git, paths, project, registry};

use crate::support::{Counts, Hook, Hooked, checkouts, cycle, package, prints};

#[cargo_test]
fn a_renamed_dependency_restores() {
    let (one, two) = checkouts(|p| {
        p.file(
            "Cargo.toml",
            &package(
                "foo",
                "[dependencies]\nbaz = { package = 'bar', path = 'bar' }",
            ),
        )
        .file("src/main.rs", r#"fn main() { println!("{}", baz::n()); }"#)
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
    });
    let hook = Hook::new();
    cycle(&hook, "build").across(&one, &two, 2);
    assert_eq!(prints(&two.bin("foo")), "3");

    // Under another name the program is another one, the library is not.
    two.change_file(
        "Cargo.toml",
        &package(
            "foo",
            "[dependencies]\nqux = { package = 'bar', path = 'bar' }",
        ),
    );
    two.change_file(
        "src/main.rs",
        r#"fn main() { println!("{}", qux::n() + 1); }"#,
    );
    two.wipe();
    two.hooked("build").counts(1, 1).run();
    assert_eq!(prints(&two.bin("foo")), "4");
}

#[cargo_test]
fn features_and_optional_dependencies_tell_units_apart() {
    let p = project()
        .file(
            "Cargo.toml",
            &package(
                "foo",
                "[dependencies]\nbar = { path = 'bar', optional = true }\n\n\
                 [features]\nloud = []",
            ),
        )
        .file(
            "src/main.rs",
            r#"
                fn main() {
                    #[cfg(feature = "bar")]
                    print!("{} ", bar::n());
                    println!("{}", if cfg!(feature = "loud") { "LOUD" } else { "quiet" });
                }
            "#,
        )
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .build();
    let hook = Hook::new();
    let combinations = [
        ("build", "quiet", 1),
        ("build --features loud", "LOUD", 1),
        ("build --features bar", "3 quiet", 2),
        ("build --features bar,loud", "3 LOUD", 2),
    ];
    for (line, printed, units) in combinations {
        p.wipe();
        p.hooked(line).run();
        assert!(
            hook.take_log().told().contains(&"foo bin".to_owned()),
            "`{line}` is another one"
        );
        p.wipe();
        cycle(&hook, line).warm(&p, units);
        assert_eq!(prints(&p.bin("foo")), printed);
    }
}

#[cargo_test]
fn two_versions_of_a_package_restore() {
    for version in ["1.0.0", "2.0.0"] {
        registry::Package::new("bar", version)
            .file(
                "src/lib.rs",
                &format!("pub fn v() -> &'static str {{ \"{version}\" }}"),
            )
            .publish();
    }
    let p = project()
        .file(
            "Cargo.toml",
            &package(
                "foo",
                "[dependencies]\nbar = '1.0'\nnew = { package = 'bar', version = '2' }",
            ),
        )
        .file(
            "src/main.rs",
            r#"fn main() { println!("{} {}", bar::v(), new::v()); }"#,
        )
        .build();
    let hook = Hook::new();
    cycle(&hook, "build").of(&p, 3);
    assert_eq!(prints(&p.bin("foo")), "1.0.0 2.0.0");
}

/// A program `foo`, a library `bar` that is no member, and a wrapper that does nothing.
fn wrapped() -> Project {
    project()
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("src/main.rs", r#"fn main() { println!("{}", bar::n()); }"#)
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .executable("wrapper", "#!/bin/sh\nexec \"$@\"\n")
        .build()
}

#[cargo_test(ignore_windows = "the wrapper is a shell script")]
fn an_unknown_workspace_wrapper_keeps_members_from_being_offered() {
    let p = wrapped();
    let hook = Hook::new();
    for (restored, compiled) in [(0, 2), (1, 1)] {
        p.hooked("build -v")
            .env("RUSTC_WORKSPACE_WRAPPER", p.root().join("wrapper"))
            .counts(restored, compiled)
            .with_stderr_contains("[..]Missed foo v0.1.0 (bin \"foo\"): unknown-driver[..]")
            .run();
        assert_eq!(prints(&p.bin("foo")), "3");
        assert_eq!(hook.take_log().asked(), ["bar lib"]);
        p.wipe();
    }
}

#[cargo_test(ignore_windows = "the wrapper is a shell script")]
fn an_unknown_wrapper_keeps_everything_from_being_offered() {
    let p = wrapped();
    let hook = Hook::new();
    for _ in 0..2 {
        p.hooked("build")
            .env("RUSTC_WRAPPER", p.root().join("wrapper"))
            .counts(0, 2)
            .run();
        assert_eq!(hook.take_log().count("start"), 0, "nothing to ask");
        p.wipe();
    }
}

#[cargo_test]
fn an_argument_that_is_not_understood_keeps_a_unit_from_being_offered() {
    let p = wrapped();
    let hook = Hook::new();
    for (line, reason) in [
        (
            "rustc -v -- -C save-temps",
            "unlisted-output (-C save-temps)",
        ),
        ("rustc -v -- --emit=asm", "unlisted-output (--emit=asm)"),
        ("rustc -v -- --print=cfg", "unknown-argument (--print=cfg)"),
        ("rustc -v -- --print cfg", "unknown-argument (--print)"),
    ] {
        p.wipe();
        let missed = format!("[..]Missed foo v0.1.0 (bin \"foo\"): {reason}");
        p.hooked(line).with_stderr_contains(missed).run();
        assert_eq!(hook.take_log().asked(), ["bar lib"]);
    }
}

#[cargo_test]
fn a_git_dependency_restores_in_another_home() {
    let (library, repository) = git::new_repo("bar", |p| {
        p.file("Cargo.toml", &package("bar", ""))
            .file("src/lib.rs", "pub fn place() -> &'static str { file!() }")
    });
    let needs = format!("[dependencies]\nbar = {{ git = '{}' }}", library.url());
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", &needs)).file(
            "src/main.rs",
            r#"fn main() { println!("{}", bar::place()); }"#,
        )
    });
    let hook = Hook::new();
    cycle(&hook, "build").cold(&one, 2);
    let home = paths::root().join("another/home");
    two.hooked("build")
        .env("CARGO_HOME", &home)
        .counts(2, 0)
        .run();
    assert_eq!(prints(&one.bin("foo")), prints(&two.bin("foo")));

    // Another revision is another source.
    library.change_file("src/lib.rs", "pub fn place() -> u32 { 4 }");
    git::add(&repository);
    git::commit(&repository);
    two.hooked("update").env("CARGO_HOME", &home).run();
    two.hooked("build")
        .env("CARGO_HOME", &home)
        .counts(0, 2)
        .run();
    assert_eq!(prints(&two.bin("foo")), "4");
}
