//! What builds say with `-json`: one object a line, on standard output.

use serde_json::{Value, json};
use std::sync::Arc;
use steady_build::Sink;
use steady_build::inputs::Explanation;
use steady_build::test_json::json_string;

use crate::printer::Printer;

/// Turns what a build says into events.
pub struct BuildEvents {
    printer: Arc<Printer>,
}

impl BuildEvents {
    /// Events for a printer's standard output.
    #[must_use]
    pub fn new(printer: &Arc<Printer>) -> BuildEvents {
        BuildEvents {
            printer: Arc::clone(printer),
        }
    }

    fn event(&self, package: Option<&str>, action: &str, output: &str) {
        let path = json_string(package.unwrap_or_default().as_bytes());
        let mut line = format!("{{\"ImportPath\":{path},\"Action\":\"{action}\"");
        if !output.is_empty() {
            line.push_str(&format!(",\"Output\":{}", json_string(output.as_bytes())));
        }
        line.push_str("}\n");
        self.printer.stdout(line.as_bytes());
    }
}

impl Sink for BuildEvents {
    fn print(&self, package: Option<&str>, text: &str) {
        if !text.is_empty() {
            self.event(package, "build-output", text);
        }
    }

    fn error(&self, package: Option<&str>, text: &str) {
        for line in text.split_inclusive('\n') {
            let end = if line.ends_with('\n') { "" } else { "\n" };
            self.event(package, "build-output", &format!("{line}{end}"));
        }
        self.event(package, "build-fail", "");
        self.printer.set_failed();
    }

    fn rebuilt(&self, package: &str, explanation: &Explanation) {
        let Ok(Value::Object(why)) = serde_json::to_value(explanation) else {
            return;
        };
        let mut event = json!({"ImportPath": package, "Action": "build-explain"});
        if let Value::Object(event) = &mut event {
            event.extend(why);
        }
        self.printer.stdout(format!("{event}\n").as_bytes());
    }

    fn stdout(&self, bytes: &[u8]) {
        self.printer.stdout(bytes);
    }
}
