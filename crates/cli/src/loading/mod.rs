//! From a command's flags to loaded packages: modules are opened (`open`), the libraries' configurations put together
//! (`prepare`), patterns loaded (`workbench`), and what is wrong with what was loaded is said (`after`).

mod after;
mod open;
mod package_flags;
mod prepare;
mod workbench;

pub use after::{check, error_in, mains_only, test_error};
pub use open::{ModRequest, open_main, open_modules, shared_index};
pub use prepare::{Request, open_for, prepare, prepare_over};
pub use workbench::Workbench;
