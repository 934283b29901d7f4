//! The program: the environment once, the library, the exit code.

use std::process::ExitCode;

use steady_cli::printer::Printer;
use steady_system::{Environment, interrupt};

/// Loading makes many small objects on all threads at once; the C library's allocator makes them wait for one another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Environment::capture() {
        Ok(environment) => {
            if let Err(error) = interrupt::install() {
                Printer::standard().error(error.to_string());
                return ExitCode::FAILURE;
            }
            steady_cli::run(environment, Printer::standard()).into()
        }
        Err(error) => {
            Printer::standard().error(error.to_string());
            ExitCode::FAILURE
        }
    }
}
