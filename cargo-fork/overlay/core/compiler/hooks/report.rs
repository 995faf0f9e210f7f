//! What people and programs are told of hooks: warnings, reasons, and the last line of a build.

use cargo_hooks_engine::{Counted, Reason};
use hook_protocol::wire::{self, Step, Unshared};
use serde::Serialize;

use super::{job, snapshot};
use crate::core::compiler::job_queue::Work;
use crate::core::compiler::{BuildRunner, Unit};
use crate::drop_println;
use crate::util::errors::CargoResult;
use crate::util::machine_message::Message;

/// A message for programs: a unit in which hooks had no part.
#[derive(Serialize)]
struct NotShared<'a> {
    unit: &'a wire::Unit,
    step: Step,
    why: &'a Reason,
}

impl Message for NotShared<'_> {
    fn reason(&self) -> &str {
        "unit-not-shared"
    }
}

/// Shows the warnings that came up, at most one for each hook of a build, and, with `-v` or as messages for
/// programs, which units were not restored or stored, or changed while they were built.
pub fn show(build_runner: &BuildRunner<'_, '_>) -> CargoResult<()> {
    let gctx = build_runner.bcx.gctx;
    if let Some(content) = &build_runner.content {
        for note in content.take_notes() {
            gctx.shell()
                .verbose(|shell| shell.status("Unstable", &note))?;
        }
    }
    let Some(hooks) = &build_runner.hooks else {
        return Ok(());
    };
    for warning in hooks.session.take_warnings() {
        gctx.shell().warn(warning)?;
    }
    for Unshared { unit, step, why } in hooks.session.take_unshared() {
        if build_runner.bcx.build_config.emit_json() {
            let message = NotShared {
                unit: &unit,
                step,
                why: &why,
            };
            drop_println!(gctx, "{}", message.to_json_string());
        }
        let verb = match step {
            Step::Stored => "Unshared",
            _ => "Missed",
        };
        let text = format!("{}: {why}", cargo_hooks_engine::unit::shown(&unit));
        gctx.shell().verbose(|shell| shell.status(verb, &text))?;
    }
    Ok(())
}

/// Notes that hooks have no part in documentation: all units of a build write to the same files, and rustdoc
/// merges what it finds there.
pub fn report_doc(build_runner: &BuildRunner<'_, '_>, unit: &Unit) -> Work {
    let Some(hooks) = &build_runner.hooks else {
        return Work::noop();
    };
    let session = hooks.session.clone();
    let id = snapshot::id(build_runner, unit);
    Work::new(move |_| {
        session.report(job::not_restored(&id, Reason::SharedOutput, false));
        Ok(())
    })
}

/// What the last line of a build says of hooks.
pub fn summary(build_runner: &BuildRunner<'_, '_>) -> String {
    let Some(hooks) = &build_runner.hooks else {
        return String::new();
    };
    let Counted {
        restored,
        compiled,
        ran,
    } = hooks.session.counted();
    let scripts = match ran {
        0 => String::new(),
        1 => ", 1 build script run".to_owned(),
        ran => format!(", {ran} build scripts run"),
    };
    match restored + compiled + ran {
        0 => String::new(),
        _ => format!(" ({restored} restored, {compiled} compiled{scripts})"),
    }
}
