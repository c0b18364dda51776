// SPDX-License-Identifier: Apache-2.0
//
// The program of one interface, asked for by one message. bpf_xdp_query has the kernel list all
// interfaces of the namespace, which takes the longer the more ports a host has.
#define _GNU_SOURCE
#include "cxdp_query.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// The socket lives for one request.
#define SEQUENCE 1

// Far above any answer: most are below 2 kB, and alternative names or lists of addresses add some.
#define ANSWER_LIMIT (1 << 20)

// An answer can come only from the kernel that the socket is connected to.
static int open_socket(void) {
  int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (descriptor < 0)
    return -errno;
  // The kernel answers within the call that sends; this only keeps a fault from blocking for ever.
  struct timeval patience = {.tv_sec = 5};
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
      connect(descriptor, (const struct sockaddr*)&kernel, sizeof kernel)) {
    int error = -errno;
    close(descriptor);
    return error;
  }
  return descriptor;
}

static int send_request(int descriptor, int interface) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg link;
    struct rtattr attribute;
    uint32_t mask;
  } request = {
      .header = {.nlmsg_len = sizeof request,
                 .nlmsg_type = RTM_GETLINK,
                 .nlmsg_flags = NLM_F_REQUEST,
                 .nlmsg_seq = SEQUENCE},
      .link = {.ifi_family = AF_UNSPEC, .ifi_index = interface},
      .attribute = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_EXT_MASK},
      .mask = RTEXT_FILTER_SKIP_STATS,
  };
  ssize_t count = TEMP_FAILURE_RETRY(send(descriptor, &request, sizeof request, 0));
  return count < 0 ? -errno : 0;
}

// Returns the length of the answer, which the caller frees, or -errno.
static ssize_t receive_answer(int descriptor, void** answer) {
  ssize_t length = TEMP_FAILURE_RETRY(recv(descriptor, NULL, 0, MSG_PEEK | MSG_TRUNC));
  if (length < 0)
    return -errno;
  if (length == 0 || length > ANSWER_LIMIT)
    return -EMSGSIZE;
  *answer = malloc((size_t)length);
  if (!*answer)
    return -ENOMEM;
  ssize_t count = TEMP_FAILURE_RETRY(recv(descriptor, *answer, (size_t)length, MSG_TRUNC));
  if (count < 0)
    return -errno;
  return count == length ? count : -EMSGSIZE;
}

static const struct rtattr* find(const struct rtattr* attribute, int left, unsigned int type) {
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
    if ((attribute->rta_type & NLA_TYPE_MASK) == type)
      return attribute;
  return NULL;
}

// A number inside IFLA_XDP, of 1 or 4 bytes; 0 if it is not there.
static uint32_t number(const struct rtattr* nest, unsigned int type) {
  const struct rtattr* attribute = find(RTA_DATA(nest), (int)RTA_PAYLOAD(nest), type);
  if (!attribute)
    return 0;
  if (RTA_PAYLOAD(attribute) == sizeof(uint8_t))
    return *(const uint8_t*)RTA_DATA(attribute);
  uint32_t value = 0;
  if (RTA_PAYLOAD(attribute) == sizeof value)
    memcpy(&value, RTA_DATA(attribute), sizeof value);
  return value;
}

static struct cxdp_attached read_nest(const struct rtattr* nest) {
  uint32_t id = number(nest, IFLA_XDP_PROG_ID);
  switch (number(nest, IFLA_XDP_ATTACHED)) {
  case XDP_ATTACHED_NONE:
    return (struct cxdp_attached){0, CXDP_MODE_NONE};
  case XDP_ATTACHED_DRV:
    return (struct cxdp_attached){id, CXDP_MODE_NATIVE};
  case XDP_ATTACHED_SKB:
    return (struct cxdp_attached){id, CXDP_MODE_GENERIC};
  }
  // In hardware, or several at once, which the kernel names by mode only.
  const unsigned int types[] = {IFLA_XDP_HW_PROG_ID, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_SKB_PROG_ID};
  for (int index = 0; !id && index < 3; index++)
    id = number(nest, types[index]);
  return (struct cxdp_attached){id, CXDP_MODE_OTHER};
}

int cxdp_read_answer(const void* answer, unsigned long length, unsigned int interface,
                     struct cxdp_attached* attached) {
  const struct nlmsghdr* header = answer;
  if (length > ANSWER_LIMIT || !NLMSG_OK(header, (int)length) || header->nlmsg_seq != SEQUENCE)
    return -EBADMSG;
  if (header->nlmsg_type == NLMSG_ERROR && NLMSG_PAYLOAD(header, 0) >= sizeof(struct nlmsgerr)) {
    const struct nlmsgerr* failure = NLMSG_DATA(header);
    return failure->error < 0 && failure->error >= -4095 ? failure->error : -EBADMSG;
  }
  const struct ifinfomsg* link = NLMSG_DATA(header);
  if (header->nlmsg_type != RTM_NEWLINK || NLMSG_PAYLOAD(header, 0) < sizeof *link ||
      link->ifi_index != (int)interface)
    return -EBADMSG;
  const struct rtattr* nest = find(IFLA_RTA(link), (int)IFLA_PAYLOAD(header), IFLA_XDP);
  *attached = nest ? read_nest(nest) : (struct cxdp_attached){0, CXDP_MODE_NONE};
  return 0;
}

static int ask(int descriptor, unsigned int interface, struct cxdp_attached* attached) {
  int error = send_request(descriptor, (int)interface);
  if (error)
    return error;
  void* answer = NULL;
  ssize_t length = receive_answer(descriptor, &answer);
  int result = length < 0 ? (int)length
                          : cxdp_read_answer(answer, (unsigned long)length, interface, attached);
  free(answer);
  return result;
}

int cxdp_ask_kernel(unsigned int interface, struct cxdp_attached* attached) {
  // No interface has such an index.
  int result = -ENODEV;
  if (interface > 0 && interface <= INT_MAX) {
    int descriptor = open_socket();
    if (descriptor < 0)
      return descriptor;
    result = ask(descriptor, interface, attached);
    close(descriptor);
  }
  if (result != -ENODEV)
    return result;
  *attached = (struct cxdp_attached){0, CXDP_MODE_NONE};
  return 0;
}
