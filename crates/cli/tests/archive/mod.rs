//! Archives of text files, in the form of Go's txtar.

/// The comment and the files of an archive: lines `-- NAME --` begin a file.
pub fn txtar(text: &str) -> (String, Vec<(String, String)>) {
    let mut comment = String::new();
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let name = line
            .trim_end()
            .strip_prefix("-- ")
            .and_then(|rest| rest.strip_suffix(" --"));
        match (name, files.last_mut()) {
            (Some(name), _) => files.push((name.to_string(), String::new())),
            (None, Some((_, contents))) => contents.push_str(line),
            (None, None) => comment.push_str(line),
        }
    }
    (comment, files)
}
