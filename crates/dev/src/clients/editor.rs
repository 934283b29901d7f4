//! An editor's session with a language server over its standard streams.

#![allow(clippy::disallowed_methods)]

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The longest that is waited for an answer: a server loads the whole workspace before it gives the first.
const PATIENCE: Duration = Duration::from_secs(600);

/// Uses of other packages' names in the file that are asked about.
const PLACES: usize = 12;

/// Opens a file, asks for what editors ask, breaks the file and mends it. Everything that is answered, as text.
pub fn session(server: &mut Command, tree: &Path, file: &Path) -> Result<String> {
    let path = tree.join(file);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let uri = format!("file://{}", path.display());
    let mut editor = Editor::start(server)?;
    let mut said = String::new();
    let mut tell = |what: &str, value: &Value| {
        said.push_str(&format!("{what}\n{value:#}\n"));
    };
    let root = format!("file://{}", tree.display());
    editor.ask(
        "initialize",
        json!({
            "processId": null,
            "rootUri": root,
            "workspaceFolders": [{"uri": root, "name": "tree"}],
            "capabilities": {
                "workspace": {"configuration": true},
                "textDocument": {"hover": {"contentFormat": ["plaintext"]}},
            },
        }),
    )?;
    editor.notify("initialized", json!({}))?;
    let document = json!({"uri": uri, "languageId": "go", "version": 1, "text": text});
    editor.notify("textDocument/didOpen", json!({"textDocument": document}))?;
    tell("diagnostics, opened", &editor.diagnostics(&uri, 1)?);
    let named = json!({"uri": uri});
    for (line, column, name) in places(&text) {
        let position = json!({"line": line, "character": column});
        let at = json!({"textDocument": named, "position": position});
        let definition = editor.ask("textDocument/definition", at.clone())?;
        tell(&format!("definition of {name}"), &definition);
        let mut hover = editor.ask("textDocument/hover", at.clone())?;
        if let Some(text) = hover["contents"]["value"].as_str() {
            // The targets of links stand below the text in no order.
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            hover["contents"]["value"] = json!(lines);
        }
        tell(&format!("hover of {name}"), &hover);
        let mut all = at;
        all["context"] = json!({"includeDeclaration": true});
        let references = editor.ask("textDocument/references", all)?;
        tell(&format!("references of {name}"), &sorted(references));
    }
    let symbols = editor.ask(
        "textDocument/documentSymbol",
        json!({"textDocument": named}),
    )?;
    tell("symbols", &symbols);
    let broken = format!("{text}\nvar broken int = \"no number\"\n");
    for (version, what, text) in [(2, "broken", &broken), (3, "mended", &text)] {
        let change = json!({
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [{"text": text}],
        });
        editor.notify("textDocument/didChange", change)?;
        tell(
            &format!("diagnostics, {what}"),
            &editor.diagnostics(&uri, version)?,
        );
    }
    editor.ask("shutdown", Value::Null)?;
    editor.notify("exit", Value::Null)?;
    editor.child.wait()?;
    Ok(said)
}

/// Some of the places where a file uses what another package exports, from all over it: line, column, words.
fn places(text: &str) -> Vec<(usize, usize, String)> {
    let Ok(used) = regex_lite::Regex::new(r"\b[a-z]\w*\.([A-Z]\w*)") else {
        return Vec::new();
    };
    let all: Vec<_> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.is_ascii() && !line.trim_start().starts_with("//"))
        .filter_map(|(number, line)| {
            let found = used.captures(line)?;
            Some((number, found.get(1)?.start(), found[0].to_string()))
        })
        .collect();
    let step = all.len().div_ceil(PLACES).max(1);
    all.into_iter().step_by(step).collect()
}

fn sorted(mut list: Value) -> Value {
    if let Some(list) = list.as_array_mut() {
        list.sort_by_key(Value::to_string);
    }
    list
}

struct Editor {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    next: u64,
    /// Diagnostics by document and version, as they came.
    published: BTreeMap<(String, i64), Value>,
}

impl Editor {
    fn start(server: &mut Command) -> Result<Editor> {
        let mut child = server
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let to = child.stdin.take().context("standard input")?;
        let mut from = BufReader::new(child.stdout.take().context("standard output")?);
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            while let Ok(Some(message)) = read_message(&mut from) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Ok(Editor {
            child,
            to,
            from: receiver,
            next: 1,
            published: BTreeMap::new(),
        })
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        Ok(self.to.flush()?)
    }

    fn notify(&mut self, method: &str, parameters: Value) -> Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": parameters}))
    }

    /// Asks, and waits for the answer.
    fn ask(&mut self, method: &str, parameters: Value) -> Result<Value> {
        let id = self.next;
        self.next += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}))?;
        loop {
            let message = self.receive().with_context(|| method.to_string())?;
            if message["id"] != json!(id) || message.get("method").is_some() {
                continue;
            }
            if let Some(error) = message.get("error") {
                return Ok(json!({ "error": error }));
            }
            return Ok(message["result"].clone());
        }
    }

    /// What the server has to say of one version of a document. It says so again when it knows more; what it said last, before it was
    /// silent for a while, is what counts.
    fn diagnostics(&mut self, uri: &str, version: i64) -> Result<Value> {
        let key = (uri.to_string(), version);
        while !self.published.contains_key(&key) {
            self.receive()
                .with_context(|| format!("diagnostics of version {version}"))?;
        }
        while self.receive_within(Duration::from_secs(5)).is_ok() {}
        Ok(sorted(self.published[&key].clone()))
    }

    fn receive(&mut self) -> Result<Value> {
        self.receive_within(PATIENCE)
    }

    /// The next message; questions of the server are answered on the way.
    fn receive_within(&mut self, time: Duration) -> Result<Value> {
        let message = self.from.recv_timeout(time)?;
        let method = message["method"].as_str().unwrap_or_default();
        if method == "textDocument/publishDiagnostics" {
            let said = &message["params"];
            let uri = said["uri"].as_str().unwrap_or_default().to_string();
            let version = said["version"].as_i64().unwrap_or_default();
            self.published
                .insert((uri, version), said["diagnostics"].clone());
        }
        if !method.is_empty() && message.get("id").is_some() {
            let result = match message["params"]["items"].as_array() {
                Some(items) => json!(vec![Value::Null; items.len()]),
                None => Value::Null,
            };
            self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))?;
        }
        Ok(message)
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // A server that was told to end has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_message(from: &mut impl std::io::BufRead) -> Result<Option<Value>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = Some(value.parse()?);
        }
    }
    let Some(length) = length else {
        bail!("a message without a length");
    };
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_names_of_other_packages() {
        let text = "package a\n\n// fmt.Println\nfunc f() { fmt.Println(x.y) }\nvar a = b.C\n";
        assert_eq!(
            places(text),
            [
                (3, 15, "fmt.Println".to_string()),
                (4, 10, "b.C".to_string())
            ]
        );
    }

    #[test]
    fn messages_are_told_apart() {
        let text = "Content-Length: 2\r\n\r\n{}Content-Length: 4\r\nOther: x\r\n\r\ntrue";
        let mut from = BufReader::new(text.as_bytes());
        assert_eq!(read_message(&mut from).unwrap(), Some(json!({})));
        assert_eq!(read_message(&mut from).unwrap(), Some(json!(true)));
        assert_eq!(read_message(&mut from).unwrap(), None);
    }
}
