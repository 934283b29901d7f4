//! Where the output of one test goes: to the user at once, into memory until it is this test's turn, or both.

use super::TestRuns;
use crate::shell::Shared;
use crate::test_json::Converter;

#[derive(PartialEq, Eq)]
enum Way {
    /// To the user.
    Streamed,
    /// To the user, and into memory for the cache.
    Both,
    /// Into memory, to be printed in order.
    Held,
}

pub(super) struct Output<'a> {
    shared: &'a Shared,
    json: Option<Converter<'a>>,
    tells_failed_build: bool,
    way: Way,
    kept: Vec<u8>,
}

impl<'a> Output<'a> {
    /// `alone`: nobody else's output comes in between. With `-json` the event of the start is printed here.
    pub fn new(shared: &'a Shared, runs: &TestRuns, path: &str, alone: bool) -> Output<'a> {
        let how = &runs.how;
        let json = how.json.then(|| {
            let write = Box::new(|line: &[u8]| shared.sink.stdout(line));
            Converter::new(path, runs.zone.clone(), runs.marks_errors, write)
        });
        let way = if how.streams() {
            Way::Streamed
        } else if how.json || how.shows_passed && alone {
            Way::Both
        } else {
            Way::Held
        };
        Output {
            shared,
            json,
            tells_failed_build: how.tells_failed_build,
            way,
            kept: Vec::new(),
        }
    }

    /// The program can write to our own standard output itself.
    pub fn inherits(&self) -> bool {
        self.way == Way::Streamed && self.json.is_none()
    }

    pub fn write(&mut self, bytes: &[u8]) {
        if self.way != Way::Streamed {
            self.kept.extend_from_slice(bytes);
        }
        if self.way != Way::Held {
            self.show(bytes);
        }
    }

    pub fn write_text(&mut self, text: &str) {
        self.write(text.as_bytes());
    }

    fn show(&mut self, bytes: &[u8]) {
        match &mut self.json {
            Some(json) => json.write(bytes),
            None => self.shared.sink.stdout(bytes),
        }
    }

    /// A result from an earlier run takes the place of everything.
    pub fn replace(&mut self, bytes: Vec<u8>) {
        if self.way == Way::Held {
            self.kept = bytes;
        } else {
            self.show(&bytes);
        }
    }

    /// What has been kept so far.
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    pub fn forget(&mut self) {
        self.kept.clear();
    }

    pub fn set_failed_build(&mut self, package: &str) {
        if let Some(json) = self.json.as_mut().filter(|_| self.tells_failed_build) {
            json.set_failed_build(package);
        }
    }

    pub fn close(&mut self, success: bool) {
        if let Some(json) = &mut self.json {
            json.exited(success);
            json.close();
        }
    }

    /// What is still to be printed.
    pub fn into_kept(self) -> Vec<u8> {
        if self.way == Way::Held {
            self.kept
        } else {
            Vec::new()
        }
    }
}
