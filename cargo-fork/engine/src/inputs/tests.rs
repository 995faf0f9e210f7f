//! Tests of recorded inputs: what a change of the world makes of a result.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use hook_protocol::wire::Bound;

use super::*;
use crate::before::Clock;
use crate::files::Stat;
use crate::roots::Roots;
use crate::salt::Salt;
use crate::unit::fixture;

/// A package that was compiled once, some time ago.
struct Package {
    dir: tempfile::TempDir,
    unit: Unit,
    env: Environment,
    info: DepInfo,
    before: Before,
}

const INCLUDES: &str =
    r#"include!(concat!(env!("OUT_DIR"), "/gen.rs")); include_str!("../out.txt");"#;

impl Package {
    fn new() -> Package {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let package = root.join("ws/a");
        let out_dir = root.join("build/out");
        for (path, content) in [
            ("ws/a/lib.rs", INCLUDES),
            ("ws/out.txt", "outside"),
            ("build/out/gen.rs", "gen"),
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), content).unwrap();
        }
        let mut roots = Roots::default();
        roots.add("workspace", &root.join("ws"));
        roots.add("build-dir", &root.join("build"));
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let info = DepInfo {
            files: vec![
                "a/lib.rs".to_owned(),
                text(&root.join("ws/out.txt")),
                text(&out_dir.join("gen.rs")),
            ],
            env: vec![
                ("OUT_DIR".to_owned(), Some(text(&out_dir))),
                ("SHA".to_owned(), Some("abc".to_owned())),
                ("UNSET".to_owned(), None),
            ],
        };
        let env = Environment {
            command: [("OUT_DIR".to_owned(), Some(text(&out_dir)))].into(),
            inherited: Arc::new([("SHA".to_owned(), "abc".to_owned())].into()),
        };
        let unit = Unit {
            subject: Subject {
                roots: roots.with("package", &package),
                source: Source::Mutable { root: package },
                cwd: root.join("ws"),
                workspace: root.join("ws"),
                build_dir: root.join("build"),
                ..fixture::library(&root.join("build")).subject
            },
            ..fixture::library(&root.join("build"))
        };
        let before = later(dir.path());
        Package {
            before,
            dir,
            unit,
            env,
            info,
        }
    }

    fn write(&self, path: &str, content: &str) {
        fs::write(self.dir.path().join(path), content).unwrap();
    }

    fn record(&self, digests: &FileDigests) -> Result<Inputs, Reason> {
        let mentions = Mentions::new(self.unit.subject.cwd.clone());
        record(
            &self.unit,
            &self.env,
            &self.info,
            digests,
            &mentions,
            &self.before,
        )
    }

    fn check(&self, inputs: &Inputs) -> Result<(), Reason> {
        check(
            &self.unit.subject,
            &self.env,
            inputs,
            &[],
            &FileDigests::default(),
        )
    }
}

/// Returns a time, by the file system's own clock, after everything that was written so far.
fn later(dir: &Path) -> Before {
    std::thread::sleep(Duration::from_millis(30));
    now(dir, &FileDigests::default())
}

/// Returns the beginning of a build that nobody looked at but by what is in `digests`.
fn now(dir: &Path, digests: &FileDigests) -> Before {
    fs::write(dir.join("clock"), "").unwrap();
    let clock = Clock::of(&Stat::of(&dir.join("clock")).unwrap());
    Before::look(clock, [], &[], [], digests)
}

#[test]
fn what_was_recorded_holds_while_nothing_changes() {
    let package = Package::new();
    let inputs = package.record(&FileDigests::default()).unwrap();
    let paths: Vec<_> = inputs.files.iter().map(|file| file.path.as_str()).collect();
    assert!(paths.contains(&"{build-dir}/out/gen.rs"), "{paths:?}");
    assert_eq!(package.check(&inputs), Ok(()));
    let mut expected = package.info.clone();
    let info = dep_info(&package.unit, &package.env, &inputs).unwrap();
    let absolute = |file: &String| package.unit.subject.cwd.join(file);
    let mut files: Vec<_> = info.files.iter().map(absolute).collect();
    let mut expected_files: Vec<_> = expected.files.iter().map(absolute).collect();
    files.sort();
    expected_files.sort();
    expected.env.sort();
    assert_eq!((files, info.env), (expected_files, expected.env));
}

