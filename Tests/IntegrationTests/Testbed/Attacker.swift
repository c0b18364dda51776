// SPDX-License-Identifier: Apache-2.0

/// Somebody on the wire who means harm to a mesh: a small Python program with a few roles.
///
/// Every role is bounded in count, ends by itself after 50 s at the latest, and prints in one line
/// how much it did.
enum Attacker {
  /// The words that play a role against the peer at an address.
  static func command(_ role: String, _ address: String, _ arguments: [String]) -> [String] {
    ["timeout", "-k", "1", "50", "/usr/bin/python3", "-u", "-c", source, role, address] + arguments
  }

  private static let source =
    common + handshakes + floods + members + """

      chance = random.Random(int(arguments[0]))
      attacks = [garbage, lengths, introductions, leavers, mute, slow, crowd, member, datagrams]
      roles = {function.__name__: function for function in attacks + [guest]}
      print(roles[role](*arguments[1:]))
      """

  private static let common = """
    import errno, os, random, select, socket, struct, sys, time

    role, victim, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    HEADER = b'weave\\x01\\x02'

    def dial():
        return socket.create_connection((victim, 6783), timeout=40)

    def said(connection):
        # Everything until the other end closes.
        data = b''
        try:
            while piece := connection.recv(1 << 16):
                data += piece
        except ConnectionError:
            pass
        return data

    def refused(*pieces):
        # Says something and waits until the other end, which must, has closed.
        with dial() as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except ConnectionError:
                pass
            said(connection)
        return 1

    def frame(body):
        return struct.pack('>I', len(body)) + body

    def number(value):
        if value < 128:
            return bytes([value])
        data = value.to_bytes((value.bit_length() + 7) // 8, 'big')
        return bytes([256 - len(data)]) + data

    def text(data):
        data = data if isinstance(data, bytes) else data.encode()
        return number(len(data)) + data

    MAP = bytes.fromhex('0eff81040102ff8200010c010c0000')

    def features(entries, count=None):
        # A map of texts, which may say that it has more entries than it has.
        pairs = b''.join(text(key) + text(value) for key, value in entries)
        count = len(entries) if count is None else count
        return MAP + text(bytes.fromhex('ff8200') + number(count) + pairs)

    def introduction(name, **others):
        entries = dict(PeerNameFlavour='mac', Name=name, NickName='friend', UID='77', ConnID='5',
                       ShortID='99', Trusted='false', Overlays='fastdp sleeve', Weft='vxlan')
        return features(list({**entries, **others}.items()))

    """

  private static let handshakes = """
    def garbage(count):
        # What is no peer's header: texts of other protocols and random bytes.
        hello = bytes.fromhex('16030100c4010000c00303') + chance.randbytes(190)
        texts = [b'GET / HTTP/1.1\\r\\nHost: weft\\r\\n\\r\\n', hello, b'SSH-2.0-OpenSSH_9.2\\r\\n']
        for _ in range(int(count)):
            first = bytes([chance.choice([0, 1, 0x41, 0x80, 0xff])])
            refused(chance.choice(texts + [first + chance.randbytes(chance.randrange(4000))]))
        return int(count)

    def lengths(count):
        # The right header, and then more than a peer may say before it is known.
        for _ in range(int(count)):
            for length in (0xffffffff, 10 * 2**20 + 1, 10 * 2**20, 2**16 + 1):
                refused(HEADER + b'\\0' + struct.pack('>I', length), b'x' * 1000, b'y' * 1000)
        return 4 * int(count)

    def introductions(count):
        # Features that lie about their number, that are too many, nested, cut, or nonsense.
        layers = b''.join(
            text(number(2 * kind - 1) + b'\\2\\1\\2' + number(2 * kind) + b'\\0\\1'
                 + number(2 * (kind + 1)) + b'\\0\\0') for kind in range(65, 200))
        nested = layers + text(number(2 * 65) + b'\\0' + b'\\1' * 300)
        good = introduction('02:00:00:00:00:09')
        for _ in range(int(count)):
            for body in (
                features([('a', 'b')], count=1000000), features([('k', 'v')] * 10000), nested,
                good[:chance.randrange(1, len(good) - 1)], chance.randbytes(500),
                introduction('nobody'), introduction('02:00:00:00:00:09', UID='0'),
                introduction('02:00:00:00:00:09', ShortID='4096')):
                refused(HEADER + b'\\0' + frame(body))
            # One that really has 100,000 entries is longer than a stranger's first message.
            refused(HEADER + b'\\0', frame(features([('k', 'v')] * 100000)))
            refused(b'weave\\3\\4\\0', b'')
            refused(HEADER + b'\\1' + chance.randbytes(32))
        return int(count)

    def leavers(count):
        # Go away in the middle of their introduction.
        good = HEADER + b'\\0' + frame(introduction('02:00:00:00:00:09'))
        for _ in range(int(count)):
            with dial() as connection:
                # Whoever is spoken to was let in.
                connection.recv(8)
                connection.sendall(good[:chance.randrange(len(good) - 1)])
        return int(count)

    def mute():
        # Says nothing and waits until it is sent away.
        return refused()

    """

