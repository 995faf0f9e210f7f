//! `cargo xtask tidy`: the rules that a compiler does not check.
//!
//! Prints what the patches cost; fails above the budget, and wherever a rule of the house is broken.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::fetch;
use crate::overlay;
use crate::patch::{self, Patch, Series};
use crate::pin::Pin;
use crate::repo::Repo;
use crate::tree::Tree;

mod documents;
mod sources;

const MAX_PATCHES: usize = 8;
const MAX_ADDED: usize = 250;

/// Runs `cargo xtask tidy`.
pub(crate) fn run(repo: &Repo) -> Result<()> {
    let mut problems = list_problems(repo)?;
    let series = Series::load(&repo.patches())?;
    problems.extend(patch_problems(&series));
    let (table, over) = budget(&series);
    print!("{table}");
    problems.extend(over);
    let pin = Pin::load(&repo.pin_file())?;
    let upstream = fetch::verified(repo, &pin)?.unpack(&pin)?;
    problems.extend(apply_problems(repo, &pin, &series, upstream)?);
    problems.extend(documents::problems(repo)?);
    problems.extend(sources::problems(repo)?);
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("tidy found {} problems", problems.len());
    }
    Ok(())
}

/// Compares the list of patches with the files that are there.
fn list_problems(repo: &Repo) -> Result<Vec<String>> {
    let listed = patch::listed(&repo.patches())?;
    let present = patch::present(&repo.patches())?;
    let missing = listed.iter().filter(|it| !present.contains(it));
    let unlisted = present.iter().filter(|it| !listed.contains(it));
    let missing: Vec<_> = missing
        .map(|it| format!("cargo-fork/patches/series: `{it}` does not exist"))
        .collect();
    if !missing.is_empty() {
        bail!("{}", missing.join("\n"));
    }
    Ok(unlisted
        .map(|it| format!("cargo-fork/patches/{it}: not listed in `series`"))
        .collect())
}

/// Checks the headers. That there are no context lines is a matter of parsing.
fn patch_problems(series: &Series) -> Vec<String> {
    let mut problems = Vec::new();
    for patch in series.patches() {
        let mut report =
            |what: &str| problems.push(format!("cargo-fork/patches/{}: {what}", patch.file_name()));
        if patch.body().is_empty() {
            report("no body; say why this cannot live in the overlay");
        }
        if patch.trailer("Upstream-Status").is_none_or(str::is_empty) {
            report(
                "no trailer `Upstream-Status: Inappropriate [..] | Pending | Submitted URL | Backport URL`",
            );
        }
        if let Err(error) = match_arms(patch) {
            report(&format!("{error:#}"));
        }
    }
    problems
}

/// Returns how many added lines are `match` arms that a new enum variant forces, by the patch's own word.
fn match_arms(patch: &Patch) -> Result<usize> {
    let Some(value) = patch.trailer("Match-Arms") else {
        return Ok(0);
    };
    let marked = value
        .parse()
        .with_context(|| format!("`Match-Arms: {value}` is not a number"))?;
    let arms = patch
        .added()
        .filter(|line| line.contains("=>") || line.trim_start().starts_with('|'))
        .count();
    if marked > arms {
        bail!("`Match-Arms: {marked}`, but only {arms} added lines look like one");
    }
    Ok(marked)
}

/// Returns the table of what the patches cost, and what is above the budget.
fn budget(series: &Series) -> (String, Vec<String>) {
    let mut table = format!("{:>6} {:>6}  patch\n", "added", "arms");
    let (mut total, mut total_arms) = (0, 0);
    for patch in series.patches() {
        let arms = match_arms(patch).unwrap_or(0);
        let added = patch.added().count() - arms;
        table += &format!("{added:>6} {arms:>6}  {}\n", patch.file_name());
        (total, total_arms) = (total + added, total_arms + arms);
    }
    let patches = series.patches().len();
    table += &format!(
        "{total:>6} {total_arms:>6}  {patches} patches; at most {MAX_ADDED} added lines in {MAX_PATCHES} patches\n"
    );
    let mut over = Vec::new();
    if patches > MAX_PATCHES {
        over.push(format!(
            "cargo-fork/patches: {patches} patches, at most {MAX_PATCHES}"
        ));
    }
    if total > MAX_ADDED {
        over.push(format!(
            "cargo-fork/patches: {total} added lines, at most {MAX_ADDED}"
        ));
    }
    (table, over)
}

