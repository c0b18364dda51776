// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux_netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/vfs.h>

_Static_assert(CLINUX_ETHTOOL_GTXCSUM == ETHTOOL_GTXCSUM, "ethtool numbers");
_Static_assert(CLINUX_ETHTOOL_STXCSUM == ETHTOOL_STXCSUM, "ethtool numbers");
_Static_assert(CLINUX_ETHTOOL_GTSO == ETHTOOL_GTSO, "ethtool numbers");
_Static_assert(CLINUX_ETHTOOL_STSO == ETHTOOL_STSO, "ethtool numbers");
_Static_assert(CLINUX_ETHTOOL_GGSO == ETHTOOL_GGSO, "ethtool numbers");
_Static_assert(CLINUX_ETHTOOL_SGSO == ETHTOOL_SGSO, "ethtool numbers");
_Static_assert(CLINUX_O_PATH == O_PATH, "open flags");
_Static_assert(CLINUX_NAME_LENGTH_MAX == IFNAMSIZ - 1, "interface name length");

bool clinux_netlink_message_at(const void* bytes, size_t length, size_t offset,
                               struct clinux_netlink_message* message) {
  if (length > INT_MAX || offset > length || length - offset < sizeof(struct nlmsghdr)) {
    return false;
  }
  size_t left = length - offset;
  const struct nlmsghdr* header = (const void*)((const char*)bytes + offset);
  // libmnl compares lengths as int, so that one above INT_MAX would pass.
  if (header->nlmsg_len > left || !mnl_nlmsg_ok(header, (int)left)) {
    return false;
  }
  size_t step = MNL_ALIGN((size_t)header->nlmsg_len);
  message->type = header->nlmsg_type;
  message->flags = header->nlmsg_flags;
  message->sequence = header->nlmsg_seq;
  message->port = header->nlmsg_pid;
  message->payload_offset = offset + MNL_NLMSG_HDRLEN;
  message->payload_length = mnl_nlmsg_get_payload_len(header);
  message->next_offset = step < left ? offset + step : length;
  return true;
}

bool clinux_netlink_attribute_at(const void* bytes, size_t length, size_t offset,
                                 struct clinux_netlink_attribute* attribute) {
  if (length > INT_MAX || offset > length) {
    return false;
  }
  size_t left = length - offset;
  const struct nlattr* header = (const void*)((const char*)bytes + offset);
  if (left < sizeof *header || !mnl_attr_ok(header, (int)left)) {
    return false;
  }
  size_t step = MNL_ALIGN((size_t)mnl_attr_get_len(header));
  attribute->type = mnl_attr_get_type(header);
  attribute->payload_offset = offset + MNL_ATTR_HDRLEN;
  attribute->payload_length = mnl_attr_get_payload_len(header);
  attribute->next_offset = step < left ? offset + step : length;
  return true;
}

int clinux_netlink_prepare(int descriptor, uint32_t timeout_milliseconds, uint32_t buffer_length) {
  int on = 1;
  setsockopt(descriptor, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(descriptor, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  if (buffer_length > 0) {
    int length = (int)buffer_length;
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &length, sizeof length) != 0) {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &length, sizeof length);
    }
  }
  if (timeout_milliseconds > 0) {
    struct timeval timeout = {
        .tv_sec = timeout_milliseconds / 1000,
        .tv_usec = (timeout_milliseconds % 1000) * 1000,
    };
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0) {
      return -errno;
    }
  }
  return 0;
}

int clinux_netlink_listen_everywhere(int descriptor) {
  int on = 1;
  int result = setsockopt(descriptor, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof on);
  return result < 0 ? -errno : 0;
}

