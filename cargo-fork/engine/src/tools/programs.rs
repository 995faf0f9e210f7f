//! Programs that a text names: those on `PATH`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use aho_corasick::AhoCorasick;
use hook_protocol::Digest;

use super::{Tools, ask, resolve};

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
const TOOLCHAIN: &[&str] = &["cargo", "clippy", "rust"];

/// The shortest name that is searched for: shorter ones are in every program by chance.
const MIN_NAME: usize = 3;

/// The programs on `PATH`, and what finds their names.
pub(super) struct Programs {
    finder: AhoCorasick,
    found: Vec<(String, PathBuf)>,
}

impl Programs {
    fn on_path() -> Option<Programs> {
        let path = std::env::var_os("PATH")?;
        let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
        for dir in std::env::split_paths(&path) {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let is_known = WORDS.contains(&name.as_str())
                    || TOOLCHAIN.iter().any(|it| name.starts_with(it));
                if name.len() >= MIN_NAME && !is_known {
                    // The first folder counts.
                    found.entry(name).or_insert_with(|| entry.path());
                }
            }
        }
        let found: Vec<_> = found.into_iter().collect();
        let finder = AhoCorasick::new(found.iter().map(|(name, _)| name)).ok()?;
        Some(Programs { finder, found })
    }
}

impl Tools {
    /// Returns a line with name and digest of each program on `PATH` that `text` mentions.
    pub fn mentioned(&self, text: &[u8]) -> Vec<String> {
        let programs = self.programs.get_or_init(Programs::on_path);
        let Some(Programs { finder, found }) = programs else {
            return Vec::new();
        };
        let matches = finder.find_overlapping_iter(text);
        let mut mentioned: Vec<usize> = matches.map(|it| it.pattern().as_usize()).collect();
        mentioned.sort_unstable();
        mentioned.dedup();
        let line = |at: usize| {
            let (name, path) = &found[at];
            // What cannot be read cannot be started either.
            let digest = self.file(path).ok()?;
            Some(format!("{name} {digest}"))
        };
        mentioned.into_iter().filter_map(line).collect()
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
            for part in ["cc1", "cc1plus", "as"] {
                let path = ask(&program, &format!("-print-prog-name={part}"));
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
                .stdin(std::process::Stdio::null())
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
    fn programs_are_found_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let tools = Tools::new(dir.path().join("memory.json"));
        // Every machine that can link a program has these.
        let mentioned = tools.mentioned(b"..ldd..as..test\0");
        let names: Vec<_> = mentioned
            .iter()
            .filter_map(|it| it.split(' ').next())
            .collect();
        assert!(names.contains(&"ldd"), "{names:?}");
        assert!(
            !names.contains(&"as") && !names.contains(&"test"),
            "{names:?}"
        );
        assert!(tools.mentioned(b"").is_empty());
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
