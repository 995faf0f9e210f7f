//! Where packages come from: of several with one name and version, each result is that of its own sources.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder, basic_manifest, git, paths, project, registry};

use super::assert_builds;
use crate::support::{Counts, Hook, Hooked, checkouts, has, package, prints, workspace};

const PRINTS_BAR: &str = "fn main() { println!(\"{}\", bar::n()); }";

fn number(n: u32) -> String {
    format!("pub fn n() -> i32 {{ {n} }}")
}

/// A library whose number comes from C, as files with their text.
const FROM_C: &[(&str, &str)] = &[
    (
        "build.rs",
        r#"
            use std::{env, process::Command};

            fn main() {
                println!("cargo::rerun-if-changed=n.c");
                let out = env::var("OUT_DIR").unwrap();
                let run = |program: &str, args: &[&str]| {
                    let status = Command::new(program).args(args).status();
                    assert!(status.is_ok_and(|it| it.success()));
                };
                let object = format!("{out}/n.o");
                run("cc", &["-c", "n.c", "-o", &object]);
                run("ar", &["rcsD", &format!("{out}/libn.a"), &object]);
                println!("cargo::rustc-link-search=native={out}");
                println!("cargo::rustc-link-lib=static=n");
            }
        "#,
    ),
    ("n.c", C_1),
    (
        "src/lib.rs",
        r#"
            mod c { unsafe extern "C" { pub(super) fn n() -> i32; } }
            pub fn n() -> i32 { unsafe { c::n() } }
        "#,
    ),
];

const C_1: &str = "int n(void) { return 1; }";
const C_2: &str = "int n(void) { return 2; }";

/// A program that prints the number of a vendored `bar`, of whose files no checksum is known.
fn vendored(p: ProjectBuilder, bar: &[(&str, &str)]) -> ProjectBuilder {
    let config = "[source.crates-io]\nreplace-with = 'vendored'\n\n\
                  [source.vendored]\ndirectory = 'vendor'\n";
    let mut p = p
        .file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
        .file("src/main.rs", PRINTS_BAR)
        .file(".cargo/config.toml", config)
        .file("vendor/bar/Cargo.toml", &basic_manifest("bar", "1.0.0"))
        .file("vendor/bar/.cargo-checksum.json", "{\"files\":{}}");
    for (name, text) in bar {
        p = p.file(format!("vendor/bar/{name}"), text);
    }
    p
}

#[cargo_test]
fn an_edited_vendored_source_counts() {
    let (one, two) = checkouts(|p| vendored(p, &[("src/lib.rs", &number(1))]));
    let _hook = Hook::new();
    assert_builds(&one, |_| {}, (0, 2), "1");
    assert_builds(&two, |_| {}, (2, 0), "1");
    two.change_file("vendor/bar/src/lib.rs", &number(2));
    assert_builds(&two, |_| {}, (0, 2), "2");
    assert_builds(&one, |_| {}, (2, 0), "1");
    one.change_file("vendor/bar/src/lib.rs", &number(2));
    assert_builds(&one, |_| {}, (2, 0), "2");
}

#[cargo_test(ignore_windows = "there is no `cc`")]
fn an_edited_c_source_of_a_vendored_package_counts() {
    if !has("cc") || !has("ar") {
        return;
    }
    let (one, two) = checkouts(|p| vendored(p, FROM_C));
    let _hook = Hook::new();
    let builds = |p: &Project, (restored, compiled, ran), printed: &str| {
        p.wipe();
        p.hooked("build")
            .counts_with_runs(restored, compiled, ran)
            .run();
        assert_eq!(prints(&p.bin("foo")), printed);
    };
    builds(&one, (0, 3, 1), "1");
    builds(&two, (4, 0, 0), "1");
    two.change_file("vendor/bar/n.c", C_2);
    builds(&two, (0, 3, 1), "2");
    builds(&one, (4, 0, 0), "1");
    one.change_file("vendor/bar/n.c", C_2);
    builds(&one, (4, 0, 0), "2");
}

