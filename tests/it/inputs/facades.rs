//! Macros behind libraries that only hand them on: what such a library itself comes to never changes.

use cargo_test_support::ProjectBuilder;
use cargo_test_support::prelude::*;

use super::assert_builds;
use super::macros::a_macro;
use crate::support::{Hook, Hooked, checkouts, package, prints, workspace};

fn number(n: u32) -> String {
    a_macro(&format!("\"{n}\".parse().unwrap()"))
}

/// Adds a macro library.
fn with_macro(p: ProjectBuilder, name: &str, n: u32) -> ProjectBuilder {
    let manifest = package(name, "[lib]\nproc-macro = true");
    p.file(format!("{name}/Cargo.toml"), &manifest)
        .file(format!("{name}/src/lib.rs"), &number(n))
}

/// Adds a library that hands a macro on, of which all have one source.
fn with_facade(p: ProjectBuilder, name: &str, of: &str) -> ProjectBuilder {
    let needs = format!("[dependencies]\nmac = {{ package = '{of}', path = '../{of}' }}");
    p.file(format!("{name}/Cargo.toml"), &package(name, &needs))
        .file(format!("{name}/src/lib.rs"), "pub use mac::n;")
}

/// Adds a program that prints what two facades come to.
fn with_user(p: ProjectBuilder) -> ProjectBuilder {
    let needs = "[dependencies]\nleft = { path = '../left' }\nright = { path = '../right' }";
    p.file("foo/Cargo.toml", &package("foo", needs)).file(
        "foo/src/main.rs",
        "fn main() { println!(\"{} {}\", left::n!(), right::n!()); }",
    )
}

#[cargo_test]
fn a_macro_behind_two_facades_counts() {
    let (one, two) = checkouts(|p| {
        let p = p.file("Cargo.toml", &workspace(&["mac", "left", "right", "foo"]));
        let p = with_macro(p, "mac", 1);
        with_user(with_facade(with_facade(p, "left", "mac"), "right", "mac"))
    });
    let _hook = Hook::new();
    assert_builds(&one, |_| {}, (0, 4), "1 1");
    assert_builds(&two, |_| {}, (4, 0), "1 1");
    two.change_file("mac/src/lib.rs", &number(2));
    two.wipe();
    two.hooked("build").run();
    assert_eq!(prints(&two.bin("foo")), "2 2");
    assert_builds(&two, |_| {}, (4, 0), "2 2");
    // Without wiping, too.
    one.change_file("mac/src/lib.rs", &number(3));
    one.hooked("build").run();
    assert_eq!(prints(&one.bin("foo")), "3 3");
    one.change_file("mac/src/lib.rs", &number(2));
    one.hooked("build").run();
    assert_eq!(prints(&one.bin("foo")), "2 2");
}

#[cargo_test]
fn each_macro_behind_a_facade_counts() {
    let (one, two) = checkouts(|p| {
        let members = ["first", "second", "left", "right", "foo"];
        let p = p.file("Cargo.toml", &workspace(&members));
        let p = with_macro(with_macro(p, "first", 1), "second", 2);
        with_user(with_facade(
            with_facade(p, "left", "first"),
            "right",
            "second",
        ))
    });
    let _hook = Hook::new();
    assert_builds(&one, |_| {}, (0, 5), "1 2");
    assert_builds(&two, |_| {}, (5, 0), "1 2");
    for (changed, n, printed) in [("first", 3, "3 2"), ("second", 4, "3 4")] {
        two.change_file(format!("{changed}/src/lib.rs"), &number(n));
        two.wipe();
        two.hooked("build").run();
        assert_eq!(prints(&two.bin("foo")), printed);
        assert_builds(&two, |_| {}, (5, 0), printed);
    }
    // Each does what the other did.
    two.change_file("first/src/lib.rs", &number(2));
    two.change_file("second/src/lib.rs", &number(1));
    two.wipe();
    two.hooked("build").run();
    assert_eq!(prints(&two.bin("foo")), "2 1");
    assert_builds(&one, |_| {}, (5, 0), "1 2");
}

#[cargo_test]
fn a_facade_of_another_macro_counts() {
    let (one, two) = checkouts(|p| {
        let members = ["first", "second", "left", "right", "foo"];
        let p = p.file("Cargo.toml", &workspace(&members));
        let p = with_macro(with_macro(p, "first", 1), "second", 2);
        with_user(with_facade(
            with_facade(p, "left", "first"),
            "right",
            "second",
        ))
    });
    let _hook = Hook::new();
    assert_builds(&one, |_| {}, (0, 5), "1 2");
    // Only the manifest says which macro that is.
    let needs =
        |of: &str| format!("[dependencies]\nmac = {{ package = '{of}', path = '../{of}' }}");
    two.change_file("left/Cargo.toml", &package("left", &needs("second")));
    two.hooked("build").run();
    assert_eq!(prints(&two.bin("foo")), "2 2");
    two.change_file("right/Cargo.toml", &package("right", &needs("first")));
    two.wipe();
    two.hooked("build").run();
    assert_eq!(prints(&two.bin("foo")), "2 1");
}
