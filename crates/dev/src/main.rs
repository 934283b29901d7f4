//! What a contributor repeats: `cargo dev conformance`, and what comes beside it.

mod conformance;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo dev", about = "What a contributor to Steady repeats")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the go command's own scripts with Steady in its place and hold the result against the list of scripts that pass
    Conformance(conformance::Options),
}

fn main() -> anyhow::Result<std::process::ExitCode> {
    match Arguments::parse().task {
        Task::Conformance(options) => conformance::run(&options),
    }
}
