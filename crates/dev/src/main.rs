//! What a contributor repeats: `cargo dev conformance`, and what comes beside it.

mod bench;
mod clients;
mod conformance;
mod docs;
mod edits;
mod fuzz;
mod identical;
mod loopback;
mod modules;
mod subjects;
mod truth;

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
    /// Build programs with go and with Steady, each with empty caches and with what the other left, and compare them byte for byte
    Identical(identical::Options),
    /// Run what changes and shows requirements with go and with Steady in a module and compare output and files byte for byte
    Modules(modules::Options),
    /// Run go and Steady in turn on the same tree and print the ratios of their times and memory
    Bench(bench::Options),
    /// Hold what check says of real repositories against what go does in each environment
    Truth(truth::Options),
    /// Run staticcheck and an editor's session with gopls, once with go and once with Steady on PATH, and compare what they say
    Clients(clients::Options),
    /// Edit a small workspace at random and hold Steady's answers from warm memories against those from none, and against go's
    Edits(edits::Options),
    /// Run the parsers of everything that comes from outside under a coverage-guided fuzzer
    Fuzz(fuzz::Options),
    /// Write the generated part of the docs
    Docs(docs::Options),
}

fn main() -> anyhow::Result<std::process::ExitCode> {
    match Arguments::parse().task {
        Task::Conformance(options) => conformance::run(&options),
        Task::Identical(options) => identical::run(&options),
        Task::Modules(options) => modules::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Truth(options) => truth::run(&options),
        Task::Clients(options) => clients::run(&options),
        Task::Edits(options) => edits::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Docs(options) => docs::run(&options),
    }
}
