//! Compares a result that was offered with one that was just made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hook_protocol::files;
use hook_protocol::wire::{Candidate, Entry};
use serde::Serialize;

use crate::sections;

/// What came of a comparison.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// What was offered has read something else: Cargo would not have used it.
    NotComparable,
    /// They are the same.
    Equal,
    /// They are not.
    Different(Vec<Difference>),
}

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Difference {
    /// The name of the file; none for what the compiler said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// What about it.
    pub(crate) what: &'static str,
    /// The sections of the artifact that differ, where they can be told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sections: Vec<String>,
}

/// Compares what is offered with what was built, whose files are at `built`.
pub(crate) fn compare(
    offered: &Candidate,
    fresh: &Entry,
    built: &BTreeMap<String, PathBuf>,
) -> Verdict {
    let Ok(entry) = offered.entry.parse() else {
        return Verdict::NotComparable;
    };
    if entry.action != fresh.action || entry.inputs != fresh.inputs {
        return Verdict::NotComparable;
    }
    let mut differences = Vec::new();
    let mut differ = |file: Option<&str>, what, sections| {
        differences.push(Difference {
            file: file.map(str::to_owned),
            what,
            sections,
        });
    };
    for (name, file) in &entry.files {
        let Some(own) = fresh.files.get(name) else {
            differ(Some(name), "was not made this time", Vec::new());
            continue;
        };
        let supplied = offered.files.get(name);
        let is_good = supplied.is_some_and(|it| files::check(it, file).is_ok());
        if !is_good {
            differ(
                Some(name),
                "is supplied with other bytes than its entry says",
                Vec::new(),
            );
        } else if file.digest != own.digest {
            let sections = sections_of(supplied.map(PathBuf::as_path), built.get(name));
            differ(
                Some(name),
                "has other bytes than when it is compiled",
                sections,
            );
        } else if file.executable != own.executable {
            differ(
                Some(name),
                "is not executable as when it is compiled",
                Vec::new(),
            );
        }
    }
    for name in fresh
        .files
        .keys()
        .filter(|it| !entry.files.contains_key(*it))
    {
        differ(Some(name), "is not supplied", Vec::new());
    }
    if entry.tree != fresh.tree {
        differ(None, "folders and links are others", Vec::new());
    }
    if entry.messages != fresh.messages {
        differ(None, "the compiler said something else", Vec::new());
    }
    match differences.is_empty() {
        true => Verdict::Equal,
        false => Verdict::Different(differences),
    }
}

fn sections_of(supplied: Option<&Path>, built: Option<&PathBuf>) -> Vec<String> {
    let read = |path: Option<&Path>| std::fs::read(path?).ok();
    match (read(supplied), read(built.map(PathBuf::as_path))) {
        (Some(supplied), Some(built)) => sections::that_differ(&supplied, &built),
        _ => Vec::new(),
    }
}
