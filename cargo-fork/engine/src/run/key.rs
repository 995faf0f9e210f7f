//! The hash summary of the run of a build script.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use hook_protocol::Digest;
use hook_protocol::wire::FileDigest;
use walkdir::WalkDir;

use super::script::Script;
use super::{Run, Summary, Supply, system, tree, variables, vcs};
use crate::Reason;
use crate::env::Environment;
use crate::key::compiler::toolchain;
use crate::key::macro_inputs::workspace_files;
use crate::key::{Common, Ingredients};
use crate::package::{self, Source};

/// Computes the hash summary of a run.
///
/// # Errors
///
/// The [`Reason`] for which the run cannot be offered.
pub(super) fn summarise(common: &Common, run: &Run, env: &Environment) -> Result<Summary, Reason> {
    let subject = &run.subject;
    let script = Script::read(common, &run.script)?;
    if script.powers.asks_clock {
        return Err(Reason::ReadsClock);
    }
    check_unpacked(&subject.source)?;
    let mut hashed = vec![(run.script.clone(), script.digest)];
    let mut ingredients = Ingredients::new(common, subject);
    ingredients.add("script", &[script.digest.to_string()]);
    ingredients.add("rustc", &[toolchain(common, subject)?.to_string()]);
    ingredients.add("env", &env.lines(&subject.roots, false));
    // The names that stand for places are the same everywhere; their order is not.
    ingredients.add("compiler-flags", &run.flags);
    let undeclared = variables::undeclared(run, &script, env);
    let undeclared = undeclared
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    ingredients.add("script-env", &undeclared.collect::<Vec<_>>());
    ingredients.add("layout", &layout(run));
    let mut supplies = Vec::new();
    for supply in &run.supplies {
        let digest = supplied(common, run, supply)?;
        supplies.push(format!("{} {digest}", supply.package));
    }
    supplies.sort();
    ingredients.add("supplies", &supplies);
    ingredients.add("vcs", &[checked_out(run, &script, env)?]);
    if script.powers.reads_files {
        let files = beside(common, run, &script, &mut hashed)?;
        ingredients.add("script-files", &files);
        ingredients.add("places", &system::places(common, run, &script));
    }
    if script.powers.starts_programs {
        ingredients.add("tools", &system::tools(common, run, &script, env)?);
    }
    if system::looks_for_libraries(run, &script) {
        ingredients.add("system", &system::installed(common, env));
    }
    if script.asks_processor {
        let cpu = common.tools.native_cpu().map_err(Reason::Unreadable)?;
        ingredients.add("cpu", &[cpu.to_string()]);
    }
    let files = ingredients.add_source(common, subject)?;
    Ok(Summary {
        hashes: ingredients.finish(files),
        hashed,
        uses_network: script.powers.uses_network,
    })
}

/// Checks that no file of a package that Cargo unpacked was edited: then its identity stands for all that a
/// script may read in it.
///
/// # Errors
///
/// [`Reason::EditedSource`].
pub(super) fn check_unpacked(source: &Source) -> Result<(), Reason> {
    let Source::Unpacked { root, .. } = source else {
        return Ok(());
    };
    match package::walk(root, &[]).find(|path| !source.vouches_for(path)) {
        Some(path) => Err(Reason::EditedSource(format!("`{}`", path.display()))),
        None => Ok(()),
    }
}

/// Where `OUT_DIR` lies: scripts look for other places by going up from it.
fn layout(run: &Run) -> Vec<String> {
    let subject = &run.subject;
    let inside = |path: &Path, root: &Path| match path.strip_prefix(root) {
        Ok(path) => path.display().to_string(),
        Err(_) => "elsewhere".to_owned(),
    };
    let root = subject.source.root();
    vec![
        inside(&run.out_dir, &subject.build_dir),
        subject
            .build_dir
            .starts_with(&subject.workspace)
            .to_string(),
        root.starts_with(&subject.workspace).to_string(),
    ]
}

