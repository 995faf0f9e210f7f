//! The table that `cargo xtask try` ends with.

use std::path::Path;

use anyhow::Result;

use super::measure::{Build, Missed};
use crate::tree;

/// Prints what both builds came to.
pub(crate) fn print(cold: &Build, warm: &Build, cache: &Path) -> Result<()> {
    let row = |name: &str, cold: String, warm: String| println!("{name:<24}{cold:>14}{warm:>16}");
    row(
        "",
        "first checkout".to_owned(),
        "second checkout".to_owned(),
    );
    row(
        "units restored",
        cold.restored.to_string(),
        warm.restored.to_string(),
    );
    row(
        "units compiled",
        cold.compiled.to_string(),
        warm.compiled.to_string(),
    );
    let scripts = |build: &Build| build.scripts.saturating_sub(build.ran()).to_string();
    row("build scripts restored", scripts(cold), scripts(warm));
    let ran = |build: &Build| build.ran().to_string();
    row("build scripts run", ran(cold), ran(warm));
    let seconds = |build: &Build| format!("{:.2}", build.took.as_secs_f64());
    row("seconds", seconds(cold), seconds(warm));
    row(
        "restored",
        megabytes(cold.restored_bytes),
        megabytes(warm.restored_bytes),
    );
    let ratio = cold.took.as_secs_f64() / warm.took.as_secs_f64();
    println!();
    println!(
        "The second checkout took {:.1} % of the time: {ratio:.0} times as fast.",
        100.0 / ratio
    );
    println!("The cache holds {}.", megabytes(size(cache)?));
    for missed in &warm.missed {
        let Missed {
            shown, why, detail, ..
        } = missed;
        let detail = detail.as_deref().map(|it| format!(" ({it})"));
        let detail = detail.unwrap_or_default();
        println!("Not from the cache: {shown}: {why}{detail}.");
    }
    for (name, program) in &cold.programs {
        let word = match warm.programs.get(name) {
            Some(other) if program.equals(other)? => "is the same in both",
            Some(_) => "differs",
            None => "is only in the first",
        };
        println!("The program `{name}` {word}.");
    }
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Returns how many bytes the files below a folder have.
fn size(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for (name, is_folder) in tree::list(folder)? {
        let path = folder.join(name);
        sum += if is_folder {
            size(&path)?
        } else {
            path.metadata().map_or(0, |it| it.len())
        };
    }
    Ok(sum)
}
