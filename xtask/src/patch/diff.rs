//! Unified diffs without context lines: parse, print, apply.
//!
//! The grammar is the part of `git diff -U0` that we use:
//!
//! ```text
//! diff --git a/PATH b/PATH
//! --- a/PATH
//! +++ b/PATH
//! @@ -START[,COUNT] +START[,COUNT] @@
//! -REMOVED
//! +ADDED
//! ```
//!
//! Invariant: nothing is applied with fuzz. Removed lines must match and all line numbers must fit. A diff edits files;
//! it never creates, deletes or renames one.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};

const NO_NEWLINE: &str = "a file without a newline at its end is not supported";

/// The edits of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileDiff {
    /// The file, relative to the package.
    pub(crate) path: String,
    /// Its edits, in order.
    pub(crate) hunks: Vec<Hunk>,
}

/// One run of lines that is replaced by another; one of the two may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// The first removed line, or the line to insert after; lines count from 1.
    pub(crate) old_start: usize,
    /// The first added line, or the line before the removal, in the new file.
    pub(crate) new_start: usize,
    /// Lines that go, without their line end.
    pub(crate) removed: Vec<String>,
    /// Lines that come, without their line end.
    pub(crate) added: Vec<String>,
}

/// Parses a diff of any number of files.
pub(crate) fn parse(text: &str) -> Result<Vec<FileDiff>> {
    let mut lines = text.split_terminator('\n').enumerate().peekable();
    let mut files = Vec::new();
    while let Some((number, line)) = lines.next() {
        ensure!(!line.starts_with('\\'), "{NO_NEWLINE}");
        let header = line.strip_prefix("diff --git ").with_context(|| {
            format!(
                "expected `diff --git` in line {}, found `{line}`",
                number + 1
            )
        })?;
        let path = parse_file_header(header, &mut lines)?;
        let mut hunks = Vec::new();
        while let Some((number, line)) = lines.next_if(|(_, line)| line.starts_with("@@ ")) {
            let hunk = parse_hunk(line, &mut lines);
            hunks.push(
                hunk.with_context(|| format!("failed to read the hunk in line {}", number + 1))?,
            );
        }
        ensure!(!hunks.is_empty(), "`{path}` has no hunk");
        files.push(FileDiff { path, hunks });
    }
    Ok(files)
}

type Lines<'a> = std::iter::Peekable<std::iter::Enumerate<std::str::SplitTerminator<'a, char>>>;

fn parse_file_header(header: &str, lines: &mut Lines<'_>) -> Result<String> {
    let mut next = || {
        lines
            .next()
            .map(|(_, line)| line)
            .with_context(|| format!("`{header}` ends early"))
    };
    let mut line = next()?;
    if line.starts_with("index ") {
        line = next()?;
    }
    let Some(path) = line.strip_prefix("--- a/") else {
        bail!(
            "a patch may only edit files that upstream has; `{header}` does something else: `{line}`"
        );
    };
    let new = next()?;
    ensure!(
        new.strip_prefix("+++ b/") == Some(path) && header == format!("a/{path} b/{path}"),
        "a patch may only edit files that upstream has; `{header}` does something else: `{new}`"
    );
    Ok(path.to_string())
}

fn parse_hunk(header: &str, lines: &mut Lines<'_>) -> Result<Hunk> {
    let ranges = header
        .strip_prefix("@@ -")
        .and_then(|it| it.split_once(" @@"));
    let ranges = ranges.and_then(|(ranges, _section)| ranges.split_once(" +"));
    let (old, new) = ranges.with_context(|| format!("`{header}` is not a hunk header"))?;
    let (old_start, old_count) = parse_range(old)?;
    let (new_start, new_count) = parse_range(new)?;
    let mut take = |sign: char, count: usize| -> Result<Vec<String>> {
        (0..count)
            .map(|_| take_line(sign, lines.next().map(|(_, line)| line)))
            .collect()
    };
    let removed = take('-', old_count)?;
    let added = take('+', new_count)?;
    ensure!(
        !removed.is_empty() || !added.is_empty(),
        "`{header}` changes nothing"
    );
    Ok(Hunk {
        old_start,
        new_start,
        removed,
        added,
    })
}