/// The files that a script may read besides those of its package: those of the workspace that belong to no
/// package, and all, if it goes up from its own.
fn beside(
    common: &Common,
    run: &Run,
    script: &Script,
    hashed: &mut Vec<(PathBuf, Digest)>,
) -> Result<Vec<String>, Reason> {
    let subject = &run.subject;
    let (library, _) = common.scripts.library(common);
    let goes_up = script.goes_up(library) && run.is_local;
    if !goes_up || !subject.source.root().starts_with(&subject.workspace) {
        return workspace_files(common, subject, hashed);
    }
    let mut lines = Vec::new();
    for package in &*run.members {
        for file in package::list(package, &subject.excluded, &common.digests)? {
            let path = package.join(&file.path);
            let name = subject.roots.normalise(&path.to_string_lossy());
            lines.push(format!("{name} {}", file.digest));
            hashed.push((path, file.digest));
        }
    }
    lines.extend(workspace_files(common, subject, hashed)?);
    Ok(lines)
}

/// Returns the commit that a script may learn of; nothing where there is none, or where the script could
/// not ask.
///
/// # Errors
///
/// [`Reason::ReadsVcs`] if the script may learn more than that.
fn checked_out(run: &Run, script: &Script, env: &Environment) -> Result<String, Reason> {
    let subject = &run.subject;
    let mut folders = vec![subject.source.root()];
    // What is not the user's lies in no checkout of the user's, and does not look for one.
    if run.is_local {
        folders.push(&subject.workspace);
    }
    let repository = vcs::repository(folders);
    if repository.is_none() && env.get("GIT_DIR").is_none() {
        return Ok(String::new());
    }
    let by_crate = run.vcs_dependency.as_ref();
    let by_crate = by_crate.map(|name| format!("it depends on `{name}`"));
    if let Some(why) = by_crate.or_else(|| vcs::mentioned(&script.text, script.powers)) {
        return Err(Reason::ReadsVcs(why));
    }
    if !script.powers.starts_programs || !run.is_local {
        return Ok(String::new());
    }
    // A program that it starts may ask.
    let unknown = || Reason::ReadsVcs("its programs may, and the commit is unknown".to_owned());
    repository.map_or(Ok(String::new()), |git| vcs::head(&git).ok_or_else(unknown))
}

/// Returns the digest of what another script left, and of the package to which it may refer.
fn supplied(common: &Common, run: &Run, supply: &Supply) -> Result<Digest, Reason> {
    let known = || {
        let supplied = common.scripts.supplied.lock();
        supplied.unwrap_or_else(PoisonError::into_inner)
    };
    if let Some(digest) = known().get(&supply.out_dir) {
        return Ok(*digest);
    }
    check_unpacked(&supply.source)?;
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        Reason::Unreadable(format!("`{}`: {error}", path.display()))
    };
    let roots = run.subject.roots.with("supply", &supply.out_dir);
    // Without paths of this machine: the same content elsewhere is the same.
    let content = |path: &Path| -> Result<Digest, Reason> {
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
        Ok(match std::str::from_utf8(&bytes) {
            Ok(text) if roots.occurs_in(text) => Digest::of(roots.normalise(text).as_bytes()),
            _ => Digest::of(&bytes),
        })
    };
    // A restored run's output lacks what we had told it.
    let printed = std::fs::read(&supply.stdout);
    let printed = tree::without_our_flags(printed.map_err(|it| unreadable(&supply.stdout, &it))?);
    let printed = roots.normalise(&String::from_utf8_lossy(&printed));
    let mut lines = vec![Digest::of(printed.as_bytes()).to_string()];
    for entry in WalkDir::new(&supply.out_dir).sort_by_file_name() {
        let entry = entry.map_err(|error| unreadable(&supply.out_dir, &error))?;
        let name = entry.path().strip_prefix(&supply.out_dir);
        let name = name.unwrap_or(entry.path()).display();
        let kind = entry.file_type();
        if kind.is_file() {
            lines.push(format!("{name} {}", content(entry.path())?));
        } else if kind.is_symlink() {
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            lines.push(format!("{name} -> {}", target.display()));
        } else {
            lines.push(format!("{name}/"));
        }
    }
    match &supply.source {
        Source::Unpacked { identity, .. } => lines.push(identity.clone()),
        Source::Mutable { root } => {
            let files = package::list(root, &run.subject.excluded, &common.digests)?;
            let line = |file: &FileDigest| format!("{} {}", file.path, file.digest);
            lines.extend(files.iter().map(line));
        }
    }
    let digest = Digest::of(lines.join("\n").as_bytes());
    known().insert(supply.out_dir.clone(), digest);
    Ok(digest)
}
