//! From patterns to packages: build constraints, imports, embeds, the module loader, package loading.
pub mod package;
