//! `OUT_DIR` and what a script says: in another checkout they are what the script would have made there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cargo_test_support::prelude::*;
use cargo_test_support::{Project, ProjectBuilder};

use super::{assert_builds, assert_said, out_dir};
use crate::support::{
    Counts, Hooked, Text, cached, checkouts, has, package, prints, shipped_cache,
};

/// Uses every kind of instruction, and leaves every kind of file.
const SCRIPT: &str = r##"
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::{env, fs, path::PathBuf, process::Command};

    fn main() {
        println!("cargo::rerun-if-changed=build.rs");
        println!("cargo::rustc-check-cfg=cfg(three)");
        println!("cargo::rustc-cfg=three");
        println!("cargo::rustc-env=FOUR=4");
        let here = env::var("CARGO_MANIFEST_DIR").unwrap();
        println!("cargo::warning=five of {here}");
        eprintln!("said on standard error");

        let out = PathBuf::from(env::var("OUT_DIR").unwrap());
        fs::create_dir_all(out.join("empty/deep")).unwrap();
        fs::create_dir(out.join("made")).unwrap();
        fs::write(out.join("made/six.rs"), "const SIX: u32 = 6;").unwrap();
        fs::write(out.join("made/places.txt"), format!("{}\n{here}\n", out.display())).unwrap();
        fs::write(out.join("made/braces.txt"), "{workspace} {{}} {out-dir}").unwrap();
        fs::write(out.join(".hidden"), "").unwrap();
        fs::write(out.join("tool"), format!("#!/bin/sh\necho {here}\n")).unwrap();
        fs::set_permissions(out.join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("made/six.rs", out.join("current")).unwrap();
        symlink("../current", out.join("made/again")).unwrap();

        fs::write(out.join("seven.c"), "int seven(void) { return 7; }").unwrap();
        let run = |program: &str, args: &[&str]| {
            let status = Command::new(program).args(args).current_dir(&out).status();
            assert!(status.is_ok_and(|it| it.success()));
        };
        run("cc", &["-c", "seven.c", "-o", "seven.o"]);
        run("ar", &["rcsD", "libseven.a", "seven.o"]);
        println!("cargo::rustc-link-search=native={}", out.display());
        println!("cargo::rustc-link-lib=static=seven");
    }
"##;

const MAIN: &str = r#"
    include!(concat!(env!("OUT_DIR"), "/made/six.rs"));
    unsafe extern "C" { fn seven() -> i32; }
    fn main() {
        let three = if cfg!(three) { 3 } else { 0 };
        println!("{three} {} {SIX} {}", env!("FOUR"), unsafe { seven() });
    }
"#;

fn with(script: &str, main: &str) -> (Project, Project) {
    checkouts(|p: ProjectBuilder| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("build.rs", script)
            .file("src/main.rs", main)
    })
}

/// What lies at a place.
#[derive(Debug, PartialEq, Eq)]
enum Node {
    Folder,
    Link(PathBuf),
    /// The content, with a name in place of the checkout's path, and whether it can be executed.
    File(String, bool),
}

/// Returns all that is in a folder of a checkout.
fn tree(p: &Project, folder: &Path) -> BTreeMap<String, Node> {
    let mut out = BTreeMap::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            let metadata = path.symlink_metadata().unwrap();
            let node = if metadata.is_dir() {
                waiting.push(path);
                Node::Folder
            } else if metadata.is_symlink() {
                Node::Link(fs::read_link(path).unwrap())
            } else {
                let content = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
                let content = content.replace(p.root().to_str().unwrap(), "[CHECKOUT]");
                Node::File(content, metadata.permissions().mode() & 0o111 != 0)
            };
            out.insert(name, node);
        }
    }
    out
}

#[cargo_test(ignore_windows = "executable bits and links")]
fn all_that_a_script_said_and_left_is_restored() {
    if !shipped_cache("") || !has("cc") {
        return;
    }
    let (one, two) = with(SCRIPT, MAIN);
    let warning = |p: &Project| format!("warning: foo@0.1.0: five of {}", p.root().display());
    let said = assert_builds(&one, (0, 2, 1), "3 4 6 7");
    assert!(said.contains(&warning(&one)), "{said}");
    let left = tree(&one, &out_dir(&one, "foo"));
    assert_eq!(left["empty/deep"], Node::Folder);
    assert_eq!(left["current"], Node::Link("made/six.rs".into()));
    let tool = "#!/bin/sh\necho [CHECKOUT]\n".to_owned();
    assert_eq!(left["tool"], Node::File(tool, true));

    // Somebody left something where the folder will be.
    let place = out_dir(&one, "foo");
    let place = two.root().join(place.strip_prefix(one.root()).unwrap());
    fs::create_dir_all(place.join("made/left-over")).unwrap();
    fs::write(place.join("left-over.txt"), "").unwrap();

    let said = assert_builds(&two, (3, 0, 0), "3 4 6 7");
    assert!(said.contains(&warning(&two)), "{said}");
    assert!(!said.contains(&warning(&one)), "{said}");
    assert_eq!(out_dir(&two, "foo"), place);
    assert_eq!(tree(&two, &place), left);
    let places = format!("{}\n{}\n", place.display(), two.root().display());
    assert_eq!(
        fs::read_to_string(place.join("made/places.txt")).unwrap(),
        places
    );
    let again = cached(&two, "build").fresh().run().errors();
    assert!(
        again.contains(&warning(&two)),
        "as of a fresh unit: {again}"
    );
    for file in ["output", "stderr"] {
        let printed = |p: &Project| {
            let file = out_dir(p, "foo").with_file_name(file);
            let text = fs::read_to_string(file).unwrap();
            text.replace(p.root().to_str().unwrap(), "[CHECKOUT]")
        };
        assert_eq!(printed(&one), printed(&two), "`{file}`");
        assert!(!printed(&one).is_empty(), "`{file}`");
    }
    let staging = two.glob("target/debug/build/**/.hook-*").count();
    assert_eq!(staging, 0, "no temporary file stays");
}

