//! Reading the build id of a file.

use camino::Utf8Path;
use memchr::memmem;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;

use super::elf::{Header, Range};
use super::macho::{MachO, is_macho};
use crate::quote::unquote;

const HEAD: usize = 32 * 1024;
const PREFIX: &[u8] = b"\xff Go build ID: \"";
const END: &[u8] = b"\"\n \xff";
const GO_NOTE: (&[u8], u32) = (b"Go\0\0", 4);
const GNU_NOTE: (&[u8], u32) = (b"GNU\0", 3);

/// The build id of an archive or a program; empty if it has none.
///
/// # Errors
/// The file cannot be read or is damaged where the id should be.
pub fn read_file(path: &Utf8Path) -> io::Result<String> {
    read_raw(path).map(|id| String::from_utf8_lossy(&id).into_owned())
}

/// The same, of a file whose id the host's linker may have made, which is no text.
///
/// # Errors
/// As [`read_file`].
pub fn read_raw(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut head = Vec::with_capacity(1024);
    file.by_ref().take(1024).read_to_end(&mut head)?;
    if head.starts_with(b"!<arch>\n") {
        return match archive_id(&head) {
            Err(_) => member_id(&mut file),
            found => found.map(String::into_bytes),
        };
    }
    if head.starts_with(b"<bigaf>\n") || head.len() < 8 {
        return Err(malformed());
    }
    file.by_ref()
        .take((HEAD - head.len()) as u64)
        .read_to_end(&mut head)?;
    if let Some(header) = Header::parse(&head) {
        return elf_id(&mut file, &head, &header);
    }
    if is_macho(&head) {
        return macho_id(&mut file, &head).map(String::into_bytes);
    }
    raw_id(&head).map(String::into_bytes)
}

/// The beginning of a file, with all load commands if it is Mach-O.
pub(super) fn head_of(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(1024);
    file.rewind()?;
    file.by_ref().take(1024).read_to_end(&mut head)?;
    if is_macho(&head) {
        file.by_ref()
            .take(MachO::head_size(&head))
            .read_to_end(&mut head)?;
    }
    Ok(head)
}

/// A part of a file; nothing if it cannot be read, or does not reach so far.
pub(super) fn part(file: &File, range: Range) -> Option<Vec<u8>> {
    let end = range.offset.checked_add(range.size)?;
    if file.metadata().ok()?.len() < end {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(range.size).ok()?];
    file.read_exact_at(&mut bytes, range.offset).ok()?;
    Some(bytes)
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "malformed object file")
}

/// The fourth line of an archive that the compiler wrote: `build id "…"`.
fn archive_id(head: &[u8]) -> io::Result<String> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let (_magic, member, object) = (lines.next(), lines.next(), lines.next());
    let is_go = member.is_some_and(|line| line.starts_with(b"__.PKGDEF"))
        && object.is_some_and(|line| line.starts_with(b"go object "));
    let line = lines.next().filter(|_| is_go).ok_or_else(malformed)?;
    let Some(quoted) = line.strip_prefix(b"build id ") else {
        return Ok(String::new());
    };
    std::str::from_utf8(quoted)
        .ok()
        .and_then(unquote)
        .ok_or_else(malformed)
}

/// The id in an archive whose objects GCC compiled: a section of the member `_buildid.o`.
fn member_id(file: &mut File) -> io::Result<Vec<u8>> {
    let mut at = 8; // behind the magic
    loop {
        file.seek(SeekFrom::Start(at))?;
        let mut header = Vec::with_capacity(60);
        file.by_ref().take(60).read_to_end(&mut header)?;
        if header.is_empty() {
            return Ok(Vec::new());
        }
        let size = header
            .get(48..58)
            .and_then(|size| std::str::from_utf8(size).ok());
        let size: u64 = size
            .and_then(|size| size.trim().parse().ok())
            .ok_or_else(malformed)?;
        at += 60;
        if header.starts_with(b"_buildid.o/ ") {
            let mut object = Vec::new();
            file.by_ref().take(size).read_to_end(&mut object)?;
            let part = |range: Range| {
                let start = usize::try_from(range.offset).ok()?;
                let end = start.checked_add(usize::try_from(range.size).ok()?)?;
                object.get(start..end).map(<[u8]>::to_vec)
            };
            let section = Header::parse(&object)
                .and_then(|header| header.section_named(&part, b".go.buildid"));
            return section.and_then(part).ok_or_else(malformed);
        }
        at = at
            .checked_add(size.next_multiple_of(2))
            .ok_or_else(malformed)?;
    }
}

