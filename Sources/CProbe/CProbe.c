// SPDX-License-Identifier: Apache-2.0

#include "CProbe.h"

#include <stdlib.h>
#include <string.h>

enum { batch = 32, stride = 2048, headroom = 256, header_length = 50, template_count = 64 };

struct slot {
  uint64_t key, value;
};

struct probe {
  struct slot* table;
  uint64_t mask;
  uint64_t* wanted;
  uint8_t* frames;
  uint8_t templates[template_count][64];
};

static struct probe* probe_of(uint64_t number) { return (struct probe*)(uintptr_t)number; }

static inline uint64_t hash(uint64_t key) {
  key *= 0x9E3779B97F4A7C15ull;
  return key ^ (key >> 32);
}

static inline uint64_t find(const struct slot* table, uint64_t mask, uint64_t home, uint64_t key) {
  while (table[home].key && table[home].key != key)
    home = (home + 1) & mask;
  return table[home].value;
}

uint64_t cprobe_make(uint64_t entries) {
  uint64_t size = 16;
  while (size < 2 * entries)
    size *= 2;
  struct probe* probe = calloc(1, sizeof *probe);
  if (!probe)
    return 0;
  probe->mask = size - 1;
  probe->table = calloc(size, sizeof *probe->table);
  probe->wanted = calloc(CPROBE_WANTED, sizeof *probe->wanted);
  probe->frames = aligned_alloc(64, (size_t)CPROBE_FRAMES * stride);
  if (!probe->table || !probe->wanted || !probe->frames) {
    cprobe_free((uintptr_t)probe);
    return 0;
  }
  memset(probe->frames, 0, (size_t)CPROBE_FRAMES * stride);
  for (int index = 0; index < template_count; index++)
    memset(probe->templates[index], index, sizeof probe->templates[index]);
  return (uintptr_t)probe;
}

void cprobe_free(uint64_t number) {
  struct probe* probe = probe_of(number);
  free(probe->table);
  free(probe->wanted);
  free(probe->frames);
  free(probe);
}

void cprobe_put(uint64_t number, uint64_t key, uint64_t value) {
  struct probe* probe = probe_of(number);
  uint64_t index = hash(key) & probe->mask;
  while (probe->table[index].key)
    index = (index + 1) & probe->mask;
  probe->table[index] = (struct slot){key, value};
}

void cprobe_want(uint64_t number, uint64_t index, uint64_t key) {
  struct probe* probe = probe_of(number);
  probe->wanted[index] = key;
  if (index < CPROBE_FRAMES)
    memcpy(probe->frames + index * stride + headroom, &key, sizeof key);
}

uint64_t cprobe_look_up(uint64_t number) {
  const struct probe* probe = probe_of(number);
  const struct slot* table = probe->table;
  const uint64_t mask = probe->mask;
  uint64_t sum = 0;
  for (int first = 0; first < CPROBE_WANTED; first += batch) {
    const uint64_t* keys = &probe->wanted[first];
    uint64_t homes[batch];
    for (int index = 0; index < batch; index++) {
      homes[index] = hash(keys[index]) & mask;
      __builtin_prefetch(&table[homes[index]]);
    }
    for (int index = 0; index < batch; index++)
      sum += find(table, mask, homes[index], keys[index]);
  }
  return sum;
}

uint64_t cprobe_write_headers(uint64_t number) {
  const struct probe* probe = probe_of(number);
  const struct slot* table = probe->table;
  const uint64_t mask = probe->mask;
  uint8_t* frames = probe->frames;
  uint64_t sum = 0;
  for (size_t first = 0; first < CPROBE_FRAMES; first += batch) {
    uint64_t keys[batch], homes[batch];
    for (int index = 0; index < batch; index++) {
      memcpy(&keys[index], frames + (first + index) * stride + headroom, sizeof keys[index]);
      keys[index] &= 0xffffffffffffull;
      homes[index] = hash(keys[index]) & mask;
      __builtin_prefetch(&table[homes[index]]);
    }
    for (int index = 0; index < batch; index++) {
      uint64_t value = find(table, mask, homes[index], keys[index]);
      uint8_t* header = frames + (first + index) * stride + headroom - header_length;
      memcpy(header, probe->templates[value], header_length);
      uint16_t length = (uint16_t)(64 + 36 + (value & 1));
      memcpy(header + 16, &length, sizeof length);
      memcpy(header + 38, &length, sizeof length);
      sum += value;
    }
  }
  return sum;
}

struct copier {
  size_t length;
  uint8_t *from, *to;
};

static struct copier* copier_of(uint64_t number) { return (struct copier*)(uintptr_t)number; }

uint64_t cprobe_make_copier(uint64_t length) {
  struct copier* copier = calloc(1, sizeof *copier);
  if (!copier)
    return 0;
  copier->length = length;
  copier->from = malloc(length);
  copier->to = malloc(length);
  if (!copier->from || !copier->to) {
    cprobe_free_copier((uintptr_t)copier);
    return 0;
  }
  memset(copier->from, 1, length);
  memset(copier->to, 2, length);
  return (uintptr_t)copier;
}

void cprobe_free_copier(uint64_t number) {
  struct copier* copier = copier_of(number);
  free(copier->from);
  free(copier->to);
  free(copier);
}

void cprobe_copy(uint64_t number) {
  struct copier* copier = copier_of(number);
  memcpy(copier->to, copier->from, copier->length);
  // Nobody reads the copy, so that a compiler could leave it out.
  __asm__ volatile("" : : "r"(copier->to) : "memory");
}
