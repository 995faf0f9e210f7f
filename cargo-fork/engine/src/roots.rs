//! [`Roots`]: names for the places of this machine, so that no absolute path enters a key.
//!
//! A text is *normalised* by replacing every occurrence of a root's path by `{name}`, and *localised*
//! by the reverse. A brace of the text itself is doubled, so normalising is injective: two different
//! texts of one machine never become equal, whatever they contain.
//!
//! ```text
//! normalised = *( any character but "{" / "{{" / "{" name "}" )
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The named places of a machine, the longest path first.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// Path as text and name; longest path first, so that the innermost place wins.
    entries: Vec<(String, String)>,
    /// The given form of each place, by name: what Cargo passes around.
    given: BTreeMap<String, String>,
}

impl Roots {
    /// Adds a place under its given and its canonical path. Paths that are not UTF-8 or that have no
    /// component (`/`) name no place.
    ///
    /// A path that has a name already keeps it: places are added in the order of preference.
    pub fn add(&mut self, name: &str, path: &Path) {
        let canonical = path.canonicalize().ok();
        for path in [Some(path.to_path_buf()), canonical].into_iter().flatten() {
            let Some(text) = path.to_str().map(|text| text.trim_end_matches('/')) else {
                continue;
            };
            if text.is_empty() || self.entries.iter().any(|(known, _)| known == text) {
                continue;
            }
            self.given
                .entry(name.to_owned())
                .or_insert_with(|| text.to_owned());
            let at = self
                .entries
                .partition_point(|(known, _)| known.len() >= text.len());
            self.entries.insert(at, (text.to_owned(), name.to_owned()));
        }
    }

    /// Returns the roots with another one added, preferred to an equal path that is there already.
    pub fn with(&self, name: &str, path: &Path) -> Roots {
        let mut roots = self.clone();
        let forms = [Some(path.to_path_buf()), path.canonicalize().ok()];
        roots
            .entries
            .retain(|(known, _)| !forms.iter().flatten().any(|p| p == Path::new(known)));
        let entries = &roots.entries;
        roots
            .given
            .retain(|name, _| entries.iter().any(|(_, known)| known == name));
        roots.add(name, path);
        roots
    }

    /// Returns the roots that `keep` wants.
    pub fn only(&self, keep: impl Fn(&Path, &str) -> bool) -> Roots {
        let mut roots = self.clone();
        roots
            .entries
            .retain(|(path, name)| keep(Path::new(path), name));
        roots.given.retain(|name, path| keep(Path::new(path), name));
        roots
    }

    /// Returns every path with its name, the longest path first.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.entries
            .iter()
            .map(|(path, name)| (Path::new(path), name.as_str()))
    }

    /// Returns the paths that go by `name`.
    pub fn paths_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Path> {
        self.iter()
            .filter(move |(_, known)| *known == name)
            .map(|(path, _)| path)
    }

    /// Replaces the paths of roots by their names.
    pub fn normalise(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] == b'{' {
                out.push_str(&text[copied..at]);
                out.push_str("{{");
                at += 1;
                copied = at;
            } else if let Some((path, name)) = self.root_at(bytes, at) {
                out.push_str(&text[copied..at]);
                out.push('{');
                out.push_str(name);
                out.push('}');
                at += path.len();
                copied = at;
            } else {
                at += 1;
            }
        }
        out.push_str(&text[copied..]);
        out
    }

    /// Returns whether `text` mentions the path of a root.
    pub fn occurs_in(&self, text: &str) -> bool {
        (0..text.len()).any(|at| self.root_at(text.as_bytes(), at).is_some())
    }

    fn root_at(&self, bytes: &[u8], at: usize) -> Option<(&str, &str)> {
        if !begins_a_path(bytes, at) {
            return None;
        }
        self.entries
            .iter()
            .find(|(path, _)| {
                bytes[at..].starts_with(path.as_bytes())
                    && !bytes
                        .get(at + path.len())
                        .is_some_and(|&next| is_name_byte(next))
            })
            .map(|(path, name)| (path.as_str(), name.as_str()))
    }

    /// Replaces the names of roots by their paths; `None` if the text is not a normalised one, or
    /// names a root that this machine does not have.
    pub fn localise(&self, text: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            out.push_str(&rest[..open]);
            rest = &rest[open + 1..];
            if let Some(after) = rest.strip_prefix('{') {
                out.push('{');
                rest = after;
                continue;
            }
            let close = rest.find('}')?;
            out.push_str(self.given(&rest[..close])?);
            rest = &rest[close + 1..];
        }
        out.push_str(rest);
        Some(out)
    }

    /// Localises a normalised path.
    pub fn localise_path(&self, text: &str) -> Option<PathBuf> {
        self.localise(text).map(PathBuf::from)
    }

    fn given(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }
}

/// Replaces whole paths: each `from` of `pairs` where it begins a path, by its `to`. The first pair that
/// fits counts. `None` if there is nothing to replace.
pub fn replace_paths(text: &str, pairs: &[(String, String)]) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        let begins = begins_a_path(bytes, at);
        let fits = |(from, _): &&(String, String)| {
            bytes[at..].starts_with(from.as_bytes())
                && !bytes
                    .get(at + from.len())
                    .is_some_and(|&next| is_name_byte(next))
        };
        match pairs.iter().find(fits).filter(|_| begins) {
            Some((from, to)) => {
                out.push_str(&text[copied..at]);
                out.push_str(to);
                at += from.len();
                copied = at;
            }
            None => at += 1,
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

/// Returns whether a path can begin here: at the beginning, after a byte that is part of no name, after a
/// flag of a compiler, or after an escape sequence, as the compiler's JSON messages hold them for colours and
/// line ends.
fn begins_a_path(bytes: &[u8], at: usize) -> bool {
    let Some((&last, before)) = bytes[..at].split_last() else {
        return true;
    };
    if !is_name_byte(last) {
        return true;
    }
    let backslashes = |text: &[u8]| text.iter().rev().take_while(|&&byte| byte == b'\\').count();
    match last {
        // Flags of compilers and linkers: `-I/usr/include`, `-T/memory.x`.
        b'B' | b'F' | b'I' | b'L' | b'T' => {
            let mut before = before.iter().rev();
            before.next() == Some(&b'-') && before.next().is_none_or(|&it| !is_name_byte(it))
        }
        b'n' | b'r' | b't' if backslashes(before) % 2 == 1 => true,
        b'm' => {
            let parameters = before
                .iter()
                .rev()
                .take_while(|byte| matches!(byte, b'0'..=b'9' | b';'));
            let sequence = &before[..before.len() - parameters.count()];
            sequence.ends_with(b"\\u001b[") || sequence.ends_with(b"\x1b[")
        }
        _ => false,
    }
}

/// Bytes that continue a path component: a root's path that is followed or preceded by one of them is
/// part of another name.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || byte >= 0x80
}

#[cfg(test)]
mod tests;
