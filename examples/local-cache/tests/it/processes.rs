//! Several processes at once, and processes that are killed: nobody ever finds half a result.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hook_protocol::client::{Client, Command, Options};
use local_cache::clear::clear;
use local_cache::counters;

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn start(world: &World) -> Client {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_local-cache"));
    let env = vec![("CARGO_LOCAL_CACHE_DIR".into(), Some(world.root().into()))];
    let command = Command {
        program,
        args: Vec::new(),
        cwd: None,
        env,
    };
    let client = Client::new(
        command,
        Options {
            timeout: LONG,
            jobs: 4,
        },
    );
    let begin = serde_json::json!({
        "v": 1, "id": 1, "workspace": "/w", "build-dir": "/w/target", "host": "h", "jobs": 4, "cargo": "c",
    });
    client
        .begin(serde_json::from_value(begin).unwrap())
        .unwrap();
    client
}

/// Builds of some size, so that there is a middle in which to be disturbed.
fn builds(world: &World, prefix: &str, count: usize) -> Vec<Built> {
    let build = |n| {
        let name = format!("{prefix}{n}");
        world.build(
            &name,
            &format!("code of {name} ").repeat(20_000),
            &format!("types of {name}"),
        )
    };
    (0..count).map(build).collect()
}

#[test]
fn a_session() {
    let world = World::new();
    let built = world.build("foo", "code", "types");
    let client = start(&world);
    assert_eq!(client.name(), "local-cache");
    assert!(matches!(
        client.before_build(built.before()).unwrap(),
        Answer::Miss(_)
    ));
    assert!(matches!(
        client.after_build(built.after()).unwrap(),
        Answer::Stored(_)
    ));
    let mut wrong = built.after();
    wrong.files.clear();
    assert!(matches!(
        client.after_build(wrong).unwrap(),
        Answer::Declined(_)
    ));
    assert!(matches!(
        client.before_build(built.before()).unwrap(),
        Answer::Hit(_)
    ));
    client.end(Summary::default(), LONG).unwrap();
    let counted = counters::read(&world.layout());
    assert_eq!((counted.hits, counted.misses), (1, 1));
    assert_eq!(
        (counted.stored, counted.declined, counted.sessions),
        (1, 1, 1)
    );
}

#[test]
fn several_builds_store_at_once() {
    let world = World::new();
    let same = builds(&world, "same", 5);
    let own: Vec<Vec<Built>> = (0..3)
        .map(|n| builds(&world, &format!("own{n}-"), 5))
        .collect();
    thread::scope(|scope| {
        for own in &own {
            scope.spawn(|| {
                let client = start(&world);
                thread::scope(|scope| {
                    for built in own.iter().chain(&same) {
                        let client = &client;
                        scope.spawn(move || {
                            let answer = client.after_build(built.after()).unwrap();
                            assert!(matches!(answer, Answer::Stored(_)), "{answer:?}");
                        });
                    }
                });
                client.end(Summary::default(), LONG).unwrap();
            });
        }
    });
    assert_eq!(check_invariants(&world.layout()), 20);
    let hook = world.hook();
    assert!(
        own.iter()
            .flatten()
            .chain(&same)
            .all(|built| look_up(&hook, built).len() == 1)
    );
    let counted = counters::read(&world.layout());
    assert_eq!((counted.sessions, counted.stored), (3, 30));
}

#[test]
fn killed_while_storing() {
    let world = World::new();
    let builds = builds(&world, "foo", 40);
    for round in 0..12 {
        let client = &start(&world);
        let (stored, answers) = mpsc::channel();
        thread::scope(|scope| {
            for part in builds.chunks(10) {
                let stored = stored.clone();
                scope.spawn(move || {
                    for built in part {
                        let mut request = built.after();
                        // Other results each round, for the same blobs.
                        request.entry.0["round"] = round.into();
                        if client.after_build(request).is_err() {
                            break;
                        }
                        let _ = stored.send(());
                    }
                });
            }
            // While the others are in the middle of something.
            answers.iter().take(round).for_each(drop);
            client.cancel();
        });
        assert!(check_invariants(&world.layout()) >= round);
        if round % 4 == 3 {
            // Blobs that are there already are not copied again.
            clear(&world.layout()).unwrap();
        }
    }
}

