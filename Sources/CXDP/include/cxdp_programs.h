// SPDX-License-Identifier: Apache-2.0
//
// XDP programs: loading, attaching, asking what is attached. Swift calls these and not libbpf, as
// libbpf's option structs and its printing callback cannot be used from Swift.
//
// Functions that return int return 0 or a descriptor, or the negative of an errno.
#pragma once

/// An object to load: the name of its only program and of the maps it has besides `sockets`; the
/// second is null if there is only one.
struct cxdp_object {
  const void* bytes;
  unsigned long size;
  const char* program;
  const char* map;
  const char* second_map;
};

/// Descriptors of what was loaded, owned by the caller; closing all of them unloads it.
/// `second_map` is -1 if none was asked for.
struct cxdp_program {
  int program;
  int sockets;
  int map;
  int second_map;
};

/// How an interface runs its program: what it has, and what an attachment asks for.
enum cxdp_mode { CXDP_MODE_NONE, CXDP_MODE_NATIVE, CXDP_MODE_GENERIC, CXDP_MODE_OTHER };

/// The program of an interface; `id` is 0 and `mode` CXDP_MODE_NONE if there is none.
struct cxdp_attached {
  unsigned int id;
  enum cxdp_mode mode;
};

/// Loads an object into the kernel.
int cxdp_load_program(const struct cxdp_object* object, struct cxdp_program* loaded);

/// Attaches by a link: the program goes when the last descriptor of the link is closed. Refuses
/// with EBUSY or EEXIST where a program is. Returns the link's descriptor.
int cxdp_link_program(unsigned int interface, int program, enum cxdp_mode mode);

/// Detaches the program of a link, whoever else may hold a descriptor of the link.
int cxdp_detach_link(int link);

/// Attaches to the interface itself: the program goes only by cxdp_detach_program, or with the
/// interface. It takes the place of the program `replaced`, and fails if that is not there; with
/// -1 it fails if any is there.
int cxdp_attach_program(unsigned int interface, int program, enum cxdp_mode mode, int replaced);

/// Detaches what cxdp_attach_program attached; fails if it is not `program`.
int cxdp_detach_program(unsigned int interface, int program, enum cxdp_mode mode);

/// Asks which program an interface has; one that is not there has none.
int cxdp_query_program(unsigned int interface, struct cxdp_attached* attached);

/// Reads the kernel's answer to cxdp_query_program, aligned for a 32-bit number. For tests; fails
/// with the error that the answer tells, or EBADMSG if it is none to this question.
int cxdp_read_answer(const void* answer, unsigned long length, unsigned int interface,
                     struct cxdp_attached* attached);

/// Opens a program by its id. Returns its descriptor.
int cxdp_open_program(unsigned int id);

/// Writes the name of a program, at most 15 characters and a zero.
int cxdp_copy_program_name(int program, char name[16]);

/// Which program a descriptor is: its id, or 0.
unsigned int cxdp_program_id(int program);

/// Writes the name of an interface, at most 15 characters and a zero; fails if there is none.
int cxdp_copy_interface_name(unsigned int interface, char name[16]);

/// Sets, removes and reads entries of maps.
int cxdp_set_entry(int map, const void* key, const void* value);
int cxdp_remove_entry(int map, const void* key);
int cxdp_next_key(int map, const void* key, void* next);

/// The sum over all CPUs of the entry 0 of a per-CPU map of 64-bit counters.
int cxdp_sum_counter(int map, unsigned long long* sum);

/// A run of a program over one frame of at least 14 bytes; the frame goes nowhere. For tests.
struct cxdp_run {
  const void* frame;
  unsigned int size;
  /// Where the frame is said to have come in: an interface that is up in native mode, and one of
  /// its queues. With 0 it is queue 0 of the loopback interface.
  unsigned int interface;
  unsigned int queue;
  /// An XDP_ constant, written by the run.
  unsigned int verdict;
};

/// Runs a program once.
int cxdp_run_program(int program, struct cxdp_run* run);

/// What libbpf and the kernel had to say about the last call here that failed on this thread:
/// lines, or empty. Valid until the next call.
const char* cxdp_warnings(void);

/// The name (`EBUSY`) and the text of an errno; never null.
const char* cxdp_error_name(int number);
const char* cxdp_error_text(int number);
