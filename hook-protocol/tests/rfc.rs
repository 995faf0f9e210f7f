//! The RFC agrees with the types. Left out when the crate is exported, since the RFC is not a part of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use hook_protocol::wire::*;
use serde_json::Value;

use blocks::{blocks_of, message, round_trip};

mod blocks;

const RFC: &str = include_str!("../../rfcs/0001-build-hooks.md");

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
