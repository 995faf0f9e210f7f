//! Messages for tools.

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, project};
use serde_json::Value;

use crate::support::{Hook, Hooked, Text, package};

fn messages(p: &Project, line: &str) -> Vec<Value> {
    let output = p.hooked(line).run().output();
    output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'a>(messages: &'a [Value], reason: &str) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = messages.iter().filter(|m| m["reason"] == reason).collect();
    found.sort_by_key(|message| message.to_string());
    found
}

fn with_warnings() -> Project {
    project()
        .file("Cargo.toml", &package("foo", ""))
        .file("src/lib.rs", "pub fn n() -> u32 { let unused = 1; 3 }")
        .file(
            "src/main.rs",
            "fn main() { println!(\"{}\", foo::n()); let y = 2; }",
        )
        .build()
}

#[cargo_test]
fn a_restored_artifact_is_fresh_and_says_that_it_was_restored() {
    let p = with_warnings();
    let _hook = Hook::new();
    let line = "build --message-format=json";
    let compiled = messages(&p, line);
    p.wipe();
    let restored = messages(&p, line);
    let fresh = messages(&p, line);
    let artifacts = |messages: &[Value], fresh: bool, restored: Option<bool>| {
        let found = of(messages, "compiler-artifact");
        assert_eq!(found.len(), 2);
        for artifact in &found {
            assert_eq!(artifact["fresh"], fresh, "{artifact}");
            assert_eq!(
                artifact.get("restored").map(|v| v.as_bool()),
                restored.map(Some)
            );
        }
        let but = |artifact: &&Value| {
            let mut artifact = (*artifact).clone();
            artifact
                .as_object_mut()
                .unwrap()
                .retain(|k, _| k != "fresh" && k != "restored");
            artifact
        };
        found.iter().map(but).collect::<Vec<_>>()
    };
    let expected = artifacts(&compiled, false, None);
    assert_eq!(artifacts(&restored, true, Some(true)), expected);
    assert_eq!(artifacts(&fresh, true, None), expected);
}

#[cargo_test]
fn diagnostics_of_restored_units_are_those_of_fresh_ones() {
    let p = with_warnings();
    let _hook = Hook::new();
    let line = "build --message-format=json";
    let compiled = messages(&p, line);
    p.wipe();
    let restored = messages(&p, line);
    let fresh = messages(&p, line);
    let diagnostics = of(&restored, "compiler-message");
    assert_eq!(diagnostics.len(), 2);
    assert_eq!(diagnostics, of(&fresh, "compiler-message"));
    assert_eq!(diagnostics, of(&compiled, "compiler-message"));
    assert_eq!(of(&restored, "build-finished")[0]["success"], true);
}

#[cargo_test]
fn an_artifact_line_follows_its_diagnostics() {
    let p = with_warnings();
    let _hook = Hook::new();
    let line = "build --lib --message-format=json";
    messages(&p, line);
    p.wipe();
    let order: Vec<Value> = messages(&p, line)
        .into_iter()
        .map(|message| message["reason"].clone())
        .collect();
    assert_eq!(
        order,
        ["compiler-message", "compiler-artifact", "build-finished"]
    );
}

#[cargo_test]
fn artifacts_of_a_restored_program_exist() {
    let p = with_warnings();
    let _hook = Hook::new();
    let line = "build --message-format=json";
    messages(&p, line);
    p.wipe();
    for artifact in of(&messages(&p, line), "compiler-artifact") {
        for file in artifact["filenames"].as_array().unwrap() {
            assert!(
                std::path::Path::new(file.as_str().unwrap()).is_file(),
                "{file}"
            );
        }
    }
}
