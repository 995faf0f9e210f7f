//! What is stored is found, and whatever is broken is not.

use std::fs::File;
use std::time::{Duration, SystemTime};

use local_cache::results::MAX_PER_ACTION;

use super::*;

#[test]
fn what_is_stored_is_found() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    assert_eq!(look_up(&hook, &built), []);
    store(&hook, &built);
    fs::remove_dir_all(world.dir.path().join("target")).unwrap();

    let [candidate] = look_up(&hook, &built).try_into().unwrap();
    assert_eq!(candidate.entry, OpaqueEntry::from(&built.entry()));
    assert_eq!(
        (candidate.placement, candidate.lifetime),
        (Placement::Link, Lifetime::Durable)
    );
    assert_eq!(fs::read(&candidate.files["libfoo.rlib"]).unwrap(), b"code");
    assert_eq!(
        fs::read(&candidate.files["libfoo.rmeta"]).unwrap(),
        b"types"
    );
    assert_eq!(candidate.files.len(), 2);
    assert_eq!(check_invariants(&world.layout()), 1);
}

#[test]
fn entries_are_returned_verbatim() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    let mut request = built.after();
    request.entry.0["of-a-later-cargo"] = serde_json::json!({"z": [1, null], "a": "é\n"});
    let sent = request.entry.clone();
    hook.after_build(request).unwrap();
    assert_eq!(look_up(&hook, &built)[0].entry, sent);
}

#[test]
fn other_questions_miss() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    store(&hook, &built);
    assert_eq!(look_up(&hook, &built.clone().with_key("other")), []);
    assert_eq!(look_up(&hook, &world.build("bar", "code", "types")), []);
}

#[test]
fn a_miss_says_what_differs() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    let why = |built: &Built| match hook.before_build(built.before()).unwrap() {
        Lookup::Miss(why) => why,
        hit => panic!("{hit:?}"),
    };
    assert_eq!(why(&built), "no result for this action");
    store(&hook, &built);
    let edited = built.with_key("edited");
    let expected = "one result for this action, but `{package}/src/lib.rs` was another in the last";
    assert_eq!(why(&edited), expected);
}

#[test]
fn what_a_result_did_not_read_does_not_matter() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    let readmes = ["one", "two"].map(|text| built.clone().with_readme(text));
    store(&hook, &readmes[0]);
    assert_eq!(look_up(&hook, &readmes[1]).len(), 1);
    store(&hook, &readmes[1]);
    for (asked, other) in [(0, 1), (1, 0)] {
        let offered = look_up(&hook, &readmes[asked]);
        let offered: Vec<Entry> = offered.iter().map(|it| it.entry.parse().unwrap()).collect();
        assert_eq!(
            offered,
            [readmes[asked].entry(), readmes[other].entry()],
            "that of the same key comes first"
        );
    }
}

#[test]
fn a_result_that_may_have_read_all_needs_all() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    let mut request = built.clone().with_readme("one").after();
    let mut entry: Entry = request.entry.parse().unwrap();
    entry.inputs.package = Some(Digest::of(b"all of it"));
    request.entry = OpaqueEntry::from(&entry);
    hook.after_build(request).unwrap();
    assert_eq!(look_up(&hook, &built.clone().with_readme("one")).len(), 1);
    assert_eq!(look_up(&hook, &built.with_readme("two")), []);
}

#[test]
fn the_latest_result_comes_first() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    let values = ["a", "b", "c"].map(|value| built.clone().depending_on(value));
    for built in &values {
        store(&hook, built);
        std::thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..2 {
        let offered: Vec<Entry> = look_up(&hook, &built)
            .iter()
            .map(|it| it.entry.parse().unwrap())
            .collect();
        assert_eq!(
            offered,
            [values[2].entry(), values[1].entry(), values[0].entry()]
        );
    }
}

#[test]
fn the_result_unused_for_longest_makes_way() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    // Two questions with one action: asking one keeps its results young.
    let asked = built.clone().with_key("asked");
    store(&hook, &asked);
    for n in 0..MAX_PER_ACTION - 1 {
        store(&hook, &built.clone().depending_on(&n.to_string()));
    }
    let results = files_below(&world.layout().action(&built.action));
    assert_eq!(results.len(), MAX_PER_ACTION);
    for path in results {
        let old = SystemTime::now() - Duration::from_secs(3600);
        File::open(path).unwrap().set_modified(old).unwrap();
    }
    assert_eq!(look_up(&hook, &asked).len(), 1);
    for n in 100..100 + MAX_PER_ACTION - 1 {
        store(&hook, &built.clone().depending_on(&n.to_string()));
    }
    let results = files_below(&world.layout().action(&built.action));
    assert_eq!(results.len(), MAX_PER_ACTION);
    let entry = serde_json::to_vec(&OpaqueEntry::from(&asked.entry())).unwrap();
    let path = world.layout().result(&asked.action, &Digest::of(&entry));
    assert!(results.contains(&path), "it was used after all that went");
    store(&hook, &built);
    assert!(!path.exists(), "now it was the oldest");
    assert_eq!(look_up(&hook, &asked), []);
}

