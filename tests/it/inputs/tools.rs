//! What compiles and links, and what it is told to read: counts by content.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_test_support::prelude::*;
use cargo_test_support::{Execs, Project, ProjectBuilder, paths, project};

use super::assert_builds;
use crate::support::{
    Counts, Hook, Hooked, artifacts, assert_same, checkouts, has, package, prints,
};

fn hello() -> Project {
    project()
        .file("Cargo.toml", &package("foo", ""))
        .file("src/main.rs", "fn main() { println!(\"hello\"); }")
        .build()
}

fn rustflags(flags: &str) -> impl Fn(&mut Execs) {
    move |execs| {
        execs.env("RUSTFLAGS", flags);
    }
}

/// Instructions to a linker, which put a number into the program.
fn memory(n: u32) -> String {
    format!("SECTIONS {{ .memory_x : {{ memory_n = .; LONG({n}) }} }} INSERT AFTER .data;\n")
}

/// Prints the number.
const PRINTS_MEMORY: &str = r#"
    unsafe extern "C" { static memory_n: u32; }
    fn main() { println!("{}", unsafe { (&raw const memory_n).read() }); }
"#;

#[cargo_test(ignore_windows = "the linker is another one")]
fn a_linker_script_of_an_argument_counts_by_content() {
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("src/main.rs", PRINTS_MEMORY)
    });
    // Outside of the package, of which every file counts.
    let write = |p: &Project, n: u32| {
        fs::write(p.root().join("../memory.x"), memory(n)).unwrap();
    };
    let flags = || rustflags("-Clink-arg=-T../memory.x");
    let _hook = Hook::new();
    write(&one, 1);
    write(&two, 1);
    assert_builds(&one, flags(), (0, 1), "1");
    assert_builds(&two, flags(), (1, 0), "1");
    write(&two, 2);
    assert_builds(&two, flags(), (0, 1), "2");
    assert_builds(&one, flags(), (1, 0), "1");
    write(&one, 2);
    assert_builds(&one, flags(), (1, 0), "2");
}

/// Builds a program whose script gives this instruction, with the place of the package in it.
#[track_caller]
fn assert_linker_script_counts(instruction: &str) {
    for declared in ["memory.x", "build.rs"] {
        let _hook = Hook::new().setting(&format!("salt = '{declared}'"));
        let script = r#"
            fn main() {
                println!("cargo::rerun-if-changed=DECLARED");
                let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap();
                println!("cargo::rustc-link-arg=INSTRUCTION");
            }
        "#;
        let script = script.replace("DECLARED", declared);
        let (one, two) = checkouts(|p| {
            p.file("Cargo.toml", &package("foo", ""))
                .file("build.rs", &script.replace("INSTRUCTION", instruction))
                .file("memory.x", &memory(1))
                .file("src/main.rs", PRINTS_MEMORY)
        });
        let builds = |p: &Project, (restored, compiled, ran), printed: &str| {
            p.wipe();
            p.hooked("build")
                .counts_with_runs(restored, compiled, ran)
                .run();
            assert_eq!(prints(&p.bin("foo")), printed);
        };
        builds(&one, (0, 2, 1), "1");
        builds(&two, (3, 0, 0), "1");
        two.change_file("memory.x", &memory(2));
        builds(&two, (0, 2, 1), "2");
        builds(&one, (3, 0, 0), "1");
        one.change_file("memory.x", &memory(2));
        builds(&one, (3, 0, 0), "2");
    }
}

#[cargo_test(ignore_windows = "the linker is another one")]
fn a_linker_script_of_a_build_script_counts_by_content() {
    assert_linker_script_counts("-Wl,-T,{dir}/memory.x");
}

#[cargo_test(ignore_windows = "the linker is another one")]
fn a_path_behind_the_letter_of_a_flag_is_one() {
    assert_linker_script_counts("-T{dir}/memory.x");
}

#[cargo_test]
fn a_profile_to_optimise_by_counts_by_content() {
    let p = hello();
    let profile = paths::root().join("foo.profdata");
    let flags = format!("-Cprofile-use={}", profile.display());
    // What the compiler cannot read, it warns of.
    let _hook = Hook::new();
    for (content, counts) in [("one", (0, 1)), ("two", (0, 1)), ("one", (1, 0))] {
        fs::write(&profile, content).unwrap();
        assert_builds(&p, rustflags(&flags), counts, "hello");
    }
    for (count, counts) in [(1, (0, 1)), (1, (1, 0)), (2, (0, 1)), (1, (1, 0))] {
        let text = paths::root().join("foo.proftext");
        fs::write(&text, format!("main\n1\n1\n{count}\n")).unwrap();
        let mut merge = Command::new("llvm-profdata");
        merge.args(["merge", "-o"]).args([&profile, &text]);
        let Ok(status) = merge.status() else {
            eprintln!("no real profiles: there is no `llvm-profdata`");
            return;
        };
        assert!(status.success());
        assert_builds(&p, rustflags(&flags), counts, "hello");
    }
}

