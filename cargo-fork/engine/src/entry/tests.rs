//! Tests of entries: what is believed, and what is the hook's mistake.

use std::fs;

use hook_protocol::Digest;
use hook_protocol::wire::{OpaqueEntry, Role};

use super::*;
use crate::unit::{Output, fixture};

fn unit(dir: &std::path::Path) -> Unit {
    let output = |name: &str, role| Output {
        path: dir.join(name),
        role,
    };
    Unit {
        outputs: vec![
            output("liba.rlib", Role::Link),
            output("liba.rmeta", Role::Metadata),
            output("liba.dwp", Role::DebugInfo),
        ],
        ..fixture::library(dir)
    }
}

fn hashes() -> Hashes {
    Hashes {
        key: Digest::of(b"key"),
        action: Digest::of(b"action"),
        ingredients: BTreeMap::new(),
        files: Vec::new(),
    }
}

/// A unit that was built, and the candidate that a faithful hook makes of it.
fn built(dir: &std::path::Path) -> (Unit, Candidate) {
    let unit = unit(dir);
    fs::write(dir.join("liba.rlib"), "rlib").unwrap();
    fs::write(dir.join("liba.rmeta"), "rmeta").unwrap();
    let Outputs { files, places } = describe(&unit, &FileDigests::default()).unwrap();
    let entry = Entry {
        files,
        ..empty(&unit.subject, &hashes(), Inputs::default())
    };
    let candidate = Candidate {
        entry: OpaqueEntry::from(&entry),
        files: places,
        placement: Default::default(),
        lifetime: Default::default(),
    };
    (unit, candidate)
}

#[test]
fn what_was_written_is_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (unit, candidate) = built(dir.path());
    let entry = believe(&candidate, &unit, &hashes()).unwrap();
    let names: Vec<_> = entry.files.keys().collect();
    assert_eq!(
        names,
        ["liba.rlib", "liba.rmeta"],
        "what is optional may be absent"
    );
    assert_eq!(entry.files["liba.rlib"].digest, Digest::of(b"rlib"));
}

#[test]
fn a_missing_output_is_not_described() {
    let dir = tempfile::tempdir().unwrap();
    let (unit, _) = built(dir.path());
    fs::remove_file(dir.path().join("liba.rmeta")).unwrap();
    let reason = describe(&unit, &FileDigests::default()).err().unwrap();
    assert_eq!(reason.name(), "output-missing");
}

#[test]
fn everything_else_is_the_hooks_mistake() {
    type Change = fn(&mut Entry, &mut BTreeMap<String, PathBuf>);
    let changes: &[(&str, Change)] = &[
        ("format", |entry, _| entry.format += 1),
        ("another question", |entry, _| {
            entry.action = Digest::of(b"other")
        }),
        ("belongs to `b`", |entry, _| {
            entry.unit.package = "b".to_owned()
        }),
        ("belongs to", |entry, _| entry.unit.target = "b".to_owned()),
        ("missing in the entry", |entry, files| {
            entry.files.remove("liba.rlib");
            files.remove("liba.rlib");
        }),
        ("no file for", |_, files| drop(files.remove("liba.rlib"))),
        ("not in the entry", |_, files| {
            drop(files.insert("extra".to_owned(), "/x".into()))
        }),
        ("not expected", |entry, files| {
            let file = entry.files["liba.rlib"].clone();
            entry.files.insert("../../escape".to_owned(), file);
            files.insert("../../escape".to_owned(), "/x".into());
        }),
        ("another role", |entry, _| {
            let file = entry.files.get_mut("liba.rlib").unwrap();
            file.role = Role::Metadata;
        }),
    ];
    let dir = tempfile::tempdir().unwrap();
    for (message, change) in changes {
        let (unit, mut candidate) = built(dir.path());
        let mut entry = candidate.entry.parse().unwrap();
        change(&mut entry, &mut candidate.files);
        candidate.entry = OpaqueEntry::from(&entry);
        let error = believe(&candidate, &unit, &hashes()).unwrap_err();
        assert!(
            error.contains(message),
            "`{error}` does not say `{message}`"
        );
    }
    let (unit, mut candidate) = built(dir.path());
    candidate.entry = OpaqueEntry(serde_json::json!({"format": 1}));
    let error = believe(&candidate, &unit, &hashes()).unwrap_err();
    assert!(error.contains("not valid"), "{error}");
}
