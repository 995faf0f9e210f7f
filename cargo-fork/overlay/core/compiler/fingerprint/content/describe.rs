//! Describing the units of a build to the engine.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use cargo_hooks_engine::freshness::{self, Edge, Folder, Kind, Node, Places};

use crate::core::compiler::{BuildRunner, FileFlavor, Unit, UnitIndex};
use crate::util::errors::CargoResult;

/// A unit, as the engine knows it.
pub struct Known {
    pub(super) unit: Arc<freshness::Unit>,
    /// Which units its dependencies are.
    pub(super) dependencies: Vec<UnitIndex>,
    /// The user's configuration stands for the run of the build script.
    pub(super) is_overridden: bool,
}

/// Describes every unit of the build that has a fingerprint.
pub(super) fn all(build_runner: &BuildRunner<'_, '_>) -> CargoResult<HashMap<Unit, Known>> {
    let ws = build_runner.bcx.ws;
    let mut common = Common {
        nodes: HashMap::new(),
        build_dir: Folder::new(&ws.build_dir().into_path_unlocked()),
        target_dir: Folder::new(&ws.target_dir().into_path_unlocked()),
        workspace: Folder::new(ws.root()),
        packages: HashMap::new(),
    };
    let mut out = HashMap::new();
    for unit in build_runner.bcx.unit_graph.keys() {
        if !unit.mode.is_doc_test() {
            let known = describe(build_runner, unit, &mut common)?;
            out.insert(unit.clone(), known);
        }
    }
    Ok(out)
}

/// What the units of a build have in common.
struct Common {
    nodes: Nodes,
    build_dir: Folder,
    target_dir: Folder,
    workspace: Folder,
    packages: HashMap<PathBuf, Folder>,
}

impl Common {
    fn places(&mut self, unit: &Unit) -> Places {
        let root = unit.pkg.root();
        let package = self.packages.entry(root.to_path_buf());
        let package = package.or_insert_with(|| match unit.is_local() {
            true => Folder::new(root),
            false => Folder::as_given(root),
        });
        Places::new(&self.build_dir, &self.target_dir, package, &self.workspace)
    }
}

type Nodes = HashMap<Unit, Arc<Node>>;

fn describe(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    common: &mut Common,
) -> CargoResult<Known> {
    let files = build_runner.files();
    let unstable = build_runner.bcx.gctx.cli_unstable();
    let mut is_marked = false;
    let (outputs, reference, out_dir) = if unit.mode.is_run_custom_build() {
        let stdout = &build_runner.build_explicit_deps[unit].build_script_output;
        let out_dir = if unstable.build_dir_new_layout {
            files.out_dir_new_layout(unit)
        } else {
            files.build_script_out_dir(unit)
        };
        (vec![(stdout.clone(), false)], stdout.clone(), Some(out_dir))
    } else {
        let outputs = outputs(build_runner, unit)?;
        let has_dep_info = !unit.mode.is_doc() && !unit.mode.is_doc_scrape();
        let reference = match outputs.first() {
            Some((output, _)) if !has_dep_info => output.clone(),
            _ => {
                is_marked = true;
                files.fingerprint_file_path(unit, "dep-")
            }
        };
        (outputs, reference, None)
    };
    let edges = edges(build_runner, unit, &mut common.nodes)?;
    let dependencies = depended_on(build_runner, unit);
    let index = |unit: &Unit| build_runner.bcx.unit_to_index[unit];
    Ok(Known {
        is_overridden: is_overridden(build_runner, unit),
        dependencies: dependencies.iter().map(index).collect(),
        unit: Arc::new(freshness::Unit {
            record: files.fingerprint_file_path(unit, "content-"),
            reference,
            is_marked,
            places: common.places(unit),
            outputs,
            node: node(build_runner, unit, &mut common.nodes)?,
            edges,
            out_dir,
        }),
    })
}

