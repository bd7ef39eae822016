//! Neural networks whose modules are lifted into random modules.
