//! How many processes there are, how long they live, and that none is left behind.

use std::path::Path;

use super::*;

fn starts(log: &Path) -> usize {
    std::fs::read_to_string(log)
        .unwrap_or_default()
        .lines()
        .count()
}

struct Log {
    dir: tempfile::TempDir,
}

impl Log {
    fn new() -> Log {
        Log {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn step(&self) -> String {
        format!("log={}", self.path().display())
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("log")
    }
}

#[test]
fn a_session_is_one_process() {
    let log = Log::new();
    let client = client_with(command(&[&log.step(), SESSION, "serve"]), LONG, 1);
    client.begin(begin()).unwrap();
    assert_eq!(client.name(), "faulty");
    assert!(client.has(Capability::Session) && !client.has(Capability::Concurrent));
    for _ in 0..5 {
        assert_eq!(client.before_build(before()).unwrap(), miss());
        assert_eq!(
            client.after_build(after()).unwrap(),
            Answer::Stored(Stored::default())
        );
    }
    client.end(Summary::default(), LONG).unwrap();
    assert_eq!(starts(&log.path()), 1);
}

#[test]
fn answers_come_in_any_order() {
    let log = Log::new();
    let steps = [&log.step(), CONCURRENT, "read", "ok=ready", "swap", "serve"];
    let client = client_with(command(&steps), LONG, 1);
    client.begin(begin()).unwrap();
    std::thread::scope(|scope| {
        let before = scope.spawn(|| client.before_build(before()).unwrap());
        let after = scope.spawn(|| client.after_build(after()).unwrap());
        assert_eq!(before.join().unwrap(), miss());
        assert_eq!(after.join().unwrap(), Answer::Stored(Stored::default()));
    });
    client.end(Summary::default(), LONG).unwrap();
    assert_eq!(starts(&log.path()), 1);
}

#[test]
fn many_threads_share_a_concurrent_process() {
    let client = running(&[CONCURRENT, "serve"]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(client.before_build(before()).unwrap(), miss());
                }
            });
        }
    });
    client.end(Summary::default(), LONG).unwrap();
}

#[test]
fn without_concurrent_there_are_up_to_jobs_processes() {
    let log = Log::new();
    let steps = [&log.step(), SESSION, "serve=50"];
    let client = client_with(command(&steps), LONG, 3);
    client.begin(begin()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(client.before_build(before()).unwrap(), miss()));
        }
    });
    client.end(Summary::default(), LONG).unwrap();
    assert_eq!(starts(&log.path()), 3);
}

#[test]
fn a_one_shot_hook_may_exit_after_each_answer() {
    let log = Log::new();
    let steps = [&log.step(), ONE_SHOT, "read", "ok=miss"];
    let client = client_with(command(&steps), LONG, 1);
    client.begin(begin()).unwrap();
    for _ in 0..20 {
        assert_eq!(client.before_build(before()).unwrap(), miss());
    }
    client.end(Summary::default(), LONG).unwrap();
    assert_eq!(starts(&log.path()), 20);
}

#[test]
fn one_shot_hooks_serve_many_threads() {
    let log = Log::new();
    let client = client_with(
        command(&[&log.step(), ONE_SHOT, "read", "ok=miss"]),
        LONG,
        4,
    );
    client.begin(begin()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(client.before_build(before()).unwrap(), miss());
                }
            });
        }
    });
    client.end(Summary::default(), LONG).unwrap();
    assert_eq!(starts(&log.path()), 80);
}

#[test]
fn a_one_shot_hook_may_stay() {
    let log = Log::new();
    let client = client_with(command(&[&log.step(), ONE_SHOT, "serve"]), LONG, 1);
    client.begin(begin()).unwrap();
    for _ in 0..5 {
        assert_eq!(client.before_build(before()).unwrap(), miss());
    }
    client.end(Summary::default(), LONG).unwrap();
    assert_eq!(starts(&log.path()), 1);
}

