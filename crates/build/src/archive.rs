//! Adding object files to an archive that the compiler wrote.

use camino::Utf8Path;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};

/// Appends files as members, with owner, time and mode blanked so that equal inputs give equal archives.
///
/// # Errors
/// A file cannot be read or the archive cannot be written; the text names the file.
pub fn append(archive: &Utf8Path, files: &[String]) -> io::Result<()> {
    let mut out = BufWriter::new(File::options().append(true).open(archive)?);
    for path in files {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let name = Utf8Path::new(path).file_name().unwrap_or_default();
        let mut field = name.as_bytes().to_vec();
        field.resize(16, b' ');
        out.write_all(&field)?;
        writeln!(out, "{:<12}{:<6}{:<6}{:<8o}{size:<10}`", 0, 0, 0, 0o644)?;
        let copied = io::copy(&mut file, &mut out)?;
        if copied != size {
            return Err(io::Error::other(format!(
                "copying {path} to {archive}: its size changed meanwhile"
            )));
        }
        if size % 2 != 0 {
            out.write_all(&[0])?;
        }
    }
    out.flush()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn members_are_padded_and_anonymous() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("a.a"), "!<arch>\n").unwrap();
        std::fs::write(path("x.o"), "abc").unwrap();
        std::fs::write(path("a_name_longer_than_16.o"), "").unwrap();
        append(
            Utf8Path::new(&path("a.a")),
            &[path("x.o"), path("a_name_longer_than_16.o")],
        )
        .unwrap();
        let want = "!<arch>\n\
            x.o             0           0     0     644     3         `\nabc\0\
            a_name_longer_th0           0     0     644     0         `\n";
        assert_eq!(std::fs::read_to_string(path("a.a")).unwrap(), want);
    }
}
