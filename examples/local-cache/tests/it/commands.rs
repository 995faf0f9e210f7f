//! The subcommand, under each of its names.

use std::process::Output;

use super::*;

fn run(world: &World, args: &[&str]) -> Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_local-cache"))
        .args(args)
        .env("CARGO_LOCAL_CACHE_DIR", world.root())
        .output()
        .unwrap()
}

#[track_caller]
fn stdout(world: &World, args: &[&str]) -> String {
    let output = run(world, args);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn filled() -> World {
    let world = World::new();
    let hook = world.hook();
    let built = world.build("foo", "code", "types");
    store(&hook, &built);
    store(&hook, &built.clone().depending_on("x"));
    store(&hook, &world.build("bar", "code", "other types"));
    look_up(&hook, &built);
    look_up(&hook, &world.build("baz", "code", "types"));
    drop(hook);
    world
}

#[test]
fn stats_for_people() {
    let world = filled();
    let text = stdout(&world, &["stats"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "Holds     3 results of 2 actions");
    assert!(lines[2].starts_with("          3 files, "));
    let rest = [
        "Hits      1",
        "Misses    1",
        "Stored    3",
        "Declined  0",
        "Sessions  1",
    ];
    assert_eq!(lines[3..], rest);
    assert_eq!(
        stdout(&world, &["local-cache", "stats"]),
        text,
        "as `cargo local-cache stats`"
    );
}

#[test]
fn stats_for_programs() {
    let world = filled();
    let stats: serde_json::Value =
        serde_json::from_str(&stdout(&world, &["stats", "--json"])).unwrap();
    assert_eq!(stats["dir"], world.root().to_str().unwrap());
    let bytes: u64 = ["blobs", "actions"]
        .iter()
        .flat_map(|dir| files_below(&world.root().join("v1").join(dir)))
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    let usage = serde_json::json!({"actions": 2, "results": 3, "blobs": 3, "bytes": bytes});
    assert_eq!(stats["usage"], usage);
    let counters =
        serde_json::json!({"sessions": 1, "hits": 1, "misses": 1, "stored": 3, "declined": 0});
    assert_eq!(stats["counters"], counters);
}

#[test]
fn an_empty_cache_is_not_created_by_looking() {
    let world = World::new();
    assert!(stdout(&world, &["stats"]).contains("Holds     0 results of 0 actions"));
    assert_eq!(look_up(&world.hook(), &world.build("foo", "", "")), []);
    assert_eq!(stdout(&world, &["clear"]), "Deleted 0 results, 0 B\n");
    assert_eq!(
        stdout(&world, &["dir"]),
        format!("{}\n", world.root().display())
    );
}

#[test]
fn clear_deletes_everything() {
    let world = filled();
    assert!(stdout(&world, &["clear"]).starts_with("Deleted 3 results, "));
    assert_eq!(
        files_below(&world.root()),
        [world.root().join("CACHEDIR.TAG")]
    );
    assert!(stdout(&world, &["stats"]).contains("Hits      0"));
}

#[test]
fn wrong_use_says_so() {
    let world = World::new();
    let output = run(&world, &["--cargo-plugin", "x"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let expected = "error: the hook takes no argument, but has [\"x\"]";
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .starts_with(expected)
    );
    let output = run(&world, &[]);
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("Usage: cargo local-cache")
    );
}

#[test]
#[cfg(unix)]
fn a_cache_that_cannot_be_written_to_is_an_error_in_words() {
    let world = World::new();
    fs::write(world.root(), "a file in its place").unwrap();
    let hook = world.hook();
    let built = world.build("foo", "code", "types");
    assert_eq!(look_up(&hook, &built), []);
    let error = hook.after_build(built.after()).unwrap_err();
    assert_eq!(error.to_string(), "failed to store `libfoo.rlib`");
    assert!(error.source().is_some());
}