fn elf_id(file: &mut File, head: &[u8], header: &Header) -> io::Result<Vec<u8>> {
    let mut gnu = None;
    for range in header.note_segments(head).ok_or_else(malformed)? {
        if range.size < 16 {
            continue;
        }
        let notes = read_range(file, head, range)?;
        if let Some(note) = find_note(&notes, header, range.align, GO_NOTE) {
            return Ok(note.to_vec());
        }
        if let Some(note) = find_note(&notes, header, range.align, GNU_NOTE) {
            gnu = Some(note.to_vec());
        }
    }
    Ok(gnu.unwrap_or_default())
}

fn read_range(file: &mut File, head: &[u8], range: Range) -> io::Result<Vec<u8>> {
    let end = range.offset.checked_add(range.size).ok_or_else(malformed)?;
    if end <= head.len() as u64 {
        let bounds = usize::try_from(range.offset).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
        return Ok(head[bounds].to_vec());
    }
    file.seek(SeekFrom::Start(range.offset))?;
    let mut notes = Vec::new();
    // Bounded by the file itself, whatever its header says.
    file.take(range.size).read_to_end(&mut notes)?;
    if notes.len() as u64 == range.size {
        Ok(notes)
    } else {
        Err(malformed())
    }
}

/// The description of the first note of that owner and type.
fn find_note<'a>(
    mut notes: &'a [u8],
    header: &Header,
    align: u64,
    (owner, kind): (&[u8], u32),
) -> Option<&'a [u8]> {
    let order = header.order();
    let align = usize::try_from(align.max(4)).ok()?;
    while notes.len() >= 16 {
        let name = order.u32(notes, 0)? as usize;
        let size = order.u32(notes, 4)? as usize;
        if name == 4 && order.u32(notes, 8)? == kind && &notes[12..16] == owner {
            return notes.get(16..16usize.checked_add(size)?);
        }
        let whole = 12usize
            .checked_add(name.checked_next_multiple_of(4)?)?
            .checked_add(size.checked_next_multiple_of(4)?)?;
        notes = notes.get(whole.checked_next_multiple_of(align)?..)?;
    }
    None
}

/// The description of a note in any section of an ELF file, such as the list of packages of a shared library.
///
/// # Errors
/// The file cannot be read or is no ELF file.
pub fn read_elf_note(path: &Utf8Path, owner: &[u8; 4], kind: u32) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let header = Header::parse(&head_of(&mut file)?).ok_or_else(malformed)?;
    for range in header.note_sections(&|range| part(&file, range)) {
        let Some(notes) = part(&file, range) else {
            continue;
        };
        if let Some(note) = find_note(&notes, &header, range.align, (owner, kind)) {
            return Ok(Some(note.to_vec()));
        }
    }
    Ok(None)
}

/// A section of an ELF file, such as gccgo's export data.
///
/// # Errors
/// The file cannot be read or is no ELF file.
pub fn read_elf_section(path: &Utf8Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let header = Header::parse(&head_of(&mut file)?).ok_or_else(malformed)?;
    let part = |range| part(&file, range);
    Ok(header.section_named(&part, name.as_bytes()).and_then(part))
}

fn macho_id(file: &mut File, head: &[u8]) -> io::Result<String> {
    match raw_id(head) {
        Ok(id) if !id.is_empty() => return Ok(id),
        _ => {}
    }
    let (offset, size) = MachO::parse(head)
        .and_then(|parsed| parsed.text_section(head))
        .ok_or_else(malformed)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut text = Vec::new();
    file.take(size.min(HEAD as u64)).read_to_end(&mut text)?;
    raw_id(&text)
}

