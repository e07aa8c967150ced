//! The server over real sockets, in the words of the protocol.

mod bad_input;
mod change;
mod device;
mod door;
mod ending;
mod faulty;
mod group;
mod http;
mod joining;
mod lists;
mod login;
mod mark;
mod message;
mod peer;
mod people;
mod permissions;
mod presence;
mod proxy;
mod raw;
mod received;
mod rights;
mod slow;
mod sync;
mod threads;
mod tls;
mod watch;
