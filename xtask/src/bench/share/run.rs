//! One build that is measured: how long it took, how long it computed, and how much memory Cargo needed.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::bench::contender::Units;
use crate::bench::share::proc;
use crate::process;
use crate::transcript::{self, Transcript};

/// How often memory is looked at. The kernel keeps the peak, so this only has to see a process before it ends; of a
/// build that takes long, less is lost when that is missed, and the looks should not cost it anything.
const LOOK: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(25)];
/// After how many looks a build takes long.
const LONG: u32 = 100;
/// How often new processes are looked for, in looks.
const SEARCH: u32 = 4;

/// What was measured.
pub(crate) struct Run {
    /// How long it took.
    pub(crate) took: Duration,
    /// How long it computed, what it started and waited for, and its server; what outlives it is not seen.
    pub(crate) cpu: Option<Duration>,
    /// The peaks of Cargo and of its hooks, in bytes; compilers are left out.
    pub(crate) memory: Option<u64>,
    /// What it printed.
    pub(crate) transcript: Transcript,
}

impl Run {
    /// Runs a Cargo that prints messages for machines; `server` is a process that computes for it.
    pub(crate) fn measure(command: &mut Command, server: Option<u32>) -> Result<Run> {
        let cpu = || match server {
            Some(server) => Some(proc::children_cpu()? + proc::whole_cpu(server)?),
            None => proc::children_cpu(),
        };
        let before = cpu();
        let began = Instant::now();
        let child = transcript::start(command)?;
        let watch = Watch::start(child.id());
        let transcript = Transcript::read(child);
        let took = began.elapsed();
        let memory = watch.stop();
        let transcript = transcript?;
        if !transcript.succeeded {
            bail!(
                "failed to run `{}`\n{}",
                process::display(command),
                transcript.errors().join("\n")
            );
        }
        Ok(Run {
            took,
            cpu: cpu().zip(before).map(|(after, before)| after - before),
            memory,
            transcript,
        })
    }

    /// Counts what was built.
    pub(crate) fn units(&self) -> Result<Units> {
        let mut lines = self.transcript.stdout.iter();
        lines.try_fold(Units::default(), |units, it| units.and(&it.text))
    }
}

/// Looks at the memory of a process and of those below it that belong to Cargo.
struct Watch {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Peaks>,
}

/// The peaks that were seen, by process.
#[derive(Default)]
struct Peaks(BTreeMap<u32, u64>);

impl Watch {
    fn start(root: u32) -> Watch {
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let (mut peaks, mut below) = (Peaks::default(), Vec::new());
            for look in 0.. {
                if flag.load(Ordering::Relaxed) {
                    break;
                }
                let is_cargo = peaks.note(root, &|_| true).as_deref() == Some("cargo");
                if look % SEARCH == 0 {
                    below = proc::children(root);
                }
                for process in &below {
                    peaks.note(*process, &|name| is_part(name, is_cargo));
                }
                thread::sleep(LOOK[usize::from(look > LONG)]);
            }
            peaks
        });
        Watch { is_over, thread }
    }

    fn stop(self) -> Option<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        let Peaks(peaks) = self
            .thread
            .join()
            .expect("looking at memory does not panic");
        Some(peaks.values().sum()).filter(|it| *it > 0)
    }
}

impl Peaks {
    /// Takes note of the peak of a process that runs a wanted program, and returns the name of the program.
    fn note(&mut self, process: u32, is_wanted: &dyn Fn(&str) -> bool) -> Option<String> {
        let (name, peak) = proc::peak_memory(process)?;
        if is_wanted(&name) {
            let known = self.0.entry(process).or_default();
            *known = peak.max(*known);
        }
        Some(name)
    }
}

/// Tells whether a process counts that was started by Cargo, or by a program that runs it. Below Cargo, one of that
/// name is about to become a compiler.
fn is_part(name: &str, is_below_cargo: bool) -> bool {
    name.starts_with("cargo-hook-") || name == "cargo" && !is_below_cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_left_out() {
        // The kernel has cut the name.
        assert!(is_part("cargo-hook-loca", true));
        assert!(is_part("cargo", false) && !is_part("cargo", true));
        for name in ["rustc", "cc", "build-script-bu", "sccache"] {
            assert!(!is_part(name, false), "{name}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_run_is_measured() {
        let mut command = Command::new("sh");
        let message = r#"{"reason":"compiler-artifact","fresh":false}"#;
        command.args(["-c", &format!("echo '{message}'; sleep 0.1")]);
        let run = Run::measure(&mut command, None).unwrap();
        assert!(run.took >= Duration::from_millis(100));
        assert!(run.memory.is_some() && run.cpu.is_some());
        assert_eq!(run.units().unwrap().compiled, 1);
        assert!(Run::measure(Command::new("false").arg("x"), None).is_err());
    }
}
