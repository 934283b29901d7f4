//! The whole chain from the checksum database to the objects of the build cache, each link held against the one before it.
