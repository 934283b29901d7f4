//! From patterns to packages: build constraints, imports, embeds, the module loader, package loading.
pub mod embed;
pub mod godebug;
pub mod index;
pub mod load;
pub mod modload;
pub mod package;
pub mod patterns;
pub mod prebuilt;
pub mod reached;
pub mod source;
