//! After a build script ran: what it came to, and telling the hook.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hook_protocol::wire::{Entry, EnvInput, FileDigest, Inputs};

use super::tree::Captured;
use super::{Declared, Outcome, Question, Run};
use crate::Reason;
use crate::entry::{self, Outputs};
use crate::inputs;
use crate::key::native;
use crate::listing;
use crate::scan;
use crate::session::Session;
use crate::store::after_build;

impl Session {
    /// Offers what a build script came to, which has just ended, to the hook. What it left is looked at
    /// now, and read later: it must not change until [`Session::settle`] has returned.
    pub fn store_run(
        self: &Arc<Self>,
        question: Box<Question>,
        declared: &Declared,
        took: Duration,
    ) {
        if self.after.is_none() {
            return;
        }
        let outcome = match self.outcome(&question, declared) {
            Ok(outcome) => outcome,
            Err(why) => return self.not_stored(&question.run.subject, why),
        };
        self.store_later(move |session| {
            let subject = &question.run.subject;
            // Holds texts with placeholders until the hook has taken them.
            let beside = question.run.stdout.parent().unwrap_or(Path::new("."));
            let folder = tempfile::Builder::new().prefix(".hook-").tempdir_in(beside);
            let entry = folder
                .as_ref()
                .map_err(|error| Reason::Unreadable(format!("`{}`: {error}", beside.display())))
                .and_then(|folder| write(&question, outcome, folder.path()));
            match entry {
                Ok((entry, places)) => {
                    let hashes = &question.summary.hashes;
                    let request = after_build(subject, hashes, &entry, places, took);
                    session.tell(subject, &entry, request);
                }
                Err(why) => session.not_stored(subject, why),
            }
        });
    }

    fn outcome(&self, question: &Question, declared: &Declared) -> Result<Outcome, Reason> {
        let Question {
            run,
            summary,
            before,
            around,
            ..
        } = question;
        let subject = &run.subject;
        let digests = &self.common.digests;
        let around = around.as_ref().ok_or(Reason::NoHook)?;
        if !around.is_empty {
            return Err(Reason::OutDirNotEmpty);
        }
        inputs::check_unchanged(&summary.hashed, digests, before)?;
        let inputs = Inputs {
            package: inputs::whole_package(subject, &summary.hashes, digests, before)?,
            ..self.declared(question, declared)?
        };
        if !around.is_complete {
            let what = "there are too many files around it".to_owned();
            return Err(Reason::PackageTooLarge(what));
        }
        if let Some(path) = around.changed(run) {
            return Err(Reason::WritesOutsideOutDir(format!("`{}`", path.display())));
        }
        let tree = Captured::take(run)?;
        Ok(Outcome { inputs, tree })
    }

    /// Records what a script declares.
    fn declared(&self, question: &Question, declared: &Declared) -> Result<Inputs, Reason> {
        let Question {
            run, env, before, ..
        } = question;
        let subject = &run.subject;
        let digests = &self.common.digests;
        let mut inputs = Inputs::default();
        for path in &declared.paths {
            let path = subject.source.root().join(path);
            let shown = || format!("`{}`", path.display());
            if path.components().any(|part| part.as_os_str() == ".git") {
                return Err(Reason::ReadsVcs(format!("it declares {}", shown())));
            }
            // What it made itself is no input.
            if path.starts_with(&run.out_dir) {
                continue;
            }
            if !path.exists() {
                return Err(Reason::InputMissing(shown()));
            }
            if path.is_dir() {
                let unreadable = |error| Reason::Unreadable(format!("{}: {error}", shown()));
                let listing = listing::list(&path, &subject.excluded);
                for file in listing.map_err(unreadable)?.files {
                    inputs::file_input(subject, &file, digests, before)?;
                }
                let digest = listing::content(&path, &subject.excluded, digests);
                inputs.folders.push(FileDigest {
                    path: inputs::normalised(subject, &path)?,
                    digest: digest.map_err(unreadable)?,
                });
            } else {
                let file = inputs::file_input(subject, &path, digests, before)?;
                inputs.files.push(file);
            }
        }
        for folder in searched(run) {
            let content = listing::content(&folder, &subject.excluded, digests);
            let unreadable = |it| Reason::Unreadable(format!("`{}`: {it}", folder.display()));
            inputs.folders.push(FileDigest {
                path: inputs::normalised(subject, &folder)?,
                digest: content.map_err(unreadable)?,
            });
        }
        // What Cargo sets is in the key.
        let inherited = |name: &&String| !env.command.contains_key(*name);
        let variable = |name: &String| EnvInput {
            name: name.clone(),
            value: env.get(name).map(|it| inputs::by_value(subject, it)),
        };
        let variables = declared.variables.iter().filter(inherited);
        inputs.env = variables.map(variable).collect();
        for list in [&mut inputs.files, &mut inputs.folders] {
            list.sort();
            list.dedup();
        }
        inputs.env.sort();
        inputs.env.dedup();
        Ok(inputs)
    }
}

/// Returns the folders that the script tells a linker to search and that are neither its own, nor of another
/// script, nor of the system or a package: what lies there must lie there wherever the run is restored.
fn searched(run: &Run) -> Vec<PathBuf> {
    let printed = std::fs::read_to_string(&run.stdout).unwrap_or_default();
    let directives = ["cargo:rustc-link-search=", "cargo::rustc-link-search="];
    let told = printed.lines().filter_map(|line| {
        let value = directives.iter().find_map(|it| line.strip_prefix(it))?;
        let path = value.split_once('=').map_or(value, |(_, path)| path);
        Some(PathBuf::from(path.trim()))
    });
    let is_known = |path: &PathBuf| {
        let subject = &run.subject;
        native::SYSTEM.iter().any(|system| path.starts_with(system))
            || path.starts_with(&subject.build_dir)
            || path.starts_with(subject.source.root())
    };
    told.filter(|path| path.is_absolute() && path.is_dir() && !is_known(path))
        .collect()
}

fn write(
    question: &Question,
    outcome: Outcome,
    folder: &Path,
) -> Result<(Entry, entry::Places), Reason> {
    let Outcome { mut inputs, tree } = outcome;
    let run = &question.run;
    let Outputs { files, places } = tree.describe(run, folder, &mut inputs.bound)?;
    inputs.bound.extend(scan::unsearchable(&run.subject.roots));
    let hashes = &question.summary.hashes;
    let entry = Entry {
        files,
        tree: tree.tree,
        local_only: question.summary.uses_network,
        ..entry::empty(&run.subject, hashes, inputs)
    };
    Ok((entry, places))
}
