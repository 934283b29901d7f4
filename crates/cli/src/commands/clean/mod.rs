//! `go clean`.

mod packages;

use camino::Utf8PathBuf;
use clap::{Args, FromArgMatches};
use steady_system::clock::Clock;
use steady_system::lock;

use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, ModCommon, ModFlag, Trace, Verbose};
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct CleanFlags {
    /// Remove the installed archive or program too
    #[arg(long)]
    i: bool,
    /// Clean all that the packages depend on too
    #[arg(long)]
    r: bool,
    /// Remove the whole build cache
    #[arg(long)]
    cache: bool,
    /// Remove values that fuzzing found
    #[arg(long)]
    fuzzcache: bool,
    /// Remove the whole module cache
    #[arg(long)]
    modcache: bool,
    /// Let all test results in the build cache expire
    #[arg(long)]
    testcache: bool,
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
}

/// `go clean`
pub static CLEAN: Command = Command {
    usage: "go clean [-i] [-r] [-cache] [-testcache] [-modcache] [-fuzzcache] [build flags] [packages]",
    short: "remove object files and cached files",
    long: include_str!("../../help/text/clean.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<CleanFlags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = CleanFlags::from_arg_matches(&parsed.matches)?;
    let caches = [
        ("-cache", flags.cache),
        ("-testcache", flags.testcache),
        ("-fuzzcache", flags.fuzzcache),
        ("-modcache", flags.modcache),
    ];
    let asked = caches.iter().find(|(_, on)| *on).map(|(name, _)| *name);
    if let Some(flag) = asked.filter(|_| !parsed.arguments.is_empty()) {
        bail!("clean {flag} cannot be used with package arguments");
    }
    if has_packages(session, &flags, parsed, asked.is_some())? {
        packages::clean(session, &flags, &parsed.arguments)?;
    }
    let clean = Clean {
        session,
        trace: &flags.build.trace,
    };
    if flags.cache {
        clean.build_cache()?;
    }
    if flags.testcache && !flags.cache {
        clean.expire_tests();
    }
    if flags.modcache {
        clean.module_cache()?;
    }
    if flags.fuzzcache {
        clean.remove(&[clean.cache_dir()?.join("fuzz")]);
    }
    Ok(Status::DONE)
}

/// Are packages to be cleaned? If the command line says so; or if no cache is named and there is a main module, or GOPATH mode.
fn has_packages(
    session: &Session,
    flags: &CleanFlags,
    parsed: &Parsed,
    caches: bool,
) -> Result<bool> {
    if !parsed.arguments.is_empty() || flags.i || flags.r {
        return Ok(true);
    }
    let (settings, files) = (&session.settings, &session.files);
    let main = crate::modules::go_work(settings, files)?.is_some()
        || crate::modules::go_mod(settings, files).is_some();
    Ok(!caches && (main || !crate::modules::enabled(settings, files)))
}

/// Removes, or only says so.
struct Clean<'a> {
    session: &'a Session,
    trace: &'a Trace,
}

impl Clean<'_> {
    fn cache_dir(&self) -> Result<Utf8PathBuf> {
        self.session.settings.gocache().0.map_err(Failure::error)
    }

    /// Shows the command that would do it, and does it. Only the first thing that goes wrong is worth a message.
    fn remove(&self, paths: &[Utf8PathBuf]) {
        if self.trace.n || self.trace.x {
            let list: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
            self.session
                .printer
                .out(format!("rm -rf {}\n", list.join(" ")));
        }
        if self.trace.n {
            return;
        }
        let failed = paths
            .iter()
            .find_map(|path| self.session.files.remove_all(path).err());
        if let Some(error) = failed {
            self.session.printer.error(error.to_string());
        }
    }

    /// The entries, but not the directory itself: it may have been made with permissions of its own.
    fn build_cache(&self) -> Result<()> {
        let dir = self.cache_dir()?;
        if dir == "off" {
            return Ok(());
        }
        let entries = self.session.files.read_dir(&dir).unwrap_or_default();
        let is_shard = |name: &str| {
            name.len() == 2 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let shards: Vec<Utf8PathBuf> = entries
            .iter()
            .filter(|entry| is_shard(&entry.name))
            .map(|entry| dir.join(&entry.name))
            .collect();
        if !shards.is_empty() {
            self.remove(&shards);
        }
        self.remove(&[dir.join("log.txt")]);
        Ok(())
    }

    /// Test results from before now count no longer: a file in the cache says so.
    fn expire_tests(&self) {
        let Ok(dir) = self.cache_dir() else { return };
        let now = Clock::System.nanos();
        let result = lock::transform::<steady_system::Error>(dir.join("testexpire.txt"), |old| {
            let before: i64 = String::from_utf8_lossy(old)
                .trim()
                .parse()
                .unwrap_or_default();
            Ok(if now > before {
                format!("{now}\n").into_bytes()
            } else {
                old.to_vec()
            })
        });
        if let Err(error) = result
            && self.session.files.exists(&dir)
        {
            self.session.printer.error(error.to_string());
        }
    }

    fn module_cache(&self) -> Result<()> {
        let (dir, _) = self.session.settings.gomodcache();
        if dir.is_empty() {
            bail!("cannot clean -modcache without a module cache");
        }
        self.remove(&[dir.into()]);
        Ok(())
    }
}
