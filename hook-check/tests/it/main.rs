//! Each deliberately broken hook fails where it should, and nowhere else; those that keep the rules pass.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::process::Command;

use serde_json::Value;

/// Examines a command, and returns the lines of the report.
fn examine(timeout: &str, rules: &[&str], command: &[&str]) -> (bool, Vec<Value>) {
    let mut check = Command::new(env!("CARGO_BIN_EXE_cargo-hook-check"));
    check.args(["hook-check", "--format", "json", "--timeout", timeout]);
    for rule in rules {
        check.args(["--rule", rule]);
    }
    let output = check.arg("--").args(command).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|it| serde_json::from_str(it).unwrap());
    (output.status.success(), lines.collect())
}

/// Returns the names of those of the rules that the broken hook with `fault` breaks; without rules, of all.
fn broken(fault: &str, timeout: &str, rules: &[&str]) -> Vec<String> {
    let store = tempfile::tempdir().unwrap();
    let store = store.path().to_str().unwrap();
    let command = [env!("CARGO_BIN_EXE_broken-hook"), store, fault];
    let (_, lines) = examine(timeout, rules, &command);
    let broken = lines.iter().filter(|it| it["verdict"] == "broken");
    broken
        .map(|it| it["rule"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_hook_without_faults_keeps_all_rules() {
    let store = tempfile::tempdir().unwrap();
    let store = store.path().to_str().unwrap();
    let command = [env!("CARGO_BIN_EXE_broken-hook"), store];
    let (passes, lines) = examine("20", &[], &command);
    let kept = lines.iter().filter(|it| it["verdict"] == "kept").count();
    assert!(passes && kept == lines.len(), "{lines:#?}");
}

#[test]
fn a_one_shot_hook_keeps_the_rules_that_concern_it() {
    assert!(broken("one-shot", "20", &[]).is_empty());
}

/// Faults that show at once.
#[test]
fn faults_show_where_they_should() {
    for (fault, rule) in [
        ("other-version", "hello"),
        ("other-name", "same-hello"),
        ("miss-is-an-error", "lookup"),
        ("strict", "other-fields"),
        ("dies-of-the-new", "other-kinds"),
        ("short-lines", "large-message"),
        ("answers-twice", "many-requests"),
        ("edits-entries", "round-trip"),
        ("leaves-out-a-file", "round-trip"),
        ("relative", "round-trip"),
        ("supplies-a-link", "round-trip"),
        ("keeps-no-copy", "own-copy"),
        ("flat-names", "names-with-folders"),
        ("touches", "hands-off"),
        ("by-name", "no-mix-up"),
        ("by-action", "no-mix-up"),
        ("keeps-the-old", "replaces"),
        ("dies-of-the-missing", "vanished-file"),
        ("stores-the-missing", "vanished-file"),
        ("checks-nothing", "wrong-bytes"),
        ("relocates-nowhere", "relocation"),
        ("clears-its-store", "durable"),
        ("goodbye", "end"),
        ("in-place", "killed"),
    ] {
        assert_eq!(broken(fault, "20", &[rule]), [rule], "{fault}");
    }
}

/// Faults that show by nothing happening.
#[test]
fn silence_is_noticed() {
    for (fault, rule) in [
        ("no-hello", "hello"),
        ("forgets-one", "many-requests"),
        ("stays", "end"),
        ("survives-end-of-input", "hang-up"),
        ("waits-for-the-line", "half-request"),
        ("chats", "lookup"),
    ] {
        let store = tempfile::tempdir().unwrap();
        let store = store.path().to_str().unwrap();
        let command = [env!("CARGO_BIN_EXE_broken-hook"), store, fault];
        let (passes, lines) = examine("2", &[rule], &command);
        assert!(
            !passes && lines[0]["verdict"] == "broken",
            "{fault}: {lines:?}"
        );
    }
}

/// What breaks one rule leaves others alone.
#[test]
fn one_broken_rule_hides_no_other() {
    assert_eq!(broken("strict", "20", &[]), ["other-fields"]);
    assert_eq!(broken("keeps-the-old", "20", &[]), ["replaces"]);
    assert_eq!(broken("goodbye", "20", &[]), ["end"]);
}

#[test]
fn mistakes_on_the_command_line_are_told() {
    let (passes, lines) = examine("2", &["no-such-rule"], &["true"]);
    assert!(!passes && lines.is_empty());
    let (passes, lines) = examine("2", &["hello"], &["/no/such/program"]);
    assert!(!passes && lines[0]["verdict"] == "broken");
    let detail = lines[0]["detail"].as_str().unwrap();
    assert!(detail.contains("failed to start"), "{detail}");
}

#[test]
fn people_are_told_where_it_stands() {
    let store = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-hook-check"))
        .args(["--rule", "other-kinds", "--rule", "hello", "--"])
        .args([
            env!("CARGO_BIN_EXE_broken-hook"),
            store.path().to_str().unwrap(),
        ])
        .arg("dies-of-the-new")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("BROKEN  other-kinds"), "{text}");
    assert!(
        text.contains("see \"Errors\" in the specification"),
        "{text}"
    );
    assert!(text.contains("ok      hello"), "{text}");
    assert!(
        text.contains("1 kept, 1 broken, 0 weak, 0 do not concern it"),
        "{text}"
    );
}

#[test]
fn the_schema_is_printed() {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-hook-check"))
        .arg("--schema")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        hook_protocol::schema::text()
    );
}