#[cargo_test(ignore_windows = "the processor is not known")]
fn the_processor_counts_where_it_is_asked_for() {
    let p = hello();
    let hook = Hook::new();
    let names_cpu = || {
        let log = hook.take_log();
        let asked = log.of_kind("before-build").next().unwrap();
        asked["hashes"]["ingredients"]["cpu"].is_string()
    };
    for (flags, counts, is_named) in [
        ("-Ctarget-cpu=native", (0, 1), true),
        ("-Ctarget-cpu=native", (1, 0), true),
        ("-Ctarget-cpu=x86-64", (0, 1), false),
        ("-Ctarget-cpu=native", (1, 0), true),
    ] {
        let is_foreign = flags.ends_with("x86-64") && !cfg!(target_arch = "x86_64");
        if !is_foreign {
            assert_builds(&p, rustflags(flags), counts, "hello");
            assert_eq!(names_cpu(), is_named, "{flags}");
        }
    }
}

/// Returns where a C compiler finds a file of the C runtime.
fn runtime(file: &str) -> PathBuf {
    let output = Command::new("cc")
        .arg(format!("-print-file-name={file}"))
        .output()
        .unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

#[cargo_test(ignore_windows = "there is no `cc`")]
fn the_c_runtime_counts_by_content() {
    if !has("cc") {
        return;
    }
    let p = hello();
    // A C compiler that takes its runtime from a folder, and says so. It is always the same program.
    let folder = paths::root().join("runtime");
    fs::create_dir_all(&folder).unwrap();
    let tools = ProjectBuilder::new(paths::root().join("tools"))
        .no_manifest()
        .executable(
            "my-cc",
            &format!("#!/bin/sh\nexec cc -B'{}' \"$@\"\n", folder.display()),
        )
        .build();
    let flags = format!("-Clinker={}", tools.root().join("my-cc").display());
    let builds = |counts| assert_builds(&p, rustflags(&flags), counts, "hello");
    let _hook = Hook::new();
    builds((0, 1));
    for file in ["Scrt1.o", "crti.o", "libc.so.6"] {
        let (system, own) = (runtime(file), folder.join(file));
        if !system.is_file() {
            eprintln!("not looked at: the C compiler knows no `{file}`");
            continue;
        }
        // The same at another place is the same.
        fs::copy(&system, &own).unwrap();
        builds((1, 0));
        // An update, of which a linker sees nothing.
        let mut bytes = fs::read(&system).unwrap();
        bytes.extend(b"updated");
        fs::write(&own, bytes).unwrap();
        builds((0, 1));
        builds((1, 0));
        fs::remove_file(&own).unwrap();
        builds((1, 0));
    }
}

/// Makes a toolchain of links to the one in use, with or without the sources of the standard library.
fn toolchain(place: &str, with_sources: bool) -> PathBuf {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    let real = Path::new(output.trim());
    let root = paths::root().join(place);
    let link = |folder: &str, but: &str| {
        fs::create_dir_all(root.join(folder)).unwrap();
        for entry in fs::read_dir(real.join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != but {
                let place = root.join(folder).join(entry.file_name());
                #[cfg(unix)]
                std::os::unix::fs::symlink(entry.path(), place).unwrap();
            }
        }
    };
    link("bin", "");
    link("lib", "rustlib");
    link("lib/rustlib", "src");
    if with_sources {
        for file in ["core/src/lib.rs", "std/src/lib.rs", "alloc/src/vec/mod.rs"] {
            let path = root.join("lib/rustlib/src/rust/library").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(
                path,
                "// The sources of the standard library.\n".repeat(5000),
            )
            .unwrap();
        }
    }
    root.join("bin/rustc")
}

#[cargo_test(ignore_windows = "a toolchain of links")]
fn the_sources_of_the_standard_library_do_not_matter() {
    // Generic code of the standard library is compiled into it, with its places.
    let main = r#"
        fn main() {
            let numbers: Vec<u32> = std::env::args().skip(1).map(|it| it.len() as u32).collect();
            let text = std::panic::catch_unwind(|| numbers.iter().copied().collect::<Vec<_>>()[0]);
            println!("{}", text.is_err());
        }
    "#;
    let (one, two) = checkouts(|p| {
        p.file("Cargo.toml", &package("foo", ""))
            .file("src/main.rs", main)
    });
    let without = toolchain("toolchains/plain", false);
    let with = toolchain("another/toolchain", true);
    let by = |rustc: &Path| {
        let rustc = rustc.to_path_buf();
        move |execs: &mut Execs| {
            execs.env("RUSTC", &rustc);
        }
    };
    let hook = Hook::new();
    assert_builds(&one, by(&without), (0, 1), "true");
    assert_builds(&two, by(&with), (1, 0), "true");
    assert_builds(&two, by(&without), (1, 0), "true");
    hook.forget_everything();
    // What they compile is the same, too.
    for (p, rustc) in [(&one, &without), (&two, &with)] {
        p.wipe();
        p.hooked("build")
            .env("RUSTC", rustc)
            .env("CARGO_HOOKS_MODE", "refresh")
            .counts(0, 1)
            .run();
    }
    let compiled = |p: &Project| {
        let mut found = artifacts(&p.build_dir());
        // Lists of sources hold the paths of their checkout.
        found.retain(|name, _| !name.ends_with(".d"));
        found
    };
    assert_same(&compiled(&one), &compiled(&two));
}