/// Tries the overlay and the patches on upstream.
fn apply_problems(
    repo: &Repo,
    pin: &Pin,
    series: &Series,
    mut upstream: Tree,
) -> Result<Vec<String>> {
    let overlay = overlay::read(&repo.overlay())?;
    let laid = overlay::lay(overlay, &pin.overlay_root, &mut upstream.clone());
    let applied = series.patches().iter().try_for_each(|patch| {
        patch
            .apply(&mut upstream)
            .with_context(|| format!("cargo-fork/patches/{}", patch.file_name()))
    });
    let problems = [laid, applied].into_iter().filter_map(Result::err);
    Ok(problems.map(|it| format!("{it:#}")).collect())
}

/// Reads a text file; what is not UTF-8 is not ours to check.
fn read_text(file: &std::path::Path) -> Result<Option<String>> {
    let bytes = fs::read(file).with_context(|| format!("failed to read `{}`", file.display()))?;
    Ok(String::from_utf8(bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A patch that replaces line 1 of `x` by `added`.
    fn patch(subject: &str, message: &str, added: &[&str]) -> Patch {
        let lines: String = added.iter().map(|it| format!("+{it}\n")).collect();
        let diff = format!(
            "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,{} @@\n-1\n{lines}",
            added.len()
        );
        Patch::from_diff(
            &format!("{subject}{message}"),
            &diff,
            &mut Tree::from([("x".into(), b"1\n".to_vec())]),
        )
        .unwrap()
    }

    const MESSAGE: &str = "\n\nWhy.\n\nUpstream-Status: Pending";

    #[test]
    fn counts_replaced_lines_as_added_and_arms_apart() {
        let arms = format!("{MESSAGE}\nMatch-Arms: 2");
        let series = Series::new(vec![
            patch("a", MESSAGE, &["1", "2"]),
            patch("b", &arms, &["A => 1,", "| B => 2,", "x"]),
        ])
        .unwrap();
        let (table, over) = budget(&series);
        let rows: Vec<_> = table.lines().skip(1).map(str::trim_start).collect();
        assert_eq!(rows[0], "2      0  a.patch");
        assert_eq!(rows[1], "1      2  b.patch");
        assert!(rows[2].starts_with("3      2  2 patches;"), "{table}");
        assert!(over.is_empty() && patch_problems(&series).is_empty());
    }

    #[test]
    fn fails_above_the_budget() {
        let many = vec!["x"; MAX_ADDED + 1];
        let (_, over) = budget(&Series::new(vec![patch("a", MESSAGE, &many)]).unwrap());
        assert_eq!(over, ["cargo-fork/patches: 251 added lines, at most 250"]);
        let patches = (0..9)
            .map(|it| patch(&format!("p{it}"), MESSAGE, &["x"]))
            .collect();
        let (_, over) = budget(&Series::new(patches).unwrap());
        assert_eq!(over, ["cargo-fork/patches: 9 patches, at most 8"]);
    }

    #[test]
    fn headers_are_checked() {
        let check = |message: &str| {
            patch_problems(&Series::new(vec![patch("a", message, &["x"])]).unwrap())
        };
        assert_eq!(check(MESSAGE), [""; 0]);
        assert!(check("\n\nUpstream-Status: Pending")[0].contains("a.patch: no body"));
        assert!(check("\n\nWhy.")[0].contains("a.patch: no trailer `Upstream-Status"));
        let lie = format!("{MESSAGE}\nMatch-Arms: 1");
        assert!(check(&lie)[0].contains("`Match-Arms: 1`, but only 0 added lines look like one"));
    }
}
