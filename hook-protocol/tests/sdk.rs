//! The SDK: exact answers to exact lines, whatever the hook behind it does; and a hook made with it
//! against the client.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hook_protocol::client::{Client, Command, Options};
use hook_protocol::hook::{BoxError, Hook, Lookup, serve};
use hook_protocol::wire::*;
use hook_protocol::{Digest, wire};

/// What it does depends on the name of the package.
#[derive(Default)]
struct Example {
    sequential: bool,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    ended: AtomicUsize,
}

impl Hook for Example {
    fn name(&self) -> &str {
        "example"
    }

    fn capabilities(&self) -> Vec<Capability> {
        let mut all = vec![Capability::BeforeBuild, Capability::Session];
        if !self.sequential {
            all.push(Capability::Concurrent);
        }
        all
    }

    fn begin(&self, begin: &Begin) -> Result<(), BoxError> {
        if begin.jobs == 0 {
            Err("no jobs".into())
        } else {
            Ok(())
        }
    }

    fn before_build(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(100));
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        match &*request.unit.package {
            "hit" => Ok(Lookup::Hit(vec![Candidate {
                entry: OpaqueEntry(serde_json::json!({"format": 9, "later": [1]})),
                files: BTreeMap::from([("libhit.rlib".to_owned(), PathBuf::from("/s/1"))]),
                placement: Placement::Link,
                lifetime: Lifetime::Durable,
            }])),
            "empty" => Ok(Lookup::Hit(Vec::new())),
            "error" => {
                let error: Digest = "x".parse::<Digest>().map_err(|error| {
                    io::Error::other(Wrapper("the store is broken", Box::new(error)))
                })?;
                Ok(Lookup::Miss(error.to_string()))
            }
            "panic" => panic!("at the disco"),
            "miss" => Ok(Lookup::Miss(String::new())),
            name => Ok(Lookup::Miss(format!("never heard of {name}"))),
        }
    }

    fn end(&self, summary: &Summary) -> Result<(), BoxError> {
        assert_eq!(self.at_once.load(Ordering::SeqCst), 0);
        self.ended
            .fetch_add(1 + summary.restored as usize, Ordering::SeqCst);
        Ok(())
    }
}

#[derive(Debug)]
struct Wrapper(&'static str, BoxError);

impl std::fmt::Display for Wrapper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Wrapper {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.1)
    }
}

const HELLO: &str =
    r#"{"v":[1],"name":"example","capabilities":["before-build","session","concurrent"]}"#;

/// Returns what `hook` says, after its hello, to these lines.
fn talk(hook: &Example, lines: &[&str]) -> (Vec<String>, io::Result<()>) {
    let input = lines.join("\n");
    let mut output = Vec::new();
    let outcome = serve(hook, input.as_bytes(), &mut output, 4);
    let output = String::from_utf8(output).unwrap();
    let mut said: Vec<String> = output.lines().map(str::to_owned).collect();
    if !hook.sequential {
        assert_eq!(said.remove(0), HELLO);
    }
    (said, outcome)
}

#[track_caller]
fn check(line: &str, expected: &str) {
    let (said, outcome) = talk(&Example::default(), &[line]);
    assert_eq!(said, [expected]);
    outcome.unwrap();
}

fn before(id: u64, package: &str) -> String {
    let unit = Unit {
        package: package.to_owned(),
        version: "1.0.0".to_owned(),
        target: package.to_owned(),
        target_kind: "lib".to_owned(),
        mode: "build".to_owned(),
        profile: "dev".to_owned(),
        platform: "host".to_owned(),
        features: Vec::new(),
    };
    let (key, action) = (Digest::of(b"key"), Digest::of(b"action"));
    let hashes = Hashes {
        key,
        action,
        ingredients: BTreeMap::new(),
        files: Vec::new(),
    };
    let request = BeforeBuild {
        v: 1,
        id,
        unit,
        hashes,
        outputs: Vec::new(),
        is_built: false,
    };
    serde_json::to_string(&Request::BeforeBuild(request)).unwrap()
}

