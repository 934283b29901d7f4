//! Flags of the C compiler, as `go env` shows them.

use std::sync::Arc;
use steady_build::quote::join_words;
use steady_build::{Builder, ListNeeds, Sink};

use crate::configs::{self, BuildRequest};
use crate::failure::Result;
use crate::flags::build::BuildFlags;
use crate::session::Session;

/// GOGCCFLAGS. The compiler is asked what it understands; the answers are kept in the build cache.
///
/// # Errors
/// CC or flags that cannot be split into words, or a build cache that cannot be used.
pub fn gogccflags(session: &Session) -> Result<String> {
    let flags = BuildFlags::default();
    let request = BuildRequest {
        build: &flags,
        v: false,
        o: "",
        cover: None,
    };
    let config = configs::build_config(session, request)?;
    let sink: Arc<dyn Sink> = session.printer.clone();
    let words = Builder::new(config, sink, ListNeeds::default())?.c_compiler_flags();
    Ok(join_words(&words).unwrap_or_else(|_| words.join(" ")))
}
