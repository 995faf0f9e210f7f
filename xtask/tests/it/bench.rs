//! Benchmarks of made-up contenders: scripts that behave like a Cargo with nothing to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::world::{World, run};

/// Knows all units, and says that it is done.
const IDLE: &str = "#!/bin/sh
case \"$*\" in
*--version) echo 'cargo 1.0.0 (idle)' ;;
*--message-format=*) yes '{\"reason\":\"compiler-artifact\",\"fresh\":true}' | head -n 300 ;;
*) echo '    Finished `dev` profile' >&2 ;;
esac
";

/// The same, but it compiles what was touched; the fifth argument is the workspace's manifest.
const COMPILES: &str = "
if find \"$5\" -newermt 2021-01-01 | grep -q .; then echo '   Compiling p00 v0.1.0' >&2; fi
";

/// A world with two programs, `idle` and `other`, which goes on with `more`.
fn world(more: &str) -> World {
    let world = World::new();
    for (name, text) in [
        ("idle", IDLE.to_string()),
        ("other", format!("{IDLE}{more}")),
    ] {
        world.write(name, &text);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(world.root().join(name), mode).unwrap();
    }
    world
}

fn arguments(world: &World, more: &[&str]) -> Vec<String> {
    let place = |name: &str| world.root().join(name).display().to_string();
    let named = [
        format!("--stock={}", place("idle")),
        format!("--fork={}", place("other")),
        format!("--json={}", place("figures.json")),
    ];
    let fixed = ["bench", "noop", "--runs=3"].map(str::to_string);
    let more = more.iter().map(|it| it.to_string());
    fixed.into_iter().chain(named).chain(more).collect()
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[test]
fn ratios_are_printed_and_all_figures_written() {
    let world = world("");
    let with = format!("--with=again={}", world.root().join("idle").display());
    let outcome = world.xtask(&words(&arguments(&world, &[&with])));
    assert!(outcome.success, "{}", outcome.stderr);
    for expected in [
        "300 units, 2282 source files",
        "again               cargo 1.0.0 (idle)",
        "content / stock ",
        "mtime / stock ",
        "first after touch / own no-op ",
        "second after touch / stock no-op ",
        "After a touch `stock` compiles 0 of 300 units.",
    ] {
        assert!(outcome.stdout.contains(expected), "{}", outcome.stdout);
    }
    let figures: serde_json::Value = serde_json::from_str(&world.read("figures.json")).unwrap();
    let rows: Vec<_> = figures["noop"]["rows"].as_array().unwrap().iter().collect();
    assert_eq!(rows.len(), 4);
    assert!(
        rows.iter()
            .all(|it| it["milliseconds"].as_array().unwrap().len() == 3)
    );
    let after = &figures["touch"]["second"]["milliseconds"];
    assert_eq!(after.as_array().unwrap().len(), 1);
}

#[test]
fn a_missed_target_fails_only_when_asked() {
    let world = world("if [ \"$CARGO_BUILD_FINGERPRINT\" = content ]; then sleep 0.1; fi\n");
    let outcome = world.xtask(&words(&arguments(&world, &[])));
    assert!(outcome.success, "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("at most 1.05: missed"),
        "{}",
        outcome.stdout
    );
    let missed = "missed the targets for content / stock";
    world.fails(&words(&arguments(&world, &["--assert"])), &[missed]);
}

#[test]
fn compiling_after_a_touch_is_an_error_and_undone() {
    let world = world(COMPILES);
    let expected = [
        "error: after all files were touched",
        "`fork-content` was to have nothing to do, but it did: `Compiling p00 v0.1.0`",
    ];
    world.fails(&words(&arguments(&world, &[])), &expected);
    let manifest = world.root().join("target/bench/noop/workspace/Cargo.toml");
    let age = SystemTime::now()
        .duration_since(fs::metadata(manifest).unwrap().modified().unwrap())
        .unwrap();
    assert!(age > Duration::from_secs(1_000_000));
    assert!(world.read("figures.json").contains("\"touch\": null"));
}

#[test]
fn upstream_is_built_beside_the_fork_and_once() {
    let world = World::new();
    // The made-up upstream builds nothing.
    world.fails(
        &["bench", "noop", "--quick"],
        &["the workspace is too small"],
    );
    for (program, version) in [
        ("target/stock/quick/bin/cargo", "upstream cargo 0.98.0"),
        (
            "target/bench/fork/quick/cargo",
            "hooked 0.1.0, upstream cargo 0.98.0",
        ),
    ] {
        let outcome = run(&mut Command::new(world.root().join(program)));
        assert_eq!(outcome.stdout, format!("cargo 1.97.0 ({version})\n"));
    }
    assert!(
        !world
            .root()
            .join("target/stock/cargo-0.98.0/Cargo.lock")
            .exists()
    );
    let again = world.xtask(&["bench", "noop", "--quick"]).stderr;
    assert_eq!(again.matches("[fresh]").count(), 2, "{again}");
    assert!(world.passes(&["build"]).contains("[fresh]"));
}

/// Knows 2,000 units, which are restored in every build.
const RESTORES: &str = "#!/bin/sh
case \"$*\" in
*--version) echo 'cargo 1.0.0 (restores)' ;;
*) yes '{\"reason\":\"compiler-artifact\",\"fresh\":false,\"restored\":true}' | head -n 2000 ;;
esac
";

#[test]
fn sharing_is_measured_and_shown() {
    let world = world("");
    world.write("idle", RESTORES);
    let program = world.root().join("idle").display().to_string();
    let page = world.root().join("page.html").display().to_string();
    let figures = world.root().join("figures.json").display().to_string();
    let outcome = world.xtask(&[
        "bench",
        "share",
        "--size=scaling",
        "--rounds=2",
        "--stock",
        &program,
        "--fork",
        &program,
        "--json",
        &figures,
        "--html",
        &page,
    ]);
    assert!(outcome.success, "{}", outcome.stderr);
    for expected in [
        "fork        cargo 1.0.0 (restores)",
        "restoring 2000 / 400 units",
        "at most 5.00: met",
    ] {
        assert!(outcome.stdout.contains(expected), "{}", outcome.stdout);
    }
    let figures: serde_json::Value = serde_json::from_str(&world.read("figures.json")).unwrap();
    let sizes = figures["scaling"]["sizes"].as_array().unwrap();
    let counts: Vec<_> = sizes.iter().map(|it| it["units"].as_u64()).collect();
    assert_eq!(counts, [Some(400), Some(2000)]);
    assert!(world.read("page.html").contains("<h2>Scaling</h2>"));
    assert!(!world.root().join("target/bench/share/scaling").exists());
}
