//! A round of contenders that are scripts: they compile what is not there or was edited, and the fork has a cache.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::bench::programs::Programs;
use crate::bench::share::contender::contenders;
use crate::bench::share::workload::SMALL;

/// Builds what the last argument but for `-v` names the manifest of; `target/sum` tells what was built.
const CARGO: &str = r#"#!/bin/sh
for argument; do
    if [ "$before" = --manifest-path ]; then folder=$(dirname "$argument"); fi
    before=$argument
done
sum=$(cat "$folder"/crates/*/main.rs "$folder"/crates/*/src/lib.rs | cksum)
message='"reason":"compiler-artifact","package_id":"p","target":{"name":"t","kind":["lib"]}'
message=$message',"profile":{"test":false},"filenames":[]'
full=$CARGO_LOCAL_CACHE_DIR/full
if [ "$(cat "$folder/target/sum" 2>/dev/null)" = "$sum" ]; then
    echo "{$message,\"fresh\":true}"
elif [ -n "$CARGO_LOCAL_CACHE_DIR" ] && [ "$(cat "$full" 2>/dev/null)" = "$sum" ]; then
    echo "{$message,\"fresh\":false,\"restored\":true}"
else
    echo '   Compiling p v0.1.0' >&2
    echo "{$message,\"fresh\":false}"
    if [ -n "$CARGO_LOCAL_CACHE_DIR" ]; then [ -e "$full" ] || echo "$sum" > "$full"; fi
fi
mkdir -p "$folder/target"
echo "$sum" > "$folder/target/sum"
"#;

fn files() -> Tree {
    let text = |edit: Edit| format!("//! Text.\n{}\n}}\n", edit.function).into_bytes();
    Tree::from([
        (SMALL.leaf.path.to_string(), text(SMALL.leaf)),
        (SMALL.middle.path.to_string(), text(SMALL.middle)),
        (LOCK.to_string(), b"version = 4\n".to_vec()),
    ])
}

/// Runs two rounds with scripts that go on with `more`.
fn rounds(more: &str) -> Result<Found> {
    let temporary = tempfile::tempdir().unwrap();
    let place = |name: &str| temporary.path().join(name);
    for name in ["cargo", "home"] {
        fs::create_dir(place(name)).unwrap();
    }
    let program = place("cargo/cargo");
    fs::write(&program, format!("{CARGO}{more}")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let site = Site {
        folder: place("folder"),
        home: place("home"),
        rustc: place("rustc"),
    };
    let programs = Programs {
        stock: program.clone(),
        fork: program,
        others: Vec::new(),
    };
    let all = contenders(&programs, &[], &site.folder).unwrap();
    let mut rounds = Rounds::new(&site, SMALL, files(), all, &Phase::ALL);
    for round in 0..2 {
        rounds.round(round)?;
    }
    let found = rounds.found();
    rounds.finish().unwrap();
    assert!(!site.folder.join("on").exists());
    Ok(found)
}

#[test]
fn every_phase_has_those_who_take_part() {
    let found = rounds("").unwrap();
    let names = |phase| {
        let series = found.series.iter().filter(|it| it.phase == phase);
        series.map(|it| it.contender.as_str()).collect::<Vec<_>>()
    };
    for phase in [Phase::Cold, Phase::NoOp, Phase::EditLeaf, Phase::EditMiddle] {
        assert_eq!(names(phase), ["stock", "off", "on"], "{phase:?}");
    }
    assert_eq!(names(Phase::WarmSame), ["floor", "on"]);
    assert_eq!(names(Phase::WarmOther), ["floor", "on"]);
    assert_eq!(names(Phase::NextCommit), ["on"]);
    assert!(found.series.is_sorted_by_key(|it| it.phase));
}

#[test]
fn what_was_restored_and_compiled_is_known() {
    let found = rounds("").unwrap();
    let units = |phase, name| {
        let units = found.series(phase, name).unwrap().units;
        (units.compiled, units.restored)
    };
    assert_eq!(found.units, 1);
    assert_eq!(units(Phase::Cold, "on"), (1, 0));
    assert_eq!(units(Phase::NoOp, "on"), (0, 0));
    assert_eq!(units(Phase::EditLeaf, "stock"), (1, 0));
    assert_eq!(units(Phase::WarmSame, "on"), (0, 1));
    assert_eq!(units(Phase::WarmOther, "on"), (0, 1));
    assert_eq!(units(Phase::NextCommit, "on"), (1, 0));
    let disk = |name| found.series(Phase::WarmOther, name).unwrap().disk;
    assert!(disk("on").is_some() && disk("floor").is_none() && found.stock_disk.is_some());
}

#[test]
fn a_build_that_should_do_nothing_is_an_error() {
    let error = rounds("echo '   Dirty p' >&2\n").err().unwrap();
    assert_eq!(error.to_string(), "`stock` failed in `no-op`");
    let cause = "it was to have nothing to do, but it did: `Dirty p`";
    assert_eq!(error.root_cause().to_string(), cause);
}
