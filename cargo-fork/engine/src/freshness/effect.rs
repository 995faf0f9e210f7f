//! [`Effect`]: what the run of a build script came to.

use std::io;
use std::path::Path;

use hook_protocol::Digest;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

/// What the run of a build script came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Effect {
    /// All of it: for its own package.
    pub(super) own: Digest,
    /// Without what is told only to the compiler of its own package: for whoever links that.
    pub(super) linked: Digest,
}

/// Directives that only the script's own package hears.
const OWN: &[&str] = &["rustc-cfg", "rustc-check-cfg", "rustc-env"];

/// Returns what the run of a build script came to: what it told Cargo, and what it left in `folder`. One
/// that tells of other places may have left something there, so that no two of its runs are alike: `run`
/// names this one.
///
/// # Errors
///
/// If something cannot be read.
pub(super) fn effect(
    stdout: &Path,
    folder: &Path,
    run: &str,
    digest: impl Fn(&Path) -> io::Result<Digest>,
) -> io::Result<Effect> {
    let said = std::fs::read(stdout)?;
    let said = String::from_utf8_lossy(&said);
    let directives: Vec<&str> = said.lines().filter_map(directive).collect();
    let mut left = Vec::new();
    if directives
        .iter()
        .any(|it| names_another_place(it, &directives, folder))
    {
        left.push(format!("run {run}"));
    }
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        let path = entry.path();
        let name = path.strip_prefix(folder).unwrap_or(path);
        let kind = entry.file_type();
        let content = if kind.is_file() {
            digest(path)?.to_string()
        } else if kind.is_symlink() {
            // What it leads to may lie anywhere.
            left.push(format!("run {run}"));
            std::fs::read_link(path)?.display().to_string()
        } else {
            "folder".to_owned()
        };
        left.push(format!("{name:?} {content}"));
    }
    // Where the folder lies is no effect: a unit that uses the path is bound to it.
    let own = folder.to_string_lossy();
    let summary = |directives: &[&str]| {
        let told = directives.iter().map(|it| it.replace(&*own, "{out-dir}"));
        let lines: Vec<String> = told.chain(left.iter().cloned()).collect();
        Digest::of(lines.join("\n").as_bytes())
    };
    let linked: Vec<&str> = directives
        .iter()
        .copied()
        .filter(|it| !OWN.iter().any(|own| it.starts_with(own)))
        .collect();
    Ok(Effect {
        own: summary(&directives),
        linked: summary(&linked),
    })
}

/// Returns what a line tells Cargo that matters to other units.
fn directive(line: &str) -> Option<&str> {
    let line = line.trim();
    let directive = line
        .strip_prefix("cargo::")
        .or_else(|| line.strip_prefix("cargo:"))?;
    let is_for_cargo = ["rerun-if-", "warning=", "error="];
    let is_for_cargo = is_for_cargo.iter().any(|it| directive.starts_with(it));
    (!is_for_cargo).then_some(directive)
}

/// Returns whether a directive may name a place other than the script's own folder.
fn names_another_place(directive: &str, all: &[&str], folder: &Path) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| c.is_whitespace() || "=:,;\"'".contains(c));
        let is_path = |word: &&str| word.contains(['/', '\\']);
        words.filter(is_path).map(str::to_owned).collect()
    };
    let is_own = |word: &String| Path::new(word).starts_with(folder);
    let is_any = |names: &[&str], text: &str| names.iter().any(|it| text.starts_with(it));
    let paths = words(directive);
    if !paths.iter().all(is_own) {
        return true;
    }
    // Without a separator these are relative to where a script or a linker runs.
    let searches = [
        "rustc-link-search",
        "rustc-flags",
        "rustc-link-arg",
        "rustc-cdylib-link-arg",
    ];
    if is_any(&searches, directive) {
        return paths.is_empty();
    }
    // A library is found in what is searched.
    let is_search = |it: &&&str| is_any(&["rustc-link-search"], it);
    let searches_own = || {
        all.iter()
            .filter(is_search)
            .any(|it| words(it).iter().any(is_own))
    };
    is_any(&["rustc-link-lib"], directive) && !searches_own()
}