  private static let floods = """
    def begin():
        # A connection that is under way; None if there cannot be another one now.
        connection = socket.socket()
        connection.setblocking(False)
        code = connection.connect_ex((victim, 6783))
        if code in (0, errno.EINPROGRESS):
            return connection
        connection.close()

    def slow(count, seconds):
        # Keeps that many connections, each of which sends a byte now and then.
        count, end = int(count), time.monotonic() + float(seconds)
        lines, begun, sent = [], 0, 0
        while time.monotonic() < end:
            while len(lines) < count and (line := begin()):
                lines.append([line, 0])
                begun += 1
            for line in list(lines):
                try:
                    part = (HEADER + b'\\0' + bytes(99))[line[1]:line[1] + 1]
                    line[1] += line[0].send(part)
                    sent += 1
                except BlockingIOError:
                    pass
                except OSError:
                    line[0].close()
                    lines.remove(line)
            time.sleep(2)
        return f'{begun} connections, {sent} bytes'

    def crowd(each, seconds):
        # Connects that often in every second, of which some are closed at once and some stay.
        kept, begun, failed, start = [], 0, 0, time.monotonic()
        total = int(each) * int(seconds)
        while begun < total:
            due = min(total, int(each) * (time.monotonic() - start))
            while begun < due:
                begun += 1
                line = begin()
                if line is None:
                    failed += 1
                elif begun % 2:
                    line.close()
                else:
                    kept.append(line)
                    if len(kept) > 400:
                        kept.pop(0).close()
            time.sleep(0.005)
        return f'{begun} connections, {failed} not begun'

    """

