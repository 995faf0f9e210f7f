//! Runs are shared by commands, profiles of freshness and layouts, and stock Cargo finds them as its own.

use std::path::PathBuf;

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder, execs, process};

use super::{assert_builds, assert_builds_with, out_dir};
use crate::support::{Counts, Hooked, Text, cached, checkouts, package, prints, shipped_cache};

/// Two checkouts of a program with a script that makes a file, and tells what it made it of.
fn two_programs() -> (Project, Project) {
    checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "build.rs",
                r#"
                    fn main() {
                        println!("cargo::rerun-if-changed=n.txt");
                        let out = std::env::var("OUT_DIR").unwrap();
                        std::fs::copy("n.txt", format!("{out}/n.txt")).unwrap();
                    }
                "#,
            )
            .file(
                "src/main.rs",
                "fn main() {
                    println!(\"{}\", include_str!(concat!(env!(\"OUT_DIR\"), \"/n.txt\")));
                }",
            )
            .file("n.txt", "3")
    })
}

#[cargo_test]
fn checking_and_building_share_runs() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = two_programs();
    cached(&one, "check").counts_with_runs(0, 2, 1).run();
    assert_builds(&two, (2, 1, 0), "3");
    one.wipe();
    assert_builds(&one, (3, 0, 0), "3");
    // In one directory, too.
    cached(&two, "check").counts(1, 0).run();
    cached(&two, "test --no-run").counts(0, 1).run();
}

#[cargo_test]
fn another_profile_is_another_run() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = two_programs();
    assert_builds(&one, (0, 2, 1), "3");
    // `PROFILE` and `OPT_LEVEL` are other ones, and so is the script.
    cached(&two, "build --release")
        .counts_with_runs(0, 2, 1)
        .run();
    one.wipe();
    cached(&one, "build --release").counts(3, 0).run();
}

#[cargo_test]
fn features_count() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", "[features]\nloud = []"))
            .file(
                "build.rs",
                r#"
                    fn main() {
                        let is_loud = std::env::var("CARGO_FEATURE_LOUD").is_ok();
                        println!("cargo::rustc-env=RESULT={is_loud}");
                    }
                "#,
            )
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
    });
    let loud = |execs: &mut Execs| {
        execs.args(&["--features", "loud"]);
    };
    assert_builds(&one, (0, 2, 1), "false");
    assert_builds_with(&one, loud, (0, 2, 1), "true");
    assert_builds_with(&two, loud, (3, 0, 0), "true");
    two.wipe();
    assert_builds(&two, (3, 0, 0), "false");
}

#[cargo_test]
fn a_cleaned_build_directory_is_restored() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = two_programs();
    assert_builds(&one, (0, 2, 1), "3");
    assert_builds(&two, (3, 0, 0), "3");
    cached(&two, "clean").run();
    assert!(!two.bin("foo").exists());
    assert_builds(&two, (3, 0, 0), "3");
}

/// People clean a package to have it built anew: what is in the cache may be bad.
#[cargo_test]
fn a_cleaned_package_is_built_anew() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = two_programs();
    assert_builds(&one, (0, 2, 1), "3");
    assert_builds(&two, (3, 0, 0), "3");
    cached(&two, "clean -p foo --dry-run").run();
    cached(&two, "build").fresh().run();
    cached(&two, "clean -p foo").run();
    assert!(!two.bin("foo").exists());
    // A build that fails leaves it to the next.
    two.change_file("src/main.rs", "fn main() { missing }");
    cached(&two, "build")
        .with_status(101)
        .with_stderr_contains(
            "[ERROR] could not compile `foo` (bin \"foo\") due to 1 previous error",
        )
        .run();
    two.change_file("src/main.rs", &one.read_file("src/main.rs"));
    assert_builds(&two, (0, 1, 0), "3");
    two.wipe();
    assert_builds(&two, (3, 0, 0), "3");
}

/// Returns stock Cargo, if there is one.
fn stock() -> Option<PathBuf> {
    let stock = std::env::var_os("STOCK_CARGO").map(PathBuf::from);
    if stock.is_none() {
        eprintln!("skipped: `STOCK_CARGO` names no stock Cargo");
    }
    stock
}

