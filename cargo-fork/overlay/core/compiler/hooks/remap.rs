//! Path independence: names for this machine's places, and the flags that make the compiler use them.
//!
//! The workspace becomes `.`; every other place gets a name of its own below `/cargo`, which is
//! translated back wherever the compiler shows it. rustc takes the *last* flag that matches, so the
//! flags go from the shortest path to the longest, and before the user's own.

use std::path::{Path, PathBuf};

use cargo_hooks_engine::args::VIRTUAL;
use cargo_hooks_engine::roots::{Roots, replace_paths};

use crate::core::compiler::{BuildContext, BuildRunner, Unit};
use crate::core::profiles::Profile;

/// The places of this machine, under the names that keys and messages use.
pub fn places(bcx: &BuildContext<'_, '_>) -> Roots {
    let gctx = bcx.gctx;
    let mut roots = Roots::default();
    for (name, path) in mapped_places(bcx) {
        roots.add(&name, &path);
    }
    roots.add("cargo-home", gctx.home().as_path_unlocked());
    roots.add(
        "sysroot",
        &bcx.target_data.info(super::CompileKind::Host).sysroot,
    );
    if let Some(home) = gctx.get_env_os("HOME") {
        roots.add("home", Path::new(home));
    }
    roots.add("tmp", &std::env::temp_dir());
    if let Some(checkout) = checkout(bcx.ws.root(), gctx.home().as_path_unlocked()) {
        roots.add("checkout", checkout);
    }
    roots
}

/// The folder of which a checkout's parts lie side by side, if that is not the workspace: the repository
/// around it, else the folder above, unless much else lies there.
fn checkout<'a>(workspace: &'a Path, cargo_home: &Path) -> Option<&'a Path> {
    let mut above = workspace.ancestors().skip(1);
    if !workspace.join(".git").exists()
        && let Some(repository) = above.find(|folder| folder.join(".git").exists())
    {
        return Some(repository);
    }
    let parent = workspace.parent()?;
    let is_shared = cargo_home.starts_with(parent) || parent.components().count() < 3;
    (!is_shared).then_some(parent)
}

/// The places that the compiler may see: the workspace first.
fn mapped_places(bcx: &BuildContext<'_, '_>) -> Vec<(String, PathBuf)> {
    let gctx = bcx.gctx;
    let mut out = vec![
        ("workspace".to_owned(), bcx.ws.root().to_path_buf()),
        (
            "build-dir".to_owned(),
            bcx.ws.build_dir().into_path_unlocked(),
        ),
        (
            "target-dir".to_owned(),
            bcx.ws.target_dir().into_path_unlocked(),
        ),
        (
            "registry".to_owned(),
            gctx.registry_source_path().into_path_unlocked(),
        ),
        (
            "git".to_owned(),
            gctx.git_checkouts_path().into_path_unlocked(),
        ),
    ];
    for package in bcx.packages.packages() {
        let id = package.package_id();
        if id.source_id().is_path() && !package.root().starts_with(bcx.ws.root()) {
            let name = format!("path/{}-{}", id.name(), id.version());
            out.push((name, package.root().to_path_buf()));
        }
    }
    out
}

/// Pairs of a real path and the name by which the compiler is to know it: of equally named ones the
/// given path first, then the canonical.
pub fn pairs(bcx: &BuildContext<'_, '_>) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for (name, path) in mapped_places(bcx) {
        let to = if name == "workspace" {
            ".".to_owned()
        } else {
            format!("{VIRTUAL}{name}")
        };
        for form in [Some(path.clone()), path.canonicalize().ok()]
            .into_iter()
            .flatten()
        {
            let Some(from) = form.to_str() else { continue };
            if !out.iter().any(|(known, _)| known == from) {
                out.push((from.to_owned(), to.clone()));
            }
        }
    }
    out
}

