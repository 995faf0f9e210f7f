//! Programs that a text names: those on `PATH`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hook_protocol::Digest;

use super::{Tools, resolve};

/// Words that are in every program, and the names of basic tools of the system that nobody replaces. What
/// the system is, is another question.
const WORDS: &[&str] = &[
    "arch", "base64", "basename", "cat", "chmod", "clear", "column", "comm", "cut", "date", "diff",
    "dir", "dirname", "du", "echo", "env", "expand", "expr", "factor", "false", "file", "find",
    "fmt", "fold", "free", "groups", "head", "host", "hostid", "hostname", "id", "info", "init",
    "install", "ipcs", "join", "kill", "last", "less", "link", "locale", "login", "look", "ls",
    "man", "mesg", "more", "mount", "mv", "nice", "nl", "nm", "nproc", "od", "open", "paste",
    "perf", "pinky", "pr", "printf", "ps", "ptx", "pwd", "read", "rename", "reset", "rev", "rm",
    "run", "script", "select", "seq", "shred", "shuf", "size", "sleep", "sort", "split", "stat",
    "strings", "stty", "su", "sum", "sync", "tac", "tail", "tar", "tee", "test", "time", "timeout",
    "top", "touch", "tr", "true", "tset", "tsort", "tty", "ul", "unlink", "unshare", "uptime",
    "users", "view", "wall", "watch", "wc", "who", "write", "yes",
];

/// Parts of Rust's toolchain: they have an ingredient of their own.
const TOOLCHAIN: &[&str] = &[
    "cargo",
    "cargo-clippy",
    "cargo-fmt",
    "cargo-miri",
    "clippy-driver",
    "rls",
    "rust-analyzer",
    "rust-gdb",
    "rust-gdbgui",
    "rust-lldb",
    "rustc",
    "rustdoc",
    "rustfmt",
    "rustup",
];

/// The shortest name that is searched for: shorter ones are in every program by chance.
const MIN_NAME: usize = 3;

/// Bytes of words, in which the name of a program may occur by chance.
fn is_word_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// The words of a text in which names of programs occur by chance.
#[derive(Debug, Default)]
pub(crate) struct Words(HashSet<Box<[u8]>>);

impl Words {
    fn contains(&self, word: &[u8]) -> bool {
        self.0.contains(word)
    }
}

/// Returns the word in which a part of a text lies.
fn word_around(text: &[u8], part: Range<usize>) -> &[u8] {
    let before = text[..part.start].iter().rposition(|it| !is_word_byte(it));
    let after = text[part.end..].iter().position(|it| !is_word_byte(it));
    let start = before.map_or(0, |at| at + 1);
    let end = after.map_or(text.len(), |at| part.end + at);
    &text[start..end]
}

/// The programs on `PATH`.
pub(super) struct Programs {
    folders: Vec<PathBuf>,
    /// Their names in order, and in which of the folders each is.
    found: Vec<(OsString, usize)>,
    /// Digests of the first bytes of names, as a set of bits: few places in a text begin as one of the names.
    starts: Vec<u64>,
}

/// How many bits there are in the set of digests.
const STARTS: usize = 1 << 16;

impl Programs {
    fn on_path() -> Option<Programs> {
        let path = std::env::var_os("PATH")?;
        Some(Programs::of(std::env::split_paths(&path).collect()))
    }

    fn of(folders: Vec<PathBuf>) -> Programs {
        let mut found: BTreeMap<OsString, usize> = BTreeMap::new();
        for (at, dir) in folders.iter().enumerate() {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let is = |known: &&str| name == **known;
                let is_known = WORDS.iter().any(is) || TOOLCHAIN.iter().any(is);
                if name.len() >= MIN_NAME && !is_known {
                    // The first folder counts.
                    found.entry(name).or_insert(at);
                }
            }
        }
        let mut starts = vec![0; STARTS / 64];
        for name in found.keys() {
            let bit = start(name.as_encoded_bytes());
            starts[bit / 64] |= 1 << (bit % 64);
        }
        Programs {
            folders,
            found: found.into_iter().collect(),
            starts,
        }
    }

    /// Calls `see` with every place in a text where a name is, also inside of others, and which name it is.
    fn find(&self, text: &[u8], mut see: impl FnMut(Range<usize>, usize)) {
        let name = |at: usize| self.found.get(at).map(|(name, _)| name.as_encoded_bytes());
        for (at, first) in text.windows(MIN_NAME).enumerate() {
            let bit = start(first);
            if self.starts[bit / 64] & 1 << (bit % 64) == 0 {
                continue;
            }
            let mut next = self
                .found
                .partition_point(|(name, _)| name.as_encoded_bytes() < first);
            while let Some(name) = name(next).filter(|name| name.starts_with(first)) {
                if text[at..].starts_with(name) {
                    see(at..at + name.len(), next);
                }
                next += 1;
            }
        }
    }
}

/// A digest of the first bytes of a text, which has as many as the shortest name.
fn start(text: &[u8]) -> usize {
    let first = text[..MIN_NAME].iter();
    first.fold(0, |digest, byte| digest * 41 + usize::from(*byte)) % STARTS
}

impl Tools {
    /// Returns the words of a text in which names of programs occur.
    pub(crate) fn words(&self, text: &[u8]) -> Words {
        let mut words = HashSet::new();
        if let Some(programs) = self.programs() {
            programs.find(text, |range, _| {
                let word = word_around(text, range);
                if !words.contains(word) {
                    words.insert(word.into());
                }
            });
        }
        Words(words)
    }

    fn programs(&self) -> Option<&Programs> {
        self.programs.get_or_init(Programs::on_path).as_ref()
    }

