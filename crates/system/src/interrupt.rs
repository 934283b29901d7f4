//! Ctrl-C, TERM and HUP: what is forwarded, what is removed, how the process ends.
//!
//! A signal belongs to the process and not to a value, so this is the one place with process-wide state: the paths to remove, the
//! children that run, and which of them has the terminal. The rules:
//!
//! - while a child has the terminal (`go run`), INT and QUIT are the child's: a terminal sends them to it by itself, and they are
//!   forwarded only if we are not the terminal's foreground group; other signals are always forwarded, and we wait for the child;
//! - otherwise children get the signal, are awaited for a moment, the registered paths are removed and the process dies of the
//!   signal, so that a shell sees what happened.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::{Error, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static TABLE: Mutex<Table> = Mutex::new(Table {
    next: 0,
    removals: BTreeMap::new(),
    children: BTreeMap::new(),
    foreground: None,
    owed: false,
});

/// Whether INT or QUIT has arrived and was not dealt with yet; set by the signal handler itself, before anybody can run on.
static ARRIVED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// What the process must undo or tell before it dies.
#[derive(Debug)]
pub(crate) struct Table {
    next: u64,
    removals: BTreeMap<u64, Utf8PathBuf>,
    /// Children that run, and whether a child leads a process group of its own.
    pub(crate) children: BTreeMap<i32, bool>,
    foreground: Option<i32>,
    /// A signal that was meant for the child with the terminal is still to be dealt with, and the child has ended meanwhile.
    owed: bool,
}

impl Table {
    pub(crate) fn give_terminal(&mut self, child: i32) {
        self.foreground = Some(child);
    }

    /// The child has ended. What arrived until now was the child's, whenever the signal thread comes to look at it.
    pub(crate) fn take_terminal(&mut self, child: i32) {
        if self.foreground == Some(child) {
            self.foreground = None;
            self.owed = ARRIVED
                .get()
                .is_some_and(|arrived| arrived.load(Ordering::SeqCst));
        }
    }
}

pub(crate) fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a signal asked the run to end.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// An error if a signal asked the run to end: for loops that take long.
pub fn check() -> Result<()> {
    if interrupted() {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}

/// Starts the handler; called once, by the program.
pub fn install() -> Result<()> {
    let fail = |error| Error::path("sigaction", "", error);
    let arrived = ARRIVED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGQUIT] {
        signal_hook::flag::register(signal, Arc::clone(arrived)).map_err(fail)?;
    }
    let mut signals =
        signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2])
            .map_err(fail)?;
    let spawned = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                handle(signal);
            }
        });
    spawned.map(drop).map_err(fail)
}

/// Keeps a path on the list of what a signal removes; dropping the guard takes it off (and removes nothing).
#[must_use]
pub fn remove_on_exit(path: &Utf8Path) -> Guard {
    let mut table = table();
    table.next += 1;
    let id = table.next;
    table.removals.insert(id, path.to_owned());
    Guard { id }
}

/// See [`remove_on_exit`].
#[derive(Debug)]
pub struct Guard {
    id: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        table().removals.remove(&self.id);
    }
}

fn handle(signal: i32) {
    let from_keyboard = matches!(signal, SIGINT | SIGQUIT);
    let (foreground, owed) = {
        let mut table = table();
        let mut owed = false;
        if from_keyboard {
            owed = std::mem::take(&mut table.owed);
            if let Some(arrived) = ARRIVED.get() {
                arrived.store(false, Ordering::SeqCst);
            }
        }
        (table.foreground, owed)
    };
    match foreground {
        Some(child) => {
            if !(from_keyboard && has_terminal()) {
                send(child, false, signal);
            }
        }
        None if owed => {}
        None => end(signal),
    }
}

/// Whether this process group is the one that the terminal sends its signals to.
fn has_terminal() -> bool {
    let Ok(terminal) = std::fs::File::open("/dev/tty") else {
        return false;
    };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Sends a signal to a child, or to the whole group that it leads.
pub(crate) fn send(child: i32, group: bool, signal: i32) {
    if let (Some(pid), Some(signal)) = (Pid::from_raw(child), Signal::from_named_raw(signal)) {
        let _ = if group {
            kill_process_group(pid, signal)
        } else {
            kill_process(pid, signal)
        };
    }
}

fn end(signal: i32) {
    INTERRUPTED.store(true, Ordering::Relaxed);
    table()
        .children
        .iter()
        .for_each(|(&child, &group)| send(child, group, signal));
    // Whoever waits for a child takes it off the table; until then it may still write into what is to be removed.
    let patience = Instant::now() + Duration::from_secs(2);
    while !table().children.is_empty() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Held to the end: nobody starts or registers anything any more.
    let table = table();
    table
        .children
        .iter()
        .for_each(|(&child, &group)| send(child, group, signal_hook::consts::SIGKILL));
    for path in table.removals.values() {
        // A thread of ours may just be writing into it, but none goes on for long.
        for _ in 0..100 {
            if crate::files::remove_tree(path).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    std::process::abort();
}
