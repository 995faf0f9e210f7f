//! The text of the made-up workspace.
//!
//! It never grows on its own: all of its dimensions are the constants below.

use std::fmt::Write;

use crate::tree::Tree;

/// How many packages there are, and how many of them make a layer.
///
/// The graph is wide and has few edges. After each build Cargo writes for every output which files all packages
/// below it have. With eight layers and three edges for each package this took five sixths of the whole time
/// (380 instead of 110 ms), and would have hidden what it costs to find out that there is nothing to do.
const PACKAGES: usize = 64;
const LAYER: usize = 16;
/// How many modules a package has: each group is a folder with a `mod.rs` and leaves.
const GROUPS: usize = 4;
const LEAVES: usize = 7;
/// How many packages there are of procedural macros.
const MACROS: usize = 2;
/// How many files there are in a folder that a build script watches.
const DATA_FILES: usize = 10;
/// Leaves have 1 to 8 KiB, about what files have in the projects that this stands for.
const LEAF_BYTES: std::ops::Range<usize> = 1024..8192;

/// What the build script of a package asks Cargo to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    File,
    Folder,
    /// It does not say: Cargo watches the whole package.
    Package,
}

/// Returns all files.
pub(crate) fn generate() -> Tree {
    let mut tree = Tree::new();
    let mut add = |path: String, text: String| drop(tree.insert(path, text.into_bytes()));
    add("Cargo.toml".to_string(), WORKSPACE.to_string());
    for number in 0..MACROS {
        let folder = format!("crates/macros{number}");
        add(format!("{folder}/Cargo.toml"), macro_manifest(number));
        add(format!("{folder}/src/lib.rs"), MACRO.to_string());
    }
    for package in 0..PACKAGES {
        let folder = format!("crates/{}", name(package));
        for (path, text) in package_files(package) {
            add(format!("{folder}/{path}"), text);
        }
    }
    tree
}

const WORKSPACE: &str = r#"[workspace]
resolver = "3"
members = ["crates/*"]

[profile.dev]
debug = 0
incremental = false
"#;

const MACRO: &str = r#"//! A procedural macro.

use proc_macro::TokenStream;

/// Stands for a number.
#[proc_macro]
pub fn number(_: TokenStream) -> TokenStream {
    "42u64".parse().expect("this is an expression")
}
"#;

/// Adds a package's manifest and sources to what is returned; paths are relative to the package.
fn package_files(package: usize) -> Vec<(String, String)> {
    let mut files = vec![
        ("Cargo.toml".to_string(), manifest(package)),
        ("src/lib.rs".to_string(), library(package)),
        ("tests/api.rs".to_string(), test(package)),
        // Examples of all packages have one folder.
        (
            format!("examples/{}_show.rs", name(package)),
            program(package),
        ),
    ];
    for group in 0..GROUPS {
        files.push((format!("src/g{group}/mod.rs"), group_module(group)));
        for leaf in 0..LEAVES {
            let path = format!("src/g{group}/m{leaf}.rs");
            files.push((path, leaf_module(package, group, leaf)));
        }
    }
    if let Some(watch) = watch(package) {
        files.push(("build.rs".to_string(), build_script(package, watch)));
        for file in 0..DATA_FILES {
            files.push((format!("data/{file}.txt"), format!("{package} {file}\n")));
        }
    }
    if has_program(package) {
        files.push(("src/main.rs".to_string(), program(package)));
    }
    if has_notes(package) {
        files.push(("notes.md".to_string(), format!("Notes on {package}.\n")));
    }
    files
}

fn name(package: usize) -> String {
    format!("p{package:02}")
}

fn watch(package: usize) -> Option<Watch> {
    match package % 8 {
        1 => Some(Watch::File),
        4 => Some(Watch::Folder),
        6 => Some(Watch::Package),
        _ => None,
    }
}

fn has_program(package: usize) -> bool {
    package % 4 == 3
}

/// Whether the library holds a text file.
fn has_notes(package: usize) -> bool {
    package % 4 == 2
}

/// The procedural macros that a package uses.
fn macros(package: usize) -> Option<usize> {
    package.is_multiple_of(4).then_some(package / 4 % MACROS)
}

/// The packages that one depends on: one or two of the layer below.
fn dependencies(package: usize) -> Vec<usize> {
    let Some(below) = (package / LAYER).checked_sub(1) else {
        return Vec::new();
    };
    let count = 1 + package % 2;
    let mut found: Vec<usize> = (0..count)
        .map(|it| below * LAYER + (package * 5 + it * 3) % LAYER)
        .collect();
    found.sort_unstable();
    found
}

fn manifest(package: usize) -> String {
    let mut text = format!(
        "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n",
        name(package)
    );
    let macros = macros(package).map(|it| format!("macros{it}"));
    for dependency in dependencies(package).into_iter().map(name).chain(macros) {
        text += &format!("{dependency} = {{ path = \"../{dependency}\" }}\n");
    }
    text
}

fn macro_manifest(number: usize) -> String {
    format!(
        "[package]\nname = \"macros{number}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\nproc-macro = true\n"
    )
}