fn is_overridden(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> bool {
    unit.mode.is_run_custom_build() && {
        let metadata = build_runner.get_run_build_script_metadata(unit);
        let outputs = build_runner.build_script_outputs.lock();
        // Before anything runs, only what is configured is there.
        let outputs = outputs.expect("no job panics with it");
        outputs.get(metadata).is_some()
    }
}

/// Returns the outputs that must exist, and of each whether its content counts: that of programs, of
/// what only users read, does not.
fn outputs(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> CargoResult<Vec<(PathBuf, bool)>> {
    let is_script = unit.target.is_custom_build();
    let mut out = Vec::new();
    for output in build_runner.outputs(unit)?.iter() {
        let counts = match output.flavor {
            FileFlavor::Linkable | FileFlavor::Rmeta => true,
            FileFlavor::DebugInfo | FileFlavor::Auxiliary | FileFlavor::Sbom => continue,
            FileFlavor::Normal | FileFlavor::DocParts => is_script,
        };
        let is_doc = unit.mode.is_doc() || unit.mode.is_doc_scrape();
        out.push((output.path.clone(), counts && !is_doc));
    }
    Ok(out)
}

/// Returns the units that enter the fingerprint of a unit: not the programs that a test starts.
fn depended_on(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> Vec<Unit> {
    if is_overridden(build_runner, unit) {
        return Vec::new();
    }
    let deps = build_runner.unit_deps(unit).iter().map(|dep| &dep.unit);
    let enters = |dep: &&Unit| {
        unit.mode.is_run_custom_build() || !dep.target.is_bin() || dep.artifact.is_true()
    };
    deps.filter(enters).cloned().collect()
}

fn edges(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    nodes: &mut Nodes,
) -> CargoResult<Vec<Edge>> {
    let mut edges = Vec::new();
    for dep in depended_on(build_runner, unit) {
        edges.push(Edge {
            metadata_only: build_runner.only_requires_rmeta(unit, &dep) || dep.mode.is_check(),
            node: node(build_runner, &dep, nodes)?,
        });
    }
    Ok(edges)
}

fn node(
    build_runner: &BuildRunner<'_, '_>,
    unit: &Unit,
    nodes: &mut Nodes,
) -> CargoResult<Arc<Node>> {
    if let Some(node) = nodes.get(unit) {
        return Ok(node.clone());
    }
    let edges = if unit.mode.is_run_custom_build() || unit.mode.is_doc_test() {
        Vec::new()
    } else {
        edges(build_runner, unit, nodes)?
    };
    let file = build_runner.files().fingerprint_file_path(unit, "");
    let build_dir = build_runner.bcx.ws.build_dir().into_path_unlocked();
    let id = file.strip_prefix(&build_dir).unwrap_or(&file);
    let kind = kind(build_runner, unit)?;
    let node = Arc::new(Node::new(id.to_string_lossy().into_owned(), kind, edges));
    nodes.insert(unit.clone(), node.clone());
    Ok(node)
}

fn kind(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> CargoResult<Kind> {
    if unit.mode.is_run_custom_build() {
        return Ok(Kind::Run);
    }
    if unit.mode.is_doc() || unit.mode.is_doc_scrape() || unit.mode.is_doc_test() {
        return Ok(Kind::Opaque);
    }
    let outputs = build_runner.outputs(unit)?;
    let of = |flavor| outputs.iter().filter(move |output| output.flavor == flavor);
    let metadata = of(FileFlavor::Rmeta).next().map(|it| it.path.clone());
    let linkable: Vec<PathBuf> = of(FileFlavor::Linkable).map(|it| it.path.clone()).collect();
    let program = |path: PathBuf, is_macro| Kind::Program { path, is_macro };
    Ok(
        if unit.target.proc_macro()
            && let [library] = &*linkable
        {
            program(library.clone(), true)
        } else if unit.target.is_custom_build()
            && let Some(script) = of(FileFlavor::Normal).next()
        {
            program(script.path.clone(), false)
        } else if metadata.is_some() || !linkable.is_empty() {
            let outputs = metadata.iter().chain(&linkable).cloned().collect();
            Kind::Library { metadata, outputs }
        } else {
            Kind::Opaque
        },
    )
}
