//! Recorded conversations are replayed from both sides: to the hook from which they were recorded, and to the
//! client. With `SNAPSHOTS=overwrite` they are recorded anew.
//!
//! ```text
//! transcripts/NAME.jsonl    {"from": "hook" | "cargo", "message": ...}, a line each; `[DIR]` is a folder,
//!                           and `[PROCESS]` the number of the process
//! ```
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use hook_protocol::client::{self, Client, Options};
use hook_protocol::sample::{self, Sample};
use hook_protocol::wire::{Answer, End, Hello, PROTOCOL_VERSION, Request, Response, Summary};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What stands for the folder in which all happens.
const DIR: &str = "[DIR]";

const NAMES: [&str; 2] = ["session", "errors"];

fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    folder.join(format!("{name}.jsonl"))
}

/// Returns what Cargo says in a conversation, and writes the files that this is about.
fn requests(name: &str, dir: &Path) -> Vec<Value> {
    let library = Sample::library(&dir.join("built"), "foo", "fn foo() {}").unwrap();
    let script = Sample::script_run(&dir.join("run"), "foo", "fn gen() {}").unwrap();
    let mut gone = Sample::library(&dir.join("gone"), "bar", "fn bar() {}").unwrap();
    for path in gone.files.values_mut() {
        fs::remove_file(path).unwrap();
    }
    let question = |it: &Sample| Request::BeforeBuild(it.question());
    let result = |it: &Sample| Request::AfterBuild(it.result());
    let end = |success| {
        let summary = Summary {
            success,
            restored: 1,
            compiled: 1,
            ..Summary::default()
        };
        Request::End(End {
            v: PROTOCOL_VERSION,
            id: 0,
            summary,
        })
    };
    let begin = Request::Begin(sample::begin(dir));
    let typed = |requests: Vec<Request>| {
        let values = requests.iter().map(|it| serde_json::to_value(it).unwrap());
        values.collect::<Vec<_>>()
    };
    let mut requests = match name {
        "session" => typed(vec![
            begin,
            question(&library),
            result(&library),
            question(&library),
            question(&script),
            end(true),
        ]),
        _ => {
            let mut requests = typed(vec![begin, result(&gone), question(&gone), end(false)]);
            let later = json!({"kind": "of-a-later-cargo", "unit": "x"});
            requests.insert(1, later);
            requests
        }
    };
    for (id, request) in (1..).zip(&mut requests) {
        request["v"] = json!(PROTOCOL_VERSION);
        request["id"] = json!(id);
    }
    requests
}

