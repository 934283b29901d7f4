//! The build cache, shared with the go command: GOCACHE.
//!
//! Layout, under 256 directories named after the first byte of an id:
//!
//! | file | holds |
//! |---|---|
//! | `xx/ID-a` | one line `v1 <action id> <output id> <size, 20 columns> <nanoseconds since 1970, 20 columns>` |
//! | `xx/ID-d` | the output whose SHA-256 is ID; a directory with one file if the output is a program |
//! | `README`, `trim.txt` | a note for people; the second of the last trim |
//!
//! Invariants. Outputs and entries appear under their names only when they are complete (written beside them and renamed; go, which
//! writes in place and commits with the last byte, checks the size, and so do we). Files are marked as used at most
//! once an hour (modification time), and what was not used for five days goes in a trim once a day. A reader trusts nothing but
//! an entry whose shape, id and size are right.

mod file_hash;
mod hash;
mod prog;
mod prune;
mod survey;
mod trim;

pub use file_hash::FileHashes;
pub use hash::{HashContext, Id, IdHash, hash_of, short, subkey};
pub use prune::{IN_USE, Limits, Pruned, prune};
pub use steady_module::hex;
pub use survey::{Survey, Unit};

use camino::{Utf8Path, Utf8PathBuf};
use prog::Program;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use steady_system::process::Command;
use steady_system::{Question, Sight, Sightings, fault};

const README: &str = "This directory holds cached build artifacts from the Go build system.
Run \"go clean -cache\" if the directory is getting too large.
Run \"go clean -fuzzcache\" to delete the fuzz cache.
See go.dev to learn more about Go.
";

const ENTRY_SIZE: usize = 2 + 1 + 64 + 1 + 64 + 1 + 20 + 1 + 20 + 1;
const USED_INTERVAL: Duration = Duration::from_secs(3600);

/// What an action id maps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// SHA-256 of the output.
    pub output: Id,
    /// Its size in bytes.
    pub size: u64,
    /// When it was added, in nanoseconds since 1970.
    pub time: u64,
}

/// Why verification (`GODEBUG=gocacheverify=1`) stopped.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The program that keeps the cache.
    #[error("{0}")]
    Program(String),
    /// An action that was repeated gave another output.
    #[error("internal cache error: cache verify failed: {0}")]
    Verify(String),
}

/// An open build cache. All methods may be called from several threads, and other processes may use the directory.
#[derive(Debug)]
pub struct Cache {
    dir: Utf8PathBuf,
    hashes: HashContext,
    verify: bool,
    serial: AtomicU64,
    /// Keeps everything in our stead.
    program: Option<Program>,
    /// Takes notes of what is found and what is not.
    sightings: Option<Arc<Sightings>>,
}

