//! Which packages are programs, and what keeps those from it that nearly are.
