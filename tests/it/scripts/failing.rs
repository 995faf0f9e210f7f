//! Scripts that fail: nobody keeps what they did.

use cargo_test_support::prelude::*;

use crate::support::{Counts, Hook, Hooked, checkouts, package, prints};

/// The script ends like this unless a variable is set.
#[track_caller]
fn assert_is_never_kept(end: &str, says: &str) {
    let script = r#"
        fn main() {
            println!("cargo::rustc-env=RESULT=3");
            let out = std::env::var("OUT_DIR").unwrap();
            std::fs::write(format!("{out}/half.txt"), "half").unwrap();
            if std::env::var("LUCK").is_err() { END }
        }
    "#;
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", &script.replace("END", end))
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
    });
    let hook = Hook::new();
    for (p, told) in [(&one, vec!["foo custom-build"]), (&two, vec![])] {
        p.hooked("build")
            .with_status(101)
            .with_stderr_contains(format!("[..]{says}[..]"))
            .run();
        let log = hook.take_log();
        assert_eq!(log.told(), told);
        assert_eq!(
            log.asked(),
            ["foo custom-build", "foo custom-build run-build-script"]
        );
    }
    // What failed is tried again, in the same checkout too.
    one.hooked("build")
        .with_status(101)
        .with_stderr_contains(format!("[..]{says}[..]"))
        .run();
    hook.take_log();
    two.hooked("build")
        .env("LUCK", "1")
        .counts_with_runs(0, 1, 1)
        .run();
    assert_eq!(prints(&two.bin("foo")), "3");
    // The run before had left a file.
    assert_eq!(hook.take_log().told(), ["foo bin"]);
    two.wipe();
    two.hooked("build")
        .env("LUCK", "1")
        .counts_with_runs(2, 0, 1)
        .run();
    two.wipe();
    two.hooked("build").env("LUCK", "1").counts(3, 0).run();
    assert_eq!(prints(&two.bin("foo")), "3");
    // Which makes nobody lucky who is not.
    one.wipe();
    one.hooked("build")
        .with_status(101)
        .with_stderr_contains(format!("[..]{says}[..]"))
        .run();
}

#[cargo_test]
fn a_panic_is_never_kept() {
    assert_is_never_kept("panic!(\"no luck\")", "no luck");
}

#[cargo_test]
fn a_failure_is_never_kept() {
    assert_is_never_kept("std::process::exit(3)", "([EXIT_STATUS]: 3)");
}

#[cargo_test]
fn an_error_that_a_script_tells_is_never_kept() {
    assert_is_never_kept("println!(\"cargo::error=no luck\")", "no luck");
}
