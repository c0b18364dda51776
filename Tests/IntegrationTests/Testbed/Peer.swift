// SPDX-License-Identifier: Apache-2.0

/// The containers' side of a conversation: a small Python program with a few roles.
///
/// Each role that waits for others says `ready` first, and every role ends by itself after five
/// minutes.
enum Peer {
  /// The words that play a role.
  static func command(_ role: String, _ arguments: [String] = []) -> [String] {
    ["timeout", "-k", "1", "300", "/usr/bin/python3", "-u", "-c", source, role] + arguments
  }

  private static let source = """
    import hashlib, os, random, socket, sys, time

    role, arguments = sys.argv[1], sys.argv[2:]

    def datagrams():
        # Without don't-fragment: IP_MTU_DISCOVER is IP_PMTUDISC_DONT.
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.IPPROTO_IP, 10, 0)
        return made

    def echo(address, port):
        # Sends every datagram back.
        server = datagrams()
        server.bind((address, int(port)))
        print('ready')
        while True:
            data, sender = server.recvfrom(65535)
            server.sendto(data, sender)

    def ask(address, port, size, count):
        # Sends random datagrams, each of which must come back as it was.
        client = datagrams()
        client.settimeout(10)
        client.connect((address, int(port)))
        for number in range(int(count)):
            data = os.urandom(int(size))
            client.send(data)
            if client.recv(65535) != data:
                sys.exit(f'datagram {number} of {size} bytes came back changed')

    def digest(address, port):
        # Answers every datagram with its length and the beginning of its SHA-256.
        server = datagrams()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        server.bind((address, int(port)))
        print('ready')
        while True:
            data, sender = server.recvfrom(65535)
            server.sendto(b'%d %s' % (len(data), hashlib.sha256(data).digest()[:8]), sender)

    def probe(address, port, *lengths):
        # Sends packets of these lengths, headers included, with and without don't-fragment. Each
        # must be answered as it was or, with don't-fragment, by an error about its length.
        # Prints those that were not, and how many were answered in which way.
        answered, refused, silent = 0, 0, []
        for length in map(int, lengths):
            for flag in (3, 0):  # IP_PMTUDISC_PROBE, IP_PMTUDISC_DONT
                for attempt in range(4):
                    client = datagrams()
                    client.setsockopt(socket.IPPROTO_IP, 10, flag)  # IP_MTU_DISCOVER
                    client.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
                    client.settimeout(0.3 * 2 ** attempt)
                    client.connect((address, int(port)))
                    data = os.urandom(length - 28)
                    wanted = b'%d %s' % (len(data), hashlib.sha256(data).digest()[:8])
                    try:
                        client.send(data)
                        if client.recv(64) == wanted:
                            answered += 1
                            break
                        sys.exit(f'{length} bytes came changed')
                    except TimeoutError:
                        continue
                    except OSError as error:
                        if error.errno == 90 and flag == 3:  # EMSGSIZE
                            refused += 1
                            break
                        raise
                    finally:
                        client.close()
                else:
                    silent.append(f'{length}{" DF" if flag == 3 else ""}')
        print('result', answered, refused, ' '.join(silent))

    def listen(address, group, port, *texts):
        # Waits until each of the texts has come, by broadcast or to the group.
        missing = set(texts)
        server = datagrams()
        server.bind(('', int(port)))
        member = socket.inet_aton(group) + socket.inet_aton(address)
        server.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        print('ready')
        while missing:
            missing.discard(server.recv(65535).decode())
        print('complete')

    def announce(address, target, port, text):
        # Sends one datagram by broadcast or to a group.
        client = datagrams()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        client.bind((address, 0))
        client.sendto(text.encode(), (target, int(port)))

    def receive(address, port):
        # Takes one connection's bytes and prints their number and SHA-256.
        server = socket.create_server((address, int(port)))
        print('ready')
        connection, _ = server.accept()
        total, digest = 0, hashlib.sha256()
        while data := connection.recv(1 << 18):
            total += len(data)
            digest.update(data)
        print('result', total, digest.hexdigest())

    def send(address, port, length):
        # Sends that many random bytes and prints their number and SHA-256.
        connection = socket.create_connection((address, int(port)), timeout=25)
        total, digest = 0, hashlib.sha256()
        while total < int(length):
            data = os.urandom(min(1 << 18, int(length) - total))
            connection.sendall(data)
            digest.update(data)
            total += len(data)
        connection.close()
        print('result', total, digest.hexdigest())

    def repaired(frame):
        # With a right IPv4 checksum, if there is room for a header.
        end = 14 + 4 * (frame[14] % 16) if len(frame) > 14 else 0
        if 34 <= end <= len(frame):
            frame[24:26] = b'\\0\\0'
            total = sum(frame[at] << 8 | frame[at + 1] for at in range(14, end, 2))
            while total > 0xffff:
                total = (total & 0xffff) + (total >> 16)
            frame[24:26] = (0xffff - total).to_bytes(2, 'big')
        return frame

    def damage(interface, count, seed, *good):
        # Sends frames as they are, cut, changed and made up; prints how many the kernel took.
        chance, taken = random.Random(int(seed)), 0
        line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        line.bind((interface, 0))
        for number in range(int(count)):
            frame, kind = bytearray.fromhex(chance.choice(good)), chance.randrange(6)
            if kind == 0:
                frame = bytearray(chance.randbytes(chance.randrange(14, 200)))
            elif kind == 1:
                del frame[chance.randrange(14, len(frame)):]
            elif kind < 5:
                for _ in range(chance.randrange(1, 5)):
                    frame[chance.randrange(min(len(frame), 80))] = chance.randrange(256)
                if kind < 4:
                    frame = repaired(frame)
            try:
                taken += line.send(frame) > 0
            except OSError:
                pass
            if number % 64 == 0:
                time.sleep(0.001)
        print(taken)

    roles = [echo, ask, digest, probe, listen, announce, receive, send, damage]
    {function.__name__: function for function in roles}[role](*arguments)
    """
}
