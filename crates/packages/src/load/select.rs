//! Which packages a pattern in front of flags, or in `-coverpkg`, means.

use crate::modload::Modules;
use crate::package::Package;
use crate::patterns::Pattern;
use camino::Utf8Path;
use steady_system::{clean, relative};

/// Does a pattern mean the package?
#[must_use]
pub fn matches(pattern: &str, package: &Package, cwd: &Utf8Path, modules: &Modules) -> bool {
    let public = &package.public;
    match pattern {
        "all" => true,
        "std" => public.standard,
        "cmd" => public.standard && public.import_path.starts_with("cmd/"),
        "tool" if modules.enabled() => modules.mains().iter().any(|main| {
            main.file
                .tool
                .iter()
                .any(|tool| tool.value == public.import_path)
        }),
        "work" if modules.enabled() => public
            .module
            .as_ref()
            .is_some_and(|module| modules.main(&module.path).is_some()),
        _ if pattern == "."
            || pattern == ".."
            || pattern.starts_with("./")
            || pattern.starts_with("../") =>
        {
            let Some(dots) = pattern.find("...") else {
                return clean(&cwd.join(pattern)) == public.dir;
            };
            let cut = pattern[..dots].rfind('/').unwrap_or_default();
            let dir = clean(&cwd.join(&pattern[..cut]));
            relative(&dir, Utf8Path::new(&public.dir)).is_some_and(|below| {
                !below.starts_with("..")
                    && Pattern::new(&pattern[cut + 1..]).matches(below.as_str())
            })
        }
        _ => Pattern::new(pattern).matches(&public.import_path),
    }
}