impl Cache {
    /// Opens GOCACHE and makes it if it is not there. With `verify` every look-up misses, and what is put in must equal what
    /// is there.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn open(dir: &Utf8Path, hashes: HashContext, verify: bool) -> io::Result<Cache> {
        fs::create_dir_all(dir)?;
        let readme = dir.join("README");
        if !readme.exists() {
            // For people only; the cache works without it.
            let _ = File::create(&readme).and_then(|mut file| file.write_all(README.as_bytes()));
        }
        Ok(Cache {
            dir: dir.to_owned(),
            hashes,
            verify,
            serial: AtomicU64::new(0),
            program: None,
            sightings: None,
        })
    }

    /// From here on it is noted what look-ups find, so that an answer which follows from that can be given again.
    pub fn note_look_ups(&mut self, sightings: Arc<Sightings>) {
        if self.verify || self.program.is_some() {
            sightings.spoil(); // files do not tell what is found
        }
        self.sightings = Some(sightings);
    }

    fn note(&self, path: &Utf8Path, question: Question) {
        if let Some(sightings) = &self.sightings {
            sightings.look(path, question);
        }
    }

    /// Lets a program (GOCACHEPROG) keep everything. `name` is what messages call it, and `waiting` is called as long as it
    /// has not said that it is ready.
    ///
    /// # Errors
    /// It cannot be started, or does not know what it should; in go's words.
    pub fn use_program(
        &mut self,
        name: &str,
        command: &Command,
        waiting: &dyn Fn(),
    ) -> Result<(), String> {
        self.program = Some(Program::start(name, command, waiting)?);
        Ok(())
    }

    /// The end of real work: the cache is trimmed, or the program that keeps it told to close.
    ///
    /// # Errors
    /// What the program says.
    pub fn close(&self) -> Result<(), String> {
        match &self.program {
            Some(program) => program.close(),
            None => {
                self.trim();
                Ok(())
            }
        }
    }

    /// GOCACHE.
    #[must_use]
    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// The hashes whose sums are this cache's action ids.
    #[must_use]
    pub fn hashes(&self) -> &HashContext {
        &self.hashes
    }

    fn file(&self, id: &Id, suffix: &str) -> Utf8PathBuf {
        let name = hex(id);
        let mut path = String::with_capacity(self.dir.as_str().len() + 72);
        path.push_str(self.dir.as_str());
        path.push('/');
        path.push_str(&name[..2]);
        path.push('/');
        path.push_str(&name);
        path.push_str(suffix);
        path.into()
    }

    /// The entry of an action, if there is one. The output itself is not looked at.
    #[must_use]
    pub fn get(&self, action: &Id) -> Option<Entry> {
        match &self.program {
            Some(program) => program.get(action),
            None if self.verify => None,
            None => self.entry(action),
        }
    }

    fn entry(&self, action: &Id) -> Option<Entry> {
        let path = self.file(action, "-a");
        let found = self.read_entry(&path, action);
        if found.is_none() {
            self.note(&path, Question::Head);
        }
        found
    }

    fn read_entry(&self, path: &Utf8Path, action: &Id) -> Option<Entry> {
        let mut file = File::open(path).ok()?;
        let meta = file.metadata().ok()?;
        let mut line = [0; ENTRY_SIZE + 1];
        let mut length = 0;
        loop {
            match file.read(&mut line[length..]).ok()? {
                0 => break,
                n => length += n,
            }
            if length == line.len() {
                return None; // longer than an entry
            }
        }
        let entry = parse_entry(&line[..length], action)?;
        let marked = mark_used(path, &meta);
        if let Some(sightings) = &self.sightings {
            let sight = Sight::head(&meta, &line[..length]);
            let sight = if marked { sight.unstamped() } else { sight };
            sightings.saw(path, Question::Head, sight);
        }
        Some(entry)
    }

    /// The file that holds an action's output, if it is there and whole.
    #[must_use]
    pub fn get_file(&self, action: &Id) -> Option<(Utf8PathBuf, Entry)> {
        let entry = self.get(action)?;
        let path = self.output_file(&entry.output)?;
        let size = File::open(&path).ok()?.metadata().ok()?.len();
        (size == entry.size).then_some((path, entry))
    }

    /// An action's output in memory, if it is there and its hash is right.
    #[must_use]
    pub fn get_bytes(&self, action: &Id) -> Option<(Vec<u8>, Entry)> {
        let entry = self.get(action)?;
        let mut data = Vec::new();
        File::open(self.output_file(&entry.output)?)
            .ok()?
            .read_to_end(&mut data)
            .ok()?;
        (Id::from(Sha256::digest(&data)) == entry.output).then_some((data, entry))
    }

    /// Where an output lies, and marks it as used. `None` if it is not there.
    #[must_use]
    pub fn output_file(&self, output: &Id) -> Option<Utf8PathBuf> {
        if let Some(program) = &self.program {
            return program.output_file(output);
        }
        let path = self.file(output, "-d");
        let meta = path.symlink_metadata();
        if let Ok(meta) = &meta {
            mark_used(&path, meta);
        }
        let is_dir = meta.as_ref().is_ok_and(fs::Metadata::is_dir);
        let question = if is_dir {
            Question::Stamp
        } else {
            Question::Head
        };
        self.note(&path, question);
        meta.ok()?;
        if !is_dir {
            return Some(path);
        }
        let mut names = path.read_dir_utf8().ok()?;
        let only = names.next()?.ok()?.into_path();
        names.next().is_none().then_some(only)
    }

    /// Records `data` as an action's output.
    ///
    /// # Errors
    /// It cannot be written, or verification found another output.
    pub fn put_bytes(&self, action: &Id, data: &[u8]) -> Result<Utf8PathBuf, CacheError> {
        self.put(action, Cursor::new(data), true)
    }

    /// Records the content of a file that nobody changes meanwhile as an action's output.
    ///
    /// # Errors
    /// It cannot be read or written, or verification found another output.
    pub fn put_file(&self, action: &Id, file: &File) -> Result<Utf8PathBuf, CacheError> {
        self.put(action, file, true)
    }

    /// [`Cache::put_bytes`] for outputs that may differ from one time to the next.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put_unverified(&self, action: &Id, data: &[u8]) -> Result<Utf8PathBuf, CacheError> {
        self.put(action, Cursor::new(data), false)
    }

    fn put(
        &self,
        action: &Id,
        mut content: impl Content,
        check: bool,
    ) -> Result<Utf8PathBuf, CacheError> {
        content.rewind()?;
        let (output, size) = hash_of(&mut content)?;
        content.rewind()?;
        if let Some(program) = &self.program {
            let kept = program
                .put(action, &output, size, &mut content)
                .map_err(CacheError::Program)?;
            return Ok(kept.unwrap_or_default());
        }
        let path = self.file(&output, "-d");
        if !is_content(&path, &output, size) {
            self.write_output(&path, &mut content, size)?;
        }
        self.put_entry(action, &output, size, check)?;
        Ok(path)
    }

    /// Whether programs can be kept under their own names.
    #[must_use]
    pub fn keeps_executables(&self) -> bool {
        self.program.is_none()
    }

    /// Records a program as an action's output, under its own name in a directory of its own.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put_executable(
        &self,
        action: &Id,
        name: &str,
        mut program: impl Content,
    ) -> Result<Utf8PathBuf, CacheError> {
        program.rewind()?;
        let (output, size) = hash_of(&mut program)?;
        program.rewind()?;
        let dir = self.file(&output, "-d");
        if !dir.is_dir() {
            fs::create_dir_all(&dir)?;
        }
        let path = dir.join(name);
        if !is_content(&path, &output, size) {
            // Not beside the program: the directory must never hold two files.
            let temporary = self.begin_output(&dir, 0o777)?;
            temporary.finish(&path, &mut program, size)?;
        }
        self.put_entry(action, &output, size, true)?;
        Ok(path)
    }

    fn write_output(
        &self,
        path: &Utf8Path,
        content: &mut impl Content,
        size: u64,
    ) -> io::Result<()> {
        let temporary = match self.begin_output(path, 0o666) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
                self.begin_output(path, 0o666)?
            }
            other => other?,
        };
        temporary.finish(path, content, size)
    }

    /// A file beside `stem`. Its name ends in `-d` so that a trim takes what a crash left.
    fn begin_output(&self, stem: &Utf8Path, mode: u32) -> io::Result<Temporary> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let path = format!("{stem}.{}.{serial}-d", std::process::id()).into();
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&path)?;
        Ok(Temporary { path, file })
    }

    fn put_entry(
        &self,
        action: &Id,
        output: &Id,
        size: u64,
        check: bool,
    ) -> Result<(), CacheError> {
        let time = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let line = format!("v1 {} {} {size:>20} {time:>20}\n", hex(action), hex(output));
        if self.verify
            && check
            && let Some(old) = self.entry(action)
            && (old.output != *output || old.size != size)
        {
            return Err(CacheError::Verify(format!(
                "id={} changed:<<<\n{}\n>>>\nold: {} {size}\nnew: {} {}",
                hex(action),
                self.hashes.text_of(action),
                hex(output),
                hex(&old.output),
                old.size
            )));
        }
        let path = self.file(action, "-a");
        self.write_output(&path, &mut Cursor::new(line), ENTRY_SIZE as u64)?;
        Ok(())
    }

    /// The directory of fuzzing's corpora.
    #[must_use]
    pub fn fuzz_dir(&self) -> Utf8PathBuf {
        self.dir.join("fuzz")
    }
}

