//! The program: the environment once, the library, the exit code.

use std::process::ExitCode;

use steady_cli::Environment;
use steady_cli::printer::Printer;

fn main() -> ExitCode {
    match Environment::capture() {
        Ok(environment) => steady_cli::run(environment, Printer::standard()).into(),
        Err(error) => {
            Printer::standard().error(error.to_string());
            ExitCode::FAILURE
        }
    }
}
