//! Which GOROOT is the local one.

use camino::{Utf8Path, Utf8PathBuf};

use crate::shim::{Environment, Files};

/// GOROOT from the environment, from the user's file, from the place of this executable (a GOROOT's `bin`), or from a `go` on the
/// search path (which is not run).
pub fn find(environment: &Environment, files: &Files, user: Option<&str>) -> Option<Utf8PathBuf> {
    let named = user
        .filter(|value| !value.is_empty())
        .or_else(|| environment.get("GOROOT").filter(|value| !value.is_empty()));
    if let Some(named) = named {
        return Some(clean(Utf8Path::new(named)));
    }
    let beside = environment.exe().and_then(|exe| above(exe, files));
    beside.or_else(|| {
        environment
            .find_program("go")
            .and_then(|go| above(&go, files))
    })
}

/// The GOROOT whose `bin` (or `bin/GOOS_GOARCH`) holds the executable, links followed if need be.
fn above(exe: &Utf8Path, files: &Files) -> Option<Utf8PathBuf> {
    let candidates = |exe: &Utf8Path| {
        exe.ancestors()
            .skip(2)
            .take(2)
            .map(Utf8Path::to_owned)
            .find(|dir| files.is_dir(&dir.join("pkg/tool")))
    };
    candidates(exe).or_else(|| candidates(&files.canonicalize(exe).ok()?))
}

/// Go's `filepath.Clean`.
fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut out: Vec<&str> = Vec::new();
    let absolute = path.as_str().starts_with('/');
    for part in path.as_str().split('/') {
        match part {
            "" | "." => {}
            ".." if out.last().is_some_and(|last| *last != "..") => {
                out.pop();
            }
            ".." if absolute => {}
            part => out.push(part),
        }
    }
    let joined = out.join("/");
    match (absolute, joined.as_str()) {
        (true, _) => format!("/{joined}").into(),
        (false, "") => ".".into(),
        (false, _) => joined.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning() {
        for (given, wanted) in [
            ("/a/./b//c/", "/a/b/c"),
            ("/../a", "/a"),
            ("./a/..", "."),
            ("../../x", "../../x"),
        ] {
            assert_eq!(clean(Utf8Path::new(given)), wanted, "{given}");
        }
    }
}
