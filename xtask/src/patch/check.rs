//! `cargo xtask patch check`: upstream takes a series one patch at a time, so that Cargo must compile after each.
//!
//! A module is called only later than it is declared, so that there are warnings about what nobody calls yet.

use anyhow::{Context, Result};

use crate::compile;
use crate::fetch;
use crate::fork;
use crate::patch::Series;
use crate::pin::Pin;
use crate::repo::Repo;

/// Checks the fork after each patch, in order.
pub(crate) fn run(repo: &Repo) -> Result<()> {
    let pin = Pin::load(&repo.pin_file())?;
    let _lock = repo.lock()?;
    let folder = repo.patch_check_folder(&pin);
    let upstream = fetch::upstream(repo, &pin)?;
    let names: Vec<String> = Series::load(&repo.patches())?
        .patches()
        .iter()
        .map(|it| it.file_name())
        .collect();
    for (at, name) in names.iter().enumerate() {
        let series = Series::load(&repo.patches())?.first(at + 1);
        fork::update(repo, &pin, &folder, upstream.clone(), &series)?;
        eprintln!("[check] {name}");
        compile::check(repo, &folder)
            .with_context(|| format!("Cargo does not compile after `{name}`"))?;
    }
    Ok(())
}
