//! Libraries that nobody edits are one file in the cache and in every build directory; all else is not.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_test_support::prelude::*;
use cargo_test_support::registry::Package;
use cargo_test_support::{Project, ProjectBuilder, paths};
use hook_protocol::Digest;

use crate::support::{Counts, Hooked, cached, checkouts, package, prints, shipped_cache};

/// A program, a library and a macro of its own, and a package from a registry.
fn files(p: ProjectBuilder) -> ProjectBuilder {
    p.file(
        "Cargo.toml",
        &package("foo", "[dependencies]\nbar = '1'\nown = { path = 'own' }"),
    )
    .file("src/main.rs", "fn main() { println!(\"{}\", own::n()); }")
    .file(
        "own/Cargo.toml",
        &package("own", "[dependencies]\nbar = '1'"),
    )
    .file("own/src/lib.rs", "pub fn n() -> u32 { bar::n() }")
}

fn publish() {
    Package::new("bar", "1.0.0")
        .file("src/lib.rs", "pub fn n() -> u32 { 3 }")
        .publish();
}

#[track_caller]
fn only(p: &Project, pattern: &str) -> PathBuf {
    let mut found = p.glob(pattern).map(|path| path.unwrap());
    let file = found.next().expect("there is one");
    assert_eq!(found.next(), None);
    file
}

/// Returns where the cache keeps a file.
fn blob(path: &Path) -> PathBuf {
    let hex = Digest::of_file(path).unwrap().to_hex();
    paths::root()
        .join("cache/v1/blobs")
        .join(&hex[..2])
        .join(hex)
}

#[cfg(unix)]
fn is_one_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let node = |path: &Path| {
        let metadata = fs::metadata(path).unwrap();
        (metadata.dev(), metadata.ino())
    };
    node(one) == node(other)
}

/// Tells whether a file system has hard links, and no reflinks, which are preferred.
#[cfg(unix)]
fn has_hard_links_only() -> bool {
    let root = paths::root();
    fs::create_dir_all(&root).unwrap();
    let (one, two) = (root.join("probe-1"), root.join("probe-2"));
    fs::write(&one, "x").unwrap();
    let has_links = fs::hard_link(&one, &two).is_ok();
    let mut cp = std::process::Command::new("cp");
    let has_reflinks = cp
        .arg("--reflink=always")
        .args([&one, &root.join("probe-3")])
        .stderr(std::process::Stdio::null())
        .status();
    has_links && !has_reflinks.is_ok_and(|it| it.success())
}

#[cfg(unix)]
#[cargo_test]
fn a_library_is_one_file() {
    if !shipped_cache("") || !has_hard_links_only() {
        return;
    }
    publish();
    let (one, two) = checkouts(files);
    cached(&one, "build").counts(0, 3).run();
    cached(&two, "build").counts(3, 0).run();
    for pattern in ["libbar-*.rlib", "libbar-*.rmeta", "libown-*.rlib"] {
        let pattern = format!("target/debug/deps/{pattern}");
        let [first, second] = [&one, &two].map(|p| only(p, &pattern));
        assert!(is_one_file(&first, &second), "{pattern}");
        assert!(is_one_file(&first, &blob(&first)), "{pattern}");
    }
    let [first, second] = [&one, &two].map(|p| only(p, "target/debug/deps/foo-????????????????"));
    assert!(!is_one_file(&first, &second));
    for file in [&first, &second] {
        assert!(!is_one_file(file, &blob(file)));
    }
    assert_eq!(prints(&two.bin("foo")), "3");
    cached(&two, "build").fresh().run();
}

/// Cargo alone runs a compiled build script, so that it is one file as well.
#[cfg(unix)]
#[cargo_test]
fn a_build_script_of_a_dependency_is_one_file() {
    if !shipped_cache("") || !has_hard_links_only() {
        return;
    }
    Package::new("bar", "1.0.0")
        .file(
            "build.rs",
            "fn main() { println!(\"cargo::rustc-env=N=3\"); }",
        )
        .file("src/lib.rs", "pub fn n() -> &'static str { env!(\"N\") }")
        .publish();
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1'"))
            .file("src/main.rs", "fn main() { println!(\"{}\", bar::n()); }")
    });
    cached(&one, "build").counts_with_runs(0, 3, 1).run();
    cached(&two, "build").counts(4, 0).run();
    let pattern = "target/debug/build/bar-*/build_script_build-????????????????";
    let [first, second] = [&one, &two].map(|p| only(p, pattern));
    assert!(is_one_file(&first, &second) && is_one_file(&first, &blob(&first)));
    // It can be run, and what a linker writes in its place is another file.
    let salted = |p: &Project| {
        let mut execs = cached(p, "build");
        execs.env("CARGO_HOOKS_BUILD_SCRIPTS", "false");
        execs
    };
    std::fs::remove_dir_all(two.build_dir()).unwrap();
    salted(&two).counts_with_runs(3, 0, 1).run();
    cached(&two, "build")
        .env("RUSTFLAGS", "-Copt-level=1")
        .counts_with_runs(0, 3, 1)
        .run();
    assert!(blob(&first).is_file(), "the cache has what it had");
    assert_eq!(prints(&two.bin("foo")), "3");
}

