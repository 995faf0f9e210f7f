//! One `.patch` file: message, digests, diff.
//!
//! The grammar:
//!
//! ```text
//! SUBJECT
//!
//! BODY
//!
//! TRAILER: VALUE
//!
//! ---
//! sha256 BEFORE AFTER PATH
//!
//! DIFF
//! ```
//!
//! There is one digest line per edited file, in the diff's order. `BEFORE` and `AFTER` are digests of the whole file.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};

use crate::patch::diff::{self, FileDiff};
use crate::tree::{Tree, sha256};

const SEPARATOR: &str = "\n\n---\n";

/// A commit on top of upstream, as it is kept in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patch {
    message: String,
    files: Vec<PatchedFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PatchedFile {
    before: String,
    after: String,
    diff: FileDiff,
}

impl Patch {
    /// Makes a patch from a commit: applies the diff to `tree` and records the digests.
    pub(crate) fn record(message: &str, diff: Vec<FileDiff>, tree: &mut Tree) -> Result<Patch> {
        let message = message.trim().to_string();
        ensure!(!message.is_empty(), "the message is empty");
        ensure!(
            !message.lines().any(|it| it == "---"),
            "the message holds a line `---`, which ends the header"
        );
        ensure!(!diff.is_empty(), "the commit changes nothing");
        let mut files = Vec::new();
        for diff in diff {
            let (before, after, new) = edit(&diff, tree)?;
            tree.insert(diff.path.clone(), new);
            files.push(PatchedFile {
                before,
                after,
                diff,
            });
        }
        Ok(Patch { message, files })
    }

    /// The same, with the diff as text.
    #[cfg(test)]
    pub(crate) fn from_diff(message: &str, diff: &str, tree: &mut Tree) -> Result<Patch> {
        Patch::record(message, diff::parse(diff)?, tree)
    }

    /// Parses a `.patch` file.
    pub(crate) fn parse(text: &str) -> Result<Patch> {
        let (message, rest) = text
            .split_once(SEPARATOR)
            .context("expected a line `---` after the message")?;
        let (digests, diff) = rest
            .split_once("\n\n")
            .context("expected an empty line after the digests")?;
        let digests: Vec<_> = digests.lines().map(parse_digest).collect::<Result<_>>()?;
        let diff = diff::parse(diff)?;
        let named = digests.iter().map(|(path, ..)| *path);
        ensure!(
            named.eq(diff.iter().map(|it| it.path.as_str())),
            "the digests do not name the files of the diff"
        );
        let files = digests
            .into_iter()
            .zip(diff)
            .map(|((_, before, after), diff)| PatchedFile {
                before: before.to_string(),
                after: after.to_string(),
                diff,
            });
        let patch = Patch {
            message: message.to_string(),
            files: files.collect(),
        };
        ensure!(
            patch.to_string() == text,
            "not as `cargo xtask patch save` writes it"
        );
        Ok(patch)
    }

    /// Edits a tree. Every file must be exactly the one that the patch was made for.
    pub(crate) fn apply(&self, tree: &mut Tree) -> Result<()> {
        let mut edited = Vec::new();
        for file in &self.files {
            let path = &file.diff.path;
            let content = tree
                .get(path)
                .with_context(|| format!("upstream has no file `{path}`"))?;
            let present = sha256(content);
            if present != file.before {
                bail!(
                    "`{path}` is not the file it was made for: sha256 {present}, expected {}",
                    file.before
                );
            }
            let (_, after, new) = edit(&file.diff, tree)?;
            if after != file.after {
                bail!(
                    "`{path}` does not become what it should: sha256 {after}, expected {}",
                    file.after
                );
            }
            edited.push((path.clone(), new));
        }
        tree.extend(edited);
        Ok(())
    }

    /// The whole message, without a newline at its end.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The first line of the message.
    pub(crate) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// What stands between subject and trailers.
    pub(crate) fn body(&self) -> &str {
        let rest = self.message.split_once('\n').map_or("", |(_, rest)| rest);
        rest[..rest.len() - self.trailer_block().len()].trim()
    }

    /// The value of a trailer.
    pub(crate) fn trailer(&self, name: &str) -> Option<&str> {
        let mut trailers = self
            .trailer_block()
            .lines()
            .filter_map(|it| it.split_once(": "));
        trailers
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The edited files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|it| it.diff.path.as_str())
    }

    /// Every added line.
    pub(crate) fn added(&self) -> impl Iterator<Item = &str> {
        self.files.iter().flat_map(|it| it.diff.added())
    }

    /// Every added line, with the file to which it is added.
    pub(crate) fn added_by_file(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().flat_map(|it| {
            let path = it.diff.path.as_str();
            it.diff.added().map(move |line| (path, line))
        })
    }

    /// The name of its file, derived from the subject.
    pub(crate) fn file_name(&self) -> String {
        let words = self
            .subject()
            .split(|it: char| !it.is_ascii_alphanumeric())
            .filter(|it| !it.is_empty());
        let words: Vec<_> = words.map(str::to_ascii_lowercase).collect();
        format!("{}.patch", words.join("-"))
    }

    /// The last paragraph, if all its lines are trailers and it is not the subject.
    fn trailer_block(&self) -> &str {
        let Some((_, last)) = self.message.rsplit_once("\n\n") else {
            return "";
        };
        let is_trailer = |line: &str| {
            let key = line.split_once(": ").map(|(key, _)| key);
            key.is_some_and(|it| {
                !it.is_empty() && it.chars().all(|it| it.is_ascii_alphanumeric() || it == '-')
            })
        };
        if last.lines().all(is_trailer) {
            last
        } else {
            ""
        }
    }
}

