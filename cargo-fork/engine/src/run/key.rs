//! The hash summary of the run of a build script.

use std::path::Path;
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
    common.scripts.forget(&run.script);
    if script.program.powers.asks_clock {
        return Err(Reason::ReadsClock);
    }
    subject.source.check_unpacked()?;
    let mut hashed = vec![(run.script.clone(), script.digest)];
    let mut ingredients = Ingredients::new(subject);
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
    let by_crate = run.vcs_dependency.as_ref();
    let by_crate = by_crate.map(|name| format!("it depends on `{name}`"));
    let words = by_crate.or_else(|| vcs::mentioned(&script.program.text, script.program.powers));
    let may_ask = script.program.powers.starts_programs;
    let is_local = run.is_local;
    let commit = vcs::checked_out(subject, env, is_local, words)?;
    ingredients.add("vcs", &[if may_ask { commit } else { String::new() }]);
    if script.program.powers.reads_files {
        let files = workspace_files(common, subject, &mut hashed)?;
        ingredients.add("script-files", &files);
        ingredients.add("places", &system::places(common, run, &script));
    }
    if script.program.powers.starts_programs {
        ingredients.add("tools", &system::tools(common, run, &script, env)?);
    }
    if system::looks_for_libraries(run, &script) {
        ingredients.add("system", &system::installed(common, env));
    }
    if script.program.asks_processor {
        let cpu = common.tools.native_cpu().map_err(Reason::Unreadable)?;
        ingredients.add("cpu", &[cpu.to_string()]);
    }
    let files = ingredients.add_source(common, subject)?;
    Ok(Summary {
        hashes: ingredients.finish(files),
        hashed,
        uses_network: script.program.powers.uses_network || script.mentions(&["curl", "wget"]),
    })
}

/// Where `OUT_DIR` lies: scripts look for other places by going up from it.
fn layout(run: &Run) -> Vec<String> {
    let subject = &run.subject;
    let inside = |path: &Path, root: &Path| match path.strip_prefix(root) {
        Ok(path) => path.display().to_string(),
        Err(_) => "elsewhere".to_owned(),
    };
    vec![
        inside(&run.out_dir, &subject.build_dir),
        inside(&subject.build_dir, &subject.workspace),
        inside(subject.source.root(), &subject.workspace),
    ]
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
    supply.source.check_unpacked()?;
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
