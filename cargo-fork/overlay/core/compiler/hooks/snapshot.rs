//! The snapshot of a unit: what the engine needs to know, as plain data.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use cargo_hooks_engine::Reason;
use cargo_hooks_engine::key::MACRO;
use cargo_hooks_engine::package::Source;
use cargo_hooks_engine::unit::{DOC, Dependency, Output, RUN, Subject, Unit as Snapshot};
use hook_protocol::wire::{self, Role};

use super::Hooks;
use crate::core::TargetKind;
use crate::core::compiler::{BuildRunner, CompileKind, CompileMode, Executor, FileFlavor, Unit};
use crate::util::errors::CargoResult;

/// Takes the snapshot of a unit; a reason if no hook is asked for it.
pub fn take(
    build_runner: &BuildRunner<'_, '_>,
    hooks: &Hooks,
    unit: &Unit,
    exec: &dyn Executor,
    cwd: &Path,
    dep_info: &Path,
) -> CargoResult<Result<Snapshot, Reason>> {
    if let Some(reason) = not_offered(build_runner, unit, exec) {
        return Ok(Err(reason));
    }
    let files = build_runner.files();
    let reachable = reachable(build_runner, hooks, unit);
    let mut outputs = Vec::new();
    for output in build_runner.outputs(unit)?.iter() {
        let role = match output.flavor {
            FileFlavor::Normal | FileFlavor::Linkable => Role::Link,
            FileFlavor::Rmeta => Role::Metadata,
            FileFlavor::DebugInfo => Role::DebugInfo,
            FileFlavor::Auxiliary => Role::Auxiliary,
            FileFlavor::Sbom | FileFlavor::DocParts => {
                return Ok(Err(Reason::UnlistedOutput(
                    output.path.display().to_string(),
                )));
            }
        };
        outputs.push(Output {
            path: output.path.clone(),
            role,
        });
    }
    Ok(Ok(Snapshot {
        subject: Subject {
            cwd: cwd.to_path_buf(),
            ..subject(build_runner, hooks, unit)
        },
        output_dir: files.output_dir(unit),
        outputs,
        dependencies: dependencies(build_runner, hooks, unit, &reachable)?,
        dep_info: dep_info.to_path_buf(),
        message_cache: files.message_cache_path(unit),
        was_built: dep_info.exists(),
        links: unit.requires_upstream_objects() && !unit.mode.is_check(),
        native_libs: Vec::new(),
    }))
}

/// Takes what units of every kind have; the working directory is that of the package.
pub fn subject(build_runner: &BuildRunner<'_, '_>, hooks: &Hooks, unit: &Unit) -> Subject {
    let bcx = build_runner.bcx;
    Subject {
        id: id(build_runner, unit),
        facts: facts(unit),
        roots: hooks.places.with("package", unit.pkg.root()),
        source: source(build_runner, unit),
        excluded: hooks.excluded.clone(),
        cwd: unit.pkg.root().to_path_buf(),
        workspace: bcx.ws.root().to_path_buf(),
        members: hooks.members.clone(),
        may_be_old: may_be_old(build_runner, hooks, unit),
        salt: hooks.salt,
        is_cleaned: hooks.cleaned.contains(unit),
        build_dir: bcx.ws.build_dir().into_path_unlocked(),
    }
}

/// Returns whether the outputs of a unit may be older than the checkout. A Cargo that goes by times compares
/// what a build script of the workspace printed with the files that it declares, and so everything above it
/// must be new as well; and macros are copied, not linked.
fn may_be_old(build_runner: &BuildRunner<'_, '_>, hooks: &Hooks, unit: &Unit) -> bool {
    let is_fixed = |unit: &Unit| matches!(source(build_runner, unit), Source::Unpacked { .. });
    if is_fixed(unit) {
        return true;
    }
    let is_plain = |unit: &Unit| !unit.pkg.has_custom_build() && !unit.target.proc_macro();
    let reachable = reachable(build_runner, hooks, unit);
    is_plain(unit) && reachable.iter().all(|dep| !dep.is_local() || is_plain(dep))
}

