//! Runs other programs, and prints errors the way Cargo does.

use std::io::ErrorKind;
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// Prints an error with its causes, in Cargo's form.
pub(crate) fn print_error(error: &anyhow::Error) {
    eprintln!("error: {error}");
    let causes: Vec<String> = error.chain().skip(1).map(|it| it.to_string()).collect();
    if !causes.is_empty() {
        eprintln!("\nCaused by:");
        for cause in causes {
            eprintln!("  {}", cause.trim_end().replace('\n', "\n  "));
        }
    }
}

/// Runs a program with our own standard streams; a bad exit status is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .map_err(|error| not_started(command, error))?;
    if !status.success() {
        bail!("failed to run `{}`: {status}", display(command));
    }
    Ok(())
}

/// Starts a program.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    command.spawn().map_err(|error| not_started(command, error))
}

/// Runs a program and returns what it printed, whatever its exit status.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started(command, error))
}

/// Runs a program and returns its standard output; with a bad exit status, its standard error becomes the cause.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    check(command, &output)?;
    String::from_utf8(output.stdout)
        .with_context(|| format!("failed to read the output of `{}`", display(command)))
}

/// Turns a bad exit status into an error with what the program said.
pub(crate) fn check(command: &Command, output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
    Err(anyhow::Error::msg(said))
        .with_context(|| format!("failed to run `{}`: {}", display(command), output.status))
}

/// Returns a command line as a person would type it.
pub(crate) fn display(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|it| it.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

fn not_started(command: &Command, error: std::io::Error) -> anyhow::Error {
    let program = command.get_program().to_string_lossy().into_owned();
    let hint = match error.kind() {
        ErrorKind::NotFound => format!("\nhelp: install `{program}`, or put it on `PATH`"),
        _ => String::new(),
    };
    anyhow::Error::new(error).context(format!("failed to start `{program}`{hint}"))
}