fn take_line(sign: char, line: Option<&str>) -> Result<String> {
    match line {
        Some(line) if line.starts_with(sign) => Ok(line[1..].to_string()),
        Some(line) if line.starts_with(' ') => {
            bail!("context line `{line}`: patches are made without context lines")
        }
        Some(line) if line.starts_with('\\') => {
            bail!("{NO_NEWLINE}")
        }
        Some(line) => bail!("expected a line with `{sign}`, found `{line}`"),
        None => bail!("expected a line with `{sign}`, found the end"),
    }
}

fn parse_range(text: &str) -> Result<(usize, usize)> {
    let (start, count) = text.split_once(',').unwrap_or((text, "1"));
    let number = |it: &str| {
        it.parse()
            .with_context(|| format!("`{text}` is not a range of lines"))
    };
    Ok((number(start)?, number(count)?))
}

impl FileDiff {
    /// Returns what becomes of a file.
    pub(crate) fn apply(&self, old: &str) -> Result<String> {
        let mut output = Output {
            lines: old.split_inclusive('\n').collect(),
            next: 0,
            text: String::new(),
            written: 0,
        };
        for hunk in &self.hunks {
            output
                .apply(hunk)
                .with_context(|| format!("hunk `{}`", hunk.header()))?;
        }
        output.copy_to(output.lines.len());
        Ok(output.text)
    }

    /// Counts the added lines.
    pub(crate) fn added(&self) -> impl Iterator<Item = &str> {
        self.hunks
            .iter()
            .flat_map(|it| &it.added)
            .map(String::as_str)
    }
}

/// A new file as it is being written.
struct Output<'a> {
    lines: Vec<&'a str>,
    next: usize,
    text: String,
    written: usize,
}

impl Output<'_> {
    fn apply(&mut self, hunk: &Hunk) -> Result<()> {
        let at = match hunk.removed.is_empty() {
            true => hunk.old_start,
            false => hunk
                .old_start
                .checked_sub(1)
                .context("line 0 cannot be removed")?,
        };
        ensure!(at >= self.next, "it overlaps the one before");
        ensure!(
            at + hunk.removed.len() <= self.lines.len(),
            "the file has only {} lines",
            self.lines.len()
        );
        self.copy_to(at);
        for (removed, present) in hunk.removed.iter().zip(&self.lines[at..]) {
            let present = present
                .strip_suffix('\n')
                .context("the file has no newline at its end")?;
            ensure!(
                removed == present,
                "expected `{removed}`, found `{present}`"
            );
        }
        self.next = at + hunk.removed.len();
        let expected = self.written + usize::from(!hunk.added.is_empty());
        ensure!(
            hunk.new_start == expected,
            "its lines come to line {expected}, not {}",
            hunk.new_start
        );
        let whole = self.text.is_empty() || self.text.ends_with('\n');
        ensure!(
            whole || hunk.added.is_empty(),
            "the file has no newline at its end"
        );
        for line in &hunk.added {
            self.text.push_str(line);
            self.text.push('\n');
        }
        self.written += hunk.added.len();
        Ok(())
    }

    fn copy_to(&mut self, end: usize) {
        self.text.extend(self.lines[self.next..end].iter().copied());
        self.written += end - self.next;
        self.next = end;
    }
}

impl Hunk {
    fn header(&self) -> String {
        let range = |start: usize, count: usize| match count {
            1 => start.to_string(),
            _ => format!("{start},{count}"),
        };
        let old = range(self.old_start, self.removed.len());
        let new = range(self.new_start, self.added.len());
        format!("@@ -{old} +{new} @@")
    }
}

