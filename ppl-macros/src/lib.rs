//! The attribute macros `#[model]` and `#[guide]` and the derive `Module`.
