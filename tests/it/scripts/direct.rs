//! Results fit by what they read: whatever else changed in the package, a library is restored.

use std::fs;

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder};

use super::{assert_builds, assert_builds_with};
use crate::support::{Counts, Hooked, cached, checkouts, package, shipped_cache};

/// Two checkouts of a program, and of a library with tests and an example.
fn library_and_program() -> (Project, Project) {
    checkouts(|p: ProjectBuilder| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
        .file("README.md", "Foo, of which a variable names this file.")
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "mod own;\npub fn n() -> u32 { own::N }")
        .file("bar/src/own.rs", "pub const N: u32 = 1;")
        .file("bar/src/main.rs", "fn main() {}")
        .file("bar/tests/t.rs", "#[test] fn t() {}")
        .file("bar/README.md", "Bar.")
    })
}

#[cargo_test]
fn what_a_library_does_not_read_does_not_count() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = library_and_program();
    assert_builds(&one, (0, 2, 0), "1");
    for (file, text) in [
        ("bar/README.md", "More of bar."),
        ("bar/tests/t.rs", "#[test] fn u() {}"),
        ("bar/src/main.rs", "fn main() { println!(\"bar\"); }"),
        ("bar/src/unused.rs", "no Rust at all"),
        ("README.md", "Foo."),
        ("src/lib.rs.orig", "a left-over"),
    ] {
        two.change_file(file, text);
        two.wipe();
        assert_builds(&two, (2, 0, 0), "1");
    }
    two.change_file("bar/src/own.rs", "pub const N: u32 = 2;");
    assert_builds(&two, (0, 2, 0), "2");
    one.change_file("bar/src/own.rs", "pub const N: u32 = 2;");
    assert_builds(&one, (2, 0, 0), "2");
}

#[cargo_test]
fn versions_are_restored_back_and_forth() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = library_and_program();
    let set = |p: &Project, n: u32| {
        p.change_file("bar/src/own.rs", &format!("pub const N: u32 = {n};"));
        p.change_file(
            "bar/README.md",
            &format!("Bar of {n} in {}.", p.root().display()),
        );
    };
    for n in [1, 2] {
        set(&one, n);
        assert_builds(&one, (0, 2, 0), &n.to_string());
    }
    for n in [1, 2, 1, 2] {
        set(&two, n);
        assert_builds(&two, (2, 0, 0), &n.to_string());
    }
    for n in [1, 2] {
        set(&two, n);
        two.wipe();
        assert_builds(&two, (2, 0, 0), &n.to_string());
    }
}

#[cargo_test]
fn a_second_file_for_a_module_is_the_compilers_error() {
    if !shipped_cache("") {
        return;
    }
    for (first, second) in [("own.rs", "own/mod.rs"), ("own/mod.rs", "own.rs")] {
        let (one, two) = library_and_program();
        for p in [&one, &two] {
            fs::remove_file(p.root().join("bar/src/own.rs")).unwrap();
            p.change_file(
                format!("bar/src/{first}"),
                &format!("pub const N: u32 = 1; // {first}"),
            );
        }
        assert_builds(&one, (0, 2, 0), "1");
        two.change_file(format!("bar/src/{second}"), "pub const N: u32 = 2;");
        cached(&two, "build")
            .with_status(101)
            .with_stderr_contains("error[E0761]: file for module `own` found at both [..]")
            .run();
        // In the checkout that was built before, too.
        one.change_file(format!("bar/src/{second}"), "pub const N: u32 = 2;");
        one.wipe();
        cached(&one, "build")
            .with_status(101)
            .with_stderr_contains("error[E0761]: file for module `own` found at both [..]")
            .run();
        fs::remove_file(two.root().join("bar/src").join(second)).unwrap();
        assert_builds(&two, (2, 0, 0), "1");
    }
}

#[cargo_test]
fn a_file_outside_of_the_package_counts() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", include_str!(\"../../outside.txt\")); }",
            )
            .file("../outside.txt", "1")
    });
    assert_builds(&one, (0, 1, 0), "1");
    assert_builds(&two, (1, 0, 0), "1");
    for (text, numbers) in [("2", (0, 1, 0)), ("1", (1, 0, 0)), ("2", (1, 0, 0))] {
        fs::write(two.root().join("../outside.txt"), text).unwrap();
        two.wipe();
        assert_builds(&two, numbers, text);
    }
    one.wipe();
    assert_builds(&one, (1, 0, 0), "1");
}

#[cargo_test]
fn a_variable_that_is_set_and_unset_counts() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", "")).file(
            "src/main.rs",
            "fn main() { println!(\"{}\", option_env!(\"COLOUR\").unwrap_or(\"none\")); }",
        )
    });
    let red = |execs: &mut Execs| {
        execs.env("COLOUR", "red");
    };
    assert_builds_with(&one, red, (0, 1, 0), "red");
    assert_builds(&two, (0, 1, 0), "none");
    one.wipe();
    assert_builds(&one, (1, 0, 0), "none");
    // Of both results, each time the right one.
    two.wipe();
    assert_builds_with(&two, red, (1, 0, 0), "red");
    assert_builds(&two, (1, 0, 0), "none");
}

#[cargo_test]
fn what_a_script_wrote_counts_by_content() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "build.rs",
                r#"
                    fn main() {
                        println!("cargo::rerun-if-env-changed=VALUE");
                        let out = std::env::var("OUT_DIR").unwrap();
                        let value = std::env::var("VALUE").unwrap();
                        std::fs::write(format!("{out}/n.txt"), &value).unwrap();
                        std::fs::write(format!("{out}/unread.txt"), value + "0").unwrap();
                    }
                "#,
            )
            .file(
                "src/main.rs",
                "fn main() {
                    println!(\"{}\", include_str!(concat!(env!(\"OUT_DIR\"), \"/n.txt\")));
                }",
            )
    });
    let value = |value: &'static str| {
        move |execs: &mut Execs| {
            execs.env("VALUE", value);
        }
    };
    assert_builds_with(&one, value("1"), (0, 2, 1), "1");
    for (n, numbers) in [
        ("1", (3, 0, 0)),
        ("2", (1, 1, 1)),
        ("1", (3, 0, 0)),
        ("2", (3, 0, 0)),
    ] {
        two.wipe();
        assert_builds_with(&two, value(n), numbers, n);
    }
    cached(&two, "build").env("VALUE", "1").counts(2, 0).run();
}