impl fmt::Display for FileDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        writeln!(
            f,
            "diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}"
        )?;
        for hunk in &self.hunks {
            writeln!(f, "{}", hunk.header())?;
            for line in &hunk.removed {
                writeln!(f, "-{line}")?;
            }
            for line in &hunk.added {
                writeln!(f, "+{line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "diff --git a/x b/x\n--- a/x\n+++ b/x\n";

    fn apply(old: &str, hunks: &str) -> Result<String, String> {
        let apply = || parse(&format!("{HEADER}{hunks}"))?[0].apply(old);
        apply().map_err(|error| format!("{error:#}"))
    }

    #[track_caller]
    fn check(hunks: &str, expected: &str) {
        assert_eq!(apply("1\n2\n3\n4\n", hunks).unwrap(), expected);
    }

    #[track_caller]
    fn refuses(hunks: &str, expected: &str) {
        let message = apply("1\n2\n3\n4\n", hunks).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn inserts_replaces_and_removes() {
        check("@@ -0,0 +1 @@\n+0\n", "0\n1\n2\n3\n4\n");
        check("@@ -2,0 +3,2 @@\n+a\n+b\n", "1\n2\na\nb\n3\n4\n");
        check("@@ -4,0 +5 @@\n+5\n", "1\n2\n3\n4\n5\n");
        check("@@ -2 +2 @@\n-2\n+zwei\n", "1\nzwei\n3\n4\n");
        check("@@ -2,2 +1,0 @@\n-2\n-3\n", "1\n4\n");
        check(
            "@@ -1,0 +2 @@\n+a\n@@ -3 +4 @@ fn section()\n-3\n+b\n",
            "1\na\n2\nb\n4\n",
        );
    }

    #[test]
    fn refuses_another_line() {
        refuses("@@ -2 +2 @@\n-zwei\n+2\n", "expected `zwei`, found `2`");
    }

    #[test]
    fn refuses_shifted_numbers() {
        refuses("@@ -3 +3 @@\n-2\n+a\n", "expected `2`, found `3`");
        refuses("@@ -1,0 +3 @@\n+a\n", "its lines come to line 2, not 3");
        refuses("@@ -9,0 +10 @@\n+a\n", "the file has only 4 lines");
        refuses(
            "@@ -3 +3 @@\n-3\n+a\n@@ -1 +1 @@\n-1\n+b\n",
            "it overlaps the one before",
        );
    }

    #[test]
    fn refuses_context_and_wrong_counts() {
        refuses("@@ -1,2 +1,3 @@\n 1\n+a\n 2\n", "context line ` 1`");
        refuses(
            "@@ -1,2 +1 @@\n-1\n+a\n",
            "expected a line with `-`, found `+a`",
        );
        refuses("@@ -1 +1 @@\n-1\n", "found the end");
        refuses(
            "@@ -1 +1 @@\n-1\n+a\n+b\n",
            "expected `diff --git` in line 7",
        );
        refuses("", "`x` has no hunk");
    }

    #[test]
    fn refuses_to_create_delete_or_rename() {
        for rest in [
            "new file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n",
            "deleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
            "old mode 100644\nnew mode 100755\n",
            "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
            "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n",
        ] {
            let error = parse(&format!("diff --git a/x b/x\n{rest}"))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("a patch may only edit files that upstream has"),
                "{error}"
            );
        }
    }

    #[test]
    fn refuses_a_missing_newline() {
        let message = apply("1\n2", "@@ -2,0 +3 @@\n+3\n").unwrap_err();
        assert!(message.contains("no newline at its end"), "{message}");
        let message = apply(
            "1\n2",
            "@@ -2 +2 @@\n-2\n\\ No newline at end of file\n+3\n",
        )
        .unwrap_err();
        assert!(message.contains("newline at its end"), "{message}");
        assert_eq!(apply("1\n2", "@@ -1 +1 @@\n-1\n+a\n").unwrap(), "a\n2");
    }

    #[test]
    fn prints_what_it_parsed() {
        let text = format!("{HEADER}@@ -1,0 +2,2 @@\n+a\n+--- a/b\n@@ -3 +4,0 @@\n---- a/x\n");
        let files = parse(&text).unwrap();
        assert_eq!(files[0].to_string(), text);
        let noisy = text
            .replace("--- a/x\n+++", "index 1..2 100644\n--- a/x\n+++")
            .replace("2,2 @@", "2,2 @@ fn f()");
        assert_eq!(parse(&noisy).unwrap(), files);
    }
}
