//! Caches in places where something does not work: builds are slower there, and right.

use std::fs;
use std::path::{Path, PathBuf};
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::time::{Duration, Instant};

use cargo_test_support::prelude::*;
use cargo_test_support::registry::Package;
use cargo_test_support::{Execs, Project, ProjectBuilder, paths};

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

fn warnings(execs: &mut Execs) -> usize {
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

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[cargo_test]
fn a_cache_on_a_slow_file_system_is_waited_for() {
    const DELAY: Duration = Duration::from_millis(30);
    let library = paths::root().join("slow.so");
    let mut compiler = std::process::Command::new("cc");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/it/storage/slow.c");
    compiler.args(["-shared", "-fPIC", "-O", source, "-ldl", "-o"]);
    let compiled = compiler.arg(&library).status();
    if !shipped_cache("") || !compiled.is_ok_and(|it| it.success()) {
        return;
    }
    let (one, two) = project();
    let build = |p: &Project| {
        let mut execs = cached(p, "build");
        execs.env("LD_PRELOAD", &library);
        execs.env("SLOW_ROOT", paths::root().join("cache"));
        execs.env("SLOW_DELAY", DELAY.as_millis().to_string());
        execs
    };
    assert_eq!(warnings(build(&one).counts(0, 2)), 0);
    let began = Instant::now();
    assert_eq!(warnings(build(&two).counts(2, 0)), 0);
    // Each of the two is at least found, opened and placed.
    assert!(began.elapsed() > 3 * DELAY);
    assert_eq!(prints(&two.bin("foo")), "3");
    build(&two).fresh().run();
}

/// Where capital letters do not count, two names that differ by nothing else are one file.
#[cargo_test]
fn no_name_in_a_cache_has_capitals() {
    if !shipped_cache("") {
        return;
    }
    let (one, _) = checkouts(|p| {
        let dependencies = "[dependencies]\nbar.path = 'lower'\nBAR.path = 'upper'";
        p.file("Cargo.toml", &package("foo", dependencies))
            .file(
                "build.rs",
                "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }",
            )
            .file("src/main.rs", "fn main() { bar::n(); BAR::n(); }")
            .file("lower/Cargo.toml", &package("bar", ""))
            .file("lower/src/lib.rs", "pub fn n() {}")
            .file("upper/Cargo.toml", &package("BAR", ""))
            .file(
                "upper/src/lib.rs",
                "#![allow(non_snake_case)] pub fn n() {}",
            )
    });
    cached(&one, "build").run();
    let mut folders = vec![paths::root().join("cache")];
    let mut met = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            assert!(
                name == "CACHEDIR.TAG" || name == name.to_lowercase(),
                "{name}"
            );
            met += 1;
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    assert!(
        met > 12,
        "{met} is too few for four results and what belongs to them"
    );
}