#[cargo_test]
fn a_vendored_package_is_not_the_one_of_the_registry() {
    registry::Package::new("bar", "1.0.0")
        .file("src/lib.rs", &number(1))
        .publish();
    let with_registry = project()
        .file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
        .file("src/main.rs", PRINTS_BAR)
        .build();
    let at = ProjectBuilder::new(paths::root().join("vendored"));
    let with_vendored = vendored(at, &[("src/lib.rs", &number(2))]).build();
    let _hook = Hook::new();
    assert_builds(&with_registry, |_| {}, (0, 2), "1");
    assert_builds(&with_vendored, |_| {}, (0, 2), "2");
    assert_builds(&with_registry, |_| {}, (2, 0), "1");
    assert_builds(&with_vendored, |_| {}, (2, 0), "2");
}

/// Makes a home of its own with the configuration of the test's.
fn another_home() -> PathBuf {
    let home = paths::root().join("another/home");
    fs::create_dir_all(&home).unwrap();
    let config = paths::cargo_home().join("config.toml");
    if config.is_file() {
        fs::copy(config, home.join("config.toml")).unwrap();
    }
    home
}

/// Returns the one file that a pattern finds.
#[track_caller]
fn only(p: &Project, pattern: &Path) -> PathBuf {
    let mut found = p.glob(pattern).map(|path| path.unwrap());
    let file = found.next().expect("there is one");
    assert_eq!(found.next(), None);
    file
}

#[cargo_test]
fn an_edit_in_a_checkout_of_git_shows_and_stays_at_home() {
    let (library, _) = git::new_repo("bar", |p| {
        p.file("Cargo.toml", &basic_manifest("bar", "1.0.0"))
            .file("src/lib.rs", &number(1))
    });
    let needs = format!("[dependencies]\nbar = {{ git = '{}' }}", library.url());
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", &needs))
            .file("src/main.rs", PRINTS_BAR)
    });
    let _hook = Hook::new();
    assert_builds(&one, |_| {}, (0, 2), "1");
    let pattern = paths::cargo_home().join("git/checkouts/*/*/src/lib.rs");
    fs::write(only(&one, &pattern), number(2)).unwrap();
    // In a target directory that is wiped, and in another checkout.
    for p in [&one, &two] {
        p.wipe();
        p.hooked("build").run();
        assert_eq!(prints(&p.bin("foo")), "2", "an edit shows");
    }
    let home = another_home();
    two.wipe();
    two.hooked("build")
        .env("CARGO_HOME", &home)
        .counts(2, 0)
        .run();
    assert_eq!(prints(&two.bin("foo")), "1", "the edit stays at home");

    // Undone, it is what it was; that its time is another one costs no more than time.
    fs::write(only(&one, &pattern), number(1)).unwrap();
    one.wipe();
    one.hooked("build").run();
    assert_eq!(prints(&one.bin("foo")), "1");
}

#[cargo_test(ignore_windows = "there is no `cc`")]
fn an_edited_c_source_of_a_registry_package_shows_and_stays_at_home() {
    if !has("cc") || !has("ar") {
        return;
    }
    let mut bar = registry::Package::new("bar", "1.0.0");
    for (name, text) in FROM_C {
        bar.file(name, text);
    }
    bar.publish();
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", "[dependencies]\nbar = '1.0'"))
            .file("src/main.rs", PRINTS_BAR)
    });
    let _hook = Hook::new();
    one.hooked("build").counts_with_runs(0, 3, 1).run();
    assert_eq!(prints(&one.bin("foo")), "1");
    let pattern = paths::cargo_home().join("registry/src/*/bar-1.0.0/n.c");
    fs::write(only(&one, &pattern), C_2).unwrap();
    for p in [&one, &two] {
        p.wipe();
        p.hooked("build").run();
        assert_eq!(prints(&p.bin("foo")), "2", "an edit shows");
    }
    let home = another_home();
    two.wipe();
    two.hooked("build")
        .env("CARGO_HOME", &home)
        .counts(4, 0)
        .run();
    assert_eq!(prints(&two.bin("foo")), "1", "the edit stays at home");
}

