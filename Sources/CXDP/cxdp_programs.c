// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cxdp_query.h"

// libbpf has one printing function for the process; each thread keeps what its own call printed.
static _Thread_local char warnings[2048];

static int keep_warning(enum libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN)
    return 0;
  size_t used = strlen(warnings);
  vsnprintf(warnings + used, sizeof(warnings) - used, format, arguments);
  return 0;
}

static void set_print(void) { libbpf_set_print(keep_warning); }

// Begins a call into libbpf: nothing is printed to standard error, and old warnings are forgotten.
static void begin_call(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, set_print);
  warnings[0] = '\0';
}

const char* cxdp_warnings(void) { return warnings; }

// The caller's own descriptor of something that libbpf closes together with its object.
static int duplicate(int descriptor) {
  if (descriptor < 0)
    return -ENOENT;
  int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  return copy < 0 ? -errno : copy;
}

// A copy of the descriptor of a map; -1 for no name.
static int map_descriptor(struct bpf_object* opened, const char* name) {
  return name ? duplicate(bpf_object__find_map_fd_by_name(opened, name)) : -1;
}

// Takes all descriptors, or none and the error of the first that failed.
static int take_descriptors(struct bpf_object* opened, const struct cxdp_object* object,
                            struct cxdp_program* loaded) {
  struct bpf_program* program = bpf_object__find_program_by_name(opened, object->program);
  int descriptors[4] = {
      duplicate(program ? bpf_program__fd(program) : -1),
      map_descriptor(opened, "sockets"),
      map_descriptor(opened, object->map),
      map_descriptor(opened, object->second_map),
  };
  int error = 0;
  for (int index = object->second_map ? 3 : 2; index >= 0; index--)
    error = descriptors[index] < 0 ? descriptors[index] : error;
  for (int index = 0; error && index < 4; index++)
    if (descriptors[index] >= 0)
      close(descriptors[index]);
  if (!error)
    *loaded = (struct cxdp_program){descriptors[0], descriptors[1], descriptors[2], descriptors[3]};
  return error;
}

int cxdp_load_program(const struct cxdp_object* object, struct cxdp_program* loaded) {
  begin_call();
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "weft");
  struct bpf_object* opened = bpf_object__open_mem(object->bytes, object->size, &options);
  if (!opened)
    return -errno;
  int error = bpf_object__load(opened);
  if (!error)
    error = take_descriptors(opened, object, loaded);
  bpf_object__close(opened);
  return error;
}

static unsigned int mode_flag(enum cxdp_mode mode) {
  return mode == CXDP_MODE_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

int cxdp_link_program(unsigned int interface, int program, enum cxdp_mode mode) {
  begin_call();
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = mode_flag(mode));
  return bpf_link_create(program, (int)interface, BPF_XDP, &options);
}

int cxdp_detach_link(int link) {
  begin_call();
  return bpf_link_detach(link);
}

int cxdp_attach_program(unsigned int interface, int program, enum cxdp_mode mode, int replaced) {
  begin_call();
  if (replaced < 0)
    return bpf_xdp_attach((int)interface, program, mode_flag(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST,
                          NULL);
  LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = replaced);
  return bpf_xdp_attach((int)interface, program, mode_flag(mode) | XDP_FLAGS_REPLACE, &options);
}

int cxdp_detach_program(unsigned int interface, int program, enum cxdp_mode mode) {
  begin_call();
  LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = program);
  return bpf_xdp_detach((int)interface, mode_flag(mode) | XDP_FLAGS_REPLACE, &options);
}

int cxdp_query_program(unsigned int interface, struct cxdp_attached* attached) {
  begin_call();
  return cxdp_ask_kernel(interface, attached);
}

int cxdp_open_program(unsigned int id) {
  begin_call();
  return bpf_prog_get_fd_by_id(id);
}

static int program_information(int program, struct bpf_prog_info* information) {
  begin_call();
  unsigned int size = sizeof(*information);
  memset(information, 0, size);
  return bpf_obj_get_info_by_fd(program, information, &size);
}

int cxdp_copy_program_name(int program, char name[16]) {
  struct bpf_prog_info information;
  int error = program_information(program, &information);
  if (!error)
    snprintf(name, 16, "%s", information.name);
  return error;
}

unsigned int cxdp_program_id(int program) {
  struct bpf_prog_info information;
  return program_information(program, &information) ? 0 : information.id;
}

int cxdp_copy_interface_name(unsigned int interface, char name[16]) {
  return if_indextoname(interface, name) ? 0 : -errno;
}

int cxdp_set_entry(int map, const void* key, const void* value) {
  begin_call();
  return bpf_map_update_elem(map, key, value, BPF_ANY);
}

int cxdp_remove_entry(int map, const void* key) {
  begin_call();
  return bpf_map_delete_elem(map, key);
}

int cxdp_next_key(int map, const void* key, void* next) {
  begin_call();
  return bpf_map_get_next_key(map, key, next);
}

int cxdp_sum_counter(int map, unsigned long long* sum) {
  begin_call();
  int count = libbpf_num_possible_cpus();
  if (count < 0)
    return count;
  // The kernel writes 8 bytes for every CPU that could ever be there.
  unsigned long long* values = calloc((size_t)count, sizeof(*values));
  if (!values)
    return -ENOMEM;
  unsigned int first = 0;
  int error = bpf_map_lookup_elem(map, &first, values);
  *sum = 0;
  for (int index = 0; !error && index < count; index++)
    *sum += values[index];
  free(values);
  return error;
}

int cxdp_run_program(int program, struct cxdp_run* run) {
  begin_call();
  struct xdp_md context = {
      .data_end = run->size,
      .ingress_ifindex = run->interface,
      .rx_queue_index = run->queue,
  };
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = run->frame, .data_size_in = run->size,
              .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);
  int error = bpf_prog_test_run_opts(program, &options);
  run->verdict = options.retval;
  return error;
}

const char* cxdp_error_name(int number) {
  const char* name = strerrorname_np(number);
  return name ? name : "errno";
}

const char* cxdp_error_text(int number) {
  const char* text = strerrordesc_np(number);
  return text ? text : "unknown error";
}
