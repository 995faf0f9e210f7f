//! The projects that are built: applications as they were published, and a generated workspace that uses many crates.
//!
//! All versions are pinned; an application brings its lock file, and the generated workspace gets one.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::differential::generated;
use crate::fetch;
use crate::lock::LOCK;
use crate::pin::Pin;
use crate::process;
use crate::repo::Repo;
use crate::tree::{self, Tree};

/// What a checkout may have besides the files of the project.
const KEPT: &[&str] = &["target"];

/// A project.
pub(crate) struct Project {
    /// Its name, and that of its folder.
    pub(crate) name: &'static str,
    /// Command lines whose outcome is compared: the program and its arguments.
    pub(crate) runs: &'static [&'static [&'static str]],
    /// Which of its tests are run: options of `cargo test`.
    pub(crate) tests: &'static [&'static str],
    source: Source,
}

enum Source {
    /// A published package, by version and SHA-256.
    Published(&'static str, &'static str),
    Generated(generated::Size),
}

/// Returns what is built: all of it, or what a short run can afford.
pub(crate) fn projects(is_small: bool) -> Vec<Project> {
    if is_small {
        vec![generated(generated::Size::Small), ripgrep()]
    } else {
        let mut projects = vec![generated(generated::Size::Full), ripgrep()];
        projects.extend(applications());
        projects
    }
}

fn generated(size: generated::Size) -> Project {
    Project {
        name: "crates",
        runs: &[&["everything"], &["everything", "again"]],
        tests: &["--workspace", "--tests"],
        source: Source::Generated(size),
    }
}

fn ripgrep() -> Project {
    Project {
        name: "ripgrep",
        runs: &[
            &["rg", "--version"],
            &["rg", "--sort", "path", "-n", "needle"],
            &["rg", "-j1", "--count-matches", "--sort", "path", "e+"],
            &["rg", "(unbalanced"],
        ],
        tests: &["--tests"],
        source: Source::Published(
            "14.1.1",
            "f77b8032dc584527975f34aa5a897d0ef5a785573fda778771a614ff9da501d9",
        ),
    }
}

fn applications() -> [Project; 6] {
    [
        Project {
            name: "fd-find",
            runs: &[
                &["fd", "--version"],
                &["fd", "-j1", "txt"],
                &["fd", "--help"],
            ],
            tests: &["--tests"],
            source: Source::Published(
                "10.3.0",
                "2fbf004b5bbdefab92e76237e2022c77842cdef5d3213fe09fd804e0474785db",
            ),
        },
        Project {
            name: "hexyl",
            runs: &[&["hexyl", "--version"], &["hexyl", "a.txt"]],
            tests: &["--tests"],
            source: Source::Published(
                "0.16.0",
                "43d56dd04872b6c6d429f18d2e03df95f853feb618c7cd8bf22d0e6851ce5ef8",
            ),
        },
        Project {
            name: "sd",
            runs: &[
                &["sd", "--version"],
                &["sd", "--preview", "ne+dle", "pin", "a.txt"],
            ],
            tests: &["--tests"],
            source: Source::Published(
                "1.0.0",
                "70613c41881ca1e5b69e6bb110f2ac499739c03a151b00e41e16090974b826a8",
            ),
        },
        Project {
            name: "hyperfine",
            runs: &[&["hyperfine", "--version"], &["hyperfine", "--help"]],
            // The others measure programs.
            tests: &["--bins"],
            source: Source::Published(
                "1.19.0",
                "1b9ed60550a9126c3f4ab05528d8b89bd130c4fa2735f0b902c5271a4e44f51e",
            ),
        },
        Project {
            name: "just",
            runs: &[
                &["just", "--version"],
                &["just", "--list"],
                &["just", "greet"],
            ],
            tests: &["--tests"],
            source: Source::Published(
                "1.43.0",
                "d1b416428b34ea9c87701a1c22b820dbee801491e4b2ec88ad95c26ff115348d",
            ),
        },
        Project {
            name: "bat",
            runs: &[
                &["bat", "--version"],
                &["bat", "--color=always", "--style=full", "main.rs"],
                &["bat", "--list-languages"],
            ],
            // The others run the program hundreds of times.
            tests: &["--lib", "--bins"],
            source: Source::Published(
                "0.25.0",
                "2ab792c2ad113a666f08856c88cdec0a62d732559b1f3982eedf0142571e669a",
            ),
        },
    ]
}

impl Project {
    /// Returns the files of the project, with a lock file; everything that it needs is downloaded.
    pub(crate) fn prepare(&self, repo: &Repo, cargo: &Path, scratch: &Path) -> Result<Tree> {
        let mut files = match self.source {
            Source::Published(version, sha256) => self.unpack(repo, version, sha256)?,
            Source::Generated(size) => generated::workspace(size),
        };
        tree::sync(&files, scratch, &[])?;
        let run = |arguments: &[&str]| {
            let mut command = Command::new(cargo);
            process::run(command.current_dir(scratch).args(arguments))
        };
        if !files.contains_key(LOCK) {
            if matches!(self.source, Source::Published(..)) {
                bail!("`{}` has no `{LOCK}`", self.name);
            }
            run(&["generate-lockfile", "--quiet"])?;
            let lock = scratch.join(LOCK);
            let bytes = std::fs::read(&lock)
                .with_context(|| format!("failed to read `{}`", lock.display()))?;
            files.insert(LOCK.to_string(), bytes);
        }
        run(&["fetch", "--quiet", "--locked"])?;
        Ok(files)
    }

    fn unpack(&self, repo: &Repo, version: &str, sha256: &str) -> Result<Tree> {
        let pin = Pin::published(self.name, version, sha256);
        fetch::verified(repo, &pin)?.unpack(&pin)
    }
}

/// Makes a folder a checkout of the project. What is there already and right keeps its time.
pub(crate) fn check_out(files: &Tree, checkout: &Path) -> Result<()> {
    tree::sync(files, checkout, KEPT).map(drop)
}

/// The files on which the programs are tried.
pub(crate) fn sample() -> Tree {
    let files = [
        ("a.txt", "hay\nneedle and needle\nhay\n"),
        ("folder/b.txt", "no\nneedle\n"),
        ("folder/deeper/c.md", "# A needle\n\nText.\n"),
        (
            "main.rs",
            "//! A needle.\n\n/* Comment. */\nfn main() {\n    println!(\"{}\", 6 * 7);\n}\n",
        ),
        (
            "justfile",
            "# Says hello.\ngreet name=\"you\":\n    @echo hello {{name}}\n",
        ),
    ];
    let owned = |(path, text): (&str, &str)| (path.to_string(), text.as_bytes().to_vec());
    files.into_iter().map(owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_run_builds_what_was_promised() {
        let names: Vec<_> = projects(false).iter().map(|it| it.name).collect();
        assert!(names.len() > 5, "{names:?}");
        assert_eq!(projects(true).len(), 2);
    }

    #[test]
    fn every_project_has_something_to_run() {
        for project in projects(false) {
            assert!(
                !project.runs.is_empty() && !project.tests.is_empty(),
                "{}",
                project.name
            );
        }
    }
}
