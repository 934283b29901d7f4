//! Dependencies frozen twice, as sums and as a snapshot, held against each other; bills of materials and provenance.
