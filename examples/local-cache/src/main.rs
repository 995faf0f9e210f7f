//! `local-cache`, under its three names:
//!
//! - `cargo-hook-local-cache --cargo-plugin`: the hook, started by Cargo;
//! - `cargo-local-cache local-cache COMMAND`: the subcommand, for `cargo local-cache COMMAND`;
//! - `local-cache COMMAND`: the same by itself.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use local_cache::clear::clear;
use local_cache::counters::{self, Counters};
use local_cache::dedupe::dedupe;
use local_cache::gc::{self, Limits};
use local_cache::hook::LocalCache;
use local_cache::layout::Layout;
use local_cache::usage::Usage;
use serde_json::json;

/// Shows and clears the build artifacts that the `local-cache` hook keeps
#[derive(Parser)]
#[command(version, bin_name = "cargo local-cache")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print what the cache holds, and how often it was of use
    Stats {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make libraries in target directories links to the cache, where it has the same
    Dedupe {
        /// Target directories
        #[arg(required = true)]
        dirs: Vec<PathBuf>,
    },
    /// Delete what was not used for longest, until the rest fits; safe while builds run
    Gc {
        /// Keep so much at most, such as 20GB
        #[arg(long, value_name = "SIZE", value_parser = gc::parse_size)]
        max_size: Option<u64>,
        /// Keep nothing that was not used for so many days
        #[arg(long, value_name = "DAYS")]
        max_age: Option<u64>,
    },
    /// Delete everything; safe while builds run
    Clear,
    /// Print the folder of the cache
    Dir,
}

fn main() -> ExitCode {
    match run(std::env::args_os().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: Vec<OsString>) -> anyhow::Result<()> {
    if args.get(1).is_some_and(|arg| arg == "--cargo-plugin") {
        anyhow::ensure!(
            args.len() == 2,
            "the hook takes no argument, but has {:?}",
            &args[2..]
        );
        hook_protocol::main(LocalCache::new(Layout::of_user()?));
        return Ok(());
    }
    if args.get(1).is_some_and(|arg| arg == "local-cache") {
        args.remove(1);
    }
    let layout = Layout::of_user()?;
    match Args::parse_from(args).command {
        Command::Stats { json } => {
            let (usage, counters) = (Usage::of(&layout), counters::read(&layout));
            if json {
                let stats = json!({ "dir": layout.root(), "usage": usage, "counters": counters });
                println!("{stats}");
            } else {
                print_stats(&layout, usage, counters);
            }
        }
        Command::Dedupe { dirs } => {
            for dir in dirs {
                let done = dedupe(&layout, &dir)?;
                let (files, size) = (done.files, size(done.bytes));
                println!("Linked {files} files, {size}, in {}", dir.display());
            }
        }
        Command::Gc { max_size, max_age } => {
            let user = Limits::of_user(&layout)?;
            let day = Duration::from_secs(24 * 60 * 60);
            let age = |days| day.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX));
            let limits = Limits {
                bytes: max_size.unwrap_or(user.bytes),
                age: max_age.map_or(user.age, age),
                ..user
            };
            let done = gc::collect(&layout, limits);
            let (results, blobs) = (done.results, done.blobs);
            println!(
                "Deleted {results} results and {blobs} files, {}",
                size(done.bytes)
            );
        }
        Command::Clear => {
            let before = Usage::of(&layout);
            clear(&layout)?;
            println!("Deleted {} results, {}", before.results, size(before.bytes));
        }
        Command::Dir => println!("{}", layout.root().display()),
    }
    Ok(())
}

fn print_stats(layout: &Layout, usage: Usage, counters: Counters) {
    println!("Folder    {}", layout.root().display());
    println!(
        "Holds     {} results of {} actions",
        usage.results, usage.actions
    );
    println!("          {} files, {}", usage.blobs, size(usage.bytes));
    println!("Hits      {}", counters.hits);
    println!("Misses    {}", counters.misses);
    println!("Stored    {}", counters.stored);
    println!("Declined  {}", counters.declined);
    println!("Sessions  {}", counters.sessions);
}

/// Returns `bytes` as people read it.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < units.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{amount:.1} {}", units[unit])
    }
}
