//! Old hooks and new Cargos, new hooks and old Cargos: a test for each row of the table in the specification.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use hook_protocol::client::{Client, Command, Error, Options};
use hook_protocol::hook::{self, BoxError, Hook, Lookup};
use hook_protocol::sample::{self, Sample};
use hook_protocol::wire::{Answer, BeforeBuild, Capability, Lifetime, Placement};
use serde_json::{Value, json};

/// A hook of today.
struct Today;

impl Hook for Today {
    fn name(&self) -> &str {
        "today"
    }

    fn before_build(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        Ok(Lookup::Miss(request.unit.package))
    }
}

/// Returns what a hook of today says to requests.
fn said(requests: &[Value]) -> Vec<Value> {
    let text: String = requests.iter().map(|it| format!("{it}\n")).collect();
    let mut out = Vec::new();
    hook::serve(&Today, BufReader::new(text.as_bytes()), &mut out, 1).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines = text.lines().map(|it| serde_json::from_str(it).unwrap());
    // The hello comes first.
    lines.skip(1).collect()
}

fn question(dir: &Path) -> Value {
    let sample = Sample::library(dir, "foo", "fn foo() {}").unwrap();
    let mut question = serde_json::to_value(sample.question()).unwrap();
    question["kind"] = json!("before-build");
    question
}

#[test]
fn a_later_cargo_has_more_fields() {
    let dir = tempfile::tempdir().unwrap();
    let mut question = question(dir.path());
    for place in ["/unit", "/hashes", ""] {
        question.pointer_mut(place).unwrap()["later"] = json!({"x": []});
    }
    let said = said(&[question]);
    assert_eq!(
        said,
        [json!({"id": 1, "Ok": {"kind": "miss", "reason": "foo"}})]
    );
}

#[test]
fn a_later_cargo_asks_other_things() {
    let dir = tempfile::tempdir().unwrap();
    let later = json!({"v": 1, "id": 7, "kind": "prefetch", "unit": 1});
    let said = said(&[later, question(dir.path())]);
    let find = |id: u64| said.iter().find(|it| it["id"] == id).unwrap();
    assert_eq!(find(7)["Err"]["kind"], "not-supported");
    assert_eq!(find(1)["Ok"]["kind"], "miss", "it goes on");
}

/// A Cargo that speaks version 2 as well uses version 1 with a hook of today; one that does not use the version that
/// was agreed on is told.
#[test]
fn a_later_cargo_speaks_another_version() {
    let said = said(&[json!({"v": 2, "id": 7, "kind": "before-build"})]);
    assert_eq!(said[0]["id"], 7);
    assert!(
        said[0]["Err"]["message"]
            .as_str()
            .unwrap()
            .contains("version 2")
    );
}

/// Begins a build of today with a hook that says this.
fn client(dir: &Path, hello: &Value, answers: &[Value]) -> (Client, Result<(), Error>) {
    let question = question(dir);
    let mut lines = vec![json!({"from": "hook", "message": hello})];
    for (id, answer) in (1..).zip(answers) {
        let mut question = question.clone();
        question["id"] = json!(id);
        lines.push(json!({"from": "cargo", "message": question}));
        lines.push(json!({"from": "hook", "message": {"id": id, "Ok": answer}}));
    }
    let transcript = dir.join("transcript");
    let text: String = lines.iter().map(|it| format!("{it}\n")).collect();
    std::fs::write(&transcript, text).unwrap();
    let command = Command {
        program: env!("CARGO_BIN_EXE_replay-hook").into(),
        args: vec![transcript.into()],
        cwd: None,
        env: Vec::new(),
    };
    let options = Options {
        timeout: Duration::from_secs(30),
        jobs: 1,
    };
    let client = Client::new(command, options);
    let begun = client.begin(sample::begin(dir));
    (client, begun)
}

fn asked(dir: &Path, answer: Value) -> Result<Answer, Error> {
    let hello = json!({"v": [1], "name": "later", "capabilities": ["before-build"]});
    let (client, begun) = client(dir, &hello, &[answer]);
    begun.unwrap();
    let sample = Sample::library(dir, "foo", "fn foo() {}").unwrap();
    client.before_build(sample.question())
}

#[test]
fn a_later_hook_speaks_more_versions() {
    let dir = tempfile::tempdir().unwrap();
    let hello = json!({"v": [3, 2, 1], "name": "later", "capabilities": ["before-build"], "x": 1});
    assert!(client(dir.path(), &hello, &[]).1.is_ok());
}

#[test]
fn a_later_hook_speaks_no_version_of_today() {
    let dir = tempfile::tempdir().unwrap();
    let hello = json!({"v": [2], "name": ["of", "version", "2"]});
    let error = client(dir.path(), &hello, &[]).1.unwrap_err();
    assert!(matches!(error, Error::Version { offered } if offered == [2]));
}

#[test]
fn a_later_hook_can_do_more() {
    let dir = tempfile::tempdir().unwrap();
    let hello = json!({"v": [1], "name": "later", "capabilities": ["prefetch", "before-build"]});
    let (client, begun) = client(dir.path(), &hello, &[]);
    begun.unwrap();
    assert!(client.has(Capability::BeforeBuild) && !client.has(Capability::AfterBuild));
}

#[test]
fn a_later_hook_says_more() {
    let dir = tempfile::tempdir().unwrap();
    let miss = json!({"kind": "miss", "reason": "x", "try-again-in-ms": 5});
    assert!(matches!(asked(dir.path(), miss), Ok(Answer::Miss(_))));
}

#[test]
fn a_later_hook_places_and_keeps_in_other_ways() {
    let dir = tempfile::tempdir().unwrap();
    let candidate = json!({"entry": {}, "files": {}, "placement": "mmap", "lifetime": "lunar"});
    let hit = json!({"kind": "hit", "candidates": [candidate]});
    let Ok(Answer::Hit(hit)) = asked(dir.path(), hit) else {
        panic!("no hit")
    };
    let candidate = &hit.candidates[0];
    assert_eq!(candidate.placement, Placement::Copy);
    assert_eq!(candidate.lifetime, Lifetime::Request);
}

#[test]
fn a_later_hook_answers_in_other_ways() {
    let dir = tempfile::tempdir().unwrap();
    let said = asked(dir.path(), json!({"kind": "perhaps"}));
    assert!(matches!(said, Err(Error::WrongAnswer { .. })), "{said:?}");
}
