//! Removal of what was not used for days.

use camino::Utf8Path;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::time::{Duration, SystemTime};

use super::{Cache, USED_INTERVAL};

const TRIM_INTERVAL: Duration = Duration::from_secs(24 * 3600);
const TRIM_LIMIT: Duration = Duration::from_secs(5 * 24 * 3600);

impl Cache {
    /// Trims the cache if the last trim is more than a day ago. Called at the end of real work. A cache that cannot be written
    /// is left as it is.
    pub(super) fn trim(&self) {
        self.trim_at(SystemTime::now());
    }

    fn trim_at(&self, now: SystemTime) {
        let path = self.dir.join("trim.txt");
        let mut text = String::new();
        let read = File::open(&path).and_then(|mut file| file.read_to_string(&mut text));
        if (read.is_ok() && recent(&text, now)) || !matches!(claim(&path, now), Ok(true)) {
            return;
        }
        let cutoff = now - TRIM_LIMIT - USED_INTERVAL;
        for byte in 0..=u8::MAX {
            trim_dir(&self.dir.join(format!("{byte:02x}")), cutoff);
        }
    }
}

/// Writes the time of this trim before it begins, so that others do not begin as well. Returns whether nobody was faster.
fn claim(path: &Utf8Path, now: SystemTime) -> io::Result<bool> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.lock()?;
    let mut text = String::new();
    if file.read_to_string(&mut text).is_ok() && recent(&text, now) {
        return Ok(false);
    }
    let seconds = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    file.rewind()?;
    file.set_len(0)?;
    write!(file, "{seconds}")?;
    Ok(true)
}

fn recent(text: &str, now: SystemTime) -> bool {
    let Ok(seconds) = text.trim().parse::<u64>() else {
        return false;
    };
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    match now.duration_since(last) {
        Ok(age) => age < TRIM_INTERVAL,
        Err(ahead) => ahead.duration() < USED_INTERVAL,
    }
}

fn trim_dir(dir: &Utf8Path, cutoff: SystemTime) {
    let Ok(entries) = dir.read_dir_utf8() else {
        return;
    };
    let entries: Vec<_> = entries.flatten().collect();
    for entry in entries {
        let name = entry.file_name();
        if !name.ends_with("-a") && !name.ends_with("-d") {
            continue;
        }
        let Ok(meta) = entry.metadata() else { continue };
        if meta.modified().is_ok_and(|time| time < cutoff) {
            // What cannot be removed now is tried again tomorrow.
            let _ = if meta.is_dir() {
                fs::remove_dir_all(entry.path())
            } else {
                fs::remove_file(entry.path())
            };
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::super::HashContext;
    use super::*;
    use camino::Utf8PathBuf;

    #[test]
    fn old_files_go_once_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let cache = Cache::open(&path, HashContext::new("go1", None, false), false).unwrap();
        let day = Duration::from_secs(24 * 3600);
        let now = SystemTime::now();
        let age = |file: &Utf8Path, age: Duration| {
            File::open(file).unwrap().set_modified(now - age).unwrap()
        };
        cache.put_bytes(&[1; 32], b"old").unwrap();
        let old = cache.file(&[1; 32], "-a");
        age(&old, 6 * day);
        cache.put_bytes(&[2; 32], b"new").unwrap();
        age(&cache.file(&[2; 32], "-a"), 4 * day);
        let other = path.join("01/other");
        fs::write(&other, "").unwrap();
        age(&other, 100 * day);

        cache.trim_at(now);
        assert!(!old.exists() && cache.file(&[2; 32], "-a").exists() && other.exists());
        let written: u64 = fs::read_to_string(path.join("trim.txt"))
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(
            written,
            now.duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_secs()
        );

        cache.trim_at(now + 2 * day - Duration::from_secs(24 * 3600 + 1));
        assert!(
            cache.file(&[2; 32], "-a").exists(),
            "trimmed within the day"
        );
        cache.trim_at(now + 2 * day);
        assert!(!cache.file(&[2; 32], "-a").exists());
    }
}
