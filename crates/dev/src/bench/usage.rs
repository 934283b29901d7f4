//! What a run takes: time, and memory of the process itself and of the processes that it starts, apart.
//!
//! The system's own account of a child's memory begins with what its parent had when it started it, so memory is looked at from
//! outside while the run lasts: each process keeps the most that it ever had, and the last look before its end is what counts.

#![allow(clippy::disallowed_methods)]

use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wait4::Wait4 as _;

/// What one run took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// From start to end.
    pub wall: Duration,
    /// Time on processors, of the process and all that it waited for. Others on the machine hardly count here.
    pub cpu: Duration,
    /// Most resident memory of the process itself, bytes.
    pub own: u64,
    /// Most resident memory of any process that it started, bytes; 0 if there was none.
    pub children: u64,
}

/// Runs to the end; the output is thrown away.
pub fn measure(command: &mut Command) -> Result<Usage> {
    measure_verdict(command, false)
}

/// The same, of a command whose exit code 1 is an answer if `verdict` is set.
pub fn measure_verdict(command: &mut Command, verdict: bool) -> Result<Usage> {
    let shown = format!("{command:?}");
    let start = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| shown.clone())?;
    let (id, over) = (child.id(), AtomicBool::new(false));
    let (done, wall, peaks) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(id, &over));
        let done = child.wait4();
        let wall = start.elapsed();
        over.store(true, Ordering::Relaxed);
        (done, wall, watcher.join().unwrap_or_default())
    });
    let done = done?;
    let good = done.status.success() || verdict && done.status.code() == Some(1);
    if !good {
        bail!("{shown}: {}", done.status);
    }
    let others = peaks.iter().filter(|(process, _)| **process != id);
    Ok(Usage {
        wall,
        cpu: done.rusage.utime + done.rusage.stime,
        own: peaks.get(&id).copied().unwrap_or_default(),
        children: others.map(|(_, peak)| *peak).max().unwrap_or_default(),
    })
}

/// Looks again and again, at the process itself more often than at what it starts; short runs need the closest look.
fn watch(id: u32, over: &AtomicBool) -> BTreeMap<u32, u64> {
    let mut peaks = BTreeMap::new();
    for tick in 0u32.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        look(id, tick % 8 == 7, &mut peaks);
        let pause = if tick < 100 { 300 } else { 3000 };
        std::thread::sleep(Duration::from_micros(pause));
    }
    peaks
}

fn look(id: u32, deep: bool, peaks: &mut BTreeMap<u32, u64>) {
    let place = format!("/proc/{id}");
    if let Some(peak) = peak(&place) {
        let known = peaks.entry(id).or_default();
        *known = peak.max(*known);
    }
    if !deep {
        return;
    }
    for thread in fs::read_dir(format!("{place}/task")).into_iter().flatten() {
        let children = thread.and_then(|t| fs::read_to_string(t.path().join("children")));
        for child in children.unwrap_or_default().split_whitespace() {
            if let Ok(child) = child.parse() {
                look(child, true, peaks);
            }
        }
    }
}

/// The most memory that a process had so far.
fn peak(place: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("{place}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_and_what_it_starts_are_told_apart() {
        let shell = |line: &str| measure(Command::new("sh").args(["-c", line])).unwrap();
        let alone = shell("sleep 0.2 & wait");
        assert!(alone.own > 0 && alone.children > 0);
        assert!(alone.wall >= Duration::from_millis(200));
        let hungry =
            "head -c 30000000 /dev/zero | tail -c 20000000 | { sleep 0.2; cat; } >/dev/null";
        let usage = shell(hungry);
        assert!(usage.children > 15_000_000, "{usage:?}");
        assert!(usage.own < 15_000_000, "{usage:?}");
    }

    #[test]
    fn failures_are_told() {
        let error = measure(&mut Command::new("false")).unwrap_err();
        assert!(error.to_string().contains("false"));
        assert!(measure_verdict(&mut Command::new("false"), true).is_ok());
    }
}
