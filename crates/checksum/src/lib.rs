//! Turns an unverified thing into a verified one: dirhash, signed notes, transparency log, checksum database.
