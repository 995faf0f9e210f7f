//! Reasons for programs: among the messages of a build, and in what a hook is told at the end.

use std::slice::from_ref;

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder};
use serde_json::{Value, json};

use crate::support::hook::Log;
use crate::support::{Counts, Hook, Hooked, Text, checkouts, package};

/// Two repositories of a program whose script mentions Git.
fn repositories() -> (Project, Project) {
    checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "build.rs",
                r#"
                    fn main() {
                        let head = std::fs::read_to_string(".git/HEAD").unwrap();
                        println!("cargo::rustc-env=RESULT={}", head.trim());
                    }
                "#,
            )
            .file(
                "src/main.rs",
                "fn main() { println!(\"{}\", env!(\"RESULT\")); }",
            )
            .file(".git/HEAD", "0123456789012345678901234567890123456789\n")
    })
}

/// Returns the messages about units in which hooks had no part; of each, the mode, the step and why.
fn not_shared(output: &str) -> Vec<(String, String, Value)> {
    let is_message = |line: &&str| line.starts_with("{\"reason\"");
    let lines = output.lines().filter(is_message);
    let messages = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_hooks = messages.filter(|message| message["reason"] == "unit-not-shared");
    let mut found: Vec<_> = of_hooks.map(|message| about(&message)).collect();
    found.sort_by_key(|it| (it.0.clone(), it.1.clone()));
    let last: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert_eq!(
        last["reason"], "build-finished",
        "nothing follows: {output}"
    );
    found
}

/// Returns what a hook is told of such units at the end.
#[track_caller]
fn told(log: &Log) -> Vec<(String, String, Value)> {
    let ends: Vec<&Value> = log.of_kind("end").collect();
    assert_eq!(ends.len(), 1);
    let unshared = ends[0]["summary"]["unshared"].as_array();
    let mut found: Vec<_> = unshared.into_iter().flatten().map(about).collect();
    found.sort_by_key(|it| (it.0.clone(), it.1.clone()));
    found
}

fn about(of: &Value) -> (String, String, Value) {
    assert_eq!(of["unit"]["package"], "foo");
    assert_eq!(of["unit"]["version"], "0.1.0");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        text(&of["unit"]["mode"]),
        text(&of["step"]),
        of["why"].clone(),
    )
}

fn entry(mode: &str, step: &str, why: Value) -> (String, String, Value) {
    (mode.to_owned(), step.to_owned(), why)
}

#[cargo_test]
fn a_run_that_is_not_offered_is_told() {
    let (one, two) = repositories();
    let hook = Hook::new();
    let reads_vcs = json!({"name": "reads-vcs", "detail": "it mentions `.git`"});
    let run = entry("run-build-script", "offered", reads_vcs);
    let line = "build --message-format=json";
    let output = one.hooked(line).counts_with_runs(0, 2, 1).run().output();
    let missing = json!({"name": "missing"});
    let built = entry("build", "restored", missing);
    assert_eq!(
        not_shared(&output),
        [built.clone(), built, run.clone()],
        "{output}"
    );
    let log = hook.take_log();
    // What the hook itself said is not repeated.
    assert_eq!(told(&log), from_ref(&run));
    let summary = &log.of_kind("end").next().unwrap()["summary"];
    assert_eq!(summary["success"], true);
    for (name, count) in [
        ("restored", 0),
        ("compiled", 2),
        ("ran", 1),
        ("not-offered", 1),
    ] {
        assert_eq!(summary[name], count, "{name}: {summary}");
    }

    let output = two.hooked(line).counts_with_runs(2, 0, 1).run().output();
    assert_eq!(not_shared(&output), from_ref(&run));
    let log = hook.take_log();
    assert_eq!(told(&log), [run]);
    let summary = &log.of_kind("end").next().unwrap()["summary"];
    for (name, count) in [
        ("restored", 2),
        ("compiled", 0),
        ("ran", 1),
        ("not-offered", 1),
    ] {
        assert_eq!(summary[name], count, "{name}: {summary}");
    }

    // A fresh build has nothing to say.
    let output = two.hooked(line).fresh().run().output();
    assert_eq!(not_shared(&output), []);
}

#[cargo_test]
fn an_unknown_argument_is_told() {
    let (one, two) = checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", "fn main() {}")
            .file("src/main.rs", "fn main() {}")
    });
    let hook = Hook::new();
    let unknown = json!({"name": "unknown-argument", "detail": "--print=cfg"});
    let unknown = entry("build", "offered", unknown);
    for p in [&one, &two] {
        let output = p
            .hooked("rustc --message-format=json -- --print=cfg")
            .run()
            .output();
        assert!(not_shared(&output).contains(&unknown), "{output}");
        assert_eq!(told(&hook.take_log()), from_ref(&unknown));
    }
}

#[cargo_test]
fn a_run_that_is_not_kept_is_told() {
    let (one, two) = checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file(
                "build.rs",
                "fn main() { std::fs::write(\"made.txt\", \"\").unwrap(); }",
            )
            .file("src/main.rs", "fn main() {}")
    });
    let hook = Hook::new();
    for p in [&one, &two] {
        let output = p.hooked("build --message-format=json").run().output();
        let made = p.root().join("made.txt");
        let detail = format!("`{}`", made.display());
        let wrote = json!({"name": "writes-outside-out-dir", "detail": detail});
        let wrote = entry("run-build-script", "stored", wrote);
        assert!(not_shared(&output).contains(&wrote), "{output}");
        assert_eq!(told(&hook.take_log()), [wrote]);
    }
}

#[cargo_test]
fn messages_for_people_have_no_lines_for_programs() {
    let (one, _) = repositories();
    let _hook = Hook::new();
    let output = one.hooked("build -v").run().output();
    assert_eq!(output, "");
}
