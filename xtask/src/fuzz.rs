//! `cargo xtask fuzz`: shows the parsers of both sides of the protocol whatever comes to a fuzzer's mind.
//!
//! ```text
//! hook-protocol/fuzz            the targets
//! hook-protocol/transcripts     what the fuzzer begins with: a seed for each conversation and each line
//! target/fuzz/TARGET            what it found to be interesting; kept from run to run
//! target/fuzz/artifacts         what breaks a target
//! ```
//!
//! Coverage of code is a matter of unstable flags, which the stable compiler takes if it is told to.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::repo::Repo;
use crate::tree;

/// Options of `cargo xtask fuzz`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target runs.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u32,
}

/// A target, and who says what it reads.
const TARGETS: [(&str, &str); 2] = [("hook_reads", "cargo"), ("cargo_reads", "hook")];

/// Runs `cargo xtask fuzz`.
pub(crate) fn run(repo: &Repo, arguments: &Arguments) -> Result<()> {
    let mut version = repo.cargo();
    if process::read(version.args(["fuzz", "--version"])).is_err() {
        bail!("`cargo fuzz` is not installed\nhelp: run `cargo install cargo-fuzz --locked`");
    }
    for (target, from) in TARGETS {
        let corpus = repo.join("target/fuzz").join(target);
        fs::create_dir_all(&corpus)
            .with_context(|| format!("failed to create `{}`", corpus.display()))?;
        for (name, seed) in seeds(repo, from)? {
            tree::write_if_different(&corpus.join(name), &seed)?;
        }
        eprintln!("[fuzz] {target} for {} s", arguments.seconds);
        let artifacts = repo.join("target/fuzz/artifacts");
        fs::create_dir_all(&artifacts)
            .with_context(|| format!("failed to create `{}`", artifacts.display()))?;
        let mut fuzz = fuzz(repo, target);
        fuzz.arg(&corpus)
            .arg("--")
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(format!("-max_total_time={}", arguments.seconds))
            .args([
                "-max_len=65536",
                "-timeout=10",
                "-verbosity=0",
                "-print_final_stats=1",
            ]);
        process::run(&mut fuzz).with_context(|| format!("`{target}` does not hold"))?;
    }
    Ok(())
}

fn fuzz(repo: &Repo, target: &str) -> Command {
    let mut command = repo.cargo();
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir"])
        .arg(repo.join("hook-protocol/fuzz"))
        .arg("--target-dir")
        .arg(repo.join("target/fuzz/build"))
        .arg(target);
    command
}

/// Returns what a side says in the transcripts: each conversation, and each line of it.
fn seeds(repo: &Repo, from: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let transcripts = tree::read(&repo.join("hook-protocol/transcripts"), &|_| true)?;
    let mut seeds = Vec::new();
    for (name, text) in transcripts {
        let mut all = Vec::new();
        for (number, line) in text.split(|it| *it == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let line: Value = serde_json::from_slice(line)
                .with_context(|| format!("failed to parse `{name}`"))?;
            if line["from"] == from {
                let message = format!("{}\n", line["message"]).into_bytes();
                all.extend(&message);
                seeds.push((format!("{name}-{number}"), message));
            }
        }
        seeds.push((name, all));
    }
    if seeds.is_empty() {
        bail!("there are no transcripts");
    }
    Ok(seeds)
}