impl fmt::Display for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}", self.message)?;
        for file in &self.files {
            writeln!(
                f,
                "sha256 {} {} {}",
                file.before, file.after, file.diff.path
            )?;
        }
        writeln!(f)?;
        self.files
            .iter()
            .try_for_each(|it| write!(f, "{}", it.diff))
    }
}

/// Returns the digests before and after, and the new content.
fn edit(diff: &FileDiff, tree: &Tree) -> Result<(String, String, Vec<u8>)> {
    let path = &diff.path;
    let old = tree
        .get(path)
        .with_context(|| format!("upstream has no file `{path}`"))?;
    let text = std::str::from_utf8(old).with_context(|| format!("`{path}` is not UTF-8"))?;
    let new = diff
        .apply(text)
        .with_context(|| format!("failed to edit `{path}`"))?;
    Ok((sha256(old), sha256(new.as_bytes()), new.into_bytes()))
}

fn parse_digest(line: &str) -> Result<(&str, &str, &str)> {
    let mut words = line.splitn(4, ' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("sha256"), Some(before), Some(after), Some(path))
            if before.len() == 64 && after.len() == 64 =>
        {
            Ok((path, before, after))
        }
        _ => bail!("expected `sha256 BEFORE AFTER PATH`, found `{line}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,0 +2 @@\n+a\n";
    const MESSAGE: &str = "compiler: ask hooks, then run\n\nWhy: it is\nneeded.\n\nUpstream-Status: Pending\nMatch-Arms: 2";

    fn tree(text: &str) -> Tree {
        Tree::from([("x".to_string(), text.as_bytes().to_vec())])
    }

    fn patch(message: &str) -> Patch {
        Patch::record(message, diff::parse(DIFF).unwrap(), &mut tree("1\n")).unwrap()
    }

    #[test]
    fn header_round_trips() {
        let patch = patch(MESSAGE);
        let text = patch.to_string();
        assert_eq!(Patch::parse(&text).unwrap(), patch);
        let digests = format!(
            "\n\n---\nsha256 {} {} x\n\n",
            sha256(b"1\n"),
            sha256(b"1\na\n")
        );
        assert_eq!(text, format!("{MESSAGE}{digests}{DIFF}"));
    }

    #[test]
    fn header_has_parts() {
        let patch = patch(MESSAGE);
        assert_eq!(patch.subject(), "compiler: ask hooks, then run");
        assert_eq!(patch.body(), "Why: it is\nneeded.");
        assert_eq!(patch.trailer("Upstream-Status"), Some("Pending"));
        assert_eq!(patch.trailer("Match-Arms"), Some("2"));
        assert_eq!(patch.trailer("Why"), None);
        assert_eq!(patch.file_name(), "compiler-ask-hooks-then-run.patch");
    }

    #[test]
    fn a_subject_alone_has_neither_body_nor_trailers() {
        let patch = patch("area: subject");
        assert_eq!((patch.body(), patch.trailer("area")), ("", None));
        let patch = super::tests::patch("area: subject\n\nUpstream-Status: Pending");
        assert_eq!(
            (patch.body(), patch.trailer("Upstream-Status")),
            ("", Some("Pending"))
        );
    }

    #[test]
    fn applies_only_to_the_file_it_was_made_for() {
        let patch = patch(MESSAGE);
        let mut right = tree("1\n");
        patch.apply(&mut right).unwrap();
        assert_eq!(right, tree("1\na\n"));
        let mut other = tree("1\n\n");
        let error = patch.apply(&mut other).unwrap_err().to_string();
        assert!(
            error.starts_with("`x` is not the file it was made for: sha256 "),
            "{error}"
        );
        assert_eq!(other, tree("1\n\n"));
        let error = patch.apply(&mut Tree::new()).unwrap_err().to_string();
        assert_eq!(error, "upstream has no file `x`");
    }

    #[test]
    fn refuses_what_save_would_not_write() {
        let text = patch(MESSAGE).to_string();
        for (from, to, expected) in [
            ("\n---\n", "\n", "expected a line `---` after the message"),
            (
                " x\n\ndiff",
                " y\n\ndiff",
                "the digests do not name the files of the diff",
            ),
            (
                "@@ -1,0 +2 @@",
                "@@ -1,0 +2 @@ fn section()",
                "not as `cargo xtask patch save` writes it",
            ),
            ("sha256 ", "blake3 ", "expected `sha256 BEFORE AFTER PATH`"),
        ] {
            let error = Patch::parse(&text.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
