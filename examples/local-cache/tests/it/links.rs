//! Blobs that are hard links to files of a build directory.

use std::fs::File;
use std::time::SystemTime;

use super::*;

#[cfg(unix)]
fn is_one_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let node = |path: &Path| {
        let metadata = fs::metadata(path).unwrap();
        (metadata.dev(), metadata.ino())
    };
    node(one) == node(other)
}

fn blobs(world: &World, built: &Built) -> Vec<(PathBuf, PathBuf)> {
    let blob = |name: &String| world.layout().blob(&built.described[name].digest);
    let files = built.files.iter();
    files
        .map(|(name, path)| (path.clone(), blob(name)))
        .collect()
}

#[cfg(unix)]
#[test]
fn only_what_nobody_edits_is_linked() {
    let world = World::new();
    let hook = world.hook();
    let built = world.build("foo", "code", "types");
    store(&hook, &built);
    for (file, blob) in blobs(&world, &built) {
        assert!(!is_one_file(&file, &blob));
    }
    let linked = world.build("bar", "other code", "other types");
    assert_eq!(
        hook.after_build(linked.after_linkable()).unwrap(),
        Keep::Stored(BTreeMap::new())
    );
    for (file, blob) in blobs(&world, &linked) {
        assert!(is_one_file(&file, &blob));
    }
    assert_eq!(look_up(&hook, &linked).len(), 1);
}

/// The bytes are there already: Cargo may refer to those.
#[test]
fn a_duplicate_is_relocated() {
    let world = World::new();
    let hook = world.hook();
    let [one, two] = ["one", "two"].map(|name| world.build(name, "code", "types"));
    store(&hook, &one);
    let Keep::Stored(relocated) = hook.after_build(two.after_linkable()).unwrap() else {
        panic!("it is kept");
    };
    let expected: BTreeMap<String, PathBuf> = two
        .described
        .iter()
        .map(|(name, file)| (name.clone(), world.layout().blob(&file.digest)))
        .collect();
    assert_eq!(relocated, expected);
    let again = hook.after_build(two.after()).unwrap();
    assert_eq!(
        again,
        Keep::Stored(BTreeMap::new()),
        "nobody may replace these"
    );
}

/// `strip libfoo.rlib` writes to the file that the store has, too.
#[test]
fn a_blob_that_was_written_to_is_not_offered_and_heals() {
    let world = World::new();
    let hook = world.hook();
    let built = world.build("foo", "code", "types");
    hook.after_build(built.after_linkable()).unwrap();
    let file = built.files.values().next().unwrap();
    let size = fs::metadata(file).unwrap().len();
    fs::write(file, "x".repeat(size.try_into().unwrap())).unwrap();
    assert_eq!(look_up(&hook, &built).len(), 0);
    let rebuilt = world.build("foo", "code", "types");
    hook.after_build(rebuilt.after_linkable()).unwrap();
    let found = look_up(&hook, &rebuilt);
    assert_eq!(found.len(), 1);
    for (name, path) in &found[0].files {
        assert_eq!(
            Digest::of_file(path).unwrap(),
            rebuilt.described[name].digest
        );
    }
}

/// A copy of the cache, whose files have the times of copying, is as good.
#[test]
fn a_blob_that_only_has_another_time_is_offered() {
    let world = World::new();
    let hook = world.hook();
    let built = world.build("foo", "code", "types");
    store(&hook, &built);
    for (_, blob) in blobs(&world, &built) {
        let file = File::options().write(true).open(&blob).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    assert_eq!(look_up(&hook, &built).len(), 1);
}
