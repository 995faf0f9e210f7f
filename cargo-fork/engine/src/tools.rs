//! The identity of tools: compilers, their libraries, wrappers, linkers and C runtimes, by content.
//!
//! A toolchain is some hundred megabytes: its digests are remembered between builds.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hook_protocol::Digest;

use crate::keyed::Keyed;
use crate::memory::Memory;

mod driver;
mod programs;

use driver::Driver;

pub(crate) use programs::Words;

/// Tells tools apart by content.
pub struct Tools {
    memory: Memory,
    identities: Keyed<String, Result<Digest, String>>,
    /// What decides the answers of a program that links, by its path.
    drivers: Keyed<PathBuf, Option<Digest>>,
    /// Where a linker finds a library, by linker and file name.
    libraries: Keyed<(String, String), Option<PathBuf>>,
    programs: OnceLock<Option<programs::Programs>>,
}

impl Tools {
    /// Uses the file at `memory` to remember digests.
    pub fn new(memory: PathBuf) -> Tools {
        Tools {
            memory: Memory::new(memory),
            identities: Keyed::default(),
            drivers: Keyed::default(),
            libraries: Keyed::default(),
            programs: OnceLock::new(),
        }
    }

    /// Returns the identity of a program: the digest of the file that `program` resolves to.
    ///
    /// # Errors
    ///
    /// If there is no such program, in a few words.
    pub fn program(&self, program: &Path) -> Result<Digest, String> {
        self.once(&format!("program {}", program.display()), || {
            let path = resolve(program).ok_or_else(|| format!("no `{}`", program.display()))?;
            self.file(&path)
                .map_err(|e| format!("`{}`: {e}", path.display()))
        })
    }

    /// Returns the identity of a compiler: what it says of its version, the libraries that it is made
    /// of, and the target libraries of `targets`, in the given sysroot.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, in a few words.
    pub fn compiler(
        &self,
        version: &str,
        sysroot: &Path,
        targets: &[&str],
    ) -> Result<Digest, String> {
        let name = format!("compiler {version} {} {targets:?}", sysroot.display());
        self.once(&name, || {
            let mut files = files_in(&sysroot.join("lib"), |name| {
                COMPILER_FILES.iter().any(|prefix| name.starts_with(prefix))
            })?;
            files.push(sysroot.join("bin").join(with_suffix(Path::new("rustc"))));
            for target in targets {
                // The standard library, and tools such as the linker that is brought along.
                let target = sysroot.join("lib/rustlib").join(target);
                files.extend(tree(&target.join("lib")));
                files.extend(tree(&target.join("bin")));
            }
            let mut lines = vec![version.to_owned()];
            for path in files.iter().filter(|path| path.is_file()) {
                let digest = self
                    .file(path)
                    .map_err(|e| format!("`{}`: {e}", path.display()))?;
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                lines.push(format!("{name} {digest}"));
            }
            Ok(Digest::of(lines.join("\n").as_bytes()))
        })
    }

    /// Returns the identity of a linker: the program, and, where it is a C compiler, the linker and
    /// the C runtime that it would use.
    ///
    /// # Errors
    ///
    /// If there is no such program, in a few words.
    pub fn linker(&self, linker: &str, fuse_ld: Option<&str>) -> Result<Digest, String> {
        self.once(&format!("linker {linker} {fuse_ld:?}"), || {
            let program = resolve(Path::new(linker)).ok_or_else(|| format!("no `{linker}`"))?;
            let mut lines = vec![format!(
                "linker {}",
                self.file(&program)
                    .map_err(|e| format!("`{linker}`: {e}"))?
            )];
            let mut questions = vec!["-print-prog-name=ld".to_owned()];
            questions.extend(fuse_ld.map(|name| format!("-print-prog-name=ld.{name}")));
            let runtime = [
                "crt1.o",
                "Scrt1.o",
                "crti.o",
                "crtbeginS.o",
                "libgcc.a",
                "libc.so",
            ];
            questions.extend(
                runtime
                    .iter()
                    .chain(&["libc.so.6"])
                    .map(|f| format!("-print-file-name={f}")),
            );
            let answers = self.driver(&program).ask(&questions);
            for (question, path) in questions.iter().zip(answers) {
                if let Some(path) = path
                    && let Ok(digest) = self.file(&path)
                {
                    lines.push(format!("{question} {digest}"));
                }
            }
            Ok(Digest::of(lines.join("\n").as_bytes()))
        })
    }

