//! Embeds the defaults of GOPROXY and GOSUMDB, which are a Go distribution's to decide, from one that is at hand where Steady is
//! built: `$GOROOT`, the tree of the `go` on the search path, or the usual place of installation. Without one nothing is embedded,
//! and the user is asked to set GOPROXY when it is first needed.

#![allow(clippy::disallowed_methods)] // a build script has no system::Environment

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=GOROOT");
    println!("cargo::rerun-if-env-changed=PATH");
    let mut defaults = String::new();
    if let Some(file) = candidates()
        .into_iter()
        .map(|root| root.join("go.env"))
        .find(|file| file.is_file())
    {
        println!("cargo::rerun-if-changed={}", file.display());
        for line in fs::read_to_string(&file).unwrap_or_default().lines() {
            if line.starts_with("GOPROXY=") || line.starts_with("GOSUMDB=") {
                defaults.push_str(line);
                defaults.push('\n');
            }
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("go.env"), defaults).expect("OUT_DIR is writable");
}

fn candidates() -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = env::var_os("GOROOT")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    let path = env::var_os("PATH").unwrap_or_default();
    let go = env::split_paths(&path)
        .map(|dir| dir.join("go"))
        .find(|go| go.is_file());
    let go = go.and_then(|go| fs::canonicalize(go).ok());
    roots.extend(
        go.as_deref()
            .and_then(Path::parent)
            .and_then(Path::parent)
            .map(Path::to_owned),
    );
    roots.extend(["/usr/local/go", "/usr/lib/go", "/usr/lib/golang"].map(PathBuf::from));
    roots
}
