//! Runs of build scripts: declared folders, and what a run came to.

use super::*;

fn effect(package: &Package, run: &str) -> super::effect::Effect {
    let (output, out) = (package.path("target/output"), package.path("target/out"));
    super::effect::effect(&output, &out, run, |path| Ok(hash(path)?.digest)).unwrap()
}

fn with_folder() -> Package {
    let package = Package::new();
    package.write("ws/a/assets/one.txt", "1");
    package.write("ws/a/assets/deep/.two", "2");
    package
}

fn facts(package: &Package) -> Facts {
    Facts {
        folders: vec![package.path("ws/a/assets")],
        ..package.facts()
    }
}

#[test]
fn a_folder_is_its_listing_and_its_files() {
    let package = with_folder();
    assert_eq!(package.built(facts(&package)), None);
    package.is_unchanged();
    package.date("ws/a/assets/one.txt", SystemTime::now());
    package.is_unchanged();
    package.write("ws/a/assets/deep/.two", "3");
    package.is_changed("content of `a/assets/deep/.two` changed");
    package.write("ws/a/assets/deep/.two", "2");
    package.is_unchanged();
    package.write("ws/a/assets/deep/three", "");
    package.is_changed("the list of files in `a/assets` changed");
    package.remove("ws/a/assets/deep/three");
    package.is_unchanged();
    fs::create_dir(package.path("ws/a/assets/empty")).unwrap();
    package.is_changed("the list of files in `a/assets` changed");
    fs::remove_dir_all(package.path("ws/a/assets")).unwrap();
    package.is_changed("the file `a/assets` is missing");
}

#[cfg(unix)]
#[test]
fn modes_and_links_are_in_a_listing() {
    use std::os::unix::fs::PermissionsExt;
    let package = with_folder();
    std::os::unix::fs::symlink("one.txt", package.path("ws/a/assets/link")).unwrap();
    std::os::unix::fs::symlink("nowhere", package.path("ws/a/assets/gone")).unwrap();
    package.built(facts(&package));
    package.is_unchanged();
    let mode = |mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(package.path("ws/a/assets/one.txt"), mode).unwrap();
    };
    mode(0o755);
    package.is_changed("the list of files in `a/assets` changed");
    mode(0o644);
    package.is_unchanged();
    package.remove("ws/a/assets/link");
    std::os::unix::fs::symlink("deep/.two", package.path("ws/a/assets/link")).unwrap();
    package.is_changed("the list of files in `a/assets` changed");
}

/// A script may declare the folder around the build directory.
#[test]
fn the_build_directory_belongs_to_no_folder() {
    let package = Package::new();
    let facts = Facts {
        folders: vec![package.dir.path().to_path_buf()],
        ..package.facts()
    };
    package.built(facts);
    package.write("target/new", "");
    package.is_unchanged();
}

#[test]
fn a_run_is_what_it_says_and_leaves() {
    let package = Package::new();
    let run = |said: &str, files: &[(&str, &str)], run: &str| {
        let _ = fs::remove_dir_all(package.path("target/out"));
        fs::create_dir_all(package.path("target/out")).unwrap();
        for (name, content) in files {
            package.write(&format!("target/out/{name}"), content);
        }
        package.write("target/output", said);
        effect(&package, run)
    };
    let files = [("gen.rs", "1")];
    let first = run("cargo::rustc-cfg=a\nhello\n", &files, "1");
    assert_eq!(run("cargo::rustc-cfg=a\nother words\n", &files, "2"), first);
    assert_eq!(run("  cargo::rustc-cfg=a", &files, "2"), first);
    assert_eq!(
        run("cargo:rustc-cfg=a\ncargo:rerun-if-changed=x", &files, "2"),
        first
    );
    assert_ne!(run("cargo::rustc-cfg=b\n", &files, "1"), first);
    assert_ne!(run("  cargo::rustc-cfg=b\n", &files, "1"), first);
    assert_ne!(run("cargo::rustc-cfg=a\n", &[("gen.rs", "2")], "1"), first);
    assert_ne!(run("cargo::rustc-cfg=a\n", &[("gen", "1")], "1"), first);
    assert_ne!(run("cargo::rustc-cfg=a\n", &[], "1"), first);
    let other = run("cargo::rustc-cfg=b\n", &files, "1");
    assert_eq!(other.linked, first.linked, "nobody else hears it");
}

/// What lies elsewhere may have changed, and nobody looks.
#[test]
fn a_run_that_names_other_places_is_like_no_other() {
    let package = Package::new();
    fs::create_dir_all(package.path("target/out")).unwrap();
    let out = package.path("target/out").display().to_string();
    let is_unique = |said: &str| {
        package.write("target/output", said);
        effect(&package, "1") != effect(&package, "2")
    };
    for said in [
        "cargo:rustc-link-search=native=/usr/lib",
        "cargo::rustc-link-search=lib",
        "cargo:rustc-flags=-L lib -l z",
        "cargo:rustc-link-arg=-Wl,-rpath,/x",
        "cargo:rustc-link-arg=-Tfolder/link.x",
        "cargo:include=/usr/include",
        "cargo::metadata=root=/x",
        "cargo:rustc-link-arg=-Tmemory.x",
        "cargo::rustc-link-arg-bins=n.o",
        "cargo:rustc-cdylib-link-arg=-Wl,--version-script=x",
        "cargo::rustc-link-lib=static=foo",
        "   cargo::rustc-env=X=/y",
    ] {
        assert!(is_unique(said), "{said}");
    }
    for said in [
        "cargo:rerun-if-changed=/x/y".to_owned(),
        "cargo::warning=see a/b".to_owned(),
        "cargo:rustc-cfg=x".to_owned(),
        "cargo::error=see a/b".to_owned(),
        format!("cargo::rustc-link-lib=static=foo\ncargo::rustc-link-search=native={out}"),
        format!("cargo:rustc-link-arg=-Wl,{out}/x"),
        format!("cargo:rustc-link-search=native={out}/lib"),
        format!("cargo:rustc-link-search={out}"),
        format!("cargo::metadata=include={out}/include"),
        format!("cargo:rustc-flags=-L{out}"),
    ] {
        assert!(!is_unique(&said.replace("-L", "-L ")), "{said}");
    }
}

#[test]
fn a_path_that_does_not_exist_is_missing_for_ever() {
    let package = Package::new();
    let mut facts = package.facts();
    facts.files.push((package.path("ws/a/gone"), None));
    assert_eq!(package.built(facts), None);
    package.is_changed("the file `a/gone` is missing");
    package.write("ws/a/gone", "");
    package.is_changed("the file `a/gone` is missing");
}

#[test]
fn a_run_whose_times_were_lost_is_told_by_its_effect() {
    let mut package = Package::program();
    package.out_dir = Some("target/out");
    package.node = Arc::new(Node::new("run".to_owned(), Kind::Run, Vec::new()));
    package.write("target/out/gen.rs", "1");
    package.write(REFERENCE, "cargo::rustc-cfg=a\n");
    package.age(REFERENCE);
    package.built(package.facts());
    package.is_unchanged();
    package.date(REFERENCE, SystemTime::now());
    package.is_unchanged();
    package.date(REFERENCE, SystemTime::UNIX_EPOCH);
    package.write("target/out/gen.rs", "2");
    package.is_unknown();
}