/// Returns whether the compiler is told other names for this unit. Not if the user renames paths: then
/// the unit is taken as it is written.
pub fn is_remapped(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> bool {
    let Some(hooks) = &build_runner.hooks else {
        return false;
    };
    let renames = |args: &[String]| {
        args.iter()
            .any(|arg| arg.starts_with("--remap-path-prefix"))
    };
    let measures = |args: &[String]| args.iter().any(|arg| arg.contains("instrument-coverage"));
    let extra = build_runner.bcx.extra_args_for(unit);
    let profile: Vec<String> = unit
        .profile
        .rustflags
        .iter()
        .map(|f| f.to_string())
        .collect();
    hooks.remap
        && super::is_rustc(unit)
        && unit.profile.trim_paths.is_none()
        && build_runner.bcx.build_config.primary_unit_rustc.is_none()
        && [
            Some(&*unit.rustflags),
            extra.map(|args| &**args),
            Some(&*profile),
        ]
        .into_iter()
        .flatten()
        .all(|args| !renames(args) && !measures(args))
}

/// Returns how the names that the compiler was given are translated back in its JSON messages.
pub fn shown(pairs: &[(String, String)]) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for (from, to) in pairs.iter().filter(|(_, to)| to.starts_with(VIRTUAL)) {
        // The given and the canonical form of a path have one name. The given form, which people know,
        // is the first that was added.
        if !out.iter().any(|(name, _)| name == to) {
            let quoted = serde_json::to_string(from).expect("a string is JSON");
            out.push((to.clone(), quoted[1..quoted.len() - 1].to_owned()));
        }
    }
    out
}

/// Replaces, in a line of the compiler, the names that it was given by the real paths.
pub fn show(line: &str, shown: &[(String, String)]) -> Option<String> {
    line.contains(VIRTUAL)
        .then(|| replace_paths(line, shown))
        .flatten()
}

/// The folder relative to which a package's identity is hashed. For a package outside the workspace
/// that is the package itself, if its name and version tell it apart: its place must not matter.
pub fn identity_root<'a>(
    build_runner: &BuildRunner<'a, '_>,
    unit: &'a Unit,
    workspace: &'a Path,
) -> &'a Path {
    let id = unit.pkg.package_id();
    let root = unit.pkg.root();
    if build_runner.hooks.is_none() || !id.source_id().is_path() || root.starts_with(workspace) {
        return workspace;
    }
    let namesakes = build_runner
        .bcx
        .packages
        .package_ids()
        .filter(|other| (other.name(), other.version()) == (id.name(), id.version()));
    if namesakes.count() == 1 {
        root
    } else {
        workspace
    }
}

/// The profile as far as it tells outputs apart. With hooks a unit that is compiled incrementally and
/// one that is not go by the same names, so that one can stand in for the other; unless both are part of
/// this build.
pub fn identity_profile(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> Profile {
    let mut profile = unit.profile.clone();
    if let Some(hooks) = &build_runner.hooks
        && profile.incremental
    {
        profile.incremental = false;
        let is_twin = |other: &Unit| {
            other.target == unit.target
                && other.mode == unit.mode
                && other.kind == unit.kind
                && other.features == unit.features
                && other.profile == profile
        };
        let others = hooks.not_incremental.get(&unit.pkg.package_id());
        profile.incremental = others.is_some_and(|others| others.iter().any(is_twin));
    }
    profile
}

/// What tells a workspace wrapper apart: with hooks its name, not its place. Its content is in the key.
pub fn identity_wrapper<'a>(build_runner: &BuildRunner<'_, '_>, wrapper: &'a Path) -> &'a Path {
    match wrapper.file_name() {
        Some(name) if build_runner.hooks.is_some() => Path::new(name),
        _ => wrapper,
    }
}

/// What is mixed into the identity of a unit's files, so that remapped and plain outputs live side by
/// side in one build directory.
pub fn identity_salt(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> Option<&'static str> {
    is_remapped(build_runner, unit).then_some("hooks.remap")
}