fn library(package: usize) -> String {
    let mut text = format!("//! Package {package}.\n\n");
    let mut terms = vec![package.to_string()];
    for group in 0..GROUPS {
        text += &format!("pub mod g{group};\n");
        terms.push(format!("g{group}::total()"));
    }
    for dependency in dependencies(package) {
        terms.push(format!("{}::total()", name(dependency)));
    }
    if let Some(number) = macros(package) {
        terms.push(format!("macros{number}::number!()"));
    }
    if watch(package).is_some() {
        text += "\ninclude!(concat!(env!(\"OUT_DIR\"), \"/generated.rs\"));\n";
        terms.push("GENERATED".to_string());
    }
    if has_notes(package) {
        text += "\n/// A text.\npub const NOTES: &str = include_str!(\"../notes.md\");\n";
    }
    text + "\n/// Adds everything up.\n" + &total(&terms)
}

fn group_module(group: usize) -> String {
    let mut text = format!("//! Group {group}.\n\n");
    for leaf in 0..LEAVES {
        text += &format!("pub mod m{leaf};\n");
    }
    let terms: Vec<String> = (0..LEAVES)
        .map(|leaf| format!("m{leaf}::value({group})"))
        .collect();
    text + "\n/// Adds up the leaves.\n" + &total(&terms)
}

fn total(terms: &[String]) -> String {
    let terms = terms.join(", ");
    format!("pub fn total() -> u64 {{\n    [{terms}].into_iter().fold(0, u64::wrapping_add)\n}}\n")
}

/// A function, and comments up to a size that differs from leaf to leaf.
fn leaf_module(package: usize, group: usize, leaf: usize) -> String {
    let mut noise = Noise::new((package * GROUPS + group) * LEAVES + leaf);
    let size = LEAF_BYTES.start + noise.next() as usize % LEAF_BYTES.len();
    let factor = noise.next();
    let mut text = format!(
        "//! Leaf {leaf} of group {group} of package {package}.\n\n/// Returns a number.\n\
         pub fn value(seed: u64) -> u64 {{\n    seed.wrapping_mul({factor}).rotate_left({leaf})\n}}\n\n"
    );
    while text.len() < size {
        let (one, other) = (noise.next(), noise.next());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "// {one:016x} {other:016x}");
    }
    text
}

fn test(package: usize) -> String {
    let name = name(package);
    format!(
        "//! Tests of package {package}.\n\n#[test]\nfn adds_up() {{\n    \
         assert_eq!({name}::total(), {name}::total());\n}}\n"
    )
}

fn program(package: usize) -> String {
    let name = name(package);
    format!(
        "//! Prints the number of package {package}.\n\nfn main() {{\n    println!(\"{{}}\", {name}::total());\n}}\n"
    )
}

fn build_script(package: usize, watch: Watch) -> String {
    let asks = match watch {
        Watch::File => {
            "    println!(\"cargo::rerun-if-changed=data/0.txt\");\n    \
             println!(\"cargo::rerun-if-env-changed=BENCH_NOOP\");\n"
        }
        Watch::Folder => "    println!(\"cargo::rerun-if-changed=data\");\n",
        Watch::Package => "",
    };
    format!(
        "//! Generates code for package {package}.\n\nfn main() {{\n{asks}    \
         let folder = std::env::var(\"OUT_DIR\").expect(\"Cargo sets it\");\n    \
         let text = \"/// A number.\\npub const GENERATED: u64 = {package};\\n\";\n    \
         std::fs::write(format!(\"{{folder}}/generated.rs\"), text).expect(\"Cargo has made the folder\");\n}}\n"
    )
}

/// Numbers that look random and are always the same: the generator SplitMix64.
struct Noise(u64);

impl Noise {
    fn new(seed: usize) -> Noise {
        Noise(seed as u64)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_made_every_time() {
        assert_eq!(generate(), generate());
        assert_eq!(Noise::new(0).next(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn dependencies_are_distinct_and_one_layer_below() {
        for package in 0..PACKAGES {
            let found = dependencies(package);
            assert!(found.windows(2).all(|it| it[0] < it[1]), "{found:?}");
            assert!(found.iter().all(|it| it / LAYER + 1 == package / LAYER));
            assert_eq!(found.is_empty(), package < LAYER);
        }
    }

    #[test]
    fn every_kind_of_build_script_occurs() {
        for wanted in [Watch::File, Watch::Folder, Watch::Package] {
            assert!((0..PACKAGES).any(|it| watch(it) == Some(wanted)));
        }
    }

    #[test]
    fn leaves_have_different_sizes_within_the_bounds() {
        let sizes: Vec<usize> = (0..PACKAGES)
            .map(|it| leaf_module(it, 0, 0).len())
            .collect();
        let longest = LEAF_BYTES.end + "// \n".len() + 33;
        assert!(
            sizes
                .iter()
                .all(|it| (LEAF_BYTES.start..longest).contains(it))
        );
        assert!(sizes.iter().min() < sizes.iter().max());
    }
}
