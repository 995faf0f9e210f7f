//! The patch series: what it is, and the subcommands that edit, save and show it.
//!
//! Commits are the source of the series and the `.patch` files are an export: `edit` turns the files into commits on
//! top of pristine upstream, `save` turns the commits back into the same bytes.

use anyhow::Result;
use clap::Subcommand;

use crate::repo::Repo;

mod check;
mod diff;
mod edit;
mod export;
mod file;
mod save;
mod scratch;
mod series;
mod show;
mod worktree;

pub(crate) use file::Patch;
pub(crate) use series::{Series, listed, present};

/// Edits, saves, checks and shows the patch series.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a git repository below target/patch-edit: pristine upstream, then one commit per patch.
    Edit {
        /// Throws away commits and changes there that are not saved.
        #[arg(long)]
        force: bool,
    },
    /// Writes the commits of that repository back to cargo-fork/patches.
    Save {
        /// Overwrites patches that changed since `edit`, and drops those that `edit` could not apply.
        #[arg(long)]
        force: bool,
    },
    /// Has the compiler check Cargo after each patch, and not only after the last.
    Check,
    /// Prints the series with full context, to review it.
    Show,
    /// Writes the series below target/patch-export as upstream would read it, for `git am`.
    Export,
}

/// Runs `cargo xtask patch`.
pub(crate) fn run(repo: &Repo, arguments: Arguments) -> Result<()> {
    match arguments.command {
        Command::Edit { force } => edit::run(repo, force),
        Command::Save { force } => save::run(repo, force),
        Command::Check => check::run(repo),
        Command::Show => show::show(repo),
        Command::Export => export::run(repo),
    }
}
