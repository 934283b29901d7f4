//! What a contributor repeats.
fn main() {}
