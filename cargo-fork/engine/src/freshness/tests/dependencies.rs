//! Dependencies: what of them counts, and when a unit is kept.

use super::*;

/// A library below a package's unit.
fn library(package: &Package, name: &str, edges: Vec<Edge>) -> Arc<Node> {
    let kind = Kind::Library {
        metadata: Some(package.path(&format!("target/lib{name}.rmeta"))),
        outputs: vec![
            package.path(&format!("target/lib{name}.rmeta")),
            package.path(&format!("target/lib{name}.rlib")),
        ],
    };
    for extension in ["rmeta", "rlib"] {
        package.write(&format!("target/lib{name}.{extension}"), "1");
    }
    Arc::new(Node::new(name.to_owned(), kind, edges))
}

fn edge(node: Arc<Node>, metadata_only: bool) -> Edge {
    Edge {
        node,
        metadata_only,
    }
}

/// Returns whether a unit with dependencies from `graph` is kept after `change`.
fn is_kept(graph: impl Fn(&Package) -> Vec<Edge>, change: impl FnOnce(&Package)) -> bool {
    let mut package = Package::new();
    package.edges = graph(&package);
    assert_eq!(package.built(package.facts()), None);
    let contents: Vec<_> = fs::read_dir(package.path("target"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    // Another build has nodes of its own; making them writes files, which are put back.
    package.edges = graph(&package);
    contents
        .iter()
        .filter(|(path, _)| {
            path.extension()
                .is_some_and(|it| it == "rmeta" || it == "rlib")
        })
        .for_each(|(path, content)| {
            if fs::read(path).unwrap() != *content {
                fs::write(path, content).unwrap();
            }
        });
    change(&package);
    let build = package.build();
    build.is_kept(&package.unit()).unwrap()
}

#[test]
fn what_was_rebuilt_to_the_same_is_no_change() {
    let graph = |p: &Package| vec![edge(library(p, "b", Vec::new()), false)];
    assert!(is_kept(graph, |_| {}));
    assert!(is_kept(graph, |p| p.write("target/libb.rlib", "1")));
    assert!(!is_kept(graph, |p| p.write("target/libb.rlib", "2")));
    assert!(!is_kept(graph, |p| p.write("target/libb.rmeta", "2")));
    assert!(!is_kept(graph, |p| p.write("ws/a/src/foo.rs", "// bar")));
}

#[test]
fn of_metadata_only_metadata_count() {
    let graph = |p: &Package| vec![edge(library(p, "b", Vec::new()), true)];
    assert!(is_kept(graph, |p| p.write("target/libb.rlib", "2")));
    assert!(!is_kept(graph, |p| p.write("target/libb.rmeta", "2")));
}

#[test]
fn what_lies_below_counts_too() {
    for metadata_only in [true, false] {
        let graph = |p: &Package| {
            let below = library(p, "c", Vec::new());
            let between = library(p, "b", vec![edge(below, true)]);
            vec![edge(between, metadata_only)]
        };
        assert!(is_kept(graph, |_| {}));
        assert!(!is_kept(graph, |p| p.write("target/libc.rmeta", "2")));
        let kept = is_kept(graph, |p| p.write("target/libc.rlib", "2"));
        assert_eq!(kept, metadata_only, "a linker is given everything");
    }
}

/// A macro that a facade exports again is run by those who use the facade.
#[test]
fn a_macro_counts_through_a_facade() {
    let graph = |p: &Package| {
        p.write("target/libm.so", "1");
        let path = p.path("target/libm.so");
        let kind = Kind::Program {
            path,
            is_macro: true,
        };
        let macros = Arc::new(Node::new("m".to_owned(), kind, Vec::new()));
        let facade = library(p, "b", vec![edge(macros, false)]);
        vec![edge(facade, true)]
    };
    assert!(!is_kept(graph, |p| p.write("target/libm.so", "2")));
}

#[test]
fn other_dependencies_are_a_change() {
    let mut package = Package::new();
    package.edges = vec![edge(library(&package, "b", Vec::new()), false)];
    package.built(package.facts());
    package.edges = vec![edge(library(&package, "c", Vec::new()), false)];
    assert!(!package.build().is_kept(&package.unit()).unwrap());
    package.edges = Vec::new();
    assert!(!package.build().is_kept(&package.unit()).unwrap());
}

#[test]
fn what_is_known_while_planning_is_not_while_building() {
    let mut package = Package::new();
    package.edges = vec![edge(library(&package, "b", Vec::new()), false)];
    package.built(package.facts());
    package.edges = vec![edge(library(&package, "b", Vec::new()), false)];
    let (build, unit) = (package.build(), package.unit());
    build.load(&[Arc::new(package.unit())], 2, |_| {});
    let record = build.verdict(&unit).1.unwrap();
    let changed = build.changed_dependency(&unit, &record, Phase::Planning);
    assert_eq!(changed.unwrap(), None);
    // The dependency is built again in this build.
    package.write("target/libb.rlib", "2");
    build.digests().forget(&package.path("target/libb.rlib"));
    assert!(!build.is_kept(&unit).unwrap());
}
