//! Subversion: what its XML says, and a zip made from an export.

use camino::Utf8Path;

use steady_system::{FileKind, Files};

use super::command::RunError;
use super::discovery::decode;
use super::host::Commit;
use crate::error::Kind;
use crate::zip::{Content, SourceFile, write_plain};
use crate::{Error, Result, Time};

fn unexpected(command: &str, text: &str) -> Error {
    Error::other(format!(
        "unexpected response from svn {command} --xml: {text}"
    ))
}

/// The text of the first element of a name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// An attribute in the first tag of a name.
fn attribute<'a>(xml: &'a str, tag: &str, name: &str) -> Option<&'a str> {
    let at = xml.find(&format!("<{tag}"))?;
    let head = xml[at..].split_once('>')?.0;
    let (_, rest) = head.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// The one entry of `svn log -l1 --xml`.
pub fn commit(rev: &str, xml: &str) -> Result<Commit> {
    let number =
        attribute(xml, "logentry", "revision").and_then(|number| number.parse::<u64>().ok());
    let time = element(xml, "date").and_then(Time::parse);
    let (Some(number), Some(time)) = (number, time) else {
        return Err(unexpected("log", xml));
    };
    Ok(Commit {
        origin: None,
        name: number.to_string(),
        short: format!("{number:012}"),
        version: rev.to_owned(),
        time,
        tags: Vec::new(),
    })
}

/// The files of `svn list --xml`: names and sizes.
fn listed(xml: &str) -> Result<Vec<(String, u64)>> {
    let mut files = Vec::new();
    for entry in xml.split("<entry").skip(1) {
        let entry = entry.split("</entry>").next().unwrap_or_default();
        let kind = attribute(&format!("<entry{entry}"), "entry", "kind").map(str::to_owned);
        if kind.as_deref() != Some("file") {
            continue;
        }
        let size = element(entry, "size").and_then(|size| size.parse().ok());
        let (Some(name), Some(size)) = (element(entry, "name"), size) else {
            return Err(unexpected("list", xml));
        };
        files.push((decode(name), size));
    }
    Ok(files)
}

/// Runs a command line.
pub type Ask<'a> = dyn Fn(&Vec<String>) -> Result<Vec<u8>, RunError> + 'a;

/// Writes the zip of a directory as of a revision. Subversion has no command for that: names are asked from the server, because the
/// local file system may not keep them as they are, and the files exported.
pub fn export(
    files: &Files,
    run: &Ask<'_>,
    dir: &Utf8Path,
    url: &str,
    rev: &str,
    subdir: &str,
    to: &Utf8Path,
) -> Result<()> {
    let vcs = |error: Error| Error::from(Kind::Vcs(error));
    let remote = if subdir.is_empty() {
        url.to_owned()
    } else {
        format!("{url}/{subdir}")
    };
    let line = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let list: Vec<String> = line(&[
        "svn",
        "list",
        "--non-interactive",
        "--xml",
        "--incremental",
        "--recursive",
        "--revision",
        rev,
        "--",
        &remote,
    ]);
    let list = listed(&String::from_utf8_lossy(&run(&list)?)).map_err(vcs)?;
    let exported = dir.join("export");
    files.remove_all(&exported)?;
    let export: Vec<String> = line(&[
        "svn",
        "export",
        "--non-interactive",
        "--quiet",
        "--native-eol",
        "LF",
        "--ignore-externals",
        "--ignore-keywords",
        "--revision",
        rev,
        "--",
        &remote,
        exported.as_str(),
    ]);
    let packed = run(&export).map_err(Error::from).and_then(|_| {
        let mut sources = Vec::with_capacity(list.len());
        for (name, size) in &list {
            // Names come from the server, and the file is read from the export.
            steady_module::path::check_file_path(name).map_err(|error| vcs(error.into()))?;
            let path = exported.join(name);
            let have = files.lstat(&path).map_err(|error| {
                if error.is_not_found() {
                    vcs(Error::other(format!(
                        "file reported by 'svn list', but not written by 'svn export': {name}"
                    )))
                } else {
                    Error::from(error).context("error opening file created by 'svn export'")
                }
            })?;
            if have.size != *size && have.kind == FileKind::File {
                return Err(vcs(Error::other(format!(
                    "file size differs between 'svn list' and 'svn export': file {name} listed as {size} bytes, but exported as {} bytes",
                    have.size
                ))));
            }
            sources.push(SourceFile {
                path: if subdir.is_empty() { name.clone() } else { format!("{subdir}/{name}") },
                kind: have.kind,
                size: have.size,
                content: Content::File(files.clone(), path),
            });
        }
        let mut out = files.create(to, 0o600)?;
        write_plain(&mut out, "prefix", &sources)
    });
    let _ = files.remove_all(&exported);
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_entries() {
        let xml = "<?xml version=\"1.0\"?>\n<log>\n<logentry\n   revision=\"5\">\n<author>me</author>\n\
            <date>2017-09-22T01:12:45.861368Z</date>\n<msg>x</msg>\n</logentry>\n</log>\n";
        let commit = commit("latest", xml).unwrap();
        assert_eq!(
            (commit.name.as_str(), commit.short.as_str()),
            ("5", "000000000005")
        );
        assert_eq!(commit.time.to_string(), "2017-09-22T01:12:45.861368Z");
        assert!(super::commit("latest", "<log></log>").is_err());
    }

    #[test]
    fn listings() {
        let xml = "<list path=\"x\"><entry\n   kind=\"dir\"><name>d</name></entry>\n\
            <entry\n   kind=\"file\">\n<name>d/a&amp;b.go</name>\n<size>12</size>\n</entry></list>";
        assert_eq!(listed(xml).unwrap(), [("d/a&b.go".to_owned(), 12)]);
        assert!(listed("<entry kind=\"file\"><name>x</name></entry>").is_err());
    }
}
