use super::*;
use std::sync::{Arc, Mutex};
use steady_system::Environment;

/// Events without their times.
fn convert(input: &[u8], piece: usize, success: Option<bool>) -> Vec<serde_json::Value> {
    convert_marked(input, piece, success, false)
}

fn convert_marked(
    input: &[u8],
    piece: usize,
    success: Option<bool>,
    marks_errors: bool,
) -> Vec<serde_json::Value> {
    let written = Arc::new(Mutex::new(Vec::new()));
    let zone = Zone::local(&Environment::empty("/").with("TZ", ""));
    let to = Arc::clone(&written);
    let write = Box::new(move |line: &[u8]| to.lock().unwrap().extend_from_slice(line));
    let mut converter = Converter::new("p", zone, marks_errors, write);
    for bytes in input.chunks(piece) {
        converter.write(bytes);
    }
    if let Some(success) = success {
        converter.exited(success);
    }
    converter.close();
    drop(converter);
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let events = text.lines().map(|line| {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        let fields = event.as_object_mut().unwrap();
        assert!(fields.remove("Time").is_some());
        assert_eq!(fields.remove("Package"), Some("p".into()));
        event
    });
    events.collect()
}

fn short(events: &[serde_json::Value]) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let line = |event: &serde_json::Value| {
        format!(
            "{} {} {}",
            text(&event["Action"]),
            text(&event["Test"]),
            text(&event["Output"]).trim_end()
        )
    };
    events
        .iter()
        .map(|event| line(event).trim_end().to_owned())
        .collect()
}

#[test]
fn results_come_after_the_output_that_belongs_to_them() {
    let input = b"=== RUN   TestA\n=== RUN   TestA/b\n--- FAIL: TestA (0.50s)\n    --- PASS: TestA/b (0.00s)\n        said by b\n    said by A\nFAIL\n";
    let expected = [
        "start",
        "run TestA",
        "output TestA === RUN   TestA",
        "run TestA/b",
        "output TestA/b === RUN   TestA/b",
        "output TestA --- FAIL: TestA (0.50s)",
        "output TestA/b     --- PASS: TestA/b (0.00s)",
        "output TestA/b         said by b",
        "output TestA     said by A",
        "pass TestA/b",
        "fail TestA",
        "output  FAIL",
        "fail",
    ];
    for piece in [1, 7, 1000] {
        let events = convert(input, piece, Some(false));
        assert_eq!(short(&events), expected);
        assert_eq!(events[10]["Elapsed"], 0.5);
    }
}

#[test]
fn with_marks_only_marked_lines_frame() {
    let input = b"\x16=== RUN   TestA\n--- PASS: TestB (0.00s)\nno end\x16--- PASS: TestA (0.00s)\n\x16PASS\n";
    let events = short(&convert(input, 3, Some(true)));
    assert_eq!(
        events,
        [
            "start",
            "run TestA",
            "output TestA === RUN   TestA",
            "output TestA --- PASS: TestB (0.00s)",
            "output TestA no end",
            "output TestA --- PASS: TestA (0.00s)",
            "pass TestA",
            "output  PASS",
            "pass",
        ]
        .map(str::to_owned)
    );
}

#[test]
fn attributes_artifacts_and_packages_without_tests() {
    let events = convert(
        b"=== ATTR  TestA key a value\n=== ARTIFACTS TestA /x y\n",
        5,
        None,
    );
    assert_eq!(
        (&events[1]["Key"], &events[1]["Value"]),
        (&"key".into(), &"a value".into())
    );
    assert_eq!(events[3]["Path"], "/x y");
    let events = convert(b"?   \tp\t[no test files]\n", 5, Some(true));
    assert_eq!(
        short(&events),
        ["start", "output  ?   \tp\t[no test files]", "skip"]
    );
}

#[test]
fn strings_as_gos_json_has_them() {
    assert_eq!(
        json_string(b"a<\x1b\xff\xe2\x80\xa8\"\n"),
        "\"a\\u003c\\u001b\\ufffd\\u2028\\\"\\n\""
    );
}

#[test]
fn errors_are_told_apart_where_programs_mark_them() {
    let input = b"\x16=== RUN   TestA\na\x0f    x: wrong\n    more\x1b\x0e\x0e\n\x1b\x16b\n";
    for piece in [1, 5, 100] {
        let events = convert_marked(input, piece, None, true);
        let told: Vec<(String, String)> = events[2..]
            .iter()
            .map(|event| {
                let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
                (text("OutputType"), text("Output"))
            })
            .collect();
        let expected = [
            ("frame", "=== RUN   TestA\n"),
            ("", "a"),
            ("error", "    x: wrong\n"),
            ("error-continue", "    more\u{e}\n"),
            ("", "\u{16}b\n"),
        ];
        let expected = expected.map(|(kind, text)| (kind.to_owned(), text.to_owned()));
        assert_eq!(told, expected);
    }
}
