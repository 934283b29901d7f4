//! Why things are as they are: rules, versions, sums, variables, errors.
