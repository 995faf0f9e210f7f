//! Dependencies: what of them counts, and when a unit is kept.

use super::node::Scripts;
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

/// A build that ran a script, for a unit of this kind, and then another in which it ran again.
fn is_kept_after_a_run(kind: fn(&Package) -> Kind, source: &str, change: fn(&Package)) -> bool {
    let mut package = Package::new();
    package.write("ws/a/src/foo.rs", source);
    for (name, content) in [
        ("ws/a/in.txt", "1"),
        ("target/out/gen.rs", "1"),
        ("target/output", ""),
    ] {
        package.write(name, content);
    }
    let graph = |package: &Package, build: &Freshness| {
        let node = Arc::new(Node::new("run".to_owned(), Kind::Run, Vec::new()));
        let run = Unit {
            record: package.path("target/content-run"),
            reference: package.path("target/output"),
            is_marked: false,
            outputs: vec![(package.path("target/output"), false)],
            node: node.clone(),
            edges: Vec::new(),
            out_dir: Some(package.path("target/out")),
            ..package.unit()
        };
        build.release(&run);
        let clock = build.clock().unwrap();
        let before = build.look(&run, clock, Some(&package.path("ws/a")), []);
        let facts = Facts {
            files: vec![(package.path("ws/a/in.txt"), None)],
            sources: Vec::new(),
            ..package.facts()
        };
        assert_eq!(build.finish(&run, &before, facts).unwrap(), None);
        vec![edge(node, false)]
    };
    let node = |package: &Package| Arc::new(Node::new("a".to_owned(), kind(package), Vec::new()));
    package.edges = graph(&package, &package.build());
    package.node = node(&package);
    assert_eq!(package.built(package.facts()), None);
    change(&package);
    let build = package.build();
    package.edges = graph(&package, &build);
    package.node = node(&package);
    build.is_kept(&package.unit()).unwrap()
}

fn compiled(package: &Package) -> Kind {
    Kind::Library {
        metadata: None,
        outputs: vec![package.path(RLIB)],
    }
}

fn linked(_: &Package) -> Kind {
    Kind::Opaque
}

#[test]
fn a_library_is_kept_if_a_script_came_to_the_same() {
    assert!(is_kept_after_a_run(compiled, "", |_| {}));
    assert!(is_kept_after_a_run(compiled, "", |p| p.write("ws/a/in.txt", "2")));
    assert!(!is_kept_after_a_run(compiled, "", |p| p.write("target/out/gen.rs", "2")));
    assert!(!is_kept_after_a_run(compiled, "", |p| p
        .write("target/output", "cargo:rustc-cfg=a")));
}

/// A linker script, or a file that an assembler includes, is declared to Cargo by a script alone.
#[test]
fn what_a_script_declares_counts_where_others_read() {
    assert!(is_kept_after_a_run(linked, "", |_| {}));
    assert!(!is_kept_after_a_run(linked, "", |p| p.write("ws/a/in.txt", "2")));
    let assembly = r#"global_asm!(".incbin \"in.txt\"");"#;
    assert!(is_kept_after_a_run(compiled, assembly, |_| {}));
    assert!(!is_kept_after_a_run(compiled, assembly, |p| p.write("ws/a/in.txt", "2")));
}

/// What an earlier run came to is not what a run came to that could not be recorded.
#[test]
fn a_dependency_that_is_built_again_is_not_what_it_was() {
    let package = Package::new();
    let node = Arc::new(Node::new("run".to_owned(), Kind::Run, Vec::new()));
    node.replace(Digest::of(b"1"));
    let unit = Unit {
        node: node.clone(),
        ..package.unit()
    };
    let digest = |node: &Arc<Node>| {
        let edge = edge(node.clone(), false);
        edge.digest(&FileDigests::default(), Scripts::Inputs, Phase::Building)
    };
    package.build().release(&unit);
    assert!(digest(&node).is_err());
}