/// What is put into the cache: bytes, or a file, which is never held in memory as a whole.
pub trait Content: Read + Seek {}
impl<T: Read + Seek> Content for T {}

/// An output that is being written.
struct Temporary {
    path: Utf8PathBuf,
    file: File,
}

impl Temporary {
    /// Writes the content, which must be as long as it was when it was hashed, and gives the file its name.
    fn finish(mut self, path: &Utf8Path, content: &mut impl Content, size: u64) -> io::Result<()> {
        fault::step_copy(content, &mut self.file, size);
        let written = match io::copy(content, &mut self.file) {
            Ok(copied) if copied == size => {
                fault::step();
                fs::rename(&self.path, path)
            }
            Ok(_) => Err(io::Error::other("file changed while it was copied")),
            Err(error) => Err(error),
        };
        if written.is_err() {
            let _ = fs::remove_file(&self.path);
        }
        written
    }
}

/// Whether a file has the content that its name says.
fn is_content(path: &Utf8Path, output: &Id, size: u64) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    file.metadata().is_ok_and(|meta| meta.len() == size)
        && hash_of(file).is_ok_and(|(id, _)| id == *output)
}

/// Marks a file as used, if it was not for a while. Tells whether it did.
fn mark_used(path: &Utf8Path, meta: &fs::Metadata) -> bool {
    let now = SystemTime::now();
    let old = meta.modified().is_ok_and(|time| {
        now.duration_since(time)
            .is_ok_and(|age| age >= USED_INTERVAL)
    });
    if old {
        // A cache that cannot be written can still be read.
        let _ = File::open(path).and_then(|file| file.set_modified(now));
    }
    old
}