/// A hook that runs.
struct Hook {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Hook {
    fn start(dir: &Path) -> Hook {
        let mut child = Command::new(env!("CARGO_BIN_EXE_folder-hook"))
            .arg("--cargo-plugin")
            .env("FOLDER_HOOK_DIR", dir.join("store"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Hook {
            stdin: child.stdin.take().unwrap(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn ask(&mut self, request: &Value) -> Value {
        self.stdin
            .write_all(format!("{request}\n").as_bytes())
            .unwrap();
        self.read()
    }
}

/// Plays Cargo's side to the folder hook, and returns the conversation.
fn record(name: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut hook = Hook::start(dir.path());
    let mut lines = vec![json!({"from": "hook", "message": hook.read()})];
    for request in requests(name, dir.path()) {
        let answer = hook.ask(&request);
        lines.push(json!({"from": "cargo", "message": request}));
        lines.push(json!({"from": "hook", "message": answer}));
    }
    let process = format!("-{}-", hook.child.id());
    assert!(hook.child.wait().unwrap().success());
    let text: String = lines.iter().map(|it| format!("{it}\n")).collect();
    // The hook names what it stores after its process.
    let text = text.replace(&process, "-[PROCESS]-");
    text.replace(dir.path().to_str().unwrap(), DIR)
}

fn messages(name: &str, from: &str) -> Vec<Value> {
    let text = fs::read_to_string(file(name)).unwrap();
    let lines = text.lines().map(|it| serde_json::from_str(it).unwrap());
    lines
        .filter(|it: &Value| it["from"] == from)
        .map(|it| it["message"].clone())
        .collect()
}

#[test]
fn the_hook_says_what_it_said() {
    for name in NAMES {
        let recorded = record(name);
        if std::env::var_os("SNAPSHOTS").is_some_and(|it| it == "overwrite") {
            fs::create_dir_all(file(name).parent().unwrap()).unwrap();
            fs::write(file(name), &recorded).unwrap();
        }
        let present = fs::read_to_string(file(name)).unwrap();
        assert!(present == recorded, "{name}: now it is\n{recorded}");
    }
}

#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned>(value: &Value) -> T {
    let parsed: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&parsed).unwrap(), value);
    parsed
}

#[test]
fn every_message_is_one_of_the_types() {
    for name in NAMES {
        let said = messages(name, "hook");
        round_trip::<Hello>(&said[0]);
        for message in &said[1..] {
            let response: Response = round_trip(message);
            assert!(response.ok.is_some() != response.err.is_some());
            assert_ne!(response.ok, Some(Answer::Unknown));
        }
        for message in messages(name, "cargo") {
            if message["kind"] != "of-a-later-cargo" {
                round_trip::<Request>(&message);
            }
        }
    }
}

#[test]
fn the_client_understands_what_the_hook_said() {
    for name in NAMES {
        let command = client::Command {
            program: env!("CARGO_BIN_EXE_replay-hook").into(),
            args: vec![file(name).into()],
            cwd: None,
            env: Vec::new(),
        };
        let options = Options {
            timeout: Duration::from_secs(30),
            jobs: 1,
        };
        let client = Client::new(command, options);
        let answers = messages(name, "hook");
        // The hello and `ready` come before, and `done` at the end.
        let mut answers = answers[2..answers.len() - 1].iter();
        for request in messages(name, "cargo") {
            match serde_json::from_value(request.clone()).unwrap() {
                Request::Begin(begin) => client.begin(begin).unwrap(),
                Request::End(end) => client.end(end.summary, Duration::from_secs(30)).unwrap(),
                typed => {
                    let said = match typed {
                        Request::BeforeBuild(it) => client.before_build(it),
                        Request::AfterBuild(it) => client.after_build(it),
                        _ => client.forward(request).map(|_| Answer::Unknown),
                    };
                    let response: Response =
                        serde_json::from_value(answers.next().unwrap().clone()).unwrap();
                    match response.ok {
                        Some(answer) => assert_eq!(said.unwrap(), answer),
                        None => assert!(matches!(said, Err(client::Error::Hook(_)))),
                    }
                }
            }
        }
        assert!(answers.next().is_none());
    }
}

#[test]
fn what_is_forwarded_arrives_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let transcript = dir.path().join("transcript");
    let question = json!({"v": 1, "id": 2, "kind": "before-build", "later": {"a": [1]}});
    let answer = json!({"kind": "hit", "candidates": [], "later": "b"});
    let lines = [
        json!({"from": "hook", "message": {"v": [1], "name": "x", "capabilities": ["before-build", "session", "concurrent", "later"]}}),
        json!({"from": "cargo", "message": {"v": 1, "id": 1, "kind": "begin", "later": 1}}),
        json!({"from": "hook", "message": {"id": 1, "Ok": {"kind": "ready"}}}),
        json!({"from": "cargo", "message": question}),
        json!({"from": "hook", "message": {"id": 2, "Ok": answer}}),
        json!({"from": "cargo", "message": {"v": 1, "id": 3, "kind": "end", "later": 2}}),
        json!({"from": "hook", "message": {"id": 3, "Ok": {"kind": "done"}}}),
    ];
    let text: String = lines.iter().map(|it| format!("{it}\n")).collect();
    fs::write(&transcript, text).unwrap();
    let command = client::Command {
        program: env!("CARGO_BIN_EXE_replay-hook").into(),
        args: vec![transcript.into()],
        cwd: None,
        env: Vec::new(),
    };
    let timeout = Duration::from_secs(30);
    let client = Client::new(command, Options { timeout, jobs: 1 });
    client
        .begin_as(json!({"kind": "begin", "later": 1}))
        .unwrap();
    let asked = json!({"kind": "before-build", "later": {"a": [1]}, "id": 99});
    assert_eq!(client.forward(asked).unwrap(), answer);
    let told = client.forward(json!({"kind": "after-build"}));
    assert!(matches!(told, Err(client::Error::NotCapable(_))));
    client
        .end_as(json!({"kind": "end", "later": 2}), timeout)
        .unwrap();
}
