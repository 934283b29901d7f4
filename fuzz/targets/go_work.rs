//! go.work: whatever is in it, reading does not panic; what was read means the same after printing, and prints the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steady_fuzz::{text, values};
use steady_module::modfile::WorkFile;

fn meaning(file: &WorkFile) -> Vec<Vec<String>> {
    let one = |text: String| vec![text];
    vec![
        one(format!("{:?}", file.go.as_ref().map(|entry| &entry.value))),
        one(format!(
            "{:?}",
            file.toolchain.as_ref().map(|entry| &entry.value)
        )),
        values(&file.godebug),
        values(&file.uses),
        values(&file.replace),
    ]
}

fuzz_target!(|bytes: &[u8]| {
    let text = text(bytes);
    let Ok(file) = WorkFile::parse("go.work", &text, None) else {
        return;
    };
    let printed = file.format();
    let again = WorkFile::parse("go.work", &printed, None).expect("what was printed can be read");
    assert_eq!(meaning(&file), meaning(&again));
    assert_eq!(printed, again.format());
});
