//! go.sum: read or refused with a place, and the same after printing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steady_fuzz::text;
use steady_module::gosum::{Sums, format, parse_into};

fuzz_target!(|bytes: &[u8]| {
    let mut sums = Sums::new();
    if parse_into(&mut sums, "go.sum", &text(bytes)).is_err() {
        return;
    }
    let printed = format(&sums);
    let mut again = Sums::new();
    parse_into(&mut again, "go.sum", &printed).expect("what was printed can be read");
    assert_eq!(printed, format(&again));
});