#[cargo_test(ignore_windows = "executable bits and links")]
fn what_was_restored_is_what_the_script_makes_here() {
    if !shipped_cache("") || !has("cc") {
        return;
    }
    let (one, two) = with(SCRIPT, MAIN);
    assert_builds(&one, (0, 2, 1), "3 4 6 7");
    assert_builds(&two, (3, 0, 0), "3 4 6 7");
    let restored = tree(&two, &out_dir(&two, "foo"));
    two.wipe();
    // What was kept is not asked for.
    cached(&two, "build")
        .env("CARGO_HOOKS_MODE", "refresh")
        .counts_with_runs(0, 2, 1)
        .run();
    assert_eq!(tree(&two, &out_dir(&two, "foo")), restored);
}

#[cargo_test]
fn a_text_that_holds_a_path_holds_that_of_this_checkout() {
    if !shipped_cache("") {
        return;
    }
    let script = r#"
        fn main() {
            println!("cargo::rerun-if-changed=build.rs");
            let out = std::env::var("OUT_DIR").unwrap();
            println!("cargo::rustc-env=HERE={}", std::env::var("CARGO_MANIFEST_DIR").unwrap());
            std::fs::write(format!("{out}/place.txt"), &out).unwrap();
        }
    "#;
    let main = r#"
        fn main() {
            println!("{} {}", env!("HERE"), include_str!(concat!(env!("OUT_DIR"), "/place.txt")));
        }
    "#;
    let (one, two) = with(script, main);
    let rounds = [
        (&one, (0, 2, 1)),
        (&two, (2, 1, 0)),
        (&one, (3, 0, 0)),
        (&two, (3, 0, 0)),
    ];
    for (p, (restored, compiled, ran)) in rounds {
        p.wipe();
        cached(p, "build")
            .counts_with_runs(restored, compiled, ran)
            .run();
        let places = format!("{} {}", p.root().display(), out_dir(p, "foo").display());
        assert_eq!(prints(&p.bin("foo")), places);
    }
}

#[cargo_test]
fn a_binary_file_that_holds_a_path_binds() {
    if !shipped_cache("") {
        return;
    }
    let script = r#"
        fn main() {
            println!("cargo::rerun-if-changed=build.rs");
            let out = std::env::var("OUT_DIR").unwrap();
            let mut bytes = vec![0, 159, 146, 150];
            bytes.extend(out.as_bytes());
            std::fs::write(format!("{out}/place.bin"), bytes).unwrap();
            std::fs::write(format!("{out}/n.rs"), "const N: u32 = 3;").unwrap();
        }
    "#;
    let main = r#"
        include!(concat!(env!("OUT_DIR"), "/n.rs"));
        fn main() { println!("{N}"); }
    "#;
    let (one, two) = with(script, main);
    assert_builds(&one, (0, 2, 1), "3");
    let said = assert_builds(&two, (2, 0, 1), "3");
    assert_said(&said, "Missed", "bound (to another `{");
    for p in [&one, &two] {
        let dir = out_dir(p, "foo");
        let bytes = fs::read(dir.join("place.bin")).unwrap();
        assert_eq!(&bytes[4..], dir.to_str().unwrap().as_bytes());
    }
    // Each result serves in its own checkout.
    for p in [&one, &two] {
        p.wipe();
        assert_builds(p, (3, 0, 0), "3");
    }
}

#[cargo_test]
fn what_is_written_into_a_restored_file_stays_there() {
    if !shipped_cache("") {
        return;
    }
    // Whatever such files are called: nobody but the compiler replaces its own instead of writing to them.
    let script = r#"
        use std::{env, fs, io::Write};

        fn main() {
            println!("cargo::rerun-if-changed=in.txt");
            let out = env::var("OUT_DIR").unwrap();
            for name in ["n.txt", "libn.rlib", "libn.rmeta", "libn.a"] {
                let file = fs::File::options().create(true).append(true).open(format!("{out}/{name}"));
                file.unwrap().write_all(&fs::read("in.txt").unwrap()).unwrap();
            }
        }
    "#;
    let main = r#"
        fn main() {
            println!(
                "{} {} {} {}",
                include_str!(concat!(env!("OUT_DIR"), "/n.txt")),
                include_str!(concat!(env!("OUT_DIR"), "/libn.rlib")),
                include_str!(concat!(env!("OUT_DIR"), "/libn.rmeta")),
                include_str!(concat!(env!("OUT_DIR"), "/libn.a")),
            );
        }
    "#;
    let (one, two) = with(script, main);
    for p in [&one, &two] {
        p.change_file("in.txt", "1");
    }
    assert_builds(&one, (0, 2, 1), "1 1 1 1");
    // What was kept is not what lies here.
    one.change_file("in.txt", "2");
    assert_builds(&one, (0, 1, 1), "12 12 12 12");
    let said = assert_builds(&two, (3, 0, 0), "1 1 1 1");
    assert!(!said.contains("warning"), "{said}");
    // Nor is what was restored.
    two.change_file("in.txt", "3");
    assert_builds(&two, (0, 1, 1), "13 13 13 13");
    one.change_file("in.txt", "1");
    one.wipe();
    let said = assert_builds(&one, (3, 0, 0), "1 1 1 1");
    assert!(!said.contains("warning"), "{said}");
}