#[test]
fn answers() {
    check(&before(5, "miss"), r#"{"id":5,"Ok":{"kind":"miss"}}"#);
    check(&before(6, "empty"), r#"{"id":6,"Ok":{"kind":"miss"}}"#);
    check(
        &before(7, "foo"),
        r#"{"id":7,"Ok":{"kind":"miss","reason":"never heard of foo"}}"#,
    );
    let candidate = r#"{"entry":{"format":9,"later":[1]},"files":{"libhit.rlib":"/s/1"},"placement":"link","lifetime":"durable"}"#;
    let hit = format!(r#"{{"id":8,"Ok":{{"kind":"hit","candidates":[{candidate}]}}}}"#);
    check(&before(8, "hit"), &hit);
}

#[test]
fn errors_and_panics_are_answers() {
    let expected = r#"{"id":1,"Err":{"kind":"other","message":"the store is broken","caused-by":["invalid digest `x`: expected `blake3:` and 64 lower-case hexadecimal digits"]}}"#;
    check(&before(1, "error"), expected);
    let expected = r#"{"id":2,"Err":{"kind":"other","message":"the hook panicked: at the disco"}}"#;
    check(&before(2, "panic"), expected);
}

#[test]
fn what_is_not_implemented_is_not_supported() {
    let expected = r#"{"id":3,"Err":{"kind":"not-supported","message":"the hook does not answer such requests"}}"#;
    check(r#"{"v":1,"id":3,"kind":"teleport","to":"mars"}"#, expected);
    let mut after: serde_json::Value = serde_json::from_str(&before(3, "foo")).unwrap();
    after["kind"] = "after-build".into();
    after["entry"] = serde_json::json!({});
    after["files"] = serde_json::json!({});
    after["duration-ms"] = 1.into();
    check(&after.to_string(), expected);
}

#[test]
fn requests_that_cannot_be_read_are_errors() {
    let expected =
        r#"{"id":3,"Err":{"kind":"other","message":"version 2 of the protocol is unknown"}}"#;
    check(r#"{"v":2,"id":3,"kind":"before-build"}"#, expected);
    let expected = r#"{"id":3,"Err":{"kind":"other","message":"missing field `unit`"}}"#;
    check(r#"{"v":1,"id":3,"kind":"before-build"}"#, expected);
    for line in ["oops", r#"{"v":1}"#, "[]"] {
        let (said, outcome) = talk(&Example::default(), &[line]);
        assert!(said.is_empty());
        outcome.unwrap_err();
    }
}

#[test]
fn a_session() {
    let hook = Example::default();
    let lines = [
        r#"{"v":1,"id":1,"kind":"begin","workspace":"/w","build-dir":"/w/t","host":"h","jobs":0,"cargo":"c"}"#,
        r#"{"v":1,"id":2,"kind":"begin","workspace":"/w","build-dir":"/w/t","host":"h","jobs":1,"cargo":"c"}"#,
        "",
        &before(3, "miss"),
        r#"{"v":1,"id":4,"kind":"end","summary":{"success":true,"restored":6,"new":0}}"#,
        "what comes after the end is not read",
    ];
    let (said, outcome) = talk(&hook, &lines);
    let expected = [
        r#"{"id":1,"Err":{"kind":"other","message":"no jobs"}}"#,
        r#"{"id":2,"Ok":{"kind":"ready"}}"#,
        r#"{"id":3,"Ok":{"kind":"miss"}}"#,
        r#"{"id":4,"Ok":{"kind":"done"}}"#,
    ];
    assert_eq!(said, expected);
    assert_eq!(hook.ended.into_inner(), 7);
    outcome.unwrap();
}

#[test]
fn the_end_of_input_ends_without_end() {
    let hook = Example::default();
    let (said, outcome) = talk(&hook, &[&before(3, "miss")]);
    assert_eq!(said.len(), 1);
    assert_eq!(hook.ended.into_inner(), 0);
    outcome.unwrap();
}

#[test]
fn concurrent_hooks_answer_several_at_once() {
    let lines: Vec<String> = (1..9).map(|id| before(id, "miss")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let hook = Example::default();
    assert_eq!(talk(&hook, &lines).0.len(), 8);
    assert!((2..=4).contains(&hook.most_at_once.into_inner()));
    let hook = Example {
        sequential: true,
        ..Example::default()
    };
    assert_eq!(talk(&hook, &lines).0.len(), 9);
    assert_eq!(hook.most_at_once.into_inner(), 1);
}

#[test]
fn answers_do_not_wait_for_further_input() {
    let (hook_reads, mut to_hook) = io::pipe().unwrap();
    let (from_hook, hook_writes) = io::pipe().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            serve(
                &Example::default(),
                BufReader::new(hook_reads),
                hook_writes,
                2,
            )
        });
        let mut answers = BufReader::new(from_hook).lines().map(Result::unwrap);
        assert_eq!(answers.next().unwrap(), HELLO);
        writeln!(to_hook, "{}", before(1, "miss")).unwrap();
        assert_eq!(answers.next().unwrap(), r#"{"id":1,"Ok":{"kind":"miss"}}"#);
        drop(to_hook);
        assert!(answers.next().is_none());
    });
}

#[test]
fn a_hook_that_nobody_listens_to_ends() {
    let (_, writer) = io::pipe().unwrap();
    let lines = before(1, "miss");
    serve(&Example::default(), lines.as_bytes(), writer, 2).unwrap_err();
}

#[test]
fn the_example_keeps_and_supplies() {
    let dir = tempfile::tempdir().unwrap();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_folder-hook"));
    let store = dir.path().join("store").into_os_string();
    let env = vec![("FOLDER_HOOK_DIR".into(), Some(store))];
    let command = Command {
        program,
        args: Vec::new(),
        cwd: None,
        env,
    };
    let client = Client::new(
        command,
        Options {
            timeout: Duration::from_secs(30),
            jobs: 1,
        },
    );
    let begin =
        r#"{"v":0,"id":0,"workspace":"/w","build-dir":"/w/t","host":"h","jobs":1,"cargo":"c"}"#;
    client.begin(serde_json::from_str(begin).unwrap()).unwrap();

    let Ok(Request::BeforeBuild(question)) = serde_json::from_str(&before(0, "foo")) else {
        panic!("not what was written")
    };
    let answer = client.before_build(question.clone()).unwrap();
    let reason = Some("no result for this key".to_owned());
    assert_eq!(answer, Answer::Miss(Miss { reason }));

    let built = dir.path().join("libfoo.rlib");
    std::fs::write(&built, "bytes").unwrap();
    let role = wire::Role::Link;
    let file = EntryFile {
        role,
        digest: Digest::of(b"bytes"),
        size: 5,
        executable: false,
        placeholders: false,
    };
    let entry = Entry {
        format: ENTRY_FORMAT,
        unit: question.unit.clone(),
        action: question.hashes.action,
        key: question.hashes.key,
        inputs: Inputs::default(),
        messages: vec!["a warning".to_owned()],
        files: BTreeMap::from([("libfoo.rlib".to_owned(), file)]),
        tree: Tree::default(),
        local_only: false,
    };
    let request = AfterBuild {
        v: 0,
        id: 0,
        unit: question.unit.clone(),
        hashes: question.hashes.clone(),
        entry: OpaqueEntry::from(&entry),
        files: BTreeMap::from([("libfoo.rlib".to_owned(), built)]),
        linkable: Vec::new(),
        duration_ms: 1,
    };
    let stored = client.after_build(request.clone()).unwrap();
    assert_eq!(stored, Answer::Stored(Stored::default()));
    let again = client.after_build(request).unwrap();
    assert!(matches!(again, Answer::Stored(_)), "it takes the place");

    let Answer::Hit(hit) = client.before_build(question).unwrap() else {
        panic!("no hit")
    };
    assert_eq!(hit.candidates[0].entry.parse().unwrap(), entry);
    assert_eq!(
        std::fs::read(&hit.candidates[0].files["libfoo.rlib"]).unwrap(),
        b"bytes"
    );
    client
        .end(Summary::default(), Duration::from_secs(30))
        .unwrap();
}
