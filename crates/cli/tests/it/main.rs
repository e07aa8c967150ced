//! The real binary as its users run it: processes, files, sockets.

mod replay;
