//! Comparison of what two builds left behind.

use std::collections::BTreeMap;
use std::path::Path;

use hook_protocol::Digest;

/// Returns every artifact below a target directory, by name. Not in are Cargo's own notes, and what
/// incremental compilation keeps.
pub(crate) fn artifacts(target: &Path) -> BTreeMap<String, Digest> {
    let mut out = BTreeMap::new();
    collect(target, target, &mut out);
    assert!(
        !out.is_empty(),
        "there is nothing in `{}`",
        target.display()
    );
    out
}

fn collect(root: &Path, dir: &Path, out: &mut BTreeMap<String, Digest>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !matches!(name, ".fingerprint" | "fingerprint" | "incremental") {
                collect(root, &path, out);
            }
        } else if !is_note(path.strip_prefix(root).unwrap(), name) {
            let place = path.strip_prefix(root).unwrap().to_str().unwrap();
            out.insert(place.to_owned(), Digest::of_file(&path).unwrap());
        }
    }
}

/// Returns whether a file is a note of Cargo's, or of the compiler's for Cargo. Those that Cargo writes
/// for users (`target/debug/foo.d`) are not.
fn is_note(path: &Path, name: &str) -> bool {
    let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let of_rustc = |stem: &str| {
        path.iter().any(|dir| dir == "deps" || dir == "build")
            || stem.rsplit_once('-').is_some_and(|(_, hash)| is_hash(hash))
    };
    let notes = [
        ".rustc_info.json",
        "CACHEDIR.TAG",
        "invoked.timestamp",
        "root-output",
    ];
    notes.contains(&name)
        || name.starts_with(".cargo-")
        || name.strip_suffix(".d").is_some_and(of_rustc)
}

/// Asserts that two builds left the same behind.
#[track_caller]
pub(crate) fn assert_same(left: &BTreeMap<String, Digest>, right: &BTreeMap<String, Digest>) {
    let names = |of: &BTreeMap<String, Digest>, but: &BTreeMap<String, Digest>| {
        let other = |(name, digest): &(&String, &Digest)| but.get(*name) != Some(digest);
        of.iter()
            .filter(other)
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    let (only_left, only_right) = (names(left, right), names(right, left));
    assert!(
        only_left.is_empty() && only_right.is_empty(),
        "artifacts differ: {only_left:#?} are not as {only_right:#?}"
    );
}
