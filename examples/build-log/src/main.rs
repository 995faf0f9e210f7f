//! Writes down what Cargo asks and what it builds, as JSON Lines. The hook to read first: it supplies
//! and keeps nothing, so that all there is to see is how Cargo and a hook speak.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

use hook_protocol::hook::{BoxError, Hook, Keep, Lookup};
use hook_protocol::wire::{AfterBuild, BeforeBuild, Begin, Summary};
use serde_json::{Value, json};

fn main() {
    hook_protocol::main(BuildLog::default());
}

/// The log. It is opened when a build begins: only then is known where that builds.
#[derive(Default)]
struct BuildLog {
    file: OnceLock<File>,
}

impl BuildLog {
    /// Appends a line, in one piece: methods are called from several threads, and builds may share a log.
    fn write(&self, line: &Value) -> Result<(), BoxError> {
        let mut file = self.file.get().ok_or("no build has begun")?;
        Ok(file.write_all(format!("{line}\n").as_bytes())?)
    }
}

impl Hook for BuildLog {
    fn name(&self) -> &str {
        "build-log"
    }

    /// Opens `$BUILD_LOG`, or `build-log.jsonl` in the build directory.
    fn begin(&self, begin: &Begin) -> Result<(), BoxError> {
        let path = std::env::var_os("BUILD_LOG").map(PathBuf::from);
        let path = path.unwrap_or_else(|| begin.build_dir.join("build-log.jsonl"));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        self.file.get_or_init(|| file);
        self.write(&json!({"event": "begin", "workspace": begin.workspace, "cargo": begin.cargo}))
    }

    fn before_build(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        let key = request.hashes.key;
        self.write(&json!({"event": "asked", "unit": request.unit, "key": key}))?;
        Ok(Lookup::Miss("the log keeps no results".to_owned()))
    }

    fn after_build(&self, request: AfterBuild) -> Result<Keep, BoxError> {
        let files = request.entry.parse()?.files.into_iter();
        let sizes: Value = files.map(|(name, file)| (name, file.size)).collect();
        self.write(&json!({
            "event": "built",
            "unit": request.unit,
            "key": request.hashes.key,
            "duration-ms": request.duration_ms,
            "files": sizes,
        }))?;
        Ok(Keep::Declined("the log keeps no results".to_owned()))
    }

    fn end(&self, summary: &Summary) -> Result<(), BoxError> {
        self.write(&json!({"event": "end", "summary": summary}))
    }
}

#[cfg(test)]
mod tests {
    use hook_protocol::harness::Harness;
    use hook_protocol::sample::Sample;
    use hook_protocol::wire::{Answer, Declined, Miss};

    use super::*;

    #[test]
    fn everything_is_written_down() {
        let dir = tempfile::tempdir().unwrap();
        let sample = Sample::library(dir.path(), "foo", "fn foo() {}").unwrap();
        let mut build = Harness::in_workspace(BuildLog::default(), dir.path());
        let reason = Some("the log keeps no results".to_owned());
        let miss = Answer::Miss(Miss {
            reason: reason.clone(),
        });
        assert_eq!(build.before_build(&sample), Ok(miss));
        let declined = Answer::Declined(Declined { reason });
        assert_eq!(build.after_build(&sample), Ok(declined));
        build.end();

        let log = std::fs::read_to_string(dir.path().join("target/build-log.jsonl")).unwrap();
        let lines: Vec<Value> = log
            .lines()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect();
        let events: Vec<_> = lines
            .iter()
            .map(|it| it["event"].as_str().unwrap())
            .collect();
        assert_eq!(events, ["begin", "asked", "built", "end"]);
        assert_eq!(lines[1]["unit"]["package"], "foo");
        assert_eq!(lines[1]["key"], lines[2]["key"]);
        assert_eq!(lines[2]["duration-ms"], 1200);
        let name = "libfoo-0123456789abcdef.rlib";
        assert_eq!(lines[2]["files"][name], sample.entry.files[name].size);
        assert_eq!(lines[3]["summary"]["success"], true);
    }
}