#[test]
fn the_same_inputs_elsewhere_hold() {
    let inputs = Package::new().record(&FileDigests::default()).unwrap();
    assert_eq!(Package::new().check(&inputs), Ok(()));
}

#[test]
fn every_change_of_an_input_is_noticed() {
    let inputs = Package::new().record(&FileDigests::default()).unwrap();
    let changes: &[fn(&mut Package)] = &[
        |p| p.write("ws/a/lib.rs", "edited"),
        |p| p.write("ws/out.txt", "edited"),
        |p| p.write("build/out/gen.rs", "edited"),
        |p| fs::remove_file(p.dir.path().join("ws/out.txt")).unwrap(),
        |p| p.env.inherited = Arc::new([("SHA".to_owned(), "def".to_owned())].into()),
        |p| p.env.inherited = Arc::default(),
        |p| {
            drop(
                p.env
                    .command
                    .insert("SHA".to_owned(), Some("def".to_owned())),
            )
        },
        |p| drop(p.env.command.insert("SHA".to_owned(), None)),
        |p| {
            drop(
                p.env
                    .command
                    .insert("UNSET".to_owned(), Some(String::new())),
            )
        },
        |p| {
            drop(
                p.env
                    .command
                    .insert("OUT_DIR".to_owned(), Some("/elsewhere".to_owned())),
            )
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut package = Package::new();
        change(&mut package);
        assert!(package.check(&inputs).is_err(), "change {number}");
    }
}

#[test]
fn a_path_that_is_used_as_a_value_binds() {
    let valued = || {
        let package = Package::new();
        package.write("ws/a/lib.rs", r#"const N: usize = env!("OUT_DIR").len();"#);
        Package {
            before: later(package.dir.path()),
            ..package
        }
    };
    let package = valued();
    let inputs = package.record(&FileDigests::default()).unwrap();
    assert_eq!(package.check(&inputs), Ok(()));
    let reason = valued().check(&inputs).unwrap_err();
    assert_eq!(reason.name(), "bound", "{reason}");
    assert!(reason.to_string().contains("OUT_DIR"), "{reason}");
}

/// A macro of another crate may use the variable in this one's name.
#[test]
fn a_path_that_a_library_mentions_binds() {
    let with_library = |content: &str| {
        let mut package = Package::new();
        package.write("build/libb-1.rmeta", content);
        let library = crate::unit::Dependency {
            published: None,
            crate_id: "b".to_owned(),
            role: "metadata",
            path: package.dir.path().join("build/libb-1.rmeta"),
            line: Default::default(),
        };
        package.unit.dependencies.push(library.into());
        package
    };
    let inputs = with_library("").record(&FileDigests::default()).unwrap();
    assert_eq!(with_library("").check(&inputs), Ok(()));
    let package = with_library("macro_rules: env!(OUT_DIR).len()");
    let inputs = package.record(&FileDigests::default()).unwrap();
    assert_eq!(package.check(&inputs), Ok(()));
    let reason = with_library("").check(&inputs).unwrap_err();
    assert!(reason.to_string().contains("OUT_DIR"), "{reason}");
}

#[test]
fn a_bound_result_holds_only_there() {
    let package = Package::new();
    let mut inputs = package.record(&FileDigests::default()).unwrap();
    let bound = |path: &Path| Bound {
        path: bound_to(path),
        by: "`liba.rlib` holds its path".to_owned(),
    };
    let workspace = bound(&package.dir.path().join("ws"));
    inputs.bound.insert("workspace".to_owned(), workspace);
    assert_eq!(package.check(&inputs), Ok(()));
    let reason = Package::new().check(&inputs).unwrap_err();
    assert_eq!(reason.name(), "bound");
    assert!(reason.to_string().contains("{workspace}"), "{reason}");
    assert!(reason.to_string().contains("liba.rlib"), "{reason}");
    inputs
        .bound
        .insert("unheard-of".to_owned(), bound(Path::new("/x")));
    assert!(package.check(&inputs).is_err());
}

/// Were both there, the compiler would not know which module is meant.
#[test]
fn a_module_that_comes_to_exist_twice_is_noticed() {
    let mut package = Package::new();
    package.write("ws/a/m.rs", "");
    package.info.files.push("a/m.rs".to_owned());
    package.before = later(package.dir.path());
    let inputs = package.record(&FileDigests::default()).unwrap();
    assert_eq!(inputs.absent, ["{package}/m/mod.rs"]);
    assert_eq!(package.check(&inputs), Ok(()));
    fs::create_dir(package.dir.path().join("ws/a/m")).unwrap();
    package.write("ws/a/m/mod.rs", "");
    assert_eq!(package.check(&inputs).unwrap_err().name(), "input-differs");
}

#[test]
fn a_package_counts_as_a_whole_where_it_must() {
    let package = Package::new();
    let inputs = package.record(&FileDigests::default()).unwrap();
    assert_eq!(inputs.package, None);
    let file = |content: &str| FileDigest {
        path: "{package}/README.md".to_owned(),
        digest: Digest::of(content.as_bytes()),
    };
    let whole = Inputs {
        package: Some(super::package(&[file("one")])),
        ..inputs.clone()
    };
    let check = |inputs: &Inputs, listed: &[FileDigest]| {
        let digests = FileDigests::default();
        check(
            &package.unit.subject,
            &package.env,
            inputs,
            listed,
            &digests,
        )
    };
    for listed in [&[file("one")] as &[_], &[file("two")], &[]] {
        assert_eq!(check(&inputs, listed), Ok(()));
        assert_eq!(check(&whole, listed).is_ok(), listed == [file("one")]);
    }
}

#[test]
fn folders_count_by_what_is_in_them() {
    let package = Package::new();
    let folder = package.dir.path().join("ws/a/schemas");
    fs::create_dir(&folder).unwrap();
    package.write("ws/a/schemas/one", "1");
    let digest = listing::content(&folder, &[], &FileDigests::default()).unwrap();
    let inputs = Inputs {
        folders: vec![FileDigest {
            path: "{package}/schemas".to_owned(),
            digest,
        }],
        ..Inputs::default()
    };
    assert_eq!(package.check(&inputs), Ok(()));
    package.write("ws/a/schemas/one", "2");
    assert!(package.check(&inputs).is_err(), "content");
    package.write("ws/a/schemas/one", "1");
    package.write("ws/a/schemas/two", "");
    assert!(package.check(&inputs).is_err(), "a new file");
    fs::remove_dir_all(&folder).unwrap();
    assert!(package.check(&inputs).is_err(), "no folder");
}

/// What a hook names is refused, not followed.
#[cfg(unix)]
#[test]
fn absurd_inputs_are_refused() {
    let package = Package::new();
    let root = package.dir.path();
    std::os::unix::fs::symlink("circle", root.join("ws/a/circle")).unwrap();
    let large = fs::File::create(root.join("ws/a/large")).unwrap();
    large.set_len(crate::package::MAX_BYTES + 1).unwrap();
    let file = |path: &str| FileDigest {
        path: path.to_owned(),
        digest: Digest::of(b""),
    };
    for path in [
        "{package}/circle",
        "{package}/large",
        "{package}",
        "{nobody}/x",
        "{package",
        "/dev/zero",
        "/proc/self/mem",
        "{package}/../../../../../../../../../../dev/zero",
    ] {
        let inputs = Inputs {
            files: vec![file(path)],
            ..Inputs::default()
        };
        let reason = package.check(&inputs).unwrap_err();
        assert_eq!(reason.name(), "input-differs", "{path}");
    }
    let inputs = Inputs {
        files: vec![file("{package}/lib.rs"); MAX_INPUTS + 1],
        ..Inputs::default()
    };
    assert!(
        package
            .check(&inputs)
            .unwrap_err()
            .to_string()
            .contains("too many")
    );
}

#[test]
fn an_edit_while_building_is_noticed() {
    // Hashed before the build and edited meanwhile.
    let mut package = Package::new();
    let before = FileDigests::default();
    before
        .once(&package.dir.path().join("ws/a/lib.rs"))
        .unwrap();
    package.before = now(package.dir.path(), &before);
    package.write("ws/a/lib.rs", "edited");
    assert_eq!(package.record(&before).unwrap_err().name(), "input-changed");

    // What another unit hashed meanwhile is not what this one read.
    let package = Package::new();
    package.write("ws/out.txt", "edited");
    let before = FileDigests::default();
    before
        .input(&package.dir.path().join("ws/out.txt"))
        .unwrap();
    assert_eq!(package.record(&before).unwrap_err().name(), "input-changed");

    // First learnt of from the compiler, and younger than the build.
    let package = Package::new();
    package.write("ws/out.txt", "edited");
    assert_eq!(
        package.record(&FileDigests::default()).unwrap_err().name(),
        "input-changed"
    );

    // Written again with the same content.
    let mut package = Package::new();
    let before = FileDigests::default();
    let path = package.dir.path().join("ws/a/lib.rs");
    before.once(&path).unwrap();
    package.before = now(package.dir.path(), &before);
    package.write("ws/a/lib.rs", INCLUDES);
    assert!(package.record(&before).is_ok());

    // A variable that the compiler saw with another value.
    let mut package = Package::new();
    package.info.env[1].1 = Some("other".to_owned());
    assert_eq!(
        package.record(&FileDigests::default()).unwrap_err().name(),
        "input-changed"
    );
}

#[test]
fn a_file_that_a_script_has_just_written_is_no_change() {
    let mut package = Package::new();
    let out_dir = package.dir.path().join("build/out");
    // In the same tick of the clock as the beginning of the build.
    let clock = Clock::of(&Stat::of(&out_dir.join("gen.rs")).unwrap());
    let before = FileDigests::default();
    package.before = Before::look(clock, [], &[], [], &before);
    assert!(package.record(&FileDigests::default()).is_err());
    package.before = Before::look(clock, [package.dir.path()], &[], [], &before);
    assert!(package.record(&before).is_ok());
    package.write("build/out/gen.rs", "edited");
    assert_eq!(package.record(&before).unwrap_err().name(), "input-changed");
}

#[test]
fn what_is_in_the_key_must_not_change_either() {
    let package = Package::new();
    let path = package.dir.path().join("ws/a/lib.rs");
    let before = FileDigests::default();
    let hashed = [(path.clone(), before.once(&path).unwrap().digest)];
    assert_eq!(check_unchanged(&hashed, &before, &package.before), Ok(()));
    package.write("ws/a/lib.rs", "edited");
    assert!(check_unchanged(&hashed, &before, &package.before).is_err());
    fs::remove_file(&path).unwrap();
    assert!(check_unchanged(&hashed, &before, &package.before).is_err());
}

#[test]
fn an_edited_registry_package_is_not_kept_and_not_matched() {
    let mut package = Package::new();
    let root = package.unit.subject.source.root().to_path_buf();
    let marker = root.join(".cargo-ok");
    fs::write(&marker, "").unwrap();
    let identity = "sha256:1".to_owned();
    package.unit.subject.source = Source::unpacked(root, identity, &marker);
    let inputs = package.record(&FileDigests::default()).unwrap();
    assert_eq!(package.check(&inputs), Ok(()));
    std::thread::sleep(Duration::from_millis(30));
    package.write("ws/a/lib.rs", "edited");
    assert!(package.check(&inputs).is_err());
    assert_eq!(
        package.record(&FileDigests::default()).unwrap_err().name(),
        "edited-source"
    );
}

#[test]
fn values_of_variables_cannot_be_guessed_without_the_salt() {
    let recorded = |salt: &str| {
        let mut package = Package::new();
        package.unit.subject.salt = Salt::new(salt);
        let inputs = package.record(&FileDigests::default()).unwrap();
        assert_eq!(package.check(&inputs), Ok(()), "`{salt}`");
        inputs.env
    };
    let plain = recorded("");
    let salted = recorded("pepper");
    for (name, value) in [("SHA", "abc"), ("OUT_DIR", "")] {
        let of = |inputs: &[EnvInput]| inputs.iter().find(|it| it.name == name).unwrap().value;
        assert_ne!(of(&plain), of(&salted), "{name}");
        assert_ne!(of(&plain), Some(Digest::of(value.as_bytes())), "{name}");
    }
}

#[test]
fn assembly_is_found_wherever_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("lib.rs");
    for before in [0, (1 << 16) - 6, (1 << 16) - 1, 1 << 16, 200_000] {
        fs::write(&source, format!("{}global_asm!();", " ".repeat(before))).unwrap();
        assert!(has_assembly(&source), "{before}");
    }
    fs::write(&source, "fn asm() {}").unwrap();
    assert!(!has_assembly(&source) && !has_assembly(&dir.path().join("none.rs")));
}
