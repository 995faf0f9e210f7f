//! Harnesses that start a program of their package.

use std::fs;

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder};

use crate::support::{Counts, Hook, Hooked, checkouts, package};

/// A program that tells where it lies, and a harness that knows where that must be.
fn with_harness(place_of_program: &str) -> impl Fn(ProjectBuilder) -> ProjectBuilder {
    let test = format!(
        r#"
            #[test]
            fn t() {{
                let program = {place_of_program};
                let output = std::process::Command::new(&program).output().unwrap();
                let said = String::from_utf8(output.stdout).unwrap();
                let here = std::env::current_dir().unwrap();
                assert!(said.starts_with(here.to_str().unwrap()), "{{said}} is not in {{here:?}}");
                assert!(said.trim_end().ends_with(" 3"), "{{said}}");
            }}
        "#
    );
    move |p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "src/main.rs",
                r#"fn main() { println!("{} 3", std::env::current_exe().unwrap().display()); }"#,
            )
            .file("tests/t.rs", &test)
    }
}

#[track_caller]
fn tests(p: &Project, restored: usize, compiled: usize) {
    p.hooked("test --test t")
        .counts(restored, compiled)
        .with_stdout_contains("test t ... ok")
        .run();
}

#[track_caller]
fn tests_again(p: &Project) {
    p.hooked("test --test t")
        .fresh()
        .with_stdout_contains("test t ... ok")
        .run();
}

#[cargo_test]
fn a_restored_harness_starts_the_program_of_its_own_checkout() {
    let (one, two) = checkouts(with_harness(r#"env!("CARGO_BIN_EXE_foo")"#));
    let _hook = Hook::new();
    tests(&one, 0, 2);
    // The harness holds the path, and is that of its own checkout.
    tests(&two, 1, 1);
    for p in [&one, &two] {
        p.wipe();
        tests(p, 2, 0);
        tests_again(p);
    }
}

#[cargo_test]
fn a_program_that_a_restored_harness_lacks_is_there_again() {
    let (one, _) = checkouts(with_harness(r#"env!("CARGO_BIN_EXE_foo")"#));
    let hook = Hook::new();
    tests(&one, 0, 2);
    one.wipe();
    tests(&one, 2, 0);
    // The one that users start, and then all of them, with a hook that has it and with one that has not.
    fs::remove_file(one.bin("foo")).unwrap();
    one.hooked("test --test t")
        .with_stdout_contains("test t ... ok")
        .run();
    for (restored, compiled) in [(1, 0), (0, 1)] {
        let found: Vec<_> = one.glob("target/debug/deps/foo-*").collect();
        for path in found.into_iter().map(|path| path.unwrap()) {
            if path.extension().is_none() {
                fs::remove_file(path).unwrap();
            }
        }
        fs::remove_file(one.bin("foo")).unwrap();
        tests(&one, restored, compiled);
        tests_again(&one);
        hook.forget_everything();
    }
}

#[cargo_test]
fn a_harness_without_its_program_builds_it() {
    // The harness is restored, and nobody has its program any more.
    let (one, two) = checkouts(with_harness(r#"env!("CARGO_BIN_EXE_foo")"#));
    let hook = Hook::new();
    tests(&one, 0, 2);
    let key = hook.take_log().key_of("foo bin");
    hook.forget(&key);
    one.wipe();
    tests(&one, 1, 1);
    hook.forget(&key);
    tests(&two, 0, 2);
}

#[cargo_test]
fn a_harness_that_asks_for_its_program_while_it_runs_is_free() {
    let place = r#"std::env::var("CARGO_BIN_EXE_foo").unwrap()"#;
    let (one, two) = checkouts(with_harness(place));
    let _hook = Hook::new();
    tests(&one, 0, 2);
    tests(&two, 2, 0);
    tests_again(&two);
}
