//! The configured hook, and the log of what it was asked.

use std::fmt::Write as _;
use std::path::PathBuf;

use cargo_test_support::paths;
use hooked_tests::Fault;
use serde_json::Value;

/// The test hook with its arguments, and the configuration that names it: a file above every project
/// of the test, and outside `CARGO_HOME`.
pub(crate) struct Hook {
    name: String,
    flags: Vec<String>,
    settings: String,
}

impl Hook {
    /// A good hook, for both sides.
    pub(crate) fn new() -> Hook {
        Hook::named("test-hook")
    }

    /// A good hook with another name. It shares store and log with the others of the test.
    pub(crate) fn named(name: &str) -> Hook {
        let hook = Hook {
            name: name.to_owned(),
            flags: Vec::new(),
            settings: String::new(),
        };
        hook.configured()
    }

    /// Adds a flag and its value to the hook's command.
    pub(crate) fn flag(mut self, flag: &str, value: &str) -> Hook {
        self.flags.extend([format!("--{flag}"), value.to_owned()]);
        self.configured()
    }

    /// Lets the hook misbehave.
    pub(crate) fn fault(self, fault: Fault) -> Hook {
        self.flag("fault", fault.name())
    }

    /// Adds lines to the table `[hooks]`.
    pub(crate) fn setting(mut self, lines: &str) -> Hook {
        let _ = writeln!(self.settings, "{lines}");
        self.configured()
    }

    /// Returns the command as a TOML array.
    pub(crate) fn command(&self) -> String {
        let mut words = vec![env!("CARGO_BIN_EXE_test-hook").to_owned()];
        for (flag, value) in [("--store", store()), ("--log", log_file())] {
            words.extend([flag.to_owned(), value.to_str().unwrap().to_owned()]);
        }
        words.extend(["--name".to_owned(), self.name.clone()]);
        words.extend_from_slice(&self.flags);
        format!("{words:?}")
    }

    /// Writes a configuration with this text in place of the table.
    ///
    /// Everything lies in a repository from then on, whose commit is always the same. The one that holds the
    /// tests themselves may get a commit while they run.
    pub(crate) fn configure(text: &str) {
        let head = paths::root().join(".git/HEAD");
        std::fs::create_dir_all(head.parent().unwrap()).unwrap();
        std::fs::write(head, format!("{}\n", "0".repeat(40))).unwrap();
        let file = paths::root().join(".cargo/config.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn configured(self) -> Hook {
        let (command, settings) = (self.command(), &self.settings);
        Hook::configure(&format!(
            "[hooks]\nbefore-build = {command}\nafter-build = {command}\n{settings}"
        ));
        self
    }

    /// Returns what the hook was asked since this was called last.
    pub(crate) fn take_log(&self) -> Log {
        let text = std::fs::read_to_string(log_file()).unwrap_or_default();
        let _ = std::fs::remove_file(log_file());
        Log(text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect())
    }

    /// Returns the log as text, while the hook may be writing it.
    pub(crate) fn read_log(&self) -> String {
        std::fs::read_to_string(log_file()).unwrap_or_default()
    }

    /// Empties the store.
    pub(crate) fn forget_everything(&self) {
        let _ = std::fs::remove_dir_all(store());
    }

    /// Removes every result with a key from the store.
    #[track_caller]
    pub(crate) fn forget(&self, key: &str) {
        std::fs::remove_dir_all(store().join(key.replace(':', "-"))).unwrap();
    }
}

fn store() -> PathBuf {
    paths::root().join("store")
}

fn log_file() -> PathBuf {
    paths::root().join("hook.log")
}

/// What the hook was asked, in order.
#[derive(Debug)]
pub(crate) struct Log(pub(crate) Vec<Value>);

impl Log {
    /// Returns the requests of one kind.
    pub(crate) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |request| request["kind"] == kind)
    }

    /// Returns how many requests of one kind there are. `start` counts processes.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.of_kind(kind).count()
    }

    /// Returns the units of the `before-build` requests.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.units("before-build")
    }

    /// Returns the units of the `after-build` requests.
    pub(crate) fn told(&self) -> Vec<String> {
        self.units("after-build")
    }

    /// Returns the key of the unit that is shown as `unit`.
    pub(crate) fn key_of(&self, unit: &str) -> String {
        let mut requests = self.0.iter().filter(|request| shown(request) == unit);
        let request = requests
            .next()
            .unwrap_or_else(|| panic!("no request for `{unit}`"));
        request["hashes"]["key"].as_str().unwrap().to_owned()
    }

    /// Returns units as `PACKAGE KIND`, with the mode if it is not to build, sorted: which of several
    /// units is asked for first is up to Cargo.
    fn units(&self, kind: &str) -> Vec<String> {
        let mut units: Vec<String> = self.of_kind(kind).map(shown).collect();
        units.sort();
        units
    }
}

fn shown(request: &Value) -> String {
    let field = |name: &str| request["unit"][name].as_str().unwrap_or_default();
    let unit = format!("{} {}", field("package"), field("target-kind"));
    match field("mode") {
        "build" => unit,
        mode => format!("{unit} {mode}"),
    }
}
