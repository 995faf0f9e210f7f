//! The hash summary of the run of a build script.

use std::path::Path;

use hook_protocol::Digest;
use walkdir::WalkDir;

use super::script::Script;
use super::{Run, Summary, Supply, system, variables, vcs};
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
    let mut hashed = vec![(run.script.clone(), script.digest)];
    let mut ingredients = Ingredients::new(common, subject);
    ingredients.add("script", &[script.digest.to_string()]);
    ingredients.add("rustc", &[toolchain(common, subject)?.to_string()]);
    ingredients.add("env", &env.lines(&subject.roots, false));
    // The names that stand for places are the same everywhere; their order is not.
    ingredients.add("compiler-flags", &run.flags);
    let undeclared = variables::undeclared(run, &script, env);
    let undeclared: Vec<String> = undeclared
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    ingredients.add("script-env", &undeclared);
    let mut supplies = Vec::new();
    for supply in &run.supplies {
        let digest = supplied(common, run, supply)?;
        supplies.push(format!("{} {digest}", supply.package));
    }
    supplies.sort();
    ingredients.add("supplies", &supplies);
    ingredients.add("vcs", &[checked_out(run, &script, env)?]);
    if script.powers.reads_files {
        let files = workspace_files(common, subject, &mut hashed)?;
        ingredients.add("script-files", &files);
    }
    if script.powers.starts_programs {
        ingredients.add("tools", &system::tools(common, &script, env)?);
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

/// Returns the commit that a script may learn of; nothing where there is none, or where the script could
/// not ask.
///
/// # Errors
///
/// [`Reason::ReadsVcs`] if the script may learn more than that.
fn checked_out(run: &Run, script: &Script, env: &Environment) -> Result<String, Reason> {
    let subject = &run.subject;
    let mut folders = vec![subject.source.root()];
    // What Cargo unpacked lies in no checkout of the user's, and does not look for one.
    if subject.mutable_package().is_some() {
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
    let may_ask = script.powers.starts_programs && subject.mutable_package().is_some();
    let commit = repository
        .filter(|_| may_ask)
        .and_then(|git| vcs::head(&git));
    Ok(commit.unwrap_or_default())
}

/// Returns the digest of what another script left, and of the package to which it may refer.
fn supplied(common: &Common, run: &Run, supply: &Supply) -> Result<Digest, Reason> {
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
    let mut lines = vec![content(&supply.stdout)?.to_string()];
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
            lines.extend(files.iter().map(|it| format!("{} {}", it.path, it.digest)));
        }
    }
    Ok(Digest::of(lines.join("\n").as_bytes()))
}
