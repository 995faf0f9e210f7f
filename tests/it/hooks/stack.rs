//! A stack of hooks, with one in it that verifies another.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_test_support::paths;
use cargo_test_support::prelude::*;
use hook_protocol::Digest;
use serde_json::Value;

use super::{UNITS, configure, shipped, two_projects};
use crate::support::{Counts, Text, cached, prints};

/// Configures a stack; false if it is not shipped.
fn stack(text: &str) -> bool {
    let file = paths::root().join("stack.toml");
    fs::write(&file, text).unwrap();
    configure(&["cargo:filter-stack", file.to_str().unwrap()]);
    let programs = ["filter-stack", "local-cache", "verify", "build-log"];
    let programs = programs.map(|it| shipped(&format!("cargo-hook-{it}")));
    programs.iter().all(Option::is_some)
}

#[cargo_test]
fn the_first_hit_wins() {
    let text = "[[filter]]\ncommand = ['cargo:build-log']\n\
        [[filter]]\ncommand = ['cargo:local-cache']\n";
    if !stack(text) {
        return;
    }
    let (one, two) = two_projects();
    cached(&one, "build").counts_with_runs(0, UNITS, 1).run();
    cached(&two, "build").counts(UNITS + 1, 0).run();
    assert_eq!(prints(&two.bin("foo")), "3");
    for project in [&one, &two] {
        assert!(project.build_dir().join("build-log.jsonl").exists());
    }
}

#[cargo_test]
fn filters_are_asked_for_what_concerns_them() {
    if !stack(
        "[[filter]]\ncommand = ['cargo:local-cache']\npackages = ['bar', 'm*']\nkinds = ['lib']\n",
    ) {
        return;
    }
    let (one, two) = two_projects();
    cached(&one, "build").counts_with_runs(0, UNITS, 1).run();
    cached(&two, "build")
        .counts_with_runs(1, UNITS - 1, 1)
        .run();
}

#[cargo_test]
fn a_filter_that_fails_costs_time_only() {
    let text = "[[filter]]\ncommand = ['/no/such/program']\n\
        [[filter]]\ncommand = ['cargo:local-cache']\n";
    if !stack(text) {
        return;
    }
    let (one, two) = two_projects();
    cached(&one, "build").counts_with_runs(0, UNITS, 1).run();
    let errors = cached(&two, "build").counts(UNITS + 1, 0).run().errors();
    // At the end it is told, once.
    assert_eq!(errors.matches("warning:").count(), 1, "{errors}");
    assert!(errors.contains("/no/such/program"), "{errors}");
}

const VERIFIED: &str = "[[filter]]\ncommand = ['cargo:verify', 'cargo:local-cache']\n";

#[cargo_test]
fn what_is_right_is_verified() {
    if !stack(VERIFIED) {
        return;
    }
    let (one, two) = two_projects();
    // The cache is filled, and nothing is restored while it is verified.
    for project in [&one, &two] {
        let errors = cached(project, "build")
            .counts_with_runs(0, UNITS, 1)
            .run()
            .errors();
        assert!(!errors.contains("warning:"), "{errors}");
        assert!(!project.build_dir().join("verify-report.jsonl").exists());
    }
}

#[cargo_test]
fn what_was_planted_is_found() {
    if !stack(VERIFIED) {
        return;
    }
    let (one, two) = two_projects();
    cached(&one, "build").counts_with_runs(0, UNITS, 1).run();
    plant(&paths::root().join("cache/v1"), "libbar-");
    let errors = cached(&two, "build")
        .counts_with_runs(0, UNITS, 1)
        .run()
        .errors();
    assert!(errors.contains("of 5 results differ"), "{errors}");
    let report = two.build_dir().join("verify-report.jsonl");
    let report = fs::read_to_string(report).unwrap();
    let lines: Vec<Value> = report
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let found: Vec<&str> = lines
        .iter()
        .map(|it| it["unit"]["package"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["bar"], "{report}");
    let difference = &lines[0]["differences"][0];
    let file = difference["file"].as_str().unwrap();
    assert!(
        file.starts_with("libbar-") && file.ends_with(".rlib"),
        "{report}"
    );
    assert_eq!(
        difference["what"],
        "has other bytes than when it is compiled"
    );
    let section = difference["sections"][0].as_str().unwrap();
    assert!(section.contains(".o") && section.contains('.'), "{report}");
}

/// Writes a forged `.rlib` into the cache, with an entry to match: nothing about it is wrong but that it is not what
/// the compiler makes.
fn plant(cache: &Path, prefix: &str) {
    for result in files(&cache.join("actions")) {
        let text = fs::read_to_string(&result).unwrap();
        let entry: Value = serde_json::from_str::<Value>(&text).unwrap()["entry"].take();
        let of_rlib =
            |(name, _): &(&String, &Value)| name.starts_with(prefix) && name.ends_with(".rlib");
        let Some((_, file)) = entry["files"].as_object().unwrap().iter().find(of_rlib) else {
            continue;
        };
        let digest = file["digest"].as_str().unwrap().to_owned();
        let blob = |digest: &str| {
            let hex = digest.strip_prefix("blake3:").unwrap();
            cache.join("blobs").join(&hex[..2]).join(hex)
        };
        let mut bytes = fs::read(blob(&digest)).unwrap();
        // In the code of an object, near the end of its part of the archive.
        let place = bytes.len() * 3 / 4;
        bytes[place] ^= 1;
        let forged = Digest::of(&bytes).to_string();
        fs::create_dir_all(blob(&forged).parent().unwrap()).unwrap();
        fs::write(blob(&forged), bytes).unwrap();
        fs::write(&result, text.replace(&digest, &forged)).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => out.extend(files(&path)),
            false => out.push(path),
        }
    }
    out
}