#[test]
fn cleared_while_storing() {
    const PAUSE: Duration = Duration::from_millis(5);
    let world = &World::new();
    let builds = builds(world, "foo", 10);
    let client = start(world);
    thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        scope.spawn(move || {
            // A panic ends this, too, by dropping the other side.
            while is_done.recv_timeout(PAUSE) == Err(mpsc::RecvTimeoutError::Timeout) {
                clear(&world.layout()).unwrap();
            }
        });
        for built in builds.iter().cycle().take(100) {
            let answer = client.after_build(built.after()).unwrap();
            if let Answer::Declined(declined) = &answer {
                assert_eq!(
                    declined.reason.as_deref(),
                    Some("the cache is being cleared")
                );
            } else {
                assert!(matches!(answer, Answer::Stored(_)), "{answer:?}");
            }
            client.before_build(built.before()).unwrap();
        }
        drop(done);
    });
    // Results whose blobs went with an earlier clearing may be left; none of them is offered.
    let hook = world.hook();
    for built in &builds {
        for candidate in look_up(&hook, built) {
            for (name, path) in &candidate.files {
                assert_eq!(Digest::of_file(path).unwrap(), built.described[name].digest);
            }
        }
        store(&hook, built);
        assert_eq!(look_up(&hook, built).len(), 1);
    }
    client.end(Summary::default(), LONG).unwrap();
    let left = fs::read_dir(world.root())
        .unwrap()
        .map(|it| it.unwrap().file_name());
    let mut left: Vec<_> = left.collect();
    left.sort();
    assert_eq!(left, ["CACHEDIR.TAG", "v1"]);
}

#[test]
fn interrupted_sessions_are_counted() {
    let world = World::new();
    let built = world.build("foo", "code", "types");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_local-cache"))
        .arg("--cargo-plugin")
        .env("CARGO_LOCAL_CACHE_DIR", world.root())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let request = serde_json::to_string(&Request::BeforeBuild(built.before())).unwrap();
    use std::io::Write;
    writeln!(child.stdin.take().unwrap(), "{request}").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(counters::read(&world.layout()).misses, 1);
}

/// Builds a unit as Cargo does, in a build of its own; true if it had to be compiled.
fn build_once(world: &World, built: &Built) -> bool {
    let client = start(world);
    let answer = client.before_build(built.before_building()).unwrap();
    let is_compiled = match answer {
        Answer::Hit(_) => false,
        Answer::Miss(_) => {
            thread::sleep(Duration::from_millis(300));
            client.after_build(built.after()).unwrap();
            true
        }
        other => panic!("{other:?}"),
    };
    client.end(Summary::default(), LONG).unwrap();
    is_compiled
}

#[test]
fn builds_at_once_compile_a_unit_once() {
    for count in [2, 8] {
        let world = World::new();
        let built = world.build("foo", "code", "types");
        let compiled: usize = thread::scope(|scope| {
            let builds: Vec<_> = (0..count)
                .map(|_| scope.spawn(|| build_once(&world, &built)))
                .collect();
            let compiled = builds.into_iter().map(|it| usize::from(it.join().unwrap()));
            compiled.sum()
        });
        assert_eq!(compiled, 1, "of {count}");
    }
}

/// Who waits does not keep the answers of others from coming: more wait here than a hook has threads.
#[test]
fn waiting_takes_no_thread_from_others() {
    let world = World::new();
    let wanted: Vec<Built> = (0..40)
        .map(|n| {
            world
                .build(&format!("foo{n}"), "code", "types")
                .with_key(&format!("{n}"))
        })
        .collect();
    let (first, second) = (start(&world), start(&world));
    for built in &wanted {
        let answer = first.before_build(built.before_building()).unwrap();
        assert!(matches!(answer, Answer::Miss(_)));
    }
    thread::scope(|scope| {
        let waiting: Vec<_> = wanted
            .iter()
            .map(|built| scope.spawn(|| second.before_build(built.before_building())))
            .collect();
        // The second build's own results are taken meanwhile.
        let own = world.build("own", "code", "types").with_key("own");
        second.before_build(own.before_building()).unwrap();
        second.after_build(own.after()).unwrap();
        assert!(waiting.iter().all(|it| !it.is_finished()));
        for built in &wanted {
            first.after_build(built.after()).unwrap();
        }
        for waiting in waiting {
            assert!(matches!(waiting.join().unwrap(), Ok(Answer::Hit(_))));
        }
    });
}

#[test]
fn a_build_that_dies_is_not_waited_for() {
    let world = World::new();
    let built = world.build("foo", "code", "types");
    let (first, second) = (start(&world), start(&world));
    first.before_build(built.before_building()).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| second.before_build(built.before_building()));
        thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        first.cancel();
        assert!(matches!(waiting.join().unwrap(), Ok(Answer::Miss(_))));
    });
}

/// A Cargo that would take a result, but not build it, must not keep others from building it.
#[test]
fn a_question_for_what_is_not_built_keeps_nobody() {
    let world = World::new();
    let built = world.build("foo", "code", "types");
    let (first, second) = (start(&world), start(&world));
    first.before_build(built.before()).unwrap();
    let answer = second.before_build(built.before_building()).unwrap();
    assert!(matches!(answer, Answer::Miss(_)));
    // It does not wait for the other either: it may have another way.
    let answer = first.before_build(built.before()).unwrap();
    assert!(matches!(answer, Answer::Miss(_)));
}
