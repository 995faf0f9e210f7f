//! Tests of the argument table: what is kept, left out, resolved and refused.

use std::path::Path;

use super::*;

fn read(line: &str) -> Result<Arguments, Reason> {
    let mut roots = Roots::default();
    roots.add("workspace", Path::new("/nowhere/ws"));
    roots.add("build-dir", Path::new("/nowhere/ws/target"));
    let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
    understand(&args, &roots)
}

fn kept(line: &str) -> Vec<String> {
    read(line).unwrap().kept
}

const TYPICAL: &str = "--crate-name a --edition=2024 src/lib.rs --error-format=json \
    --json=diagnostic-rendered-ansi,artifacts,future-incompat --diagnostic-width=99 \
    --crate-type lib --emit=dep-info,metadata,link -C embed-bitcode=no -C debuginfo=2 \
    --cfg feature=\"x\" --check-cfg cfg(docsrs,test) -C metadata=12 -C extra-filename=-34 \
    --out-dir /nowhere/ws/target/debug/deps -C incremental=/nowhere/ws/target/debug/incremental \
    -L dependency=/nowhere/ws/target/debug/deps \
    --extern b=/nowhere/ws/target/debug/deps/libb-56.rmeta --cap-lints allow \
    --remap-path-prefix=/nowhere/ws=. -L native=/nowhere/ws/target/debug/build/z/out -l static=z";

#[test]
fn a_typical_line_is_path_free() {
    let arguments = read(TYPICAL).unwrap();
    assert!(arguments.incremental && arguments.remapped);
    assert_eq!(arguments.native_libs, [NativeLib::Named("z".to_owned())]);
    assert_eq!(
        arguments.search_dirs,
        [Path::new("/nowhere/ws/target/debug/build/z/out")]
    );
    assert_eq!(
        arguments.kept,
        [
            "--crate-name=a",
            "--edition=2024",
            "src/lib.rs",
            "--json=future-incompat",
            "--crate-type=lib",
            "--emit=dep-info,metadata,link",
            "-Cembed-bitcode=no",
            "-Cdebuginfo=2",
            "--cfg=feature=\"x\"",
            "--check-cfg=cfg(docsrs,test)",
            "-Cmetadata=12",
            "-Cextra-filename=-34",
            "--extern=b=libb-56.rmeta",
            "-Lnative={build-dir}/debug/build/z/out",
            "-lstatic=z",
        ]
    );
}

#[test]
fn spelling_does_not_matter() {
    for (one, other) in [
        ("-C opt-level=3", "-Copt-level=3"),
        ("-C opt-level=3", "--codegen opt-level=3"),
        ("--cfg x", "--cfg=x"),
        ("-W a", "-Wa"),
        ("-Z threads=2", "-Zthreads=2"),
    ] {
        assert_eq!(kept(one), kept(other), "`{one}` and `{other}`");
    }
}

#[test]
fn the_order_of_own_names_does_not_matter() {
    let own = "--remap-path-prefix=/nowhere/ws=.";
    let further = "--remap-path-prefix=/nowhere/ws/target=/cargo/build-dir";
    let one = read(&format!("{own} {further}")).unwrap();
    assert_eq!(one, read(&format!("{further} {own}")).unwrap());
    assert_eq!(one, read(own).unwrap());
    assert_ne!(one, read("--test").unwrap());
    let users = [
        "/nowhere/ws=/a",
        "/nowhere/ws=/cargo/x",
        "/nowhere/ws/src=.",
        "/elsewhere=/cargo/x",
    ];
    for users in users {
        assert_eq!(
            kept(&format!("--remap-path-prefix={users}")).len(),
            1,
            "`{users}`"
        );
    }
}

#[test]
fn presentation_is_left_out() {
    for arg in [
        "--error-format=human",
        "--diagnostic-width=80",
        "--color=always",
        "--color always",
        "--json=diagnostic-short,timings",
        "--cap-lints warn",
        "--out-dir /x",
        "-L dependency=/x",
    ] {
        assert_eq!(kept(arg), Vec::<String>::new(), "`{arg}`");
    }
}

