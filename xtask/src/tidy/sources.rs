//! Rules for our source files: every module says what it is, no file is too long, no path of somebody's machine.

use std::path::Path;

use anyhow::Result;

use crate::repo::Repo;
use crate::tidy::read_text;
use crate::tree;

/// The folders that hold our crates.
const FOLDERS: [&str; 7] = [
    "cargo-fork/engine",
    "cargo-fork/overlay",
    "examples",
    "hook-check",
    "hook-protocol",
    "tests",
    "xtask",
];
const MAX_LINES: usize = 400;
/// Folders in the file system's root that belong to a machine or a person.
const PRIVATE: [&str; 3] = ["home", "root", "work"];
/// Made-up names that an example may have below them.
const MADE_UP: [&str; 4] = ["me", "u", "user", "x"];

/// Checks all of our source files.
pub(super) fn problems(repo: &Repo) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for folder in FOLDERS.into_iter().chain(["cargo-fork/patches"]) {
        if repo.join(folder).is_dir() {
            walk(repo.root(), folder, &mut problems)?;
        }
    }
    Ok(problems)
}

fn walk(root: &Path, folder: &str, problems: &mut Vec<String>) -> Result<()> {
    for (name, is_folder) in tree::list(&root.join(folder))? {
        let path = format!("{folder}/{name}");
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if is_folder {
            walk(root, &path, problems)?;
        } else if let Some(text) = read_text(&root.join(&path))? {
            problems.extend(
                check(&path, &text)
                    .into_iter()
                    .map(|it| format!("{path}: {it}")),
            );
        }
    }
    Ok(())
}

/// Checks one file.
fn check(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let parts: Vec<_> = path.split('/').collect();
    let is_test = parts.contains(&"tests") || path.ends_with("/tests.rs");
    let is_fixture = is_test && parts.contains(&"fixtures");
    if path.ends_with(".rs") && !is_fixture {
        if !text.starts_with("//!") && !text.starts_with("#![doc = include_str!(") {
            problems.push("does not start with a `//!` that says what it owns".to_string());
        }
        let lines = text.lines().count();
        if !is_test && lines > MAX_LINES {
            problems.push(format!("{lines} lines, at most {MAX_LINES}; split it"));
        }
    }
    if [".rs", ".toml", ".sh", ".py", ".patch"]
        .iter()
        .any(|it| path.ends_with(it))
    {
        let named = |it: &&(usize, &str)| PRIVATE.iter().any(|name| holds_absolute(it.1, name));
        if let Some((number, line)) = text
            .lines()
            .enumerate()
            .collect::<Vec<_>>()
            .iter()
            .find(named)
        {
            problems.push(format!(
                "line {}: a path of somebody's machine: `{}`",
                number + 1,
                line.trim()
            ));
        }
    }
    problems
}

/// Tells whether a line names something below `/NAME/`, where that is the start of a path.
fn holds_absolute(line: &str, name: &str) -> bool {
    let wanted = format!("/{name}/");
    line.match_indices(&wanted).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let goes_on = before.is_some_and(|it| it.is_alphanumeric() || "_-./}])>".contains(it));
        let below = line[at + wanted.len()..]
            .split(|it: char| !it.is_alphanumeric())
            .next();
        !goes_on && !below.is_some_and(|it| MADE_UP.contains(&it))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_file_has_no_problem() {
        assert_eq!(
            check(
                "xtask/src/main.rs",
                "//! Doc.\nlet x = \"src/work/a\"; // /home/me/x\n"
            ),
            [""; 0]
        );
        assert_eq!(check("tests/it/fixtures/a.rs", "fn main() {}\n"), [""; 0]);
        assert_eq!(
            check(
                "tests/it/long.rs",
                &format!("//! Doc.\n{}", "\n".repeat(500))
            ),
            [""; 0]
        );
    }

    #[test]
    fn problems_are_named() {
        for (text, expected) in [
            ("fn main() {}\n".to_string(), "does not start with a `//!`"),
            (
                format!("//! Doc.\n{}", "\n".repeat(400)),
                "401 lines, at most 400",
            ),
            (
                format!("//! Doc.\nlet x = \"/{}/jane/x\";\n", "home"),
                "line 2: a path of somebody's machine",
            ),
        ] {
            let problems = check("xtask/src/a.rs", &text);
            assert!(
                problems.len() == 1 && problems[0].contains(expected),
                "{problems:?}"
            );
        }
    }
}
