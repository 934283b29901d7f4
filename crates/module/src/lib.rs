//! Formats and words of Go modules: paths, versions, go.mod, go.work, go.sum, modules.txt. Pure.
