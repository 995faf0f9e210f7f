//! `cargo xtask test`: builds the fork, then runs every test of the workspace, the end-to-end ones included.
//!
//! The end-to-end tests (package `hooked-tests`, folder `tests/`) find the fork's `cargo` through `HOOKED_CARGO`, and
//! upstream's, with which it shares target directories, through `STOCK_CARGO`. With `--differential` it runs what
//! [`crate::differential`] describes instead.

use anyhow::{Context, Result};

use crate::build;
use crate::compile::{self, Profile};
use crate::differential;
use crate::process;
use crate::repo::Repo;
use crate::stock;

/// Runs the tests.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs only tests whose name contains one of these words.
    filter: Vec<String>,
    #[command(flatten)]
    differential: differential::Options,
}

/// Runs `cargo xtask test`.
pub(crate) fn run_command(repo: &Repo, arguments: &Arguments) -> Result<()> {
    if arguments.differential.is_wanted() {
        return differential::run(repo, &arguments.differential, &arguments.filter);
    }
    run(repo, &arguments.filter)
}

/// Builds the fork, and runs the tests whose name contains one of these words.
pub(crate) fn run(repo: &Repo, filter: &[String]) -> Result<()> {
    build::build(repo, Profile::Quick)?;
    let stock = stock::build(repo, Profile::Quick)?;
    let mut cargo = repo.cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]);
    cargo.args(features());
    if !filter.is_empty() {
        cargo.arg("--").args(filter);
    }
    cargo.env("HOOKED_CARGO", repo.hooked_cargo());
    cargo.env("STOCK_CARGO", stock);
    process::run(&mut cargo).context("failed to pass the tests")
}

/// Features of the workspace that this machine needs.
pub(crate) fn features() -> &'static [&'static str] {
    if compile::has_openssl() {
        &[]
    } else {
        &["--features", "hooked-tests/vendored-openssl"]
    }
}
