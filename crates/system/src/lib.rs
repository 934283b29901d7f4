//! The only door to the outside: files, environment, clock, processes, locks, temporaries.
