//! `cargo hook-check -- COMMAND ARGS...`

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::{Parser, ValueEnum};
use hook_check::report::{self, Line};
use hook_check::rules;
use hook_check::subject::Subject;

/// Plays a build at a hook, and tells which rules of the protocol it keeps
#[derive(Parser)]
#[command(version, bin_name = "cargo hook-check")]
struct Args {
    /// Examine only this rule; can be given more than once
    #[arg(long = "rule", value_name = "NAME")]
    rules: Vec<String>,
    /// How to tell
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// How long the hook may take for any step, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    timeout: f64,
    /// Print the JSON schema of the protocol's messages, and examine nothing
    #[arg(long, exclusive = true)]
    schema: bool,
    /// The hook's command, as in `hooks.before-build`; its environment is inherited
    #[arg(last = true, required_unless_present = "schema")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each rule
    Human,
    /// A JSON object for each rule, on a line
    Json,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether the hook keeps every rule that it must keep.
fn run() -> anyhow::Result<bool> {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|it| it == "hook-check") {
        args.remove(1);
    }
    let args = Args::parse_from(args);
    if args.schema {
        print!("{}", hook_protocol::schema::text());
        return Ok(true);
    }
    let Ok(timeout) = Duration::try_from_secs_f64(args.timeout) else {
        bail!("`{}` is no time that one can wait for", args.timeout);
    };
    let known = |name: &&String| rules::ALL.iter().any(|it| it.name == **name);
    if let Some(unknown) = args.rules.iter().find(|name| !known(name)) {
        bail!("there is no rule `{unknown}`");
    }
    let subject = Subject::new(args.command, timeout)?;
    let mut lines = Vec::new();
    for rule in rules::ALL {
        if !args.rules.is_empty() && !args.rules.iter().any(|it| it == rule.name) {
            continue;
        }
        let line = Line::new(rule, rule.examine(&subject));
        match args.format {
            Format::Human => println!("{}", line.shown(rule.text)),
            Format::Json => println!("{}", serde_json::to_string(&line)?),
        }
        lines.push(line);
    }
    if args.format == Format::Human {
        println!("{}", report::summary(&lines));
    }
    Ok(!lines.iter().any(Line::is_failure))
}
