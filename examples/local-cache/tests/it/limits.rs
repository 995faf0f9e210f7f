//! Making room, and build directories that exist already.

use std::fs::File;
use std::time::{Duration, SystemTime};

use local_cache::dedupe::dedupe;
use local_cache::gc::{Collected, Limits, collect};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// No limit but the size.
fn bytes(bytes: u64) -> Limits {
    Limits {
        bytes,
        age: 1000 * DAY,
        in_use: DAY / 24,
    }
}

/// Makes a result look as if it had been used so many days ago.
fn age(world: &World, built: &Built, days: u32) {
    for path in files_below(&world.layout().action(&built.action)) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - days * DAY).unwrap();
    }
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let world = World::new();
    let hook = world.hook();
    let built: Vec<Built> = (1..4)
        .map(|days| {
            let built = world.build(&format!("foo{days}"), &format!("code {days}"), "types");
            store(&hook, &built);
            age(&world, &built, days);
            built
        })
        .collect();
    assert_eq!(collect(&world.layout(), bytes(1000)), Collected::default());
    // Two codes, and the types that all have.
    let collected = collect(&world.layout(), bytes(6 + 6 + 5));
    assert_eq!(collected.results, 1);
    let found: Vec<usize> = built.iter().map(|it| look_up(&hook, it).len()).collect();
    assert_eq!(found, [1, 1, 0]);
    // Looking was using: what was just used stays, whatever the limit.
    assert_eq!(collect(&world.layout(), bytes(0)).results, 0);
}

#[test]
fn what_is_too_old_goes() {
    let world = World::new();
    let hook = world.hook();
    let [old, new] = ["old", "new"].map(|name| world.build(name, name, "types"));
    for (built, days) in [(&old, 100), (&new, 80)] {
        store(&hook, built);
        age(&world, built, days);
    }
    let limits = Limits {
        age: 90 * DAY,
        ..bytes(1000)
    };
    assert_eq!(collect(&world.layout(), limits).results, 1);
    assert_eq!(look_up(&hook, &old).len(), 0);
    assert_eq!(look_up(&hook, &new).len(), 1);
}

/// A build that is storing has written blobs, and no result yet.
#[test]
fn young_blobs_without_a_result_stay() {
    let world = World::new();
    let hook = world.hook();
    let built = world.build("foo", "code", "types");
    store(&hook, &built);
    for path in files_below(&world.layout().action(&built.action)) {
        fs::remove_file(path).unwrap();
    }
    let collected = collect(&world.layout(), bytes(0));
    assert_eq!(collected, Collected::default());
    for file in built.described.values() {
        assert!(world.layout().blob(&file.digest).exists());
    }
}

#[test]
fn blobs_that_nobody_needs_go() {
    let world = World::new();
    let hook = world.hook();
    let [old, new] = ["old", "new"].map(|name| world.build(name, name, "types"));
    for (built, days) in [(&old, 2), (&new, 1)] {
        store(&hook, built);
        age(&world, built, days);
    }
    let limits = Limits {
        in_use: Duration::ZERO,
        ..bytes(8)
    };
    let expected = Collected {
        results: 1,
        blobs: 1,
        bytes: 3,
    };
    assert_eq!(collect(&world.layout(), limits), expected);
    assert_eq!(look_up(&hook, &old).len(), 0);
    assert_eq!(look_up(&hook, &new).len(), 1, "what both had is there");
}

/// A target directory with one profile, and the files of a unit in it.
fn target(world: &World, built: &Built) -> PathBuf {
    let target = world.dir.path().join("existing");
    let deps = target.join("debug/deps");
    fs::create_dir_all(&deps).unwrap();
    fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
    fs::write(target.join("debug/.cargo-lock"), "").unwrap();
    for (name, path) in &built.files {
        fs::copy(path, deps.join(name)).unwrap();
    }
    target
}

#[cfg(unix)]
#[test]
fn libraries_of_an_existing_directory_become_links() {
    use std::os::unix::fs::MetadataExt;
    let world = World::new();
    let built = world.build("foo", "code", "types");
    store(&world.hook(), &built);
    let target = target(&world, &built);
    let other = target.join("debug/deps/libother.rlib");
    fs::write(&other, "edoc").unwrap();
    let done = dedupe(&world.layout(), &target).unwrap();
    assert_eq!((done.files, done.bytes), (2, 9));
    for (name, file) in &built.described {
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
        let linked = target.join("debug/deps").join(name);
        assert_eq!(inode(&linked), inode(&world.layout().blob(&file.digest)));
    }
    assert_eq!(fs::metadata(&other).unwrap().nlink(), 1);
    let again = dedupe(&world.layout(), &target).unwrap();
    assert_eq!(again.files, 0, "they are links already");
}

/// A library that has another name is one that people may edit, and so is what is no library.
#[cfg(unix)]
#[test]
fn what_people_use_does_not_become_a_link() {
    let world = World::new();
    let built = world.build("foo", "code", "types");
    store(&world.hook(), &built);
    let target = target(&world, &built);
    for name in built.files.keys() {
        fs::hard_link(target.join("debug/deps").join(name), target.join(name)).unwrap();
    }
    fs::write(target.join("debug/deps/foo"), "code").unwrap();
    let done = dedupe(&world.layout(), &target).unwrap();
    assert_eq!(done.files, 0);
}

#[test]
fn a_build_at_work_and_another_folder_are_left_alone() {
    let world = World::new();
    let built = world.build("foo", "code", "types");
    store(&world.hook(), &built);
    let target = target(&world, &built);
    let lock = File::open(target.join("debug/.cargo-lock")).unwrap();
    lock.lock().unwrap();
    let error = dedupe(&world.layout(), &target).unwrap_err().to_string();
    assert!(error.contains("a build is at work"), "{error}");
    drop(lock);
    let error = dedupe(&world.layout(), world.dir.path())
        .unwrap_err()
        .to_string();
    assert!(error.contains("not a target directory"), "{error}");
}