#[test]
fn what_changes_code_is_kept() {
    for arg in [
        "-C opt-level=3",
        "-C debuginfo=1",
        "-C panic=abort",
        "-C lto=thin",
        "-C linker-plugin-lto",
        "-C target-feature=+avx2",
        "-C codegen-units=1",
        "--cfg a",
        "--test",
        "-D warnings",
        "--edition=2021",
        "-l z",
        "-C link-arg=-Wl,--as-needed",
        "-C link-arg=-Wl,-z,relro",
        "-C link-args=-s",
        "-C link-arg=-Wl,-rpath,/opt/lib",
        "--remap-path-prefix=/a=/b",
    ] {
        assert_eq!(kept(arg).len(), 1, "`{arg}`");
    }
}

#[test]
fn what_names_something_is_resolved() {
    assert_eq!(
        read("--target /x/t.json").unwrap().files,
        [Path::new("/x/t.json")]
    );
    assert_eq!(
        read("-C profile-use=/x/p").unwrap().files,
        [Path::new("/x/p")]
    );
    assert_eq!(
        read("-C link-arg=-Tlink.x").unwrap().files,
        [Path::new("link.x")]
    );
    assert_eq!(
        read("-C link-arg=foo.o").unwrap().files,
        [Path::new("foo.o")]
    );
    assert!(read("-C target-cpu=native").unwrap().native_cpu);
    assert_eq!(
        read("-C linker=clang").unwrap().linker.as_deref(),
        Some("clang")
    );
    assert_eq!(
        read("-C link-arg=-fuse-ld=mold")
            .unwrap()
            .fuse_ld
            .as_deref(),
        Some("mold")
    );
}

#[test]
fn lists_for_the_linker_are_taken_apart() {
    for (arg, file) in [
        ("-Wl,-z,now,--version-script=exports.map", "exports.map"),
        ("-Wl,-rpath,/x,-T,s.ld", "s.ld"),
        ("-Wl,-soname,libx.so,--dynamic-list=f", "f"),
        ("-Wl,--version-script,v.map", "v.map"),
        ("-Wl,-Tlink.x", "link.x"),
        ("-Wl,--gc-sections,foo.o", "foo.o"),
    ] {
        let arguments = read(&format!("-C link-arg={arg}")).unwrap();
        assert_eq!(arguments.files, [Path::new(file)], "`{arg}`");
    }
}

#[test]
fn native_libraries_are_named_in_many_ways() {
    for (arg, files) in [
        ("-l static=z", "libz.a"),
        ("-l static:+whole-archive=z:renamed", "libz.a"),
        ("-lz", "libz.so"),
        ("-l static:+verbatim=odd.lib", "odd.lib"),
        ("-C link-arg=-l:odd.a", "odd.a"),
        ("-C link-arg=-lz", "libz.a"),
        ("-C link-arg=-Wl,--as-needed,-lz", "libz.a"),
    ] {
        let libs = read(arg).unwrap().native_libs;
        assert!(
            libs[0].file_names().contains(&files.to_owned()),
            "`{arg}`: {libs:?}"
        );
    }
}

#[test]
fn the_rest_is_not_offered() {
    for (arg, name) in [
        ("--emit=asm", "unlisted-output"),
        ("-C save-temps", "unlisted-output"),
        ("-C instrument-coverage", "unlisted-output"),
        ("-C profile-generate=/x", "unlisted-output"),
        ("-C split-debuginfo=unpacked", "unlisted-output"),
        ("--print=cfg", "unknown-argument"),
        ("-o out", "unknown-argument"),
        ("-Zunpretty=expanded", "unknown-argument"),
        ("-C llvm-args=-x", "unknown-argument"),
        ("-C new-option=1", "unknown-argument"),
        ("-C link-arg=-Wl,-Map=out.map", "unknown-argument"),
        ("-C link-arg=@file", "unknown-argument"),
        ("-C link-arg=-Wl,-z,now,-Map=out.map", "unknown-argument"),
        ("-C link-arg=-Wl,--entry=main,@file", "unknown-argument"),
        ("-C link-arg=-Wl,-z", "unknown-argument"),
        ("-Z embed-metadata=no", "unknown-argument"),
        ("@file", "unknown-argument"),
        ("--new-flag", "unknown-argument"),
        ("--sysroot /x", "unknown-argument"),
        ("--json=new-part", "unknown-argument"),
        ("--cfg", "unknown-argument"),
    ] {
        assert_eq!(read(arg).unwrap_err().name(), name, "`{arg}`");
    }
}
