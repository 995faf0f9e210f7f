//! The generated workspaces that show how costs grow: library crates with one function each, in layers, and a program.
//!
//! ```text
//! src/main.rs        the program, which uses the last layer
//! crates/u0000 ..    each uses two crates of the layer below
//! ```
//!
//! The libraries are no members of the workspace, as most packages of a large build are none: for each member Cargo
//! writes a list of all files that it is made of, and in these layers that is most of what it does.
//!
//! Invariant: the same count always makes the same bytes.

use crate::lock::LOCK;
use crate::tree::Tree;

/// How many crates are in a layer. It does not grow with the workspace, which thus becomes deeper.
const LAYER: usize = 40;

/// Returns a workspace of that many units.
pub(crate) fn generate(units: usize) -> Tree {
    let mut files = Tree::new();
    let mut lock = "version = 4\n".to_string();
    let libraries = units.saturating_sub(1);
    let last: Vec<usize> = (libraries.saturating_sub(LAYER)..libraries).collect();
    add(&mut files, &mut lock, "", &last);
    for unit in 0..libraries {
        add(&mut files, &mut lock, &name(unit), &below(unit));
    }
    files.insert(LOCK.to_string(), lock.into_bytes());
    files
}

/// Adds a library, or the program, which has no name of its own.
fn add(files: &mut Tree, lock: &mut String, library: &str, used: &[usize]) {
    let (folder, place) = match library {
        "" => (String::new(), "crates"),
        name => (format!("crates/{name}/"), ".."),
    };
    let package = if library.is_empty() {
        "program"
    } else {
        library
    };
    let used = used.iter().map(|it| name(*it));
    let dependency = |it: String| format!("{it} = {{ path = \"{place}/{it}\" }}\n");
    let dependencies: String = used.clone().map(dependency).collect();
    let mut manifest = format!(
        "[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}"
    );
    let terms: String = used
        .clone()
        .map(|it| format!(" + {it}::value(x)"))
        .collect();
    let length = package.len();
    let (path, source) = if library.is_empty() {
        manifest += "\n[workspace]\nresolver = \"3\"\nexclude = [\"crates\"]\n";
        let source =
            format!("fn main() {{\n    let x = {length};\n    println!(\"{{}}\", x{terms});\n}}\n");
        ("src/main.rs", source)
    } else {
        let source = format!(
            "//! A library.\n\n/// Returns a value of `{library}`.\npub fn value(x: u64) -> u64 {{\n    x.rotate_left({length}){terms}\n}}\n"
        );
        ("src/lib.rs", source)
    };
    files.insert(format!("{folder}Cargo.toml"), manifest.into_bytes());
    files.insert(format!("{folder}{path}"), source.into_bytes());
    *lock += &format!("\n[[package]]\nname = \"{package}\"\nversion = \"0.1.0\"\n");
    let names: String = used.map(|it| format!(" \"{it}\",\n")).collect();
    if !names.is_empty() {
        *lock += &format!("dependencies = [\n{names}]\n");
    }
}

fn name(unit: usize) -> String {
    format!("u{unit:04}")
}

/// Returns which units a unit uses, in ascending order.
fn below(unit: usize) -> Vec<usize> {
    let (layer, place) = (unit / LAYER, unit % LAYER);
    if layer == 0 {
        return Vec::new();
    }
    let below = (layer - 1) * LAYER;
    let mut used = vec![below + place, below + (place * 7 + 3) % LAYER];
    used.sort_unstable();
    used.dedup();
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_units_as_asked_for() {
        for units in [1, 400, 2000] {
            let files = generate(units);
            assert_eq!(files.len(), 2 * units + 1);
            let lock: toml::Table = toml::from_slice(&files[LOCK]).unwrap();
            assert_eq!(lock["package"].as_array().unwrap().len(), units);
        }
    }

    #[test]
    fn units_use_the_layer_below() {
        assert!(below(LAYER - 1).is_empty());
        for unit in LAYER..400 {
            let used = below(unit);
            assert!(
                used.iter().all(|it| it / LAYER + 1 == unit / LAYER),
                "{unit}"
            );
            assert!(used.is_sorted() && !used.is_empty());
        }
    }
}
