//! Hashes that become ids: salted with the Go version, and traceable line by line.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};
use steady_module::hex;

use crate::quote::{quote, quote_bytes};
use crate::sink::Sink;

/// An id of an action, an output or a file's content.
pub type Id = [u8; 32];

/// Short form of an id that stands in build ids: 20 characters of base64 (URL alphabet) from its first 15 bytes.
#[must_use]
pub fn short(id: &Id) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&id[..15])
}

/// SHA-256 of what is read to the end, and how many bytes that were.
///
/// # Errors
/// It cannot be read.
pub fn hash_of(mut content: impl Read) -> io::Result<(Id, u64)> {
    let mut state = Sha256::new();
    let mut buffer = [0; 32 * 1024];
    let mut size = 0;
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok((state.finalize().into(), size)),
            Ok(n) => {
                state.update(&buffer[..n]);
                size += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The id of something that belongs to `parent`.
#[must_use]
pub fn subkey(parent: &Id, description: &str) -> Id {
    let mut state = Sha256::new();
    state.update(b"subkey:");
    state.update(parent);
    state.update(description.as_bytes());
    state.finalize().into()
}

/// What all hashes of one run share: the salt, and who listens.
pub struct HashContext {
    salt: String,
    trace: Option<Arc<dyn Sink>>,
    texts: Option<Mutex<HashMap<Id, String>>>,
}

impl fmt::Debug for HashContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashContext")
            .field("salt", &self.salt)
            .finish_non_exhaustive()
    }
}

impl HashContext {
    /// `salt` stands before everything that is hashed: `Release::salt` of the toolchain's version. With `trace`, every line
    /// that is hashed is printed (`GODEBUG=gocachehash=1`); with `remember`, it is kept for [`HashContext::text_of`].
    #[must_use]
    pub fn new(salt: &str, trace: Option<Arc<dyn Sink>>, remember: bool) -> HashContext {
        HashContext {
            salt: salt.to_owned(),
            trace,
            texts: remember.then(Mutex::default),
        }
    }

    /// What stands before everything that is hashed.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// A hash that is called `name` where hashes are traced.
    #[must_use]
    pub fn hash(&self, name: impl Into<String>) -> IdHash<'_> {
        let mut hash = IdHash {
            context: self,
            name: name.into(),
            state: Sha256::new(),
            text: String::new(),
            keeps_text: false,
        };
        hash.trace(|name| format!("HASH[{name}]\n"));
        hash.bytes(self.salt.as_bytes());
        hash
    }

    /// [`subkey`], traced.
    #[must_use]
    pub fn subkey(&self, parent: &Id, description: &str) -> Id {
        let id = subkey(parent, description);
        if let Some(sink) = &self.trace {
            sink.print(
                None,
                &format!(
                    "HASH subkey {} {} = {}\n",
                    hex(parent),
                    quote(description),
                    hex(&id)
                ),
            );
        }
        if let Some(texts) = &self.texts {
            let text = format!("subkey {} {}", hex(parent), quote(description));
            lock(texts).insert(id, text);
        }
        id
    }

    /// Says that a file was hashed.
    pub fn trace_file(&self, file: &str, result: Result<&Id, &str>) {
        if let Some(sink) = &self.trace {
            let text = result.map_or_else(str::to_owned, |id| hex(id));
            sink.print(None, &format!("HASH {file}: {text}\n"));
        }
    }

    /// What was hashed into `id`, if it is remembered.
    #[must_use]
    pub fn text_of(&self, id: &Id) -> String {
        self.texts
            .as_ref()
            .and_then(|texts| lock(texts).get(id).cloned())
            .unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A hash in the making. Lines go in with `writeln!`; nothing is buffered, a write is a line of the trace.
pub struct IdHash<'a> {
    context: &'a HashContext,
    name: String,
    state: Sha256,
    text: String,
    keeps_text: bool,
}

impl IdHash<'_> {
    fn trace(&self, line: impl Fn(&str) -> String) {
        if let Some(sink) = &self.context.trace {
            sink.print(None, &line(&self.name));
        }
    }

    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.trace(|name| format!("HASH[{name}]: {}\n", quote_bytes(bytes)));
        if self.context.texts.is_some() || self.keeps_text {
            self.text.push_str(&String::from_utf8_lossy(bytes));
        }
        self.state.update(bytes);
    }

    /// The same hash, which can be asked for its text in the end.
    #[must_use]
    pub fn keeping_text(mut self) -> Self {
        if self.text.is_empty() {
            self.text.push_str(&self.context.salt);
        }
        self.keeps_text = true;
        self
    }

    /// All that was added, behind the salt; of a hash that is [`IdHash::keeping_text`].
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// Adds formatted text: `hash.add(format_args!("goos {goos}\n"))`.
    pub fn add(&mut self, text: fmt::Arguments<'_>) {
        match text.as_str() {
            Some(text) => self.bytes(text.as_bytes()),
            None => self.bytes(text.to_string().as_bytes()),
        }
    }

    /// The id of what was added so far; more can be added after it.
    #[must_use]
    pub fn sum(&self) -> Id {
        let id: Id = self.state.clone().finalize().into();
        self.trace(|name| format!("HASH[{name}]: {}\n", hex(&id)));
        if let Some(texts) = &self.context.texts {
            lock(texts).insert(id, self.text.clone());
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines and sums recorded from `GODEBUG=gocachehash=1 go build` of go1.26.8.
    #[test]
    fn agrees_with_a_recorded_trace() {
        let context = HashContext::new("go1.26.8", None, true);
        let mut hash = context.hash("build internal/goos");
        for line in [
            "compile\n",
            "goos linux goarch amd64\n",
            "import \"internal/goos\"\n",
            "omitdebug false standard true local false prefix \"\"\n",
            "compile compile version go1.26.8 [] []\n",
            "GOAMD64=v1\n",
            "file goos.go JZTWas_HE2iDslWAl3PC\n",
            "file unix.go 4fM-4XRqt1-PqBNkXS42\n",
            "file zgoos_linux.go X-yma9fWsQmmFI-iKXE5\n",
        ] {
            hash.add(format_args!("{line}"));
        }
        let id = hash.sum();
        assert_eq!(
            hex(&id),
            "8cc212c8f37be754195de6099679d7fe333148fc8fc557b403a422623d5cbca9"
        );
        assert!(context.text_of(&id).starts_with("go1.26.8compile\n"));
        let srcfiles = context.subkey(&id, "srcfiles");
        assert_eq!(
            hex(&srcfiles),
            "52c19e6416d23c55016547d7d9503a4950b51ed112926a22ccb463b07fa9a5f8"
        );
        assert_eq!(short(&id), "jMISyPN751QZXeYJlnnX");
    }
}