#[test]
fn a_one_shot_hook_that_never_answers_is_not_started_for_ever() {
    let log = Log::new();
    let steps = [&log.step(), ONE_SHOT, "exit=0"];
    let client = client_with(command(&steps), LONG, 1);
    client.begin(begin()).unwrap();
    for _ in 0..3 {
        let outcome = client.before_build(before());
        assert!(matches!(outcome, Err(Error::Exited { .. })), "{outcome:?}");
    }
    assert!(starts(&log.path()) <= 4);
}

#[test]
fn after_a_failure_the_next_request_starts_a_fresh_session() {
    let log = Log::new();
    let steps = [
        &log.step(),
        CONCURRENT,
        "read",
        "ok=ready",
        "read",
        "ok=miss",
        "read",
        "exit=1",
    ];
    let client = client_with(command(&steps), LONG, 1);
    client.begin(begin()).unwrap();
    for _ in 0..3 {
        client.before_build(before()).unwrap();
        let outcome = client.before_build(before());
        assert!(matches!(outcome, Err(Error::Exited { .. })), "{outcome:?}");
    }
    assert_eq!(starts(&log.path()), 3);
}

#[test]
#[cfg(unix)]
fn a_hook_may_close_its_standard_output_after_the_answer() {
    let script = r#"
        echo '{"v":[1],"name":"sh","capabilities":["before-build"]}'
        read -r line
        id=${line#*\"id\":}; id=${id%%,*}
        echo "{\"id\":$id,\"Ok\":{\"kind\":\"miss\"}}"
        exec >&-
        sleep 0.3
    "#;
    let client = client_with(command(&[&format!("sh={script}")]), LONG, 1);
    client.begin(begin()).unwrap();
    for _ in 0..3 {
        assert_eq!(client.before_build(before()).unwrap(), miss());
    }
    client.end(Summary::default(), LONG).unwrap();
}

#[test]
#[cfg(unix)]
fn a_session_that_closes_its_standard_output_has_failed() {
    let script = r#"
        echo '{"v":[1],"name":"sh","capabilities":["before-build","session"]}'
        read -r line
        id=${line#*\"id\":}; id=${id%%,*}
        echo "{\"id\":$id,\"Ok\":{\"kind\":\"ready\"}}"
        read -r line
        exec >&-
        sleep 100
    "#;
    let client = client_with(command(&[&format!("sh={script}")]), LONG, 1);
    client.begin(begin()).unwrap();
    let error = client.before_build(before()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the process closed a pipe before it answered"
    );
}

#[test]
fn calls_out_of_order_are_refused() {
    let client = client_with(command(&[SESSION, "serve"]), LONG, 1);
    assert!(matches!(
        client.before_build(before()),
        Err(Error::NotRunning)
    ));
    client.begin(begin()).unwrap();
    client.end(Summary::default(), LONG).unwrap();
    assert!(matches!(
        client.before_build(before()),
        Err(Error::NotRunning)
    ));
    client.end(Summary::default(), LONG).unwrap();
}

#[test]
fn a_hook_is_asked_only_what_it_can() {
    let client = running(&["hello=after-build,session", "serve"]);
    let outcome = client.before_build(before());
    assert!(
        matches!(outcome, Err(Error::NotCapable(Capability::BeforeBuild))),
        "{outcome:?}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn no_process_is_left_behind() {
    let log = Log::new();
    let script = format!("sh=echo $$ >> {}; exec sleep 1000", log.path().display());
    let steps = [SESSION, "read", "ok=ready", &script];
    let ways: [fn(Client); 4] = [
        |client| client.cancel(),
        drop,
        |client| {
            assert!(
                client
                    .end(Summary::default(), Duration::from_millis(100))
                    .is_err()
            )
        },
        |client| assert!(client.before_build(before()).is_err()),
    ];
    for way in ways {
        let client = client_with(command(&steps), Duration::from_secs(2), 1);
        client.begin(begin()).unwrap();
        let pid = loop {
            let pids = std::fs::read_to_string(log.path()).unwrap_or_default();
            if let Some(pid) = pids.strip_suffix('\n').and_then(|it| it.lines().last()) {
                break pid.to_owned();
            }
        };
        let process = PathBuf::from("/proc").join(pid);
        assert!(process.exists());
        way(client);
        // A zombie would still be there.
        assert!(!process.exists());
        std::fs::remove_file(log.path()).unwrap();
    }
}