/// The id that the linker puts at the beginning of the text of formats without notes.
fn raw_id(data: &[u8]) -> io::Result<String> {
    let Some(at) = memmem::find(data, PREFIX) else {
        return Ok(String::new());
    };
    let start = at + PREFIX.len() - 1;
    let end = memmem::find(&data[start + 1..], END)
        .map(|end| start + 1 + end + 1)
        .ok_or_else(malformed)?;
    std::str::from_utf8(&data[start..end])
        .ok()
        .and_then(unquote)
        .ok_or_else(malformed)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;

    fn id_of(data: &[u8]) -> io::Result<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("x")).unwrap();
        std::fs::write(&path, data).unwrap();
        read_file(&path)
    }

    #[test]
    fn archives() {
        let head = "!<arch>\n__.PKGDEF       0           0     0     644     7955      `\ngo object linux amd64 go1.26\n";
        assert_eq!(
            id_of(format!("{head}build id \"a/b\"\n").as_bytes()).unwrap(),
            "a/b"
        );
        assert_eq!(id_of(format!("{head}\n!\n").as_bytes()).unwrap(), "");
        assert!(id_of(b"!<arch>\nx.o/     0\nxx\nyy\n").is_err());
        assert!(id_of(b"").is_err());
    }

    /// A 64-bit ELF object with two sections: names, and the id.
    fn object(id: &[u8]) -> Vec<u8> {
        let names = b"\0.go.buildid\0";
        let mut data = vec![0; 64];
        data[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        data.extend_from_slice(names);
        data.extend_from_slice(id);
        data[40] = u8::try_from(data.len()).unwrap(); // section headers
        data[58] = 64; // size of one
        data[60] = 2; // how many
        for (name, at, size) in [(0, 64, names.len()), (1, 64 + names.len(), id.len())] {
            let mut header = vec![0; 64];
            header[0] = name;
            header[24] = u8::try_from(at).unwrap();
            header[32] = u8::try_from(size).unwrap();
            data.extend_from_slice(&header);
        }
        data
    }

    #[test]
    fn archives_of_objects() {
        let member = |name: &str, content: &[u8]| {
            let size = content.len();
            let mut member = format!("{name:<16}{:<32}{size:<10}`\n", 0).into_bytes();
            member.extend_from_slice(content);
            member.resize(member.len().next_multiple_of(2), b'\n');
            member
        };
        let archive = |members: &[Vec<u8>]| [b"!<arch>\n".to_vec(), members.concat()].concat();
        let (code, id) = (
            member("_go_.o/", b"odd"),
            member("_buildid.o/", &object(b"a/b")),
        );
        assert_eq!(id_of(&archive(&[code.clone(), id.clone()])).unwrap(), "a/b");
        assert_eq!(id_of(&archive(std::slice::from_ref(&code))).unwrap(), "");
        let cut = &archive(&[code, id])[..150];
        assert!(id_of(cut).is_err());
    }

    #[test]
    fn raw_programs() {
        assert_eq!(
            id_of(b"MZ......\xff Go build ID: \"a/b\"\n \xff").unwrap(),
            "a/b"
        );
        assert_eq!(id_of(b"MZ.......").unwrap(), "");
        assert!(id_of(b"MZ......\xff Go build ID: \"a/b").is_err());
    }

    /// A 64-bit ELF file with one note segment that holds a GNU note and after it a Go note.
    fn elf(second_owner: &[u8; 4], kind: u8) -> Vec<u8> {
        let mut data = vec![0; 120];
        data[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        data[32] = 64; // program headers
        data[54] = 56;
        data[56] = 1;
        data[64] = 4; // a note segment
        data[72] = 120;
        data[112] = 4;
        data.extend_from_slice(b"\x04\0\0\0\x03\0\0\0\x03\0\0\0GNU\0abc\0");
        data.extend_from_slice(&[4, 0, 0, 0, 3, 0, 0, 0, kind, 0, 0, 0]);
        data.extend_from_slice(second_owner);
        data.extend_from_slice(b"x/y\0");
        data[96] = u8::try_from(data.len() - 120).unwrap();
        data
    }

    #[test]
    fn elf_notes() {
        assert_eq!(id_of(&elf(b"Go\0\0", 4)).unwrap(), "x/y");
        assert_eq!(
            id_of(&elf(b"Og\0\0", 4)).unwrap(),
            "abc",
            "the host's id when there is no other"
        );
        let mut cut = elf(b"Go\0\0", 4);
        cut.truncate(130);
        assert!(id_of(&cut).is_err());
    }
}