  private static let members = """
    def envelope(channel, source, payload, destination=None):
        names = [source] if destination is None else [source, destination]
        parts = [text(b'\\x0c\\0' + text(channel))]
        parts += [text(b'\\6\\0' + number(name)) for name in names]
        return b''.join(parts) + text(b'\\x0a\\0' + text(payload))

    SUMMARY = bytes.fromhex(
        '62ff830301010b7065657253756d6d61727901ff8400010601084e616d6542797465010a0001084e69636b4e61'
        '6d65010c000103554944010600010756657273696f6e010600010753686f7274494401060001'
        '0a48617353686f727449440102000000')
    LINKS = bytes.fromhex(
        '0dff87020102ff880001ff8600005bff8503010111636f6e6e656374696f6e53756d6d61727901ff8600010401'
        '084e616d6542797465010a00010d52656d6f746554435041646472010c0001084f7574626f756e640102000'
        '10b45737461626c69736865640102000000')

    def topology(peers):
        # Peers with their version and the names of those that they say they are connected with.
        parts = [SUMMARY]
        for place, (name, version, others) in enumerate(peers):
            parts.append(text(
                b'\\xff\\x84\\1\\6' + name.to_bytes(6, 'big') + b'\\1' + text('made up') + b'\\1'
                + number(chance.getrandbits(63) | 1) + b'\\1' + number(version) + b'\\1'
                + number(chance.randrange(1, 4096)) + b'\\1\\1\\0'))
            links = b''.join(
                b'\\1\\6' + other.to_bytes(6, 'big') + b'\\1' + text(address) + b'\\1\\1\\1\\1\\0'
                for other, address in others)
            if place == 0:
                parts.append(LINKS)
            parts.append(text(b'\\xff\\x88\\0' + number(len(others)) + links))
        return b''.join(parts)

    class Member:
        # A connection on which we have been let in.
        def __init__(self, name):
            self.name = name
            self.line = dial()
            octets = ':'.join(f'{octet:02x}' for octet in name.to_bytes(6, 'big'))
            self.line.sendall(HEADER + b'\\0' + frame(introduction(octets)))
            self.take(8)
            # Their features, and then everything that they know: we belong to them now.
            for _ in range(2):
                self.take(struct.unpack('>I', self.take(4))[0])

        def take(self, length):
            data = b''
            while len(data) < length:
                piece = self.line.recv(length - len(data))
                if not piece:
                    sys.exit('a member was not let in')
                data += piece
            return data

        def say(self, tag, payload):
            # What they say meanwhile is read, so that nobody has to wait for us.
            while select.select([self.line], [], [], 0)[0]:
                if not self.line.recv(1 << 16):
                    sys.exit('a member was sent away')
            self.line.sendall(frame(bytes([tag]) + payload))

        def offend(self, tag, payload):
            # Says what nobody is forgiven.
            self.line.sendall(frame(bytes([tag]) + payload))
            said(self.line)
            self.line.close()

    def inventions(own, count, version):
        # Everybody is connected with us and with the next one, at addresses of all kinds.
        names = [0x0a0000000000 + place for place in range(count)]
        places = ['127.0.0.1:9', '192.0.2.1:6783', '192.0.2.250:6783', 'nowhere', '224.0.0.1:1']
        peers = [(own, version, [(name, '') for name in names])]
        for place, name in enumerate(names):
            others = sorted({names[place - 1], names[(place + 1) % count]})
            links = [(own, '')] + [(other, chance.choice(places)) for other in others]
            peers.append((name, version, links))
        return topology(peers)

    def member(count):
        own, kind = 0x020000000009, 'topology'
        good = topology([(own, 7, [(0x020000000001, '192.0.2.1:6783')])])
        offences = 0
        for tag, payload in (
            (4, chance.randbytes(3000)), (6, b''), (5, envelope(kind, own, good, 0x020000000001)),
            (4, envelope(kind, own, chance.randbytes(3000))), (4, envelope('c' * 300, own, b'')),
            (6, envelope(kind, own, good[:-9])),
        ):
            Member(own).offend(tag, payload)
            offences += 1
        whisperer = Member(own)
        whisperer.line.sendall(struct.pack('>I', 10 * 2**20 + 1))
        said(whisperer.line)
        # Most of a message that never ends.
        holder = Member(own + 1)
        holder.line.sendall(struct.pack('>I', 10 * 2**20) + bytes([4]) + bytes(9 * 2**20))
        liar = Member(own)
        # More peers than anybody takes.
        liar.say(4, envelope(kind, own, inventions(own, 17000, 3)))
        for place in range(2000):
            liar.say(4, envelope(f'channel {place % 700}', own, chance.randbytes(200)))
            liar.say(chance.choice([1, 2, 3] + list(range(8, 256))), chance.randbytes(40))
            nonsense = bytes([chance.choice([0, 0, 1, 255]), chance.randrange(1, 256)])
            liar.say(7, (nonsense + chance.randbytes(20))[:chance.randrange(23)])
            away = chance.choice([0x0b0000000000, 0x020000000002, own])
            liar.say(5, envelope(f'channel {place}', own, chance.randbytes(50), away))
        for version in range(2, 6):
            liar.say(4, envelope(kind, own, inventions(own, int(count), version)))
            liar.say(6, envelope(kind, own, inventions(own, 50, version + 100)))
        # What was said is dealt with in order: whoever answers to this has dealt with all of it.
        liar.offend(4, b'')
        return f'{offences + 2} offences'

    def guest():
        # Comes as a peer does and leaves again.
        with Member(0x020000000009).line:
            return 1

    def datagrams(count):
        # Nonsense for both UDP ports, some of it in the name of peers and with right headers.
        line, names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), [1, 2, 9]
        for place in range(int(count)):
            body = chance.randbytes(chance.randrange(1400))
            name = bytes([2, 0, 0, 0, 0, chance.choice(names)])
            network = b'\\x08\\0\\0\\0' + chance.randbytes(3) + b'\\0'
            port = 6783 + place % 2
            start = [b'', name, name + name + name] if port == 6783 else [b'', network, network]
            line.sendto(chance.choice(start) + body, (victim, port))
            if place % 32 == 0:
                time.sleep(0.005)
        return f'{count} datagrams'

    """
}
