//! Rules for documents: links within the repository lead somewhere, and configuration that is named exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::repo::Repo;
use crate::tree;

/// Where the table `[hooks]` is read; its fields are the keys.
const TABLE: &str = "cargo-fork/overlay/core/compiler/hooks/config.rs";

/// Returns what is wrong in the documents of the repository.
pub(super) fn problems(repo: &Repo) -> Result<Vec<String>> {
    // Without the table, no key is declared, and none may be named.
    let keys = keys(&fs::read_to_string(repo.join(TABLE)).unwrap_or_default());
    let is_document = |path: &str| {
        let is_ours = !path.starts_with("target") && !path.starts_with(".git/");
        is_ours && (path.ends_with(".md") || !path.contains('.'))
    };
    let mut problems = Vec::new();
    for (path, bytes) in tree::read(repo.root(), &is_document)? {
        let (true, Ok(text)) = (path.ends_with(".md"), std::str::from_utf8(&bytes)) else {
            continue;
        };
        for target in links(text) {
            if let Err(what) = resolve(repo.root(), &path, text, target) {
                problems.push(format!("{path}: the link `{target}` {what}"));
            }
        }
        for key in named_keys(text).filter(|it| !keys.contains(it)) {
            problems.push(format!("{path}: there is no key `hooks.{key}`"));
        }
    }
    Ok(problems)
}

/// Returns the keys of the table that a source file declares.
fn keys(source: &str) -> BTreeSet<String> {
    let table = source.split("struct Table {").nth(1).unwrap_or_default();
    let table = table.split('}').next().unwrap_or_default();
    let fields = table.lines().filter_map(|it| it.trim().split_once(':'));
    fields.map(|(name, _)| name.replace('_', "-")).collect()
}

/// Returns the keys that a text names as `hooks.KEY`.
fn named_keys(text: &str) -> impl Iterator<Item = String> {
    text.split("hooks.")
        .skip(1)
        .zip(text.split("hooks."))
        .filter_map(|(rest, before)| {
            // `cargo::hooks`, `my-hooks.toml` and such are something else.
            let is_key = before.ends_with(['`', ' ', '(']);
            let key: String = rest
                .chars()
                .take_while(|it| it.is_ascii_lowercase() || *it == '-')
                .collect();
            (is_key && !key.is_empty()).then_some(key)
        })
}

/// Returns the targets of links in Markdown, without those in code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|it| it.split("](").skip(1))
        .filter_map(|it| it.split(')').next())
        .filter(|it| !it.contains("://") && !it.contains(char::is_whitespace))
}

/// Checks that a link leads to a file, and to a heading in it.
fn resolve(root: &Path, document: &str, text: &str, target: &str) -> Result<(), &'static str> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = root.join(document);
    let folder = folder.parent().unwrap_or(root);
    let other;
    let text = if file.is_empty() {
        text
    } else {
        let path = folder.join(file);
        if !path.exists() {
            return Err("leads nowhere");
        }
        other = fs::read_to_string(path).unwrap_or_default();
        &other
    };
    let leads_to_markdown = file.is_empty() || file.ends_with(".md");
    if anchor.is_empty() || !leads_to_markdown || anchors(text).any(|it| it == anchor) {
        return Ok(());
    }
    // Documentation that is made of several files has headings in others.
    match document.starts_with("hook-protocol/") {
        true => Ok(()),
        false => Err("leads to no heading"),
    }
}

/// Returns the names of headings as GitHub makes them, and those that are given by hand.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let prose = text.split("```").step_by(2).flat_map(str::lines);
    prose.filter_map(|line| {
        let heading = line.trim_start_matches('#');
        let by_hand = line.strip_prefix('[').and_then(|it| it.split_once("]: #"));
        match (heading.len() < line.len(), by_hand) {
            (_, Some((_, name))) => Some(name.to_string()),
            (true, None) => Some(name_of(heading)),
            (false, None) => None,
        }
    })
}

fn name_of(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter_map(|it| match it {
        ' ' => Some('-'),
        '-' | '_' => Some(it),
        it if it.is_alphanumeric() => Some(it),
        _ => None,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let text = "[a](b.md) and [c](#d)\n```text\n[e](f)\n```\n[g](https://h)\n";
        assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "#d"]);
    }

    #[test]
    fn headings_have_names() {
        let text = "# Off: *means* `upstream`\n\n[by-hand]: #by-hand\n```sh\n# no heading\n```\n";
        let names: Vec<_> = anchors(text).collect();
        assert_eq!(names, ["off-means-upstream", "by-hand"]);
    }

    #[test]
    fn links_lead_somewhere() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        fs::create_dir(root.join("docs")).unwrap();
        fs::write(root.join("docs/b.md"), "# Here\n").unwrap();
        let text = "## There\n";
        for (target, is_good) in [
            ("b.md", true),
            ("b.md#here", true),
            ("b.md#there", false),
            ("#there", true),
            ("c.md", false),
            ("../docs", true),
        ] {
            let resolved = resolve(root, "docs/a.md", text, target);
            assert_eq!(resolved.is_ok(), is_good, "{target}");
        }
    }

    #[test]
    fn keys_are_those_of_the_table() {
        let source = "struct Table {\n    before_build: Option<X>,\n    salt: Option<String>,\n}\n";
        let keys = keys(source);
        assert_eq!(
            keys.into_iter().collect::<Vec<_>>(),
            ["before-build", "salt"]
        );
        let text = "`hooks.salt`, cargo::hooks.x and `hooks.before-build = 1`";
        let named: Vec<_> = named_keys(text).collect();
        assert_eq!(named, ["salt", "before-build"]);
    }
}