#[cargo_test]
fn restored_runs_are_fresh_for_modification_times_and_for_stock_cargo() {
    // Without other names for places the units are those of stock Cargo, and hold their paths.
    if !shipped_cache("remap = false") {
        return;
    }
    let (one, two) = two_programs();
    let by_time = |execs: &mut Execs| {
        execs.env("CARGO_BUILD_FINGERPRINT", "mtime");
    };
    assert_builds_with(&one, by_time, (0, 2, 1), "3");
    assert_builds_with(&two, by_time, (2, 1, 0), "3");
    two.wipe();
    assert_builds_with(&two, by_time, (3, 0, 0), "3");
    let Some(stock) = stock() else {
        return;
    };
    let mut build = process(stock);
    build.cwd(two.root()).args(&["build", "-v"]);
    let said = execs().with_process_builder(build).run().errors();
    assert!(said.contains("Fresh foo v0.1.0"), "{said}");
    assert!(!said.contains("Running"), "{said}");
    // And the other way round: what the script reads is watched.
    two.change_file("n.txt", "4");
    let mut build = process(std::env::var_os("STOCK_CARGO").unwrap());
    build.cwd(two.root()).arg("build");
    execs().with_process_builder(build).run();
    assert_eq!(prints(&two.bin("foo")), "4");
    cached(&two, "build").fresh().run();
}

#[cargo_test]
fn the_new_layout_shares_runs() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = two_programs();
    let line = "build -Zbuild-dir-new-layout";
    for (p, (restored, compiled, ran)) in [(&one, (0, 2, 1)), (&two, (3, 0, 0))] {
        cached(p, line)
            .masquerade_as_nightly_cargo(&["build-dir-new-layout"])
            .counts_with_runs(restored, compiled, ran)
            .run();
        assert_eq!(prints(&p.bin("foo")), "3");
    }
}

#[cargo_test]
fn refreshing_replaces_a_run() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = two_programs();
    assert_builds(&one, (0, 2, 1), "3");
    let refresh = |execs: &mut Execs| {
        execs.env("CARGO_HOOKS_MODE", "refresh");
    };
    let said = assert_builds_with(&two, refresh, (0, 2, 1), "3");
    super::assert_said(&said, "Missed", "refresh");
    two.wipe();
    assert_builds(&two, (3, 0, 0), "3");
}

#[cargo_test]
fn documentation_is_made_in_each_checkout() {
    if !shipped_cache("") {
        return;
    }
    let (one, two) = checkouts(|p: ProjectBuilder| {
        p.file(
            "Cargo.toml",
            &package("foo", "[dependencies]\nbar = { path = 'bar' }"),
        )
        .file(
            "build.rs",
            "fn main() { println!(\"cargo::rustc-env=RESULT=3\"); }",
        )
        .file(
            "src/lib.rs",
            "/// Is three.\npub const THREE: &str = env!(\"RESULT\");",
        )
        .file("bar/Cargo.toml", &package("bar", ""))
        .file("bar/src/lib.rs", "/// Is four.\npub const FOUR: u32 = 4;")
    });
    // The script, its run, and the metadata of `bar`. Documentation is neither restored nor compiled.
    for (p, (restored, compiled, ran)) in [(&one, (0, 2, 1)), (&two, (3, 0, 0))] {
        let said = cached(p, "doc -v")
            .with_stderr_contains("[..]Missed foo v0.1.0 (lib doc): shared-output")
            .with_stderr_contains("[..]Missed bar v0.1.0 (lib doc): shared-output")
            .run()
            .errors();
        let scripts = if ran == 1 { ", 1 build script run" } else { "" };
        let end = format!("({restored} restored, {compiled} compiled{scripts})");
        assert!(said.contains(&end), "`{end}` is not in {said}");
        for (page, text) in [
            ("foo/constant.THREE.html", "Is three."),
            ("bar/constant.FOUR.html", "Is four."),
        ] {
            let page = p.read_file(format!("target/doc/{page}").as_str());
            assert!(page.contains(text), "{page}");
        }
        for page in ["foo/index.html", "bar/index.html", "foo/all.html"] {
            assert!(p.root().join("target/doc").join(page).is_file(), "{page}");
        }
        let index = p.glob("target/doc/search.index/**/*").count()
            + p.glob("target/doc/search-index*.js").count();
        assert!(index > 0, "the index is there");
        let crates = p.read_file("target/doc/crates.js");
        assert!(crates.contains("foo") && crates.contains("bar"), "{crates}");
        cached(p, "doc").fresh().run();
    }
    assert!(out_dir(&two, "foo").is_dir());
}
