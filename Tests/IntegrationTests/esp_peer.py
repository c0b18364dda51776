# SPDX-License-Identifier: Apache-2.0
"""Opens and seals ESP packets with scapy, which knows nothing of Weft.

Reads a JSON document from the file that is named, writes one to standard output:

  in   session, nonce, info   hexadecimal: what the key is derived from (HKDF-SHA256)
       spi                    a number
       open                   a list of {high, packet}: the upper half of the sequence number, and
                              an IPv4 packet in hexadecimal
       seal                   a list of {sequence, packet}: the whole number, and the IPv4 packet
  out  opened                 for each: the IPv4 packet as it was before, or null
       sealed                 for each: the sealed IPv4 packet
"""

import json
import logging
import sys

logging.getLogger("scapy").setLevel(logging.CRITICAL)

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from scapy.layers.inet import IP
from scapy.layers.ipsec import ESP, IPSecIntegrityError, SecurityAssociation


def association(document):
    """A security association with the derived key, 32 bytes and a salt of 4."""
    derivation = HKDF(
        algorithm=hashes.SHA256(),
        length=36,
        salt=bytes.fromhex(document["nonce"]),
        info=bytes.fromhex(document["info"]),
    )
    key = derivation.derive(bytes.fromhex(document["session"]))
    return SecurityAssociation(
        ESP, spi=document["spi"], crypt_algo="AES-GCM", crypt_key=key, esn_en=True
    )


def opened(security, item):
    """The packet as it was, or None if it is not authentic."""
    try:
        packet = IP(bytes.fromhex(item["packet"]))
        return bytes(security.decrypt(packet, esn_en=True, esn=item["high"])).hex()
    except IPSecIntegrityError:
        return None


def sealed(security, item):
    """The packet sealed under its number."""
    number = item["sequence"]
    packet = security.encrypt(
        IP(bytes.fromhex(item["packet"])),
        seq_num=number & 0xFFFFFFFF,
        iv=number.to_bytes(8, "big"),
        esn_en=True,
        esn=number >> 32,
    )
    return bytes(packet).hex()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    security = association(document)
    json.dump(
        {
            "opened": [opened(security, item) for item in document.get("open", [])],
            "sealed": [sealed(security, item) for item in document.get("seal", [])],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