    /// Returns a line with name and digest of each program on `PATH` that `text` mentions. A longer word in
    /// which a name occurs says nothing if it is one of `words`, which every program has.
    pub(crate) fn mentioned(&self, text: &[u8], words: &Words) -> Vec<String> {
        let Some(programs) = self.programs() else {
            return Vec::new();
        };
        let is_meant = |range: &Range<usize>| {
            let word = word_around(text, range.clone());
            word.len() == range.len() || !words.contains(word)
        };
        let mut mentioned = BTreeSet::new();
        programs.find(text, |range, which| {
            if !mentioned.contains(&which) && is_meant(&range) {
                mentioned.insert(which);
            }
        });
        let line = |at: usize| {
            let (name, folder) = &programs.found[at];
            let path = programs.folders[*folder].join(name);
            // What cannot be read cannot be started either.
            let digest = self.file(&path).ok()?;
            Some(format!(
                "{} {digest}{}",
                name.display(),
                self.stands_for(&path)
            ))
        };
        mentioned.into_iter().filter_map(line).collect()
    }

    /// What a *shim* says of itself: a small program that starts another one, which the folder or a variable
    /// decides. Empty for all other programs.
    fn stands_for(&self, path: &Path) -> String {
        if !path.components().any(|part| part.as_os_str() == "shims") {
            return String::new();
        }
        let version = self.once(&format!("version {}", path.display()), || {
            let output = Command::new(path)
                .arg("--version")
                .stdin(Stdio::null())
                .output();
            let output = output.map_err(|error| error.to_string())?;
            Ok(Digest::of(&[output.stdout, output.stderr].concat()))
        });
        format!(" {version:?}")
    }

    /// Returns the identity of a C compiler: its driver, the compiler proper, the assembler and linker
    /// that it would use, and the C runtime.
    ///
    /// # Errors
    ///
    /// If there is no such program, in a few words.
    pub fn c_compiler(&self, name: &str) -> Result<Digest, String> {
        let linker = self.linker(name, None)?;
        self.once(&format!("compiler {name}"), || {
            let program = resolve(Path::new(name)).ok_or_else(|| format!("no `{name}`"))?;
            let mut lines = vec![linker.to_string()];
            let parts = ["cc1", "cc1plus", "as"];
            let questions = parts.map(|part| format!("-print-prog-name={part}"));
            for (part, path) in parts.iter().zip(self.driver(&program).ask(&questions)) {
                let digest = path.and_then(|path| self.file(&path).ok());
                lines.push(format!("{part} {digest:?}"));
            }
            Ok(Digest::of(lines.join("\n").as_bytes()))
        })
    }

    /// Returns whether a C compiler knows a flag.
    pub fn accepts(&self, compiler: &str, flag: &str) -> bool {
        let answer = self.once(&format!("accepts {compiler} {flag}"), || {
            let program = resolve(Path::new(compiler)).ok_or("no such program")?;
            let output = Command::new(program)
                .args([flag, "-x", "c", "-E", "-", "-o", "-"])
                .stdin(Stdio::null())
                .output()
                .map_err(|error| error.to_string())?;
            match output.status.success() && output.stderr.is_empty() {
                true => Ok(Digest::of(b"accepted")),
                false => Err("not accepted".to_owned()),
            }
        });
        answer.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_lies_between_other_bytes() {
        let text = b"two one\0\0three.two-one";
        for (part, word) in [
            (4..7, "one"),
            (5..6, "one"),
            (10..11, "three"),
            (0..1, "two"),
            (21..21, "one"),
        ] {
            assert_eq!(word_around(text, part), word.as_bytes());
        }
    }

    #[test]
    fn names_are_found_wherever_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["-ab", "abc", "abcd", "bcd", "cab", "ddd", "dddd", "zzz"];
        for name in names {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let programs = Programs::of(vec![dir.path().to_path_buf()]);
        for text in ["", "ab", "abc", "xabcdabcd-abcabcd", "dddddcab", "zz"] {
            let mut found = BTreeSet::new();
            programs.find(text.as_bytes(), |range, which| {
                found.insert((range.start, range.end, programs.found[which].0.clone()));
            });
            let mut expected = BTreeSet::new();
            for name in names {
                let places = (0..text.len()).filter(|at| text[*at..].starts_with(name));
                expected.extend(places.map(|at| (at, at + name.len(), OsString::from(name))));
            }
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn programs_are_found_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let tools = Tools::new(dir.path().join("memory.json"));
        // Every machine that can link a program has these.
        let words = tools.words(b"\0lddx lddx\0");
        let mentioned = tools.mentioned(b"..ldd..as..test\0", &words);
        let names: Vec<_> = mentioned
            .iter()
            .filter_map(|it| it.split(' ').next())
            .collect();
        assert!(names.contains(&"ldd"), "{names:?}");
        assert!(
            !names.contains(&"as") && !names.contains(&"test"),
            "{names:?}"
        );
        assert!(tools.mentioned(b"", &words).is_empty());
        assert!(tools.mentioned(b".lddx.", &words).is_empty());
        assert_eq!(tools.mentioned(b".lddy.", &words).len(), 1);
    }

    #[test]
    fn a_compiler_says_what_it_knows() {
        let dir = tempfile::tempdir().unwrap();
        let tools = Tools::new(dir.path().join("memory.json"));
        assert!(tools.accepts("cc", "-O1"));
        assert!(!tools.accepts("cc", "-fno-such-flag"));
        assert!(!tools.accepts("no-such-compiler", "-O1"));
        assert_eq!(tools.c_compiler("cc"), tools.c_compiler("cc"));
        assert!(tools.c_compiler("no-such-compiler").is_err());
    }
}
