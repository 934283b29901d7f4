//! The readiness matrix: environments, and findings in them with evidence, cause and fix.
