//! What a test program prints, turned into events: the lines of `go test -json`.
//!
//! The format is that of `go doc test2json`. Lines that frame the output of tests (`=== RUN`, `--- PASS`) become events of their
//! own; with `-test.v=test2json` a program marks them with ^V so that nothing that looks like one can be mistaken for it. All
//! output is also an event, a line each, as soon as it is there.

mod lines;

use std::time::{Instant, SystemTime};
use steady_system::timezone::Zone;

use lines::{Lines, Piece};

/// Stands in front of lines that frame.
const MARK: u8 = 0x16;
/// Around what a test says is wrong, from Go 1.27 on.
const ERROR_START: u8 = 0x0f;
const ERROR_END: u8 = 0x0e;
/// In front of a byte that would be a mark and is none, from Go 1.27 on.
const ESCAPE: u8 = 0x1b;
/// A line that frames must fit into this.
const IN: usize = 4096;
/// The longest text of one event.
const OUT: usize = 1024;

const UPDATES: [&str; 9] = [
    "=== RUN   ",
    "=== PAUSE ",
    "=== CONT  ",
    "=== NAME  ",
    "=== PASS  ",
    "=== FAIL  ",
    "=== SKIP  ",
    "=== ATTR  ",
    "=== ARTIFACTS ",
];
const REPORTS: [&str; 4] = ["--- PASS: ", "--- FAIL: ", "--- SKIP: ", "--- BENCH: "];

/// Go's bytes as a JSON string: invalid bytes become U+FFFD each, and what HTML minds is escaped.
#[must_use]
pub fn json_string(text: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                    let _ = write!(out, "\\u{:04x}", c as u32);
                }
                c => out.push(c),
            }
        }
        for _ in chunk.invalid() {
            out.push_str("\\ufffd");
        }
    }
    out.push('"');
    out
}

#[derive(Debug, Clone, Default)]
struct Event {
    action: String,
    test: String,
    elapsed: Option<f64>,
    output: Option<Vec<u8>>,
    output_type: &'static str,
    failed_build: String,
    key: String,
    value: String,
    path: String,
}

/// Gets the lines of events.
pub type Write<'a> = Box<dyn FnMut(&[u8]) + 'a>;

/// Turns the output of the tests of one package into events.
pub struct Converter<'a> {
    write: Write<'a>,
    package: String,
    zone: Zone,
    start: Instant,
    /// The test that output belongs to.
    test: String,
    /// Results of tests whose output may go on, nested.
    reports: Vec<Event>,
    result: &'static str,
    /// From now on only marked lines frame.
    needs_mark: bool,
    failed_build: String,
    /// The program also marks errors, and escapes what looks like a mark.
    marks_errors: bool,
    in_error: bool,
    escaped: bool,
    /// What is put out frames.
    frames: bool,
    input: Lines,
    output: Lines,
}

