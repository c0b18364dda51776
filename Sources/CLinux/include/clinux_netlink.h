// SPDX-License-Identifier: Apache-2.0
//
// What HostNetwork needs of the kernel and of libmnl and cannot call from Swift: macros, unions,
// calls hidden behind feature macros. Functions return 0 or more, or a negated errno.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Interface flags that <net/if.h> lacks.
enum {
  CLINUX_IFF_LOWER_UP = 1 << 16,
};

/// Sizes and numbers of <linux/if.h> and <linux/if_arp.h>, which clash with <net/if.h>.
enum {
  CLINUX_ALIAS_LENGTH_MAX = 255,
  CLINUX_NAME_LENGTH_MAX = 15,
  CLINUX_ARPHRD_ETHER = 1,
};

/// Opens a file only to look at it; <fcntl.h> has it behind a feature macro.
enum {
  CLINUX_O_PATH = 010000000,
};

/// Ethtool commands; one word of payload each.
enum {
  CLINUX_ETHTOOL_GTXCSUM = 0x16,
  CLINUX_ETHTOOL_STXCSUM = 0x17,
  CLINUX_ETHTOOL_GTSO = 0x1e,
  CLINUX_ETHTOOL_STSO = 0x1f,
  CLINUX_ETHTOOL_GGSO = 0x23,
  CLINUX_ETHTOOL_SGSO = 0x24,
};

/// One netlink message inside a datagram: its header's fields and where its payload lies.
struct clinux_netlink_message {
  uint16_t type;
  uint16_t flags;
  uint32_t sequence;
  uint32_t port;
  size_t payload_offset;
  size_t payload_length;
  size_t next_offset;
};

/// One attribute inside a payload; `type` has the nesting and byte order flags removed.
struct clinux_netlink_attribute {
  uint16_t type;
  size_t payload_offset;
  size_t payload_length;
  size_t next_offset;
};

/// Numbers of queues a driver reports with ETHTOOL_GCHANNELS, in use now.
struct clinux_channels {
  uint32_t receive;
  uint32_t transmit;
  uint32_t combined;
};

/// Finds the message at `offset`; false if no whole message is there.
bool clinux_netlink_message_at(const void* bytes, size_t length, size_t offset,
                               struct clinux_netlink_message* message);

/// Finds the attribute at `offset`; false if no whole attribute is there.
bool clinux_netlink_attribute_at(const void* bytes, size_t length, size_t offset,
                                 struct clinux_netlink_attribute* attribute);

/// Switches on extended acks, capped acks and strict checking, and sets the receive timeout and
/// buffer (0 leaves either alone). Options an older kernel lacks are skipped.
int clinux_netlink_prepare(int descriptor, uint32_t timeout_milliseconds, uint32_t buffer_length);

/// Has the socket hear multicasts of every network namespace that has a number in the socket's own.
int clinux_netlink_listen_everywhere(int descriptor);

/// A datagram's circumstances: the port of its sender, the number of the namespace it is about (-1
/// for the socket's own), and whether it was longer than the buffer.
struct clinux_netlink_datagram {
  uint32_t sender;
  int32_t name_space;
  bool truncated;
};

/// Receives one datagram and returns its length.
ssize_t clinux_netlink_receive(int descriptor, void* buffer, size_t length,
                               struct clinux_netlink_datagram* datagram);

/// Reads a one-word ethtool value of an interface.
int clinux_ethtool_get(int descriptor, const char* name, uint32_t command, uint32_t* value);

/// Writes a one-word ethtool value of an interface.
int clinux_ethtool_set(int descriptor, const char* name, uint32_t command, uint32_t value);

/// Reads the driver's name, always terminated.
int clinux_ethtool_driver(int descriptor, const char* name, char* driver, size_t length);

/// Reads the numbers of channels in use.
int clinux_ethtool_channels(int descriptor, const char* name, struct clinux_channels* channels);

/// Whether the descriptor is a file of nsfs, as all namespaces are.
int clinux_is_namespace_file(int descriptor);

/// Whether the namespace is a network namespace.
int clinux_is_network_namespace(int descriptor);

/// Moves the calling thread into a network namespace.
int clinux_enter_network_namespace(int descriptor);

/// Moves the calling thread into a new network namespace.
int clinux_leave_for_new_network_namespace(void);

/// Shows the calling thread, and no other, /sys as of its network namespace.
int clinux_mount_own_sysfs(void);

/// Opens a packet socket that sends and receives nothing by itself.
int clinux_open_packet_socket(void);

/// Sends one Ethernet frame out of an interface.
int clinux_send_packet(int descriptor, int interface_index, const void* bytes, size_t length);

/// Writes the text of an errno number, always terminated.
void clinux_error_text(int number, char* text, size_t length);
