//! What the kernel tells of processes: how long they computed, how much memory they had, and who their children are.
//!
//! All of it is read from `/proc`; where that is missing, nothing is known, and nothing fails.

use std::fs;
use std::process;
use std::time::Duration;

/// How often the kernel's clock for processes ticks in a second, as it tells programs on every Linux that we run on.
const TICKS: u64 = 100;

/// Returns how long the programs computed that we have waited for, and those that they have waited for.
pub(crate) fn children_cpu() -> Option<Duration> {
    let [_, children] = cpu(&stat(process::id())?)?;
    Some(children)
}

/// Returns how long a program computed, with all that it has waited for.
pub(crate) fn whole_cpu(id: u32) -> Option<Duration> {
    let [own, children] = cpu(&stat(id)?)?;
    Some(own + children)
}

/// Returns the name of the program that a process runs, which the kernel cuts after 15 bytes, and the most memory
/// that it ever had, in bytes.
///
/// A process that was just started has the name and the memory of the one that started it.
pub(crate) fn peak_memory(id: u32) -> Option<(String, u64)> {
    high_water_mark(&fs::read_to_string(format!("/proc/{id}/status")).ok()?)
}

/// Returns the processes that a process has started.
pub(crate) fn children(id: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter();
    let lists = threads.flatten().flatten().map(|it| it.path());
    let texts = lists.filter_map(|it| fs::read_to_string(it.join("children")).ok());
    let ids = |text: String| {
        let ids = text.split_whitespace().filter_map(|it| it.parse().ok());
        ids.collect::<Vec<u32>>()
    };
    texts.flat_map(ids).collect()
}

fn stat(id: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{id}/stat")).ok()
}

/// Reads the times of a process itself, and of the children that it has waited for.
fn cpu(stat: &str) -> Option<[Duration; 2]> {
    // The name of the program may hold anything, also spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let time = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS);
    Some([time(ticks(11)? + ticks(12)?), time(ticks(13)? + ticks(14)?)])
}

fn high_water_mark(status: &str) -> Option<(String, u64)> {
    let value = |key: &str| {
        let value = status.lines().find_map(|it| it.strip_prefix(key));
        value.map(str::trim)
    };
    let peak = value("VmHWM:")?.strip_suffix("kB")?;
    let kilobytes: u64 = peak.trim().parse().ok()?;
    Some((value("Name:")?.to_string(), kilobytes * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194304 100 200 0 0 150 50 1000 25 20 0 1 0 12345";
        let expected = [Duration::from_secs(2), Duration::from_millis(10_250)];
        assert_eq!(cpu(stat), Some(expected));
        assert_eq!(cpu("7 (cargo) S 1"), None);
        assert_eq!(cpu(""), None);
    }

    #[test]
    fn the_peak_is_in_bytes() {
        let status = "Name:\tcargo\nVmPeak:\t 9000 kB\nVmHWM:\t    1500 kB\nVmRSS:\t 800 kB\n";
        let expected = ("cargo".to_string(), 1_536_000);
        assert_eq!(high_water_mark(status), Some(expected));
        assert_eq!(high_water_mark("Name:\tzombie\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_is_found_and_measured() {
        let mut child = process::Command::new("sleep").arg("9").spawn().unwrap();
        let found = children(process::id());
        let memory = peak_memory(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&child.id()));
        assert!(memory.is_some_and(|it| it.1 > 0));
        assert!(children_cpu().is_some() && whole_cpu(process::id()).is_some());
    }
}
