//! Caches in places where something does not work: builds are slower there, and right.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_test_support::prelude::*;
use cargo_test_support::registry::Package;
use cargo_test_support::{Project, ProjectBuilder, paths};

use crate::support::{Counts, Hook, cached, cargo, checkouts, package, prints, shipped_cache};

fn files(p: ProjectBuilder) -> ProjectBuilder {
    p.file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1'"))
        .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
}

fn project() -> (Project, Project) {
    Package::new("bar", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { 3 }")
        .publish();
    checkouts(files)
}

fn warnings(execs: &mut cargo_test_support::Execs) -> usize {
    let errors = String::from_utf8(execs.run().stderr).unwrap();
    errors.matches("warning:").count()
}

#[cfg(target_os = "linux")]
#[cargo_test]
fn a_cache_on_another_device_is_copied_from() {
    use std::os::unix::fs::MetadataExt;
    let Ok(far) = tempfile_in("/dev/shm") else {
        return;
    };
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    if !shipped_cache("") || device(&far.0) == device(&paths::root()) {
        return;
    }
    let (one, two) = project();
    let build = |p: &Project| {
        let mut execs = cached(p, "build");
        execs.env("CARGO_LOCAL_CACHE_DIR", &far.0);
        execs
    };
    assert_eq!(warnings(build(&one).counts(0, 2)), 0);
    assert_eq!(warnings(build(&two).counts(2, 0)), 0);
    assert_eq!(prints(&two.bin("foo")), "3");
    build(&two).fresh().run();
}

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn tempfile_in(parent: &str) -> std::io::Result<Folder> {
    let path = Path::new(parent).join(format!("cargo-hooks-test-{}", std::process::id()));
    fs::create_dir(&path)?;
    Ok(Folder(path))
}

/// Whatever cannot be written to: here a file is in the way, which stops a superuser too.
#[cargo_test]
fn a_cache_that_cannot_be_written_to_is_one_warning() {
    if !shipped_cache("") {
        return;
    }
    let (one, _) = project();
    fs::write(paths::root().join("cache"), "in the way").unwrap();
    assert_eq!(warnings(cached(&one, "build").counts(0, 2)), 1);
    assert_eq!(prints(&one.bin("foo")), "3");
    cached(&one, "build").fresh().run();
}

/// A cache that was filled, and is now read-only: it still serves.
#[cfg(unix)]
#[cargo_test]
fn a_cache_that_is_read_only_still_serves() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = project();
    cached(&one, "build").counts(0, 2).run();
    // What would be created is in the way: this stops a superuser too.
    let cache = paths::root().join("cache/v1");
    for folder in ["tmp", "flights"] {
        let _ = fs::remove_dir_all(cache.join(folder));
        fs::write(cache.join(folder), "in the way").unwrap();
    }
    let _ = cached(&two, "build").counts(2, 0).run();
    assert_eq!(prints(&two.bin("foo")), "3");
}

/// A limit on the size of files stands for a full disk: writing fails in the middle.
#[cfg(unix)]
#[cargo_test]
fn a_full_disk_is_one_warning_and_leaves_no_half_result() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = project();
    let program = with_little_room();
    Hook::configure(&format!(
        "[hooks]\nbefore-build = '{program}'\nafter-build = '{program}'\n"
    ));
    assert_eq!(warnings(cached(&one, "build").counts(0, 2)), 1);
    assert_eq!(prints(&one.bin("foo")), "3");
    cached(&one, "build").fresh().run();
    // With room again the second checkout finds nothing that is broken.
    assert!(shipped_cache(""));
    assert_eq!(warnings(&mut cached(&two, "build")), 0);
    assert_eq!(prints(&two.bin("foo")), "3");
}

/// Returns the shipped hook as a program that can write no file of more than a few hundred bytes.
#[cfg(unix)]
fn with_little_room() -> String {
    use std::os::unix::fs::PermissionsExt;
    let hook = cargo().with_file_name("cargo-hook-local-cache");
    let path = paths::root().join("full.sh");
    let text = format!(
        "#!/bin/sh\ntrap '' XFSZ\nulimit -f 1\nexec '{}' \"$@\"\n",
        hook.display()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}
