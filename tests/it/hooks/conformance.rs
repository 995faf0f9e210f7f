//! Every reference hook keeps every rule of the protocol that concerns it.

use std::path::Path;
use std::process::Command;

use cargo_test_support::paths;
use cargo_test_support::prelude::*;

use super::{script, shipped};

/// Examines a hook whose store is a folder of the test, and expects that it breaks no rule.
#[track_caller]
fn keeps_the_rules(words: &[&Path]) {
    let report = report(words);
    assert!(!report.contains("\nweak"), "{report}");
}

/// The same for a hook that cannot compute BLAKE3, and so leaves it to Cargo to notice wrong bytes.
#[track_caller]
fn keeps_the_rules_without_digests(words: &[&Path]) {
    let report = report(words);
    let mut weak = report.lines().filter(|it| it.starts_with("weak"));
    assert!(weak.all(|it| it.contains("wrong-bytes")), "{report}");
}

/// Examines a hook, expects that it keeps what it must, and returns the report.
#[track_caller]
fn report(words: &[&Path]) -> String {
    let Some(check) = shipped("cargo-hook-check") else {
        return String::new();
    };
    let store = paths::root().join("store");
    let mut command = Command::new(check);
    for variable in [
        "CARGO_LOCAL_CACHE_DIR",
        "DEPENDENCY_BUNDLE_DIR",
        "PYTHON_CACHE_DIR",
        "SHELL_CACHE_DIR",
    ] {
        command.env(variable, &store);
    }
    command
        .env("BUILD_LOG", paths::root().join("log"))
        .env("VERIFY_REPORT", paths::root().join("report"))
        // Several of these tests run at once.
        .args(["--timeout", "60", "--"])
        .args(words);
    let output = command.output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}{errors}");
    report
}

#[cargo_test]
fn build_log_keeps_the_rules() {
    if let Some(hook) = shipped("cargo-hook-build-log") {
        keeps_the_rules(&[&hook]);
    }
}

#[cargo_test]
fn local_cache_keeps_the_rules() {
    if let Some(hook) = shipped("cargo-hook-local-cache") {
        keeps_the_rules(&[&hook]);
    }
}

#[cargo_test]
fn dependency_bundle_keeps_the_rules() {
    if let Some(hook) = shipped("cargo-hook-dependency-bundle") {
        keeps_the_rules(&[&hook]);
    }
}

#[cargo_test]
fn verify_keeps_the_rules() {
    if let Some(hook) = shipped("cargo-hook-verify") {
        keeps_the_rules(&[&hook, Path::new("cargo:local-cache")]);
    }
}

#[cargo_test]
fn filter_stack_keeps_the_rules() {
    let Some(hook) = shipped("cargo-hook-filter-stack") else {
        return;
    };
    let stack = paths::root().join("stack.toml");
    let text = "[[filter]]\ncommand = ['cargo:build-log']\n\
        [[filter]]\ncommand = ['cargo:local-cache']\n";
    std::fs::write(&stack, text).unwrap();
    keeps_the_rules(&[&hook, &stack]);
}

#[cargo_test]
fn python_cache_keeps_the_rules() {
    if let Some(hook) = script("examples/python-cache/cargo_python_cache.py", "python3") {
        keeps_the_rules_without_digests(&[&hook]);
    }
}

#[cargo_test]
fn shell_cache_keeps_the_rules() {
    if let Some(hook) = script("hook-protocol/examples/shell-cache/hook.sh", "jq") {
        keeps_the_rules_without_digests(&[&hook]);
    }
}
