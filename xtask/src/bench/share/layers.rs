//! The generated workspaces that show how costs grow: library crates with one function each, in layers.
//!
//! ```text
//! crates/u0000 ..    each uses two crates of the layer below
//! ```
//!
//! Invariant: the same count always makes the same bytes.

use crate::lock::LOCK;
use crate::tree::Tree;

/// How many crates are in a layer. It does not grow with the workspace, which thus becomes deeper.
const LAYER: usize = 40;

/// Returns a workspace of that many units.
pub(crate) fn generate(units: usize) -> Tree {
    let mut files = Tree::new();
    let mut write = |path: String, text: String| files.insert(path, text.into_bytes());
    let mut lock = "version = 4\n".to_string();
    for unit in 0..units {
        let used = below(unit);
        let name = name(unit);
        let dependency = |it: &usize| format!("{0} = {{ path = \"../{0}\" }}\n", self::name(*it));
        let dependencies: String = used.iter().map(dependency).collect();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}"
        );
        write(format!("crates/{name}/Cargo.toml"), manifest);
        let term = |it: &usize| format!(" + {}::value(x)", self::name(*it));
        let terms: String = used.iter().map(term).collect();
        let source = format!(
            "//! Unit {unit}.\n\n/// Returns a value.\npub fn value(x: u64) -> u64 {{\n    x.rotate_left({}){terms}\n}}\n",
            unit % 64
        );
        write(format!("crates/{name}/src/lib.rs"), source);
        lock += &format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n");
        if !used.is_empty() {
            let names: String = used
                .iter()
                .map(|it| format!(" \"{}\",\n", self::name(*it)))
                .collect();
            lock += &format!("dependencies = [\n{names}]\n");
        }
    }
    let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n";
    write("Cargo.toml".to_string(), manifest.to_string());
    write(LOCK.to_string(), lock);
    files
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
            assert_eq!(files.len(), 2 * units + 2);
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