#[cargo_test]
fn a_patch_is_not_the_package_that_it_replaces() {
    registry::Package::new("bar", "1.0.0")
        .file("src/lib.rs", &number(1))
        .publish();
    let with = |place: &str, more: &str| {
        let needs = format!("[dependencies]\nbar = '1.0'\n{more}");
        ProjectBuilder::new(paths::root().join(place))
            .file("Cargo.toml", &package("foo", &needs))
            .file("src/main.rs", PRINTS_BAR)
    };
    let patch = "[patch.crates-io]\nbar = { path = 'bar' }";
    let patched = |place: &str| {
        with(place, patch)
            .file("bar/Cargo.toml", &basic_manifest("bar", "1.0.0"))
            .file("bar/src/lib.rs", &number(2))
            .build()
    };
    let plain = with("plain", "").build();
    let (one, two) = (patched("one"), patched("a/deeper/two"));
    let _hook = Hook::new();
    assert_builds(&plain, |_| {}, (0, 2), "1");
    assert_builds(&one, |_| {}, (0, 2), "2");
    assert_builds(&two, |_| {}, (2, 0), "2");
    assert_builds(&plain, |_| {}, (2, 0), "1");
    two.change_file("bar/src/lib.rs", &number(3));
    assert_builds(&two, |_| {}, (0, 2), "3");
    assert_builds(&one, |_| {}, (2, 0), "2");
    // Without the patch it is the package of the registry again.
    one.change_file(
        "Cargo.toml",
        &package("foo", "[dependencies]\nbar = '1.0'\n"),
    );
    fs::remove_file(one.root().join("Cargo.lock")).unwrap();
    one.hooked("build").run();
    assert_eq!(prints(&one.bin("foo")), "1");
}

#[cargo_test]
fn packages_of_two_projects_may_have_one_name() {
    let at = |place: &str, n: u32| {
        ProjectBuilder::new(paths::root().join(place))
            .file("Cargo.toml", &workspace(&["foo", "crates/util"]))
            .file(
                "foo/Cargo.toml",
                &package("foo", "[dependencies]\nutil = { path = '../crates/util' }"),
            )
            .file(
                "foo/src/main.rs",
                "fn main() { println!(\"{}\", util::n()); }",
            )
            .file("crates/util/Cargo.toml", &package("util", ""))
            .file("crates/util/src/lib.rs", &number(n))
            .build()
    };
    let (one, two) = (at("one", 1), at("another/project", 2));
    let _hook = Hook::new();
    assert_builds(&one, |_| {}, (0, 2), "1");
    assert_builds(&two, |_| {}, (0, 2), "2");
    assert_builds(&one, |_| {}, (2, 0), "1");
    assert_builds(&two, |_| {}, (2, 0), "2");
    // What is the same is the same, whoever has made it.
    two.change_file("crates/util/src/lib.rs", &number(1));
    assert_builds(&two, |_| {}, (2, 0), "1");
}

/// Cargo takes no two packages of one name and version from folders, but one from a folder, one from the
/// registry and one from a repository.
#[track_caller]
fn assert_namesakes_are_kept_apart(place: &str) {
    let manifest = basic_manifest("bar", "1.0.0");
    registry::Package::new("bar", "1.0.0")
        .file("src/lib.rs", &number(1))
        .publish();
    let (repository, _) = git::new_repo("repository", |p| {
        p.file("Cargo.toml", &manifest)
            .file("src/lib.rs", &number(2))
    });
    let needs = format!(
        "[dependencies]\nbar = '1.0'\nfrom_git = {{ package = 'bar', git = '{}' }}\n\
         from_folder = {{ package = 'bar', path = '{place}' }}",
        repository.url()
    );
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", &needs))
            .file(
                "src/main.rs",
                "fn main() { println!(\"{} {} {}\", bar::n(), from_git::n(), from_folder::n()); }",
            )
            .file(format!("{place}/Cargo.toml"), &manifest)
            .file(format!("{place}/src/lib.rs"), &number(3))
    });
    let _hook = Hook::new();
    assert_builds(&one, |_| {}, (0, 4), "1 2 3");
    two.hooked("build").run();
    assert_eq!(prints(&two.bin("foo")), "1 2 3");
    // Others are restored where one of them differs, or has what is another's.
    for n in [1, 2, 4] {
        two.change_file(format!("{place}/src/lib.rs"), &number(n));
        assert_builds(&two, |_| {}, (2, 2), &format!("1 2 {n}"));
        assert_builds(&two, |_| {}, (4, 0), &format!("1 2 {n}"));
    }
    assert_builds(&one, |_| {}, (4, 0), "1 2 3");
}

#[cargo_test]
fn a_package_of_a_workspace_may_have_the_name_of_others() {
    assert_namesakes_are_kept_apart("crates/bar");
}

#[cargo_test]
fn a_package_outside_of_a_workspace_may_have_the_name_of_others() {
    assert_namesakes_are_kept_apart("../outside/bar");
}