/// A link has the time of the file in the cache, which a Cargo that goes by times would have to take for its own.
#[cfg(unix)]
#[cargo_test]
fn nothing_is_linked_where_times_decide() {
    if !shipped_cache("") {
        return;
    }
    publish();
    let (one, two) = checkouts(files);
    for p in [&one, &two] {
        cached(p, "build")
            .env("CARGO_BUILD_FINGERPRINT", "mtime")
            .run();
    }
    let [first, second] = [&one, &two].map(|p| only(p, "target/debug/deps/libbar-*.rlib"));
    assert!(!is_one_file(&first, &second));
    assert!(!is_one_file(&first, &blob(&first)));
    cached(&two, "build")
        .env("CARGO_BUILD_FINGERPRINT", "mtime")
        .fresh()
        .run();
}

/// To a Cargo that goes by times, what was built first must be older: libraries that are links, the folder
/// and the program of a build script, which are copies, and a macro.
#[cargo_test]
fn stock_cargo_finds_what_is_linked_fresh() {
    // With `remap` the names of files would be others.
    if !shipped_cache("remap = false") {
        return;
    }
    Package::new("bar", "1.0.0")
        .dep("baz", "1")
        .file(
            "src/lib.rs",
            "extern crate baz; pub fn n() -> u32 { baz::n!() }",
        )
        .publish();
    Package::new("baz", "1.0.0")
        .dep("macros", "1")
        .file(
            "build.rs",
            "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }",
        )
        .file("src/lib.rs", "extern crate macros; pub use macros::n;")
        .publish();
    Package::new("macros", "1.0.0")
        .proc_macro(true)
        .file(
            "src/lib.rs",
            "extern crate proc_macro;\n#[proc_macro]\n\
             pub fn n(_: proc_macro::TokenStream) -> proc_macro::TokenStream { \"3\".parse().unwrap() }",
        )
        .publish();
    let (one, two) = checkouts(files);
    cached(&one, "build").counts_with_runs(0, 6, 1).run();
    cached(&two, "build").counts(5, 2).run();
    assert_eq!(prints(&two.bin("foo")), "3");
    cached(&two, "build")
        .env("CARGO_HOOKS_ENABLED", "false")
        .fresh()
        .run();
    cached(&two, "build").fresh().run();
}

/// What the compiler writes replaces a link, and does not reach the cache through it.
#[cargo_test]
fn a_rebuild_does_not_write_through_a_link() {
    if !shipped_cache("") {
        return;
    }
    publish();
    let (one, two) = checkouts(files);
    cached(&one, "build").counts(0, 3).run();
    cached(&two, "build").counts(3, 0).run();
    let library = only(&two, "target/debug/deps/libbar-*.rlib");
    let before = Digest::of_file(&library).unwrap();
    // The unit is built again under the same name.
    let fingerprint = only(&two, "target/debug/.fingerprint/bar-*");
    fs::remove_dir_all(fingerprint).unwrap();
    cached(&two, "build")
        .env("CARGO_HOOKS_MODE", "refresh")
        .run();
    for p in [&one, &two] {
        let library = only(p, "target/debug/deps/libbar-*.rlib");
        assert_eq!(Digest::of_file(&library).unwrap(), before);
        cached(p, "build").fresh().run();
    }
}

/// Whoever writes into a linked library writes into the cache: it shows, costs a compilation, and heals.
#[cargo_test]
fn a_linked_library_that_is_edited_in_place_is_noticed_by_all() {
    if !shipped_cache("") {
        return;
    }
    publish();
    let (one, two) = checkouts(files);
    cached(&one, "build").counts(0, 3).run();
    cached(&two, "build").counts(3, 0).run();
    let library = only(&two, "target/debug/deps/libbar-*.rlib");
    let before = Digest::of_file(&library).unwrap();
    let size = fs::metadata(&library).unwrap().len();
    fs::write(&library, vec![b'x'; size.try_into().unwrap()]).unwrap();
    // Where there are reflinks, this is the one checkout that has noticed anything.
    for p in [&two, &one] {
        let errors = cached(p, "build").run().stderr;
        let errors = String::from_utf8(errors).unwrap();
        assert!(!errors.contains("warning:"), "{errors}");
        assert_eq!(
            Digest::of_file(&only(p, "target/debug/deps/libbar-*.rlib")).unwrap(),
            before
        );
    }
    two.wipe();
    cached(&two, "build").counts(3, 0).run();
    assert_eq!(prints(&two.bin("foo")), "3");
}

/// With `verify = "always"` even a change that hides its time is noticed: `touch -r`.
#[cfg(unix)]
#[cargo_test]
fn everything_is_read_if_wanted() {
    if !shipped_cache("verify = 'always'") {
        return;
    }
    publish();
    let (one, two) = checkouts(files);
    cached(&one, "build").counts(0, 3).run();
    cached(&two, "build").counts(3, 0).run();
    let library = blob(&only(&two, "target/debug/deps/libbar-*.rlib"));
    let metadata = fs::metadata(&library).unwrap();
    fs::write(&library, vec![b'x'; metadata.len().try_into().unwrap()]).unwrap();
    let file = fs::File::options().write(true).open(&library).unwrap();
    file.set_modified(metadata.modified().unwrap()).unwrap();
    two.wipe();
    cached(&two, "build").run();
    assert_eq!(prints(&two.bin("foo")), "3");
}
