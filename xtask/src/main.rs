//! Builds, tests and rolls the fork forward. One file per subcommand; `cargo xtask --help` is the map.
//!
//! Invariant: xtask writes below `target/` and into `cargo-fork/patches/`, and nowhere else; the exception is
//! `install`, which says what it writes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod bench;
mod build;
mod check;
mod compile;
mod differential;
mod directory;
mod fetch;
mod fork;
mod fuzz;
mod git;
mod install;
mod lock;
mod new_hook;
mod overlay;
mod patch;
mod pin;
mod process;
mod repo;
mod rustup;
mod shipped;
mod stamp;
mod stock;
mod test;
mod tidy;
mod transcript;
mod tree;
mod try_out;

use crate::repo::Repo;

/// Builds, tests and rolls the fork forward.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    /// Works on this repository, instead of the one around the current folder.
    #[arg(long, global = true, hide = true, env = "XTASK_ROOT")]
    root: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the fork and its hooks into target/hooked.
    Build(build::Arguments),
    /// Builds the fork optimised, and makes it usable as `cargo +hooked`.
    Install(install::Arguments),
    /// Takes away what `install` made.
    Uninstall,
    /// Builds a real project in two checkouts, the second from the cache, and says what was saved.
    Try(try_out::Arguments),
    /// Makes a hook to begin with.
    NewHook(new_hook::Arguments),
    /// Measures the fork against the upstream Cargo that it was made from.
    Bench(bench::Arguments),
    /// Builds the fork and runs the tests.
    Test(test::Arguments),
    /// Fuzzes the parsers of the protocol.
    Fuzz(fuzz::Arguments),
    /// Checks everything that CI checks: rules, format, clippy, warnings, tests.
    Check(check::Arguments),
    /// Prints what the patches cost, and checks the rules that a compiler does not.
    Tidy,
    /// Edits, saves and shows the patch series.
    Patch(patch::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::print_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let repo = Repo::find(arguments.root)?;
    match arguments.command {
        Command::Build(arguments) => build::run(&repo, &arguments),
        Command::Install(arguments) => install::install(&repo, &arguments),
        Command::Uninstall => install::uninstall(&repo),
        Command::Try(arguments) => try_out::run(&repo, &arguments),
        Command::NewHook(arguments) => new_hook::run(&repo, &arguments),
        Command::Bench(arguments) => bench::run(&repo, &arguments),
        Command::Test(arguments) => test::run_command(&repo, &arguments),
        Command::Fuzz(arguments) => fuzz::run(&repo, &arguments),
        Command::Check(arguments) => check::run(&repo, &arguments),
        Command::Tidy => tidy::run(&repo),
        Command::Patch(arguments) => patch::run(&repo, arguments),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }
}
