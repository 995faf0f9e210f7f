//! Files: of the package, beside it, and of its dependencies.

use std::path::PathBuf;

use cargo_test_support::prelude::*;
use cargo_test_support::{paths, project, registry};

use super::assert_builds;
use crate::support::{Counts, Hook, Hooked, package, prints, workspace};

#[cargo_test]
fn an_edited_source_is_compiled() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file(
            "src/main.rs",
            "mod n;\nfn main() { println!(\"{}\", n::N); }",
        )
        .file("src/n.rs", "pub const N: u32 = 1;")
        .build();
    let _hook = Hook::new();
    for (n, counts) in [
        (1, (0, 1)),
        (1, (1, 0)),
        (2, (0, 1)),
        (1, (1, 0)),
        (2, (1, 0)),
    ] {
        p.change_file("src/n.rs", &format!("pub const N: u32 = {n};"));
        assert_builds(&p, |_| {}, counts, &n.to_string());
    }
}

#[cargo_test]
fn an_edited_source_is_restored_without_wiping() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file("src/main.rs", "fn main() { println!(\"1\"); }")
        .build();
    let _hook = Hook::new();
    for (n, restored, compiled) in [(1, 0, 1), (2, 0, 1), (1, 1, 0), (2, 1, 0)] {
        p.change_file(
            "src/main.rs",
            &format!("fn main() {{ println!(\"{n}\"); }}"),
        );
        p.hooked("build").counts(restored, compiled).run();
        assert_eq!(prints(&p.bin("foo")), n.to_string());
        p.hooked("build").fresh().run();
    }
}

#[cargo_test]
fn a_file_outside_the_package_counts() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file(
            "src/main.rs",
            "fn main() { println!(\"{}\", include_str!(\"../../outside.txt\")); }",
        )
        .build();
    let _hook = Hook::new();
    for (text, counts) in [("a", (0, 1)), ("a", (1, 0)), ("b", (0, 1)), ("a", (1, 0))] {
        std::fs::write(paths::root().join("outside.txt"), text).unwrap();
        assert_builds(&p, |_| {}, counts, text);
    }
}

#[cargo_test]
fn a_file_that_hides_another_counts() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file(
            "src/main.rs",
            "mod n;\nfn main() { println!(\"{}\", n::N); }",
        )
        .file("src/n/mod.rs", "pub const N: u32 = 1;")
        .build();
    let _hook = Hook::new();
    assert_builds(&p, |_| {}, (0, 1), "1");
    std::fs::remove_file(p.root().join("src/n/mod.rs")).unwrap();
    p.change_file("src/n.rs", "pub const N: u32 = 2;");
    assert_builds(&p, |_| {}, (0, 1), "2");
}

#[cargo_test]
fn a_program_that_is_found_by_its_place_counts() {
    let p = project()
        .file("Cargo.toml", &package("foo", ""))
        .file("src/main.rs", "fn main() { println!(\"1\"); }")
        .build();
    let _hook = Hook::new();
    assert_builds(&p, |_| {}, (0, 1), "1");
    p.change_file("src/bin/other.rs", "fn main() {}");
    p.wipe();
    p.hooked("build").run();
    assert!(p.bin("other").is_file());
}

#[cargo_test]
fn an_edited_dependency_counts() {
    let p = project()
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 1 }")
        .build();
    let _hook = Hook::new();
    for (n, counts) in [(1, (0, 2)), (2, (0, 2)), (1, (2, 0)), (2, (2, 0))] {
        p.change_file("bar/src/lib.rs", &format!("pub fn n() -> u32 {{ {n} }}"));
        assert_builds(&p, |_| {}, counts, &n.to_string());
    }
}

#[cargo_test]
fn an_inlined_function_of_a_dependency_of_a_dependency_counts() {
    let p = project()
        .file("Cargo.toml", &workspace(&["foo", "bar", "baz"]))
        .file(
            "foo/Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = '../bar' }"),
        )
        .file(
            "foo/src/main.rs",
            "fn main() { println!(\"{}\", bar::n::<u8>()); }",
        )
        .file(
            "bar/Cargo.toml",
            &package("bar", "[dependencies]\nbaz = { path = '../baz' }"),
        )
        .file("bar/src/lib.rs", "pub fn n<T>() -> u32 { baz::n() }")
        .file("baz/Cargo.toml", &package("baz", ""))
        .file("baz/src/lib.rs", "")
        .build();
    let _hook = Hook::new();
    for (n, counts) in [(1, (0, 3)), (2, (0, 3)), (1, (3, 0))] {
        p.change_file(
            "baz/src/lib.rs",
            &format!("#[inline] pub fn n() -> u32 {{ {n} }}"),
        );
        assert_builds(&p, |_| {}, counts, &n.to_string());
    }
}

/// Returns the unpacked source of `bar` in a home.
fn unpacked(home: &std::path::Path) -> PathBuf {
    let sources = std::fs::read_dir(home.join("registry/src")).unwrap();
    sources
        .last()
        .unwrap()
        .unwrap()
        .path()
        .join("bar-1.0.0/src/lib.rs")
}

#[cargo_test]
fn an_edited_registry_source_shows_and_stays_at_home() {
    registry::Package::new("bar", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { 1 }")
        .publish();
    let p = project()
        .file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
        .build();
    let _hook = Hook::new();
    assert_builds(&p, |_| {}, (0, 2), "1");

    let source = unpacked(&paths::cargo_home());
    std::fs::write(&source, "pub fn n() -> u32 { 2 }").unwrap();
    p.hooked("clean -p bar").run();
    p.hooked("build").run();
    assert_eq!(
        prints(&p.bin("foo")),
        "2",
        "an edit of one's own registry source shows"
    );
    p.wipe();
    p.hooked("build").run();
    assert_eq!(prints(&p.bin("foo")), "2", "also in a new target directory");

    // Another home has the pristine source.
    let home = paths::root().join("other-home");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::copy(
        paths::cargo_home().join("config.toml"),
        home.join("config.toml"),
    )
    .unwrap();
    p.wipe();
    p.hooked("build")
        .env("CARGO_HOME", &home)
        .counts(2, 0)
        .run();
    assert_eq!(prints(&p.bin("foo")), "1", "the edit stays at home");
}

#[cargo_test(ignore_windows = "there is no time of change of metadata")]
fn an_edit_of_a_registry_source_that_hides_its_time_shows() {
    registry::Package::new("bar", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { 1 }")
        .publish();
    let p = project()
        .file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
        .build();
    let _hook = Hook::new();
    assert_builds(&p, |_| {}, (0, 2), "1");
    let source = unpacked(&paths::cargo_home());
    let modified = std::fs::metadata(&source).unwrap().modified().unwrap();
    std::fs::write(&source, "pub fn n() -> u32 { 2 }").unwrap();
    std::fs::File::options()
        .write(true)
        .open(&source)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    p.wipe();
    p.hooked("build").run();
    assert_eq!(prints(&p.bin("foo")), "2");
}
