//! rustc's raw `.d` files: what a compilation read.
//!
//! The part of the format that matters here, as rustc writes it and Cargo reads it:
//!
//! ```text
//! OUTPUT: FILE FILE...            ("\ " is a space within a name; the first such line has all files)
//! # env-dep:NAME=VALUE            (was set; "\\", "\n" and "\r" are escapes)
//! # env-dep:NAME                  (was looked at, and not set)
//! ```

use std::fmt::Write as _;

/// What a compilation read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DepInfo {
    /// The files, as rustc names them: absolute, or relative to its working directory.
    pub files: Vec<String>,
    /// The environment variables and their values.
    pub env: Vec<(String, Option<String>)>,
}

/// Reads a `.d` file; `None` if it is not one that rustc writes.
pub fn parse(text: &str) -> Option<DepInfo> {
    let mut out = DepInfo::default();
    let mut found_files = false;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# env-dep:") {
            let (name, value) = match rest.split_once('=') {
                Some((name, value)) => (name, Some(unescape(value)?)),
                None => (rest, None),
            };
            out.env.push((unescape(name)?, value));
        } else if let Some((_, files)) = line.split_once(": ").filter(|_| !found_files) {
            found_files = true;
            let mut words = files.split_ascii_whitespace();
            while let Some(word) = words.next() {
                let mut file = word.to_owned();
                while file.ends_with('\\') {
                    file.pop();
                    file.push(' ');
                    file.push_str(words.next()?);
                }
                out.files.push(file);
            }
        }
    }
    found_files.then_some(out)
}

/// Writes a `.d` file for `output` that [`parse`], and Cargo, read as `info`.
pub fn write(output: &str, info: &DepInfo) -> String {
    let mut out = String::new();
    out.push_str(&output.replace(' ', "\\ "));
    out.push(':');
    for file in &info.files {
        out.push(' ');
        out.push_str(&file.replace(' ', "\\ "));
    }
    out.push_str("\n\n");
    for file in &info.files {
        let _ = writeln!(out, "{}:", file.replace(' ', "\\ "));
    }
    for (name, value) in &info.env {
        let _ = match value {
            Some(value) => writeln!(out, "# env-dep:{}={}", escape(name), escape(value)),
            None => writeln!(out, "# env-dep:{}", escape(name)),
        };
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rustc_writes() {
        let text = "/t/deps/liba-1.rmeta: src/lib.rs src/with\\ space.rs /abs/x\n\n\
            /t/deps/a-1.d: src/lib.rs src/with\\ space.rs /abs/x\n\n\
            src/lib.rs:\nsrc/with\\ space.rs:\n/abs/x:\n\n\
            # env-dep:A=one\\ntwo\\\\\n# env-dep:B\n";
        let info = parse(text).unwrap();
        assert_eq!(info.files, ["src/lib.rs", "src/with space.rs", "/abs/x"]);
        assert_eq!(
            info.env,
            [
                ("A".to_owned(), Some("one\ntwo\\".to_owned())),
                ("B".to_owned(), None)
            ]
        );
        assert_eq!(parse(&write("/t/deps/a b.d", &info)), Some(info));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "nonsense", "# env-dep:A=\\x\na: b", "a: b\\"] {
            assert_eq!(parse(text), None, "`{text}`");
        }
    }
}
