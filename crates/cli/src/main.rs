//! The program: the environment once, the library, the exit code.

use std::process::ExitCode;

use steady_cli::printer::Printer;
use steady_system::{Environment, interrupt};

/// Loading makes many small objects on all threads at once; the C library's allocator makes them wait for one another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lets the allocator give memory back to the system after 10 ms in place of a second, which is longer than most runs: a fifth of the
/// peak of a load goes for a twentieth of its processor time.
fn give_memory_back() {
    /// Number of `mi_option_purge_delay` (milliseconds) in mimalloc 3, which the crate has no name for.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    /// What it is if nobody has set it, by an environment variable say.
    const DEFAULT: std::ffi::c_long = 1000;
    // SAFETY: both functions may be called at any time with the number of any option; they are `unsafe` because they are foreign.
    unsafe {
        if libmimalloc_sys::mi_option_get(PURGE_DELAY) == DEFAULT {
            libmimalloc_sys::mi_option_set(PURGE_DELAY, 10);
        }
    }
}

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
    give_memory_back();
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
