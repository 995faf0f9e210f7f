//! What is written into a restored file stays there: nobody else has that file, and the cache least of all.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder, paths, registry};
use hook_protocol::Digest;

use crate::support::{
    Counts, Hooked, artifacts, assert_same, cached, has, package, prints, shipped_cache,
};

fn checkout(place: &str) -> Project {
    ProjectBuilder::new(paths::root().join(place))
        .file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "pub fn n() -> u32 { 3 }")
        .build()
}

/// Returns the digest of every file that the cache keeps of a result, by path.
fn kept() -> BTreeMap<PathBuf, Digest> {
    fn collect(dir: &Path, out: &mut BTreeMap<PathBuf, Digest>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, out);
            } else {
                out.insert(path.clone(), Digest::of_file(&path).unwrap());
            }
        }
    }
    let mut out = BTreeMap::new();
    for folder in ["blobs", "actions"] {
        collect(&paths::root().join("cache/v1").join(folder), &mut out);
    }
    out
}

fn compiled(p: &Project) -> BTreeMap<String, Digest> {
    let mut found = artifacts(&p.build_dir());
    // Lists of sources hold the paths of their checkout.
    found.retain(|name, _| !name.ends_with(".d"));
    found
}

/// Changes a file without replacing it: it is open for reading and writing, as a linker has it.
fn write_into(path: &Path) {
    let mut file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    file.write_all(b"edited").unwrap();
    file.seek(std::io::SeekFrom::End(0)).unwrap();
    file.write_all(b"appended").unwrap();
}

#[track_caller]
fn only(p: &Project, pattern: &str) -> PathBuf {
    let mut found = p.glob(pattern).map(|path| path.unwrap());
    let file = found.next().expect("there is one");
    assert_eq!(found.next(), None);
    file
}

#[cargo_test(ignore_windows = "there is no `strip`")]
fn a_restored_program_may_be_stripped() {
    if !shipped_cache("") || !has("strip") {
        return;
    }
    let (one, two, three) = (checkout("one"), checkout("two"), checkout("three"));
    cached(&one, "build").counts(0, 2).run();
    let original = compiled(&one);
    cached(&two, "build").counts(2, 0).run();
    let before = kept();
    // Both the one that was compiled here, and the one that was restored.
    for p in [&one, &two] {
        let size = fs::metadata(p.bin("foo")).unwrap().len();
        let status = Command::new("strip").arg(p.bin("foo")).status();
        assert!(status.unwrap().success());
        assert!(fs::metadata(p.bin("foo")).unwrap().len() < size);
        assert_eq!(kept(), before, "the cache has what it had");
        assert_eq!(prints(&p.bin("foo")), "3");
    }
    cached(&three, "build").counts(2, 0).run();
    assert_same(&compiled(&three), &original);
    // Here, too, after everything was removed.
    two.wipe();
    cached(&two, "build").counts(2, 0).run();
    assert_same(&compiled(&two), &original);
}

#[cargo_test]
fn a_library_that_is_written_into_is_repaired() {
    if shipped_cache("") {
        assert_repaired("bar", checkout);
    }
}

#[cargo_test]
fn a_program_that_is_written_into_is_that_of_one_checkout() {
    if !shipped_cache("") {
        return;
    }
    let (one, two, three) = (checkout("one"), checkout("two"), checkout("three"));
    cached(&one, "build").counts(0, 2).run();
    let original = compiled(&one);
    cached(&two, "build").counts(2, 0).run();
    let before = kept();
    for p in [&one, &two] {
        write_into(&only(p, "target/debug/foo"));
    }
    assert_eq!(kept(), before, "the cache has what it had");
    cached(&three, "build").counts(2, 0).run();
    assert_same(&compiled(&three), &original);
    assert_eq!(prints(&three.bin("foo")), "3");
}

#[cargo_test]
fn a_library_of_the_registry_that_is_written_into_is_repaired() {
    if !shipped_cache("") {
        return;
    }
    registry::Package::new("dep", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { 3 }")
        .publish();
    assert_repaired("dep", |place| {
        ProjectBuilder::new(paths::root().join(place))
            .file("Cargo.toml", &package("foo", "[dependencies]\ndep = '1.0'"))
            .file("src/main.rs", "fn main() { println!(\"{}\", dep::n()); }")
            .build()
    });
}

/// Writes into the library of a checkout, which other checkouts and the cache may have as well: all have the
/// right one after their next build.
#[track_caller]
fn assert_repaired(library: &str, at: impl Fn(&str) -> Project) {
    let (one, two, three) = (at("one"), at("two"), at("three"));
    cached(&one, "build").counts(0, 2).run();
    let original = compiled(&one);
    cached(&two, "build").counts(2, 0).run();
    // The cache may have the same file, and loses it then: that costs time.
    for p in [&one, &two] {
        for extension in ["rlib", "rmeta"] {
            let pattern = format!("target/debug/deps/lib{library}-*.{extension}");
            write_into(&only(p, &pattern));
            three.wipe();
            for p in [&three, p] {
                cached(p, "build").run();
                assert_same(&compiled(p), &original);
                assert_eq!(prints(&p.bin("foo")), "3");
                cached(p, "build").fresh().run();
            }
        }
    }
    for p in [&one, &two, &three] {
        p.wipe();
        cached(p, "build").counts(2, 0).run();
        assert_same(&compiled(p), &original);
    }
}
