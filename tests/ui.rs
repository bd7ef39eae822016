//! What must not compile: each mistake has one message, on the guilty token.

#[test]
fn mistakes_are_reported_at_their_tokens() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
