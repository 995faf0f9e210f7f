//! [`Driver`]: a C compiler that is asked where it finds its parts.
//!
//! Starting it takes as long as restoring a unit, everything that is linked waits for the answers, and there are
//! many. So it is asked once in a build where it searches, and what it answered in earlier builds counts as long
//! as all is the same that decides the answers: the program, the folders in which it searches, which tell what
//! variables and its configuration made of it, and what the file system says of these folders. A file that
//! comes or goes changes the times of its folder.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use hook_protocol::Digest;

use super::resolve;
use crate::files::{SETTLED, Stat};
use crate::memory::Memory;

/// A program that links: a C compiler, or a linker, which answers nothing.
pub(super) struct Driver<'a> {
    /// Has what it answered before.
    pub(super) memory: &'a Memory,
    pub(super) program: &'a Path,
    /// What [decides](decided_by) its answers; none if that is not known, and each is asked for.
    pub(super) decided_by: Option<Digest>,
}

impl Driver<'_> {
    /// Asks where files are. Of a question that it does not know, or a file that it does not find, there is none.
    pub(super) fn ask(&self, questions: &[String]) -> Vec<Option<PathBuf>> {
        let known = |question: &String| {
            let decided_by = self.decided_by.as_ref()?;
            self.memory.answer(self.program, question, decided_by)
        };
        // All that are new at once, since each starts a process.
        let asked: Vec<_> = questions
            .iter()
            .map(|question| known(question).ok_or_else(|| start(self.program, question)))
            .collect();
        let answers = questions.iter().zip(asked).map(|(question, asked)| {
            let text = asked.or_else(|child| {
                let text = child.and_then(answer).ok_or(())?;
                if let Some(decided_by) = &self.decided_by {
                    self.memory
                        .remember(self.program, question, decided_by, &text);
                }
                Ok::<_, ()>(text)
            });
            file(text.ok()?)
        });
        answers.collect()
    }
}

/// Asks a program where it searches, and returns the digest of what decides its other answers; none if it names no
/// folder, or if one of them changed a moment ago, so that its times say nothing.
pub(super) fn decided_by(memory: &Memory, program: &Path) -> Option<Digest> {
    let searched = start(program, "-print-search-dirs").and_then(answer)?;
    let mut lines = vec![memory.file(program).ok()?.digest.to_string()];
    lines.push(searched.clone());
    let settled = SystemTime::now() - SETTLED;
    let lists = searched.lines().filter_map(|line| line.split_once(": ="));
    for folder in lists.flat_map(|(_, list)| std::env::split_paths(list)) {
        let stat = Stat::of(&folder).ok();
        if stat.is_some_and(|stat| !stat.is_older_than(settled)) {
            return None;
        }
        lines.push(format!("{stat:?}"));
    }
    (lines.len() > 2).then(|| Digest::of(lines.join("\n").as_bytes()))
}

/// Starts a program that answers a question.
fn start(program: &Path, question: &str) -> Option<Child> {
    let mut command = Command::new(program);
    command.arg(question).stdin(Stdio::null());
    let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    pipes.spawn().ok()
}

fn answer(asked: Child) -> Option<String> {
    let output = asked.wait_with_output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    Some(answer.trim().to_owned())
}

/// A program that is found on `PATH` is answered by its name.
fn file(answer: String) -> Option<PathBuf> {
    let path = PathBuf::from(answer);
    if path.is_absolute() {
        Some(path)
    } else {
        resolve(&path)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;

    /// A program that says where it searches, and counts how often it is asked for anything else.
    fn program(dir: &Path) -> PathBuf {
        let script = format!(
            "#!/bin/sh\nif [ $1 = -print-search-dirs ]; then\n\
             echo \"libraries: ={0}/one:{0}/two$(cat {0}/more 2>&-)\"\nexit\nfi\n\
             echo $1 >> {0}/asked\nfor it in {0}/one/part {0}/two/part; do [ -f $it ] && echo $it && exit; done\n",
            dir.display()
        );
        let program = dir.join("cc");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    fn ask(memory: &Memory, program: &Path, questions: &[String]) -> Vec<Option<PathBuf>> {
        let driver = Driver {
            memory,
            program,
            decided_by: decided_by(memory, program),
        };
        driver.ask(questions)
    }

    fn find(dir: &Path, program: &Path) -> Option<PathBuf> {
        let memory = Memory::new(dir.join("memory.json"));
        let questions = ["-print-file-name=part".to_owned()];
        let found = ask(&memory, program, &questions);
        memory.save();
        found[0].clone()
    }

    #[test]
    fn it_is_asked_again_only_if_something_has_changed() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        for name in ["one", "two"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        let program = program(dir);
        let asked = || fs::read_to_string(dir.join("asked")).map_or(0, |it| it.lines().count());
        // Folders that changed a moment ago say nothing.
        assert_eq!(find(dir, &program), None);
        assert_eq!(find(dir, &program), None);
        assert_eq!(asked(), 2);
        fs::write(dir.join("two/part"), "").unwrap();
        std::thread::sleep(SETTLED + Duration::from_millis(100));
        for _ in 0..3 {
            assert_eq!(find(dir, &program), Some(dir.join("two/part")));
        }
        assert_eq!(asked(), 3);
        // One that is found before it.
        fs::write(dir.join("one/part"), "").unwrap();
        assert_eq!(find(dir, &program), Some(dir.join("one/part")));
        std::thread::sleep(SETTLED + Duration::from_millis(100));
        assert_eq!(find(dir, &program), Some(dir.join("one/part")));
        assert_eq!(asked(), 5);
        // Another folder to search, as a variable or its configuration may name it.
        fs::write(dir.join("more"), ":/no/such/folder").unwrap();
        find(dir, &program);
        find(dir, &program);
        assert_eq!(asked(), 6);
        // Another program.
        fs::write(&program, fs::read_to_string(&program).unwrap() + "\n").unwrap();
        find(dir, &program);
        assert_eq!(asked(), 7);
    }

    #[test]
    fn a_linker_has_no_answers() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("ld");
        fs::write(&program, "#!/bin/sh\nexit 1\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(dir.path(), &program), None);
        assert_eq!(find(dir.path(), Path::new("/no/such/program")), None);
    }

    #[test]
    fn what_is_remembered_is_what_it_says() {
        let dir = tempfile::tempdir().unwrap();
        let Some(cc) = resolve(Path::new("cc")) else {
            return;
        };
        let questions =
            ["crti.o", "libc.so.6", "libgcc.a"].map(|it| format!("-print-file-name={it}"));
        let asked = || {
            let memory = Memory::new(dir.path().join("memory.json"));
            let found = ask(&memory, &cc, &questions);
            memory.save();
            found
        };
        let first = asked();
        assert!(first.iter().all(Option::is_some), "{first:?}");
        assert_eq!(asked(), first);
    }
}