/// Units for which no hook is asked, whatever they hold.
fn not_offered(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    exec: &dyn Executor,
) -> Option<Reason> {
    let bcx = build_runner.bcx;
    let forced = bcx.build_config.force_rebuild && bcx.roots.contains(unit);
    if exec.force_rebuild(unit) || forced || bcx.build_config.primary_unit_rustc.is_some() {
        Some(Reason::Forced)
    } else if bcx.unit_can_fail_for_docscraping(unit) {
        Some(Reason::UnstableFeature("scrape-examples".to_owned()))
    } else {
        unstable(build_runner, unit)
    }
}

/// Returns the reason why no hook is asked for a unit that depends on an unstable feature.
pub fn unstable(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> Option<Reason> {
    let is_artifact = |unit: &Unit| unit.artifact.is_true();
    let mut deps = build_runner.unit_deps(unit).iter();
    let feature = if unit.is_std {
        "build-std"
    } else if build_runner.bcx.gctx.cli_unstable().fine_grain_locking {
        "fine-grain-locking"
    } else if is_artifact(unit) || deps.any(|dep| is_artifact(&dep.unit)) {
        "bindeps"
    } else if unit.pkg.manifest().is_embedded() {
        "script"
    } else {
        return None;
    };
    Some(Reason::UnstableFeature(feature.to_owned()))
}

/// Names a unit for people and statistics.
pub fn id(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> wire::Unit {
    wire::Unit {
        package: unit.pkg.name().to_string(),
        version: unit.pkg.version().to_string(),
        target: unit.target.name().to_owned(),
        target_kind: match unit.target.kind() {
            TargetKind::Lib(_) if unit.target.proc_macro() => "proc-macro",
            TargetKind::Lib(_) => "lib",
            TargetKind::Bin => "bin",
            TargetKind::Test => "test",
            TargetKind::Bench => "bench",
            TargetKind::ExampleLib(_) | TargetKind::ExampleBin => "example",
            TargetKind::CustomBuild => "custom-build",
        }
        .to_owned(),
        mode: match unit.mode {
            CompileMode::Test => "test",
            CompileMode::Check { .. } => "check",
            CompileMode::Doc | CompileMode::Docscrape => DOC,
            CompileMode::RunCustomBuild => RUN,
            _ => "build",
        }
        .to_owned(),
        profile: unit.profile.name.to_string(),
        platform: match unit.kind {
            CompileKind::Host => "host".to_owned(),
            CompileKind::Target(_) => build_runner
                .bcx
                .target_data
                .short_name(&unit.kind)
                .to_owned(),
        },
        features: unit
            .features
            .iter()
            .map(|feature| feature.to_string())
            .collect(),
    }
}

/// What must tell keys apart even where the command line would not.
fn facts(unit: &Unit) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        (
            "package",
            format!("{} {}", unit.pkg.name(), unit.pkg.version()),
        ),
        (
            "target",
            format!("{:?} {}", unit.target.kind(), unit.target.name()),
        ),
        ("kind", format!("{:?}", unit.kind.is_host())),
        ("for-host", unit.target.for_host().to_string()),
        ("mode", format!("{:?}", unit.mode)),
        ("panic", unit.profile.panic.to_string()),
    ])
}

