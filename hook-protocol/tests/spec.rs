//! The specification agrees with the types, and the shell hook beside it works.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::path::PathBuf;
use std::time::Duration;

use hook_protocol::Digest;
use hook_protocol::client::{Client, Command, Options};
use hook_protocol::wire::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const SPEC: &str = include_str!("../src/spec.md");

/// The RFC, whose examples are messages, too.
const RFC: &str = include_str!("../../rfcs/0001-build-hooks.md");

/// Returns the code blocks of the specification in `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    blocks_of(SPEC, language)
}

fn blocks_of(text: &'static str, language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned>(value: &Value) -> T {
    let parsed: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&parsed).unwrap(), value);
    parsed
}

#[test]
fn examples_are_messages() {
    let seen: Vec<String> = blocks("json").into_iter().map(message).collect();
    let all = "hello begin ready before-build hit miss after-build stored declined end done Err entry entry";
    assert_eq!(seen.join(" "), all);
}

/// Checks that a block is a message, and returns of which kind.
#[track_caller]
fn message(block: &str) -> String {
    let value: Value = serde_json::from_str(block).unwrap();
    if value["v"].is_array() {
        let hello: Hello = round_trip(&value);
        assert!(!hello.capabilities.contains(&Capability::Unknown));
        "hello".to_owned()
    } else if value["kind"].is_string() {
        assert_ne!(round_trip::<Request>(&value), Request::Unknown);
        value["kind"].as_str().unwrap().to_owned()
    } else if value["format"].is_u64() {
        round_trip::<Entry>(&value);
        "entry".to_owned()
    } else {
        let response: Response = round_trip(&value);
        assert_ne!(response.ok.is_some(), response.err.is_some());
        assert_ne!(response.ok, Some(Answer::Unknown));
        let kind = value["Ok"]["kind"].as_str().unwrap_or("Err");
        kind.to_owned()
    }
}

/// An entry that the RFC shows is a whole one, and names what the specification has.
#[test]
fn examples_of_the_rfc_are_messages() {
    let mut seen: Vec<String> = blocks_of(RFC, "json").into_iter().map(message).collect();
    seen.sort();
    seen.dedup();
    let all =
        "Err after-build before-build begin declined done end entry hello hit miss ready stored";
    assert_eq!(seen.join(" "), all);
    for block in blocks_of(RFC, "json") {
        let value: Value = serde_json::from_str(block).unwrap();
        let candidates = value["Ok"]["candidates"].as_array().into_iter().flatten();
        for entry in candidates.map(|it| &it["entry"]).chain([&value["entry"]]) {
            if !entry.is_null() {
                round_trip::<Entry>(entry);
            }
        }
    }
}

/// Reasons in a table of the RFC exist.
#[test]
fn reasons_in_the_rfc_exist() {
    let table = RFC.split("| Reason | Of which units |").nth(1).unwrap();
    let rows = table
        .trim()
        .lines()
        .skip(1)
        .take_while(|it| it.starts_with('|'));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(", "));
    let names: Vec<&str> = names.map(|it| it.trim().trim_matches('`')).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(Reason::NAMES.contains(&name), "{name}");
    }
}

#[test]
fn every_capability_and_tag_is_specified() {
    let tags = [
        "before-build",
        "after-build",
        "session",
        "concurrent",
        "copy",
        "link",
        "request",
        "durable",
    ];
    for tag in tags
        .iter()
        .chain(&["not-supported", "other", "`local-only: true`"])
    {
        assert!(SPEC.contains(tag), "{tag}");
    }
}

#[test]
fn every_reason_is_specified() {
    for name in Reason::NAMES {
        assert!(SPEC.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn numbers_are_those_of_the_code() {
    assert!(SPEC.contains(&format!("{} MiB", hook_protocol::client::MAX_LINE >> 20)));
    assert!(SPEC.contains(&format!("This page is version {PROTOCOL_VERSION}.")));
}

#[test]
#[cfg(unix)]
fn the_shell_hook_works() {
    if std::process::Command::new("jq")
        .arg("--version")
        .output()
        .is_err()
    {
        eprintln!("skipped: the shell hook needs `jq`, which is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let program = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = program.join("../examples/shell-cache/hook.sh");
    let env = vec![(
        "SHELL_CACHE_DIR".into(),
        Some(dir.path().join("st ore").into()),
    )];
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
            jobs: 2,
        },
    );

    let request = |kind: &str| {
        let tag = format!(r#""kind": "{kind}""#);
        let block = blocks("json").into_iter().find(|it| it.contains(&tag));
        serde_json::from_str::<Request>(block.unwrap()).unwrap()
    };
    let Request::Begin(begin) = request("begin") else {
        panic!()
    };
    let Request::BeforeBuild(question) = request("before-build") else {
        panic!()
    };
    let Request::AfterBuild(mut built) = request("after-build") else {
        panic!()
    };
    let name = "libfoo-1a2b3c4d.rlib".to_owned();
    built
        .files
        .insert(name.clone(), dir.path().join("b u\\ilt"));
    built.entry =
        OpaqueEntry(json!({"format": 1, "text": "a\nb\\n\t\u{e9}\u{7}\"", "n": [1, null, true]}));

    client.begin(begin).unwrap();
    assert_eq!(
        client.before_build(question.clone()).unwrap(),
        Answer::Miss(Miss::default())
    );
    for bytes in ["old", "new"] {
        std::fs::write(&built.files[&name], bytes).unwrap();
        let stored = client.after_build(built.clone()).unwrap();
        assert_eq!(stored, Answer::Stored(Stored::default()));
        let Answer::Hit(hit) = client.before_build(question.clone()).unwrap() else {
            panic!()
        };
        let [candidate] = &*hit.candidates else {
            panic!()
        };
        assert_eq!(candidate.entry, built.entry);
        let path: &PathBuf = &candidate.files[&name];
        assert_eq!(Digest::of_file(path).unwrap(), Digest::of(bytes.as_bytes()));
        assert_eq!(
            (candidate.placement, candidate.lifetime),
            (Placement::Copy, Lifetime::Durable)
        );
    }
    client
        .end(Summary::default(), Duration::from_secs(30))
        .unwrap();
}