fn parse_entry(line: &[u8], action: &Id) -> Option<Entry> {
    if line.len() != ENTRY_SIZE || line[ENTRY_SIZE - 1] != b'\n' {
        return None;
    }
    let line = std::str::from_utf8(&line[..ENTRY_SIZE - 1]).ok()?;
    let rest = line
        .strip_prefix("v1 ")?
        .strip_prefix(&hex(action))?
        .strip_prefix(' ')?;
    let (output, rest) = rest.split_at_checked(64)?;
    let (size, time) = rest.strip_prefix(' ')?.split_at_checked(20)?;
    Some(Entry {
        output: parse_hex(output)?,
        size: size.trim_start_matches(' ').parse().ok()?,
        time: time
            .strip_prefix(' ')?
            .trim_start_matches(' ')
            .parse()
            .ok()?,
    })
}

fn parse_hex(text: &str) -> Option<Id> {
    let mut id = Id::default();
    for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |c: u8| (c as char).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(id)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    fn open(verify: bool) -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("go-build")).unwrap();
        let cache = Cache::open(&path, HashContext::new("go1.26.8", None, false), verify).unwrap();
        (dir, cache)
    }

    #[test]
    fn stores_and_finds() {
        let (_dir, cache) = open(false);
        let action = [7; 32];
        assert_eq!(cache.get(&action), None);
        let path = cache.put_bytes(&action, b"data").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"data");
        let (data, entry) = cache.get_bytes(&action).unwrap();
        assert_eq!((data.as_slice(), entry.size), (b"data".as_slice(), 4));
        let line = fs::read_to_string(cache.file(&action, "-a")).unwrap();
        assert_eq!(line.len(), ENTRY_SIZE);
        assert!(line.starts_with(&format!(
            "v1 {} {}                    4 ",
            "07".repeat(32),
            hex(&entry.output)
        )));
        assert!(cache.dir().join("README").exists());
    }

    #[test]
    fn damaged_entries_and_outputs_are_misses() {
        let (_dir, cache) = open(false);
        let action = [7; 32];
        let output = cache.put_bytes(&action, b"data").unwrap();
        let path = cache.file(&action, "-a");
        let line = fs::read_to_string(&path).unwrap();
        let damaged = [
            String::new(),
            line[..100].to_owned(),
            format!("{line} "),
            line.replace("v1", "v2"),
            line.replacen("07", "08", 1),
            line.replace("  4 ", " -4 "),
            line.replace('\n', " "),
        ];
        for text in damaged {
            fs::write(&path, &text).unwrap();
            assert_eq!(cache.get(&action), None, "{text:?}");
        }
        fs::write(&path, &line).unwrap();
        fs::write(&output, b"dat").unwrap();
        assert!(cache.get(&action).is_some());
        assert!(cache.get_file(&action).is_none(), "wrong size");
        fs::write(&output, b"dada").unwrap();
        assert!(cache.get_bytes(&action).is_none(), "wrong content");
        cache.put_bytes(&action, b"data").unwrap();
        assert!(cache.get_bytes(&action).is_some(), "mended by the next put");
    }

    #[test]
    fn a_longer_line_is_cut() {
        let (_dir, cache) = open(false);
        let path = cache.file(&[1; 32], "-a");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "x".repeat(300)).unwrap();
        cache.put_bytes(&[1; 32], b"").unwrap();
        assert_eq!(cache.get_bytes(&[1; 32]).unwrap().0, b"");
    }

    #[test]
    fn programs_lie_in_directories() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_dir, cache) = open(false);
        let path = cache
            .put_executable(&[2; 32], "hello", Cursor::new(b"ELF"))
            .unwrap();
        assert_eq!(path.file_name(), Some("hello"));
        assert_ne!(fs::metadata(&path).unwrap().permissions().mode() & 0o100, 0);
        assert_eq!(cache.get_file(&[2; 32]).unwrap().0, path);
        assert_eq!(
            cache
                .put_executable(&[3; 32], "hello", Cursor::new(b"ELF"))
                .unwrap(),
            path
        );
    }

    #[test]
    fn verification_misses_and_compares() {
        let (_dir, cache) = open(true);
        cache.put_bytes(&[4; 32], b"one").unwrap();
        assert!(cache.get(&[4; 32]).is_none());
        cache.put_bytes(&[4; 32], b"one").unwrap();
        assert!(matches!(
            cache.put_bytes(&[4; 32], b"two"),
            Err(CacheError::Verify(_))
        ));
        cache.put_unverified(&[4; 32], b"two").unwrap();
    }
}