    /// Returns the first of `files` that a linker finds in folders of its own.
    pub fn library(&self, linker: &str, files: &[String]) -> Option<PathBuf> {
        let program = resolve(Path::new(linker))?;
        files.iter().find_map(|file| {
            let question = (linker.to_owned(), file.clone());
            let find = || {
                let found = self
                    .driver(&program)
                    .ask(&[format!("-print-file-name={file}")]);
                found.into_iter().next().flatten()
            };
            let found = self.libraries.get_or_find(question, find);
            found.filter(|path| path.is_file())
        })
    }

    /// Returns the identity of this machine's processor: what `target-cpu=native` stands for.
    ///
    /// # Errors
    ///
    /// If this platform does not tell, in a few words.
    pub fn native_cpu(&self) -> Result<Digest, String> {
        self.once("cpu", || {
            let text = std::fs::read_to_string("/proc/cpuinfo")
                .map_err(|e| format!("`/proc/cpuinfo`: {e}"))?;
            let first = text.split("\n\n").next().unwrap_or_default();
            let told = [
                "vendor_id",
                "cpu family",
                "model",
                "stepping",
                "flags",
                "Features",
                "CPU",
            ];
            let lines: Vec<&str> = first
                .lines()
                .filter(|line| told.iter().any(|key| line.starts_with(key)))
                .collect();
            Ok(Digest::of(lines.join("\n").as_bytes()))
        })
    }

    /// Writes down what is to be remembered.
    pub fn save(&self) {
        self.memory.save();
    }

    /// Returns the digest of a file that hardly ever changes.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn file(&self, path: &Path) -> io::Result<Digest> {
        Ok(self.memory.file(path)?.digest)
    }

    fn once(
        &self,
        name: &str,
        find: impl FnOnce() -> Result<Digest, String>,
    ) -> Result<Digest, String> {
        self.identities.get_or_find(name.to_owned(), find)
    }

    /// Returns a program that can be asked; where it searches is asked once.
    fn driver<'a>(&'a self, program: &'a Path) -> Driver<'a> {
        let find = || driver::decided_by(&self.memory, program);
        Driver {
            memory: &self.memory,
            program,
            decided_by: self.drivers.get_or_find(program.to_path_buf(), find),
        }
    }
}

/// Files of a sysroot that a compiler is made of. Where the sysroot is `/usr`, much else lies beside them.
const COMPILER_FILES: &[&str] = &[
    "libLLVM",
    "libproc_macro",
    "librustc",
    "libstd-",
    "libtest-",
];

fn files_in(dir: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, String> {
    let mut out = Vec::new();
    let entries = std::fs::read_dir(dir).map_err(|e| format!("`{}`: {e}", dir.display()))?;
    for entry in entries {
        let entry = entry.map_err(|e| format!("`{}`: {e}", dir.display()))?;
        if wanted(&entry.file_name().to_string_lossy()) {
            out.push(entry.path());
        }
    }
    out.sort();
    Ok(out)
}

fn tree(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = walkdir::WalkDir::new(dir)
        .sort_by_file_name()
        .into_iter()
        .flatten();
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
}

/// Returns the file that is started for `program`: itself if it has a folder, else the first on `PATH`.
pub fn resolve(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_path_buf());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|dir| {
            let plain = dir.join(program);
            let suffixed = dir.join(with_suffix(program));
            [plain, suffixed]
        })
        .find(|candidate| candidate.is_file())
}

fn with_suffix(program: &Path) -> PathBuf {
    let mut name = program.as_os_str().to_owned();
    name.push(OsStr::new(std::env::consts::EXE_SUFFIX));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn old_file(path: &Path, content: &str) {
        std::fs::write(path, content).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(100))
            .unwrap();
    }

    #[test]
    fn a_tool_is_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        old_file(&one, "same");
        old_file(&two, "same");
        let tools = || Tools::new(dir.path().join("memory.json"));
        assert_eq!(tools().program(&one), tools().program(&two));
        old_file(&two, "else");
        assert_ne!(tools().program(&one), tools().program(&two));
        assert!(tools().program(&dir.path().join("none")).is_err());
    }

    #[test]
    fn a_compiler_is_its_libraries() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("lib/rustlib/t/lib");
        std::fs::create_dir_all(&target).unwrap();
        old_file(&dir.path().join("lib/librustc_driver-1.so"), "driver");
        old_file(&target.join("libstd-1.rlib"), "std");
        let memory = dir.path().join("memory.json");
        let identity = |version: &str| {
            Tools::new(memory.clone())
                .compiler(version, dir.path(), &["t"])
                .unwrap()
        };
        let first = identity("rustc 1");
        assert_eq!(first, identity("rustc 1"));
        assert_ne!(first, identity("rustc 2"));
        old_file(&target.join("libstd-1.rlib"), "other std");
        assert_ne!(first, identity("rustc 1"));
    }
}
