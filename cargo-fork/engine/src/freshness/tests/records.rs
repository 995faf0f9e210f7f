//! Records: whose they are, and what is not one.

use super::*;

fn package() -> Package {
    let package = Package::new();
    assert_eq!(package.built(package.facts()), None);
    package
}

#[test]
fn without_a_record_nothing_is_known() {
    Package::new().is_unknown();
}

#[test]
fn what_is_not_a_record_is_damaged() {
    let package = package();
    let record = fs::read(package.path("target/content-lib-a")).unwrap();
    let mut damaged: Vec<Vec<u8>> = (0..record.len())
        .step_by(7)
        .map(|at| record[..at].to_vec())
        .collect();
    damaged.extend((0..record.len()).step_by(7).map(|at| {
        let mut record = record.clone();
        record[at] ^= 1;
        record
    }));
    damaged.push(b"cargo-content 1".to_vec());
    damaged.push(vec![0; record.len()]);
    damaged.push(vec![0xff; 3]);
    let mut other_version = record.clone();
    other_version[b"cargo-content ".len()] = b'2';
    damaged.push(other_version);
    for bytes in damaged {
        fs::write(package.path("target/content-lib-a"), bytes).unwrap();
        package.is_changed("the record of its inputs is damaged");
    }
    // Whole, but of something else.
    for body in [&b""[..], b"\0", &[0xff; 64]] {
        let whole = [b"cargo-content 1\n", &Digest::of(body).as_bytes()[..], body].concat();
        fs::write(package.path("target/content-lib-a"), whole).unwrap();
        package.is_changed("the record of its inputs is damaged");
    }
    package.built(package.facts());
    package.edit_record(|record| record.unit = "b".to_owned());
    package.is_changed("the record of its inputs is damaged");
}

#[test]
fn a_record_holds_for_the_outputs_of_one_build() {
    // Another Cargo built the unit: it has written its list of inputs anew.
    let package = Package::program();
    package.built(package.facts());
    package.is_unchanged();
    package.write(REFERENCE, "inputs");
    package.is_unknown();

    // The times were lost, but the list has the mark of the build.
    let package = Package::program();
    package.built(package.facts());
    package.date(REFERENCE, SystemTime::now());
    package.is_unchanged();
    package.write("ws/a/src/foo.rs", "// bar");
    package.is_changed("content of `a/src/foo.rs` changed");

    // The times were lost, but the outputs are those that are recorded.
    let package = self::package();
    package.write(REFERENCE, "inputs");
    package.date(RLIB, SystemTime::now());
    package.is_unchanged();
    package.is_unchanged();
    package.write(REFERENCE, "other inputs");
    package.write(RLIB, "Library");
    package.is_unknown();
}

#[test]
fn a_record_without_an_output_that_counts_is_none() {
    let package = Package::program();
    package.built(package.facts());
    let library = Package {
        counts: true,
        ..package
    };
    library.is_unknown();
}

#[test]
fn a_workspace_may_move() {
    let package = package();
    let copy = Package::new();
    for name in ["target/content-lib-a", RLIB, REFERENCE] {
        fs::copy(package.path(name), copy.path(name)).unwrap();
    }
    copy.is_unchanged();
    copy.write("ws/a/src/foo.rs", "// bar");
    copy.is_changed("content of `a/src/foo.rs` changed");
}

#[test]
fn a_unit_that_uses_its_place_is_bound_to_it() {
    let package = Package::new();
    let build = |value: &str| {
        let mut facts = package.facts();
        facts.seen_env = vec![("A".to_owned(), Some(value.to_owned()))];
        package.built(facts);
    };
    build("elsewhere");
    assert!(package.record().bound.is_empty());
    build(package.path("ws/a").to_str().unwrap());
    package.is_unchanged();
    package.edit_record(|record| {
        let bound = record.bound.get_mut("p").unwrap();
        *bound = "/another/place".to_owned();
    });
    package.is_changed("path-moved: it was built for `/another/place`");
}

#[test]
fn a_variable_that_names_files_does_not_bind() {
    let package = Package::new();
    package.write("target/out/gen.rs", "");
    let including = r#"include!(concat!(env!("OUT_DIR"), "/gen.rs"));"#;
    for (source, is_bound) in [(including, false), (r#"env!("OUT_DIR").len()"#, true)] {
        package.write("ws/a/src/foo.rs", source);
        let mut facts = package.facts();
        facts.files.push((package.path("target/out/gen.rs"), None));
        facts.sources.push(package.path("target/out/gen.rs"));
        let value = package.path("target/out").to_str().unwrap().to_owned();
        facts.seen_env = vec![("OUT_DIR".to_owned(), Some(value))];
        package.built(facts);
        assert_eq!(!package.record().bound.is_empty(), is_bound, "{source}");
    }
}

#[test]
fn what_was_built_elsewhere_is_not_adopted() {
    let package = Package::new();
    let adopted = |name: &str, value: &str| {
        let seen_env = vec![(name.to_owned(), Some(value.to_owned()))];
        let facts = Facts {
            seen_env,
            ..package.facts()
        };
        package.build().adopt(&package.unit(), facts).unwrap()
    };
    let from = PathBuf::from("/another/place");
    let moved = Some(Change::Moved { from });
    assert_eq!(adopted("CARGO_MANIFEST_DIR", "/another/place"), moved);
    package.is_unknown();
    let here = package.path("ws/a").display().to_string();
    assert_eq!(adopted("CARGO_MANIFEST_DIR", &here), None);
    package.is_unchanged();
    assert_eq!(adopted("SOMETHING", "/another/place"), None);
    // One that only names files has named those of the other place.
    package.write(
        "ws/a/src/foo.rs",
        r#"include!(concat!(env!("OUT_DIR"), "/gen.rs"));"#,
    );
    assert_eq!(adopted("OUT_DIR", "/another/place"), None);
    package.write("ws/a/src/foo.rs", r#"env!("OUT_DIR").len()"#);
    assert_eq!(adopted("OUT_DIR", "/another/place"), moved);
}

#[test]
fn a_script_that_ran_elsewhere_is_not_adopted() {
    let mut package = Package::program();
    package.out_dir = Some("target/out");
    package.node = Arc::new(Node::new("run".to_owned(), Kind::Run, Vec::new()));
    package.write("target/out/gen.rs", "1");
    let adopt = || {
        package
            .build()
            .adopt(&package.unit(), package.facts())
            .unwrap()
    };
    package.write("target/root-output", "/another/place/out");
    assert!(matches!(adopt(), Some(Change::Moved { .. })));
    package.write(
        "target/root-output",
        package.path("target/out").to_str().unwrap(),
    );
    assert_eq!(adopt(), None);
}
