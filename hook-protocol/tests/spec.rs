//! The specification agrees with the types, and the shell hook beside it works.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::path::PathBuf;
use std::time::Duration;

use hook_protocol::Digest;
use hook_protocol::client::{Client, Command, Options};
use hook_protocol::wire::*;
use serde_json::json;

use blocks::{blocks_of, message};

mod blocks;

const SPEC: &str = include_str!("../src/spec.md");

/// Returns the code blocks of the specification in `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    blocks_of(SPEC, language)
}

#[test]
fn examples_are_messages() {
    let seen: Vec<String> = blocks("json").into_iter().map(message).collect();
    let all = "hello begin ready before-build hit miss after-build stored declined end done Err entry entry";
    assert_eq!(seen.join(" "), all);
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
    let program = program.join("examples/shell-cache/hook.sh");
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
