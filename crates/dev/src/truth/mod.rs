//! What `steady check` says of real repositories equals what happens there: go does in each environment what somebody there would do.
//!
//! Each tree is cloned, fetched for and built by go alone (`deeds`), with settings and caches that nobody has touched; then check's
//! verdicts and errors are held against what came of it (`compare`). Small broken workspaces are the tests' (`incidents/`); this is for
//! trees that nobody has made for the purpose, takes long, and asks the module proxy.

#![allow(clippy::disallowed_methods)]

mod compare;
mod deeds;

use crate::subjects::Subjects;
use anyhow::{Context as _, Result, bail};
use compare::Report;
use deeds::Depth;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What to compare.
#[derive(clap::Args)]
pub struct Options {
    /// Repositories of modules or workspaces, with a commit
    #[arg(required = true)]
    trees: Vec<PathBuf>,
    /// Run this program instead of building Steady
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Flags for check, such as "-online -prove"
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    flags: String,
    /// On other platforms than this one let go load only, and not build
    #[arg(long)]
    cross_load: bool,
    /// Let go load only, and build nowhere: for trees whose building takes too long
    #[arg(long)]
    load: bool,
    /// Where clones and caches lie, and what each command said; kept, so that the next time is quicker
    #[arg(long, value_name = "DIR", default_value = "target/truth")]
    work: PathBuf,
    /// Do not ask go again, but hold check against what came of it the last time
    #[arg(long)]
    again: bool,
}

/// The places that check knows, in the order in which it shows them.
const ENVIRONMENTS: [&str; 4] = ["here", "ci", "colleague", "consumer"];

/// Judges every tree; fails if go and check part anywhere.
pub fn run(options: &Options) -> Result<ExitCode> {
    let subjects = Subjects::find(options.binary.as_deref(), None)?;
    fs::create_dir_all(&options.work)?;
    let work = fs::canonicalize(&options.work)?;
    let mut agree = true;
    for tree in &options.trees {
        let tree = fs::canonicalize(tree).with_context(|| tree.display().to_string())?;
        let name = tree.file_name().context("a tree without a name")?;
        let own = work.join(name);
        fs::create_dir_all(&own)?;
        let kept = own.join(deeds::KEPT);
        let known = match options.again {
            true => serde_json::from_slice(&fs::read(&kept)?)?,
            false => {
                let truth = deeds::Truth::new(&subjects, &tree, &work, &own)?;
                let known = truth.all(match (options.load, options.cross_load) {
                    (true, _) => Depth::Load,
                    (false, true) => Depth::CrossLoad,
                    (false, false) => Depth::Build,
                })?;
                fs::write(&kept, serde_json::to_vec_pretty(&known)?)?;
                known
            }
        };
        let said = check(&subjects, &tree, &options.flags)?;
        fs::write(own.join("check.json"), &said)?;
        let proved = options.flags.contains("-prove");
        let report = Report::new(&known, &serde_json::from_slice(&said)?, proved)?;
        print!("{}", report.text(&name.to_string_lossy()));
        agree &= report.agrees();
    }
    Ok(match agree {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn check(subjects: &Subjects, tree: &Path, flags: &str) -> Result<Vec<u8>> {
    let output = Command::new(&subjects.steady)
        .arg0("steady")
        .args(["check", "-json"])
        .args(flags.split_whitespace())
        .current_dir(tree)
        .output()?;
    if output.stdout.is_empty() {
        bail!("steady check: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}