#[test]
fn a_corrupt_entry_is_a_miss_and_goes() {
    for garbage in ["", "{", r#"{"version":1}"#, "\u{0}\u{0}\u{0}"] {
        let world = World::new();
        let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
        store(&hook, &built);
        let [path] = files_below(&world.layout().actions()).try_into().unwrap();
        fs::write(&path, garbage).unwrap();
        assert_eq!(look_up(&hook, &built), [], "{garbage:?}");
        assert!(!path.exists());
        store(&hook, &built);
        assert_eq!(look_up(&hook, &built).len(), 1);
    }
}

#[test]
fn what_a_later_program_wrote_is_left_alone() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    store(&hook, &built);
    let [path] = files_below(&world.layout().actions()).try_into().unwrap();
    fs::write(&path, r#"{"version":2,"what":"ever"}"#).unwrap();
    assert_eq!(look_up(&hook, &built), []);
    assert!(path.exists());
}

#[test]
fn a_result_in_the_place_of_another_is_not_offered() {
    let world = World::new();
    let hook = world.hook();
    let (foo, bar) = (
        world.build("foo", "code", "types"),
        world.build("bar", "code", "types"),
    );
    store(&hook, &foo);
    let [path] = files_below(&world.layout().actions()).try_into().unwrap();
    let elsewhere = world.layout().action(&bar.action);
    fs::create_dir_all(&elsewhere).unwrap();
    fs::copy(&path, elsewhere.join(path.file_name().unwrap())).unwrap();
    assert_eq!(look_up(&hook, &bar), []);
}

#[test]
fn a_missing_or_truncated_blob_is_a_miss_and_heals() {
    for truncate in [false, true] {
        let world = World::new();
        let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
        store(&hook, &built);
        let blob = world.layout().blob(&Digest::of(b"code"));
        if truncate {
            fs::write(&blob, "co").unwrap()
        } else {
            fs::remove_file(&blob).unwrap()
        }
        assert_eq!(look_up(&hook, &built), []);
        store(&hook, &built);
        assert_eq!(look_up(&hook, &built).len(), 1);
        check_invariants(&world.layout());
    }
}

#[test]
fn a_blob_with_other_bytes_heals_when_it_is_stored_again() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    store(&hook, &built);
    fs::write(world.layout().blob(&Digest::of(b"code")), "c0de").unwrap();
    store(&hook, &built);
    check_invariants(&world.layout());
}

#[test]
fn wrong_bytes_are_declined() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    fs::write(&built.files["libfoo.rmeta"], "tripe").unwrap();
    let reason = decline(&hook, built.after());
    assert_eq!(reason, "`libfoo.rmeta` has other bytes than its entry says");
    assert_eq!(look_up(&hook, &built), []);
    assert_eq!(check_invariants(&world.layout()), 0);
}

#[test]
fn what_does_not_fit_together_is_declined() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    let mut request = built.after();
    request.files.remove("libfoo.rmeta");
    assert_eq!(decline(&hook, request), "no path for `libfoo.rmeta`");
    let mut request = built.after();
    request.hashes.key = Digest::of(b"other");
    assert_eq!(
        decline(&hook, request),
        "the entry does not belong to the hashes"
    );
    let mut request = built.after();
    request.entry.0["format"] = 2.into();
    assert_eq!(decline(&hook, request), "the entry is of an unknown format");
}

#[test]
fn a_source_that_is_gone_is_an_error() {
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    fs::remove_file(&built.files["libfoo.rlib"]).unwrap();
    let error = hook.after_build(built.after()).unwrap_err();
    assert_eq!(error.to_string(), "failed to store `libfoo.rlib`");
}

#[test]
#[cfg(unix)]
fn results_hold_no_right_that_their_source_had() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let (hook, built) = (world.hook(), world.build("foo", "code", "types"));
    let path = &built.files["libfoo.rlib"];
    fs::set_permissions(path, PermissionsExt::from_mode(0o555)).unwrap();
    store(&hook, &built);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    fs::write(world.dir.path().join("plain"), "").unwrap();
    let plain = mode(&world.dir.path().join("plain"));
    assert_eq!(mode(&world.layout().blob(&Digest::of(b"code"))), plain);
    assert_eq!(mode(&world.root()), 0o700);
}
