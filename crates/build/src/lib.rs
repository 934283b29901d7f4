//! From packages to actions to processes: action ids, the build cache, compile, asm, cgo, link, build info.
