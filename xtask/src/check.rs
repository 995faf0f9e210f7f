//! `cargo xtask check`: what every commit must pass, each step with its time. `.ci/run` has the longer checks, too.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::build;
use crate::compile::{self, Profile, Warnings};
use crate::overlay;
use crate::patch::Series;
use crate::pin::Pin;
use crate::process;
use crate::repo::Repo;
use crate::test;
use crate::tidy;

/// Options of `cargo xtask check`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leaves the tests to `cargo xtask test`.
    #[arg(long)]
    no_test: bool,
}

type Step = (&'static str, fn(&Repo) -> Result<()>);

const TEST: &str = "test";

const STEPS: [Step; 5] = [
    ("tidy", tidy::run),
    ("format", format),
    ("clippy", clippy),
    ("warnings", warnings),
    (TEST, |repo| test::run(repo, &[])),
];

/// Runs every step, also after one that failed.
pub(crate) fn run(repo: &Repo, arguments: &Arguments) -> Result<()> {
    let mut results = Vec::new();
    let wanted = |step: &Step| step.0 != TEST || !arguments.no_test;
    for (name, step) in STEPS.into_iter().filter(wanted) {
        eprintln!("[check] {name}");
        let start = Instant::now();
        let result = step(repo);
        if let Err(error) = &result {
            process::print_error(error);
        }
        results.push((name, result.is_ok(), start.elapsed()));
    }
    summarise(&results)
}

fn summarise(results: &[(&str, bool, Duration)]) -> Result<()> {
    println!();
    for (name, passed, elapsed) in results {
        println!(
            "{name:<10} {:<7} {:>7.1} s",
            if *passed { "ok" } else { "FAILED" },
            elapsed.as_secs_f64()
        );
    }
    let failed: Vec<_> = results.iter().filter(|it| !it.1).map(|it| it.0).collect();
    if !failed.is_empty() {
        bail!("failed to pass {}", failed.join(", "));
    }
    Ok(())
}

/// Checks the format of the workspace, and of the overlay, which is in no workspace.
fn format(repo: &Repo) -> Result<()> {
    process::run(repo.cargo().args(["fmt", "--all", "--check"]))?;
    let overlay = overlay::read(&repo.overlay())?;
    let files: Vec<PathBuf> = overlay
        .keys()
        .filter(|it| it.ends_with(".rs"))
        .map(|it| repo.overlay().join(it))
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    process::run(
        Command::new("rustfmt")
            .current_dir(repo.root())
            .args(["--check", "--edition=2024"])
            .args(files),
    )
}

fn clippy(repo: &Repo) -> Result<()> {
    let mut cargo = repo.cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--quiet"]);
    cargo.args(test::features()).args(["--", "-D", "warnings"]);
    process::run(&mut cargo)
}

/// Builds the fork, and fails if the compiler warns about a file of ours in it.
///
/// Clippy would have to check all of Cargo for that; Cargo replays the compiler's own warnings at no cost.
fn warnings(repo: &Repo) -> Result<()> {
    build::build(repo, Profile::Quick)?;
    let pin = Pin::load(&repo.pin_file())?;
    let mut ours: Vec<String> = overlay::read(&repo.overlay())?
        .into_keys()
        .map(|it| format!("{}/{it}", pin.overlay_root))
        .collect();
    let series = Series::load(&repo.patches())?;
    ours.extend(
        series
            .patches()
            .iter()
            .flat_map(|it| it.paths())
            .map(String::from),
    );
    let compiled = compile::fork(repo, &pin, Profile::Quick, Warnings::Collect)?;
    let found: Vec<_> = compiled
        .warnings
        .iter()
        .filter(|it| it.files.iter().any(|it| ours.contains(it)))
        .collect();
    for warning in &found {
        eprintln!("{}", warning.rendered);
    }
    if !found.is_empty() {
        bail!(
            "the compiler warns about our files in the fork: {} warnings",
            found.len()
        );
    }
    Ok(())
}
