//! The program: the environment once, the library, the exit code.

use std::process::ExitCode;

use steady_cli::printer::Printer;
use steady_system::{Environment, interrupt};

/// Loading makes many small objects on all threads at once; the C library's allocator makes them wait for one another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
mod spawn {
    unsafe extern "C" {
        fn posix_spawn_file_actions_addchdir_np(actions: *mut u8, path: *const u8) -> i32;
    }

    /// The standard library starts programs in directories by `posix_spawn` only if it finds this function, and looks for it in a way
    /// that makes no static link take it in. What it does otherwise is slower, and runs what the system cannot run as a shell script.
    /// Nobody calls it from here; the declaration is `unsafe` because every foreign one is.
    #[used]
    static IN_DIRECTORY: unsafe extern "C" fn(*mut u8, *const u8) -> i32 =
        posix_spawn_file_actions_addchdir_np;
}

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