impl<'a> Converter<'a> {
    /// A converter whose first event says that the package has started. `write` gets whole lines. `marks_errors`: programs do,
    /// as those of Go 1.27 and later.
    #[must_use]
    pub fn new(package: &str, zone: Zone, marks_errors: bool, write: Write<'a>) -> Converter<'a> {
        let mut converter = Converter {
            write,
            package: package.to_owned(),
            zone,
            start: Instant::now(),
            test: String::new(),
            reports: Vec::new(),
            result: "",
            needs_mark: false,
            failed_build: String::new(),
            marks_errors,
            in_error: false,
            escaped: false,
            frames: false,
            input: Lines::new(IN, marks_errors),
            output: Lines::new(OUT, marks_errors),
        };
        converter.event(Event {
            action: "start".into(),
            ..Event::default()
        });
        converter
    }

    /// Takes output of the test program.
    pub fn write(&mut self, bytes: &[u8]) {
        for piece in self.input.add(bytes) {
            self.take(piece);
        }
    }

    /// The program could not be made because this package did not build.
    pub fn set_failed_build(&mut self, package: &str) {
        package.clone_into(&mut self.failed_build);
    }

    /// The program has ended.
    pub fn exited(&mut self, success: bool) {
        self.result = match (success, self.result) {
            (false, _) => "fail",
            (true, "skip") => "skip",
            (true, _) => "pass",
        };
    }

    /// The end: what is left, and the result of the package.
    pub fn close(&mut self) {
        if let Some(piece) = self.input.rest() {
            self.take(piece);
        }
        self.flush_output();
        if self.result.is_empty() {
            return;
        }
        let millis = u32::try_from((self.start.elapsed().as_micros() + 500) / 1000);
        let failed_build = if self.result == "fail" {
            std::mem::take(&mut self.failed_build)
        } else {
            String::new()
        };
        self.event(Event {
            action: self.result.into(),
            elapsed: Some(f64::from(millis.unwrap_or(u32::MAX)) / 1000.0),
            failed_build,
            ..Event::default()
        });
    }

    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Line(line) => self.line(&line),
            Piece::Part(part) => self.put(&part),
        }
    }

    /// Text of the test that is current.
    fn put(&mut self, text: &[u8]) {
        for piece in self.output.add(text) {
            self.output_event(piece.into_bytes());
        }
    }

    fn flush_output(&mut self) {
        if let Some(piece) = self.output.rest() {
            self.output_event(piece.into_bytes());
        }
    }

    fn output_event(&mut self, text: Vec<u8>) {
        if !self.marks_errors {
            return self.typed_output(text, "");
        }
        let mut kind = match (self.frames, self.in_error) {
            (true, _) => "frame",
            (false, true) => "error-continue",
            (false, false) => "",
        };
        let mut piece = Vec::new();
        let mut rest = text.into_iter().peekable();
        while let Some(byte) = rest.next() {
            if std::mem::take(&mut self.escaped) {
                piece.push(byte);
                continue;
            }
            match byte {
                ESCAPE => self.escaped = true,
                ERROR_START => {
                    self.typed_output(std::mem::take(&mut piece), kind);
                    self.in_error = true;
                    kind = "error";
                }
                ERROR_END => {
                    piece.extend(rest.next_if_eq(&b'\n'));
                    self.typed_output(std::mem::take(&mut piece), kind);
                    self.in_error = false;
                    kind = "";
                }
                byte => piece.push(byte),
            }
        }
        self.typed_output(piece, kind);
    }

    fn typed_output(&mut self, text: Vec<u8>, output_type: &'static str) {
        if self.marks_errors && text.is_empty() {
            return;
        }
        self.event(Event {
            action: "output".into(),
            output: Some(text),
            output_type,
            ..Event::default()
        });
    }

    /// Puts out a line that frames.
    fn frame(&mut self, line: &[u8]) {
        self.frames = true;
        self.put(line);
        self.frames = false;
    }

    fn line(&mut self, original: &[u8]) {
        let marked = original.first() == Some(&MARK);
        if original.is_empty() || (self.needs_mark && !marked) {
            return self.put(original);
        }
        if marked {
            self.flush_output();
        }
        let mut line = &original[usize::from(marked)..];
        let mut trimmed = trim_end(line);
        if trimmed == b"=== NAME" {
            // An empty name whose spaces got lost.
            line = b"=== NAME  \n";
            trimmed = trim_end(line);
        }
        if trimmed == b"PASS" || trimmed == b"FAIL" || trimmed.starts_with(b"FAIL\t") {
            self.report_down_to(0);
            self.test.clear();
            self.needs_mark = marked;
            self.frame(line);
            self.result = if trimmed == b"PASS" { "pass" } else { "fail" };
            return;
        }
        if line.starts_with(b"?   \t")
            && trimmed.ends_with(b"\t[no test files]")
            && self.reports.is_empty()
        {
            self.result = "skip";
        }
        if starts_with_any(line, &UPDATES) {
            return self.update(line, marked);
        }
        let mut inner = line;
        let mut depth = 0;
        while let Some(rest) = inner.strip_prefix(b"    ") {
            inner = rest;
            depth += 1;
        }
        if starts_with_any(inner, &REPORTS) && depth <= self.reports.len() {
            return self.report(inner, line, depth, marked);
        }
        if !starts_with_any(inner, &REPORTS) && depth > 0 && depth <= self.reports.len() {
            // Indented below the result of a test: it said this.
            self.test = self.reports[depth - 1].test.clone();
        }
        self.put(line);
    }

    /// `--- PASS: Name (0.00s)`: the event comes when the output that belongs to it is over.
    fn report(&mut self, inner: &[u8], line: &[u8], depth: usize, marked: bool) {
        let (action, mut name) = action_and_name(inner);
        let mut elapsed = None;
        if let Some(at) = name.find(" (") {
            if let Some(seconds) = name[at + 2..].strip_suffix("s)") {
                elapsed = seconds.parse().ok();
            }
            name.truncate(at);
        }
        self.needs_mark = marked;
        self.report_down_to(depth);
        self.test.clone_from(&name);
        self.reports.push(Event {
            action,
            test: name,
            elapsed,
            ..Event::default()
        });
        self.frame(line);
    }

    /// `=== RUN   Name` and its like.
    fn update(&mut self, line: &[u8], marked: bool) {
        let (action, mut name) = action_and_name(line);
        let mut event = Event {
            action,
            ..Event::default()
        };
        let cut = |text: &str| match text.split_once(' ') {
            Some((first, rest)) => (first.to_owned(), rest.to_owned()),
            None => (text.to_owned(), String::new()),
        };
        match event.action.as_str() {
            "artifacts" => (name, event.path) = cut(&name),
            "attr" => {
                let (test, rest) = cut(&name);
                (event.key, event.value) = cut(&rest);
                name = test;
            }
            _ => {}
        }
        self.needs_mark = marked;
        self.report_down_to(0);
        self.test = name;
        match event.action.as_str() {
            "name" => {} // it only says whose output follows
            "pause" => {
                self.frame(line);
                self.event(event);
            }
            _ => {
                self.event(event);
                self.frame(line);
            }
        }
    }

    /// Results of tests that are over.
    fn report_down_to(&mut self, depth: usize) {
        self.test.clear();
        while self.reports.len() > depth {
            if let Some(event) = self.reports.pop() {
                self.event(event);
            }
        }
    }

    fn event(&mut self, mut event: Event) {
        if event.test.is_empty() {
            event.test.clone_from(&self.test);
        }
        let mut line = format!("{{\"Time\":\"{}\"", self.zone.rfc3339(SystemTime::now()));
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                line.push_str(&format!(",\"{name}\":{}", json_string(value.as_bytes())));
            }
        };
        add("Action", &event.action);
        add("Package", &self.package);
        add("Test", &event.test);
        if let Some(seconds) = event.elapsed {
            line.push_str(&format!(",\"Elapsed\":{seconds}"));
        }
        if let Some(output) = &event.output {
            line.push_str(&format!(",\"Output\":{}", json_string(output)));
        }
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                line.push_str(&format!(",\"{name}\":{}", json_string(value.as_bytes())));
            }
        };
        add("OutputType", event.output_type);
        add("FailedBuild", &event.failed_build);
        add("Key", &event.key);
        add("Value", &event.value);
        add("Path", &event.path);
        line.push_str("}\n");
        (self.write)(line.as_bytes());
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => line,
    }
}

fn starts_with_any(line: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| line.starts_with(word.as_bytes()))
}

/// `=== RUN   Name` is `run` and `Name`.
fn action_and_name(line: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(&line["=== ".len()..]);
    let (action, name) = text.split_once(' ').unwrap_or((&text, ""));
    let action = action.strip_suffix(':').unwrap_or(action);
    (action.to_lowercase(), name.trim().to_owned())
}

#[cfg(test)]
mod tests;
