//! Which GOROOT is the local one.

use camino::{Utf8Path, Utf8PathBuf};

use steady_system::{Environment, Files};

/// GOROOT from the environment, from the user's file, from the place of this executable (a GOROOT's `bin`), or from a `go` on the
/// search path (which is not run).
pub fn find(environment: &Environment, files: &Files, user: Option<&str>) -> Option<Utf8PathBuf> {
    let named = [user.unwrap_or_default(), environment.get("GOROOT")];
    let named = named.into_iter().find(|value| !value.is_empty());
    if let Some(named) = named {
        return Some(steady_system::clean(Utf8Path::new(named)));
    }
    let beside = environment.executable().and_then(|exe| above(exe, files));
    // The first one may be this program under that name, with the toolchain's behind it.
    beside.or_else(|| {
        let mut programs = environment.programs("go");
        programs.find_map(|go| above(&go, files))
    })
}

/// The GOROOT whose `bin` (or `bin/GOOS_GOARCH`) holds the executable, links followed if need be.
fn above(exe: &Utf8Path, files: &Files) -> Option<Utf8PathBuf> {
    let candidates = |exe: &Utf8Path| {
        exe.ancestors()
            .skip(2)
            .take(2)
            .map(Utf8Path::to_owned)
            .find(|dir| files.is_dir(dir.join("pkg/tool")))
    };
    candidates(exe).or_else(|| candidates(&files.canonicalize(exe).ok()?))
}