/// Returns where the sources of a unit are, and whether they can change.
pub fn source(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> Source {
    let gctx = build_runner.bcx.gctx;
    let id = unit.pkg.package_id().source_id();
    let root = unit.pkg.root().to_path_buf();
    if id.is_registry() && root.starts_with(gctx.registry_source_path().as_path_unlocked()) {
        let marker = root.join(".cargo-ok");
        if let Some(checksum) = unit.pkg.summary().checksum()
            && marker.is_file()
        {
            let identity = format!("sha256:{checksum}");
            return Source::unpacked(root, identity, &marker);
        }
    }
    if id.is_git()
        && let Some(revision) = id.precise_git_fragment()
        && let Ok(inside) = root.strip_prefix(gctx.git_checkouts_path().as_path_unlocked())
    {
        // CHECKOUTS/REPOSITORY/REVISION/PACKAGE
        let parts: Vec<_> = inside.components().collect();
        let folder: std::path::PathBuf = parts.iter().skip(2).collect();
        let checkout = root.ancestors().nth(parts.len().saturating_sub(2));
        if let Some(marker) = checkout.map(|dir| dir.join(".cargo-ok"))
            && marker.is_file()
        {
            let identity = format!("git:{revision}:{}", folder.display());
            return Source::unpacked(root, identity, &marker);
        }
    }
    Source::Mutable { root }
}

/// The libraries that the compiler may load for a unit: all of them, since macros travel through
/// re-exports. What a macro library itself was made of is inside it.
fn reachable(build_runner: &BuildRunner<'_, '_>, hooks: &Hooks, unit: &Unit) -> Rc<Vec<Unit>> {
    if let Some(known) = hooks.reachable.borrow().get(unit) {
        return known.clone();
    }
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for dep in build_runner.unit_deps(unit) {
        let dep = &dep.unit;
        if !super::is_rustc(dep) || !dep.target.is_linkable() {
            continue;
        }
        if seen.insert(dep.clone()) {
            out.push(dep.clone());
        }
        if !dep.target.proc_macro() {
            let further = reachable(build_runner, hooks, dep);
            out.extend(
                further
                    .iter()
                    .filter(|unit| seen.insert((*unit).clone()))
                    .cloned(),
            );
        }
    }
    let out = Rc::new(out);
    hooks
        .reachable
        .borrow_mut()
        .insert(unit.clone(), out.clone());
    out
}

fn dependencies(
    build_runner: &BuildRunner<'_, '_>,
    hooks: &Hooks,
    unit: &Unit,
    reachable: &[Unit],
) -> CargoResult<Vec<Arc<Dependency>>> {
    let mut out = Vec::with_capacity(reachable.len());
    for dep in reachable {
        let metadata = build_runner.only_requires_rmeta(unit, dep) || dep.mode.is_check();
        let key = (dep.clone(), metadata);
        if let Some(known) = hooks.dependencies.borrow().get(&key) {
            out.extend(known.iter().cloned());
            continue;
        }
        let files = dependency(build_runner, dep, metadata)?;
        out.extend(files.iter().cloned());
        hooks.dependencies.borrow_mut().insert(key, files);
    }
    Ok(out)
}

/// The files of one dependency.
fn dependency(
    build_runner: &BuildRunner<'_, '_>,
    dep: &Unit,
    metadata: bool,
) -> CargoResult<Vec<Arc<Dependency>>> {
    let (flavor, role) = match dep.target.proc_macro() {
        true => (FileFlavor::Linkable, MACRO),
        false if metadata => (FileFlavor::Rmeta, "metadata"),
        false => (FileFlavor::Linkable, "link"),
    };
    let hash = build_runner.files().metadata(dep).c_metadata();
    let (name, version) = (dep.pkg.name(), dep.pkg.version());
    let published = dep.pkg.package_id().source_id().is_crates_io();
    let outputs = build_runner.outputs(dep)?;
    let outputs = outputs.iter().filter(|it| it.flavor == flavor);
    let files = outputs.map(|output| {
        let extension = output.path.extension().unwrap_or_default();
        Arc::new(Dependency {
            crate_id: format!("{name}@{version} {hash} {}", extension.to_string_lossy()),
            published: published.then(|| name.to_string()),
            role,
            path: output.path.clone(),
            line: Default::default(),
        })
    });
    Ok(files.collect())
}
