//! Tests of comparisons. That the hook works as a whole, and in a stack, is for the end-to-end tests.

use std::fs;

use hook_protocol::sample::Sample;
use hook_protocol::wire::{Lifetime, OpaqueEntry, Placement};

use super::*;

fn candidate(sample: &Sample) -> Candidate {
    Candidate {
        entry: OpaqueEntry::from(&sample.entry),
        files: sample.files.clone(),
        placement: Placement::Copy,
        lifetime: Lifetime::Durable,
    }
}

/// Compares a candidate with what was built.
fn compared(candidate: &Candidate, fresh: &Sample) -> Verdict {
    compare::compare(candidate, &fresh.entry, &fresh.files)
}

fn whats(verdict: Verdict) -> Vec<&'static str> {
    match verdict {
        Verdict::Different(differences) => differences.iter().map(|it| it.what).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_differs_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let library = |place: &str, source: &str| {
        Sample::library(&dir.path().join(place), "foo", source).unwrap()
    };
    let (old, fresh) = (library("old", "a"), library("fresh", "a"));
    assert_eq!(compared(&candidate(&old), &fresh), Verdict::Equal);

    // Other sources: Cargo would not take it.
    let other = candidate(&library("other", "b"));
    assert_eq!(compared(&other, &fresh), Verdict::NotComparable);

    // The same inputs, and another result.
    let mut wrong = library("wrong", "b");
    wrong.entry.inputs = fresh.entry.inputs.clone();
    let bytes = "has other bytes than when it is compiled";
    assert_eq!(whats(compared(&candidate(&wrong), &fresh)), [bytes, bytes]);

    let mut talks = library("talks", "a");
    talks.entry.messages.clear();
    let said = "the compiler said something else";
    assert_eq!(whats(compared(&candidate(&talks), &fresh)), [said]);

    let spoilt = library("spoilt", "a");
    let path = spoilt.files.values().next().unwrap();
    fs::write(path, "spoilt").unwrap();
    let supplied = "is supplied with other bytes than its entry says";
    assert_eq!(whats(compared(&candidate(&spoilt), &fresh)), [supplied]);
}

#[test]
fn sections_that_differ_are_named() {
    let this = fs::read(std::env::current_exe().unwrap()).unwrap();
    assert!(sections::that_differ(&this, &this).is_empty());
    assert!(sections::that_differ(b"text", b"other text").is_empty());
    #[cfg(target_os = "linux")]
    {
        static TEXT: &str = "a text by which a place in this program is known";
        let mut other = this.clone();
        let place = this
            .windows(TEXT.len())
            .position(|it| it == TEXT.as_bytes());
        other[place.unwrap()] = b'A';
        assert_eq!(sections::that_differ(&this, &other), [".rodata"]);
    }
}
