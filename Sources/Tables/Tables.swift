// SPDX-License-Identifier: Apache-2.0

// Data structures in mapped memory that one side writes and others read without locks.
//
// Read `MappedMemory` first: bytes behind a file descriptor. On it stand the two halves of a
// single-producer single-consumer ring, `ProducerRing` and `ConsumerRing` (over memory of our own
// from `RingMemory`, or over memory the kernel shares), and the paged, copy-on-write structures of
// the forwarding snapshot: `PageArena` hands out 4 KiB pages and takes them back when no reader
// can see them any more, `PagedTable` is a hash table whose leaves are pages, `PagedArray` an
// array whose pieces are pages. A change copies the pages it touches and nothing else, and becomes
// visible when the page that leads to them is published. In a test build `PageStamps` note when
// each page was born and freed, and a `PageWitness` checks what a reader touches.
