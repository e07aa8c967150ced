//! docs/protocol.md says what is true: its examples are frames, its test vectors are right.