ssize_t clinux_netlink_receive(int descriptor, void* buffer, size_t length,
                               struct clinux_netlink_datagram* datagram) {
  struct sockaddr_nl address = {0};
  struct iovec vector = {.iov_base = buffer, .iov_len = length};
  union {
    char bytes[CMSG_SPACE(sizeof(int32_t))];
    struct cmsghdr alignment;
  } control;
  struct msghdr header = {
      .msg_name = &address,
      .msg_namelen = sizeof address,
      .msg_iov = &vector,
      .msg_iovlen = 1,
      .msg_control = control.bytes,
      .msg_controllen = sizeof control.bytes,
  };
  ssize_t count = recvmsg(descriptor, &header, 0);
  if (count < 0) {
    return -errno;
  }
  datagram->sender = address.nl_pid;
  datagram->truncated = (header.msg_flags & MSG_TRUNC) != 0;
  datagram->name_space = -1;
  for (struct cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == SOL_NETLINK && part->cmsg_type == NETLINK_LISTEN_ALL_NSID &&
        part->cmsg_len >= CMSG_LEN(sizeof(int32_t))) {
      memcpy(&datagram->name_space, CMSG_DATA(part), sizeof(int32_t));
    }
  }
  return count;
}

static int ethtool(int descriptor, const char* name, void* command) {
  struct ifreq request = {0};
  if (strlen(name) >= sizeof request.ifr_name) {
    return -EINVAL;
  }
  strcpy(request.ifr_name, name);
  request.ifr_data = command;
  return ioctl(descriptor, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

int clinux_ethtool_get(int descriptor, const char* name, uint32_t command, uint32_t* value) {
  struct ethtool_value request = {.cmd = command};
  int result = ethtool(descriptor, name, &request);
  *value = request.data;
  return result;
}

int clinux_ethtool_set(int descriptor, const char* name, uint32_t command, uint32_t value) {
  struct ethtool_value request = {.cmd = command, .data = value};
  return ethtool(descriptor, name, &request);
}

int clinux_ethtool_driver(int descriptor, const char* name, char* driver, size_t length) {
  struct ethtool_drvinfo request = {.cmd = ETHTOOL_GDRVINFO};
  int result = ethtool(descriptor, name, &request);
  snprintf(driver, length, "%.*s", (int)sizeof request.driver, request.driver);
  return result;
}

int clinux_ethtool_channels(int descriptor, const char* name, struct clinux_channels* channels) {
  struct ethtool_channels request = {.cmd = ETHTOOL_GCHANNELS};
  int result = ethtool(descriptor, name, &request);
  channels->receive = request.rx_count;
  channels->transmit = request.tx_count;
  channels->combined = request.combined_count;
  return result;
}

int clinux_is_namespace_file(int descriptor) {
  struct statfs status;
  if (fstatfs(descriptor, &status) < 0) {
    return -errno;
  }
  return status.f_type == NSFS_MAGIC;
}

int clinux_is_network_namespace(int descriptor) {
  int type = ioctl(descriptor, NS_GET_NSTYPE);
  return type < 0 ? -errno : type == CLONE_NEWNET;
}

int clinux_enter_network_namespace(int descriptor) {
  return setns(descriptor, CLONE_NEWNET) < 0 ? -errno : 0;
}

int clinux_leave_for_new_network_namespace(void) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

int clinux_mount_own_sysfs(void) {
  if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
    return -errno;
  return 0;
}

int clinux_open_packet_socket(void) {
  // Protocol 0 binds to nothing: the socket's queue stays empty.
  int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  return descriptor < 0 ? -errno : descriptor;
}

int clinux_send_packet(int descriptor, int interface_index, const void* bytes, size_t length) {
  if (length < ETH_HLEN) {
    return -EINVAL;
  }
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET,
      .sll_ifindex = interface_index,
      .sll_halen = ETH_ALEN,
  };
  memcpy(address.sll_addr, bytes, ETH_ALEN);
  memcpy(&address.sll_protocol, (const char*)bytes + 2 * ETH_ALEN, sizeof address.sll_protocol);
  ssize_t count =
      sendto(descriptor, bytes, length, 0, (const struct sockaddr*)&address, sizeof address);
  return count < 0 ? -errno : 0;
}

void clinux_error_text(int number, char* text, size_t length) {
  char buffer[128];
  snprintf(text, length, "%s", strerror_r(number, buffer, sizeof buffer));
}
